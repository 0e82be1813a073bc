#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls through a preloaded agent: the host is found by itself, no thread of the program is stopped or
# signalled, and what becomes of a callee is told as on the other hosts.
import json
import os
import shutil
import subprocess
import tempfile

from harness import B, DEBUGCALL, Target, contains, debugcall, ends, equal, expect, main, row, skip, status, test, until

AGENT = f"{B}/libdebugcall-agent.so"


def agent_target(*args, **env):
    return Target(*args, env={"LD_PRELOAD": AGENT, **env})


def call(target, *args):
    return json.loads(ends(0, "--json", "-p", target.pid, *args).out.splitlines()[0])


def descriptors(pid):
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            pass
    return found


def names(pid):
    """The names of its threads."""
    found = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/comm", encoding="utf-8") as file:
                found.append(file.read().strip())
        except OSError:
            pass
    return sorted(found)


def switches(target):
    return status(target.pid)["voluntary_ctxt_switches"], status(target.pid)["nonvoluntary_ctxt_switches"]


def caught(target):
    """The signals that it has handlers for, but those of libc's threads."""
    return int(status(target.pid)["SigCgt"], 16) & ~(3 << 31)


def is_idle(target):
    return names(target.pid) == ["debugcall-agent", "plain"]


@test
def found():
    """the host is found by itself, and no thread of the program is needed"""
    with agent_target() as target:
        answer = call(target, "add(1, 2)")
        equal((answer["host"], answer["thread"], answer["pause_us"], answer["value"]), ("agent", None, 0, "3"))


@test
def idle():
    """without a client there is one memory file, read-only and of mode 0600, and one thread that sleeps"""
    with agent_target() as target:
        until(lambda: is_idle(target), "the agent sleeps")
        files = {fd: path for fd, path in descriptors(target.pid).items() if "debugcall" in path}
        equal(len(files), 1, files)
        fd = next(iter(files))
        with open(f"/proc/{target.pid}/fdinfo/{fd}", encoding="utf-8") as file:
            flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
        equal(flags & os.O_ACCMODE, os.O_RDONLY, "access mode")
        expect(flags & os.O_CLOEXEC, "it is not close-on-exec")
        equal(os.stat(f"/proc/{target.pid}/fd/{fd}").st_mode & 0o777, 0o600, "mode")
        equal(caught(target), 0, "signals with a handler")
        with open(f"/proc/{target.pid}/smaps", encoding="utf-8") as file:
            text = file.read().split("/memfd:debugcall-agent")[1].split("VmFlags:")[1].splitlines()[0]
        contains(text, " dc")


@test
def stops_nothing():
    """100 calls, and the program's own thread has not been switched to once"""
    with agent_target() as target:
        target.waits()
        call(target, "add(1, 2)")
        before = switches(target)
        ends(0, "-q", "-p", target.pid, *["add(1, 2)"] * 100)
        equal(switches(target), before, "context switches")
        target.answers()


@test
def traces_nothing():
    """the debugger neither traces nor signals"""
    if not shutil.which("strace"):
        skip("no strace")
    with agent_target() as target, tempfile.NamedTemporaryFile() as file:
        done = subprocess.run(["strace", "-f", "-o", file.name, "-e",
                               "trace=ptrace,kill,tkill,tgkill,rt_sigqueueinfo,rt_tgsigqueueinfo,pidfd_send_signal",
                               DEBUGCALL, "-q", "-p", str(target.pid), "add(1, 2)", "set_word(\"new\")", "half(3.0)"],
                              capture_output=True, text=True, check=False)
        equal(done.stdout.splitlines()[0], "3", done)
        lines = [line for line in file.read().decode().splitlines() if "+++" not in line and "---" not in line]
        equal(lines, [])


VALUES = (
    ("add(20, 22)", "42"),
    ("half(3.0)", "1.5"),
    ("make_pair(7, 2.5)", "{a = 7, b = 2.5}"),
    ("next_colour(RED)", "GREEN"),
    ("is_even(3)", "false"),
    ("note() + note() * 10", "21"),
    ("pairs[1].a + add(1, 1)", "5"),
    ("add(add(1, 2), add(3, 4))", "10"),
)


def value(expression, wanted):
    with agent_target() as target:
        answer = call(target, expression)
        equal((answer["host"], answer["value"]), ("agent", wanted))


@test
def literals():
    """a literal lies in a mapping of its own, and stays"""
    with agent_target() as target:
        contains(call(target, 'set_word("from outside")')["value"], "from outside")
        contains("\n".join(target.call("word")), "from outside")


@test
def chosen():
    """--host agent insists, --host bare and --thread keep away from it"""
    with agent_target() as target:
        equal(call(target, "--host", "agent", "add(1, 2)")["host"], "agent")
        equal(call(target, "--host", "bare", "add(1, 2)")["host"], "bare")
        answer = call(target, "--thread", target.pid, "add(1, 2)")
        equal((answer["host"], answer["thread"]), ("bare", target.pid))
        run = ends(6, "-p", target.pid, "--host", "agent", "--thread", target.pid, "add(1, 2)")
        contains(run.err, "debugcall_poll()")
    with Target() as target:
        contains(ends(6, "-p", target.pid, "--host", "agent", "add(1, 2)").err, "has no agent")


@test
def own_things():
    """what belongs to a thread of the program is taken from one"""
    with agent_target() as target:
        target.waits()
        answer = call(target, "add(mine, 1)")
        equal((answer["value"], answer["host"]), ("6", "bare"))


@test
def off():
    """DEBUGCALL_AGENT=off leaves nothing behind"""
    with agent_target(DEBUGCALL_AGENT="off") as target:
        equal(names(target.pid), ["plain"])
        equal([path for path in descriptors(target.pid).values() if "debugcall" in path], [])


OUTCOMES = (
    ("a fault", "crash()", 1, "crashed with SIGSEGV at address 0x10", "fault"),
    ("a division by zero", "divide(1, 0)", 1, "SIGFPE", "divide"),
    ("abort()", "give_up()", 1, "ended with SIGABRT", "give_up"),
    ("a loop", "spin()", 5, "did not return within 300 ms", "spin"),
    ("a sleep", "nap(1000)", 5, "did not return within 300 ms", "nap"),
)


def outcome(expression, code, text, frame):
    with agent_target() as target:
        target.waits()
        before = switches(target)
        run = debugcall("-p", target.pid, "--timeout", "300ms", expression)
        equal(run.code, code, run)
        contains(run.err.splitlines()[0], text)
        contains(run.err, f" in {frame} ")
        contains(run.err.splitlines()[-1], "restored")
        equal(switches(target), before, "context switches")
        equal(call(target, "add(1, 2)")["host"], "agent")
        target.answers()
        until(lambda: is_idle(target), "the agent sleeps again")
        equal(caught(target), 0, "signals with a handler")


@test
def end_of_process():
    """a callee that ends the process is reported with the status"""
    with agent_target() as target:
        run = ends(4, "-p", target.pid, "leave(7)")
        contains(run.err, "leave ended process")
        contains(run.err, "status 7")
        equal(target.process.wait(20), 7)


@test
def rate():
    """--repeat makes each call once"""
    with agent_target() as target:
        run = ends(0, "--json", "-p", target.pid, "--repeat", "30000", "note()")
        contains(run.out, '"30000"')
        equal(target.call("notes"), ["30000"])


for expression_, wanted_ in VALUES:
    row(f"value of {expression_}", value, expression_, wanted_)
for title_, *row_ in OUTCOMES:
    row(f"outcome: {title_}", outcome, *row_)
main()
