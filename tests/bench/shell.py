#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The shell beside gdb and lldb, at a terminal each: the prompt after attach to a small program and to one with 100 MB of
# debug information, the Tab key there; a loop of calls in Lua beside --repeat where each call is a resume.
#   shell.py        RUNS= for another count
import contextlib
import json
import os
import pty
import select
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from bare import B, Gaps, big_program
from harness import Victim

RUNS = int(os.environ.get("RUNS", "5"))
HOME = tempfile.mkdtemp()


class Shell:
    """A debugger at a terminal of its own."""

    def __init__(self, *argv):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvpe(argv[0], argv, dict(os.environ, TERM="dumb", HOME=HOME, XDG_STATE_HOME=HOME))

    def wait(self, text, since=0):
        end = time.monotonic() + 120
        while (at := self.shown.find(text, since)) < 0:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise SystemExit(f"{text!r} is not shown: {self.shown[-300:]!r}")
            self.shown += os.read(self.fd, 1 << 16).decode(errors="replace")
        return at + len(text)

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def shells():
    yield "debugcall", "(debugcall) ", lambda pid: [f"{B}/debugcall", "-p", str(pid)]
    if shutil.which("gdb"):
        yield "gdb", "(gdb) ", lambda pid: ["gdb", "-nx", "-q", "-iex", "set debuginfod enabled off", "-p", str(pid)]
    if shutil.which("lldb"):
        yield "lldb", "Executable", lambda pid: ["lldb", "-X", "-p", str(pid)]


def prompt(argv, mark):
    start = time.monotonic()
    with contextlib.closing(Shell(*argv)) as shell:
        shell.wait(mark)
        return 1000 * (time.monotonic() - start)


def tab(pid):
    """The first Tab, which may have to read names, and the ones after it."""
    times = []
    with contextlib.closing(Shell(f"{B}/debugcall", "-p", str(pid))) as shell:
        shell.wait("(debugcall) ")
        for _ in range(4):
            since = len(shell.shown)
            shell.type("p next_val")
            since = shell.wait("next_val", since)
            start = time.monotonic()
            shell.type("\t")
            shell.wait("ue", since)
            times.append(1000 * (time.monotonic() - start))
            shell.type("\x03")
            shell.wait("(debugcall) ", since)
    return times[0], statistics.median(times[1:])


def verdict(what, got, limit, unit="", at_most=True):
    good = got <= limit if at_most else got >= limit
    print(f"  {what}: {got:.2f}{unit} ({'at most' if at_most else 'at least'} {limit}{unit}): {'good' if good else 'MISSED'}")


def attach(name, target, limit):
    print(f"prompt after attach, {name}; {RUNS} runs, medians")
    medians = {}
    for who, mark, argv in shells():
        medians[who] = statistics.median(prompt(argv(target.pid), mark) for _ in range(RUNS))
        print(f"  {who:10} {medians[who]:8.1f} ms")
    verdict("debugcall", medians["debugcall"], limit, " ms")
    if "gdb" in medians:
        verdict("over gdb's", medians["debugcall"] / medians["gdb"], 1)


def loops():
    number = 20000
    with Victim("spin+no_madvise") as target:
        rates, repeats = [], []
        for _ in range(RUNS):
            script = f"target.borrow(function() for i = 1, {number} do target.call('add', i, 2) end end)"
            start = time.monotonic()
            subprocess.run([f"{B}/debugcall", "-p", str(target.pid), "--thread", str(target.tid), "--batch", "-ex", f"lua {script}"],
                           check=True)
            rates.append(number / (time.monotonic() - start))
            out = subprocess.run([f"{B}/debugcall", "--json", "-p", str(target.pid), "--thread", str(target.tid), "--repeat",
                                  str(number), "add(1, 2)"], check=True, capture_output=True, text=True).stdout
            repeats.append(json.loads(out.splitlines()[0])["calls_per_second"])
    print(f"a loop of {number} calls where each is a resume; {RUNS} alternating runs, medians")
    print(f"  Lua {statistics.median(rates):.0f}/s (start and end of the program with it), --repeat {statistics.median(repeats):.0f}/s")
    verdict("Lua over --repeat", statistics.median(rates) / statistics.median(repeats), 0.5, at_most=False)


def main():
    with contextlib.closing(Gaps(f"{B}/tests/bench/gaps")) as small:
        attach("a small program", small, 100)
    with contextlib.closing(Gaps(big_program())) as large:
        attach("a program with 100 MB of debug information", large, 1000)
        first, later = tab(large.pid)
        print(f"the Tab key there: first {first:.1f} ms")
        verdict("later", later, 50, " ms")
    loops()
    shutil.rmtree(HOME)


main()
