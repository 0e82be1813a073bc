#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What is said: in its order, of the target as it is in the end, without what would command a terminal; and
# looking stops nothing (promises 11 and 12).
import os
import subprocess
import sys

from harness import DEBUGCALL, KILLER, TARGETS, Program, Target, Victim, contains, debugcall, equal, expect, good, main, \
    row, skip, test, until


@test
def one_pipe():
    """values and errors that go to one place keep their order"""
    with Target() as target:
        run = subprocess.run([DEBUGCALL, "-p", str(target.pid), "--finally", "half(5)", "add(1, 2)", "crash()"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        places = [run.stdout.find(text) for text in ("3\n", "SIGSEGV", "2.5\n")]
        expect(-1 not in places and places == sorted(places), run.stdout)


@test
def dead():
    """a process that ended once it was let go of is not said to run on"""
    with Target() as target:
        run = debugcall("-p", target.pid, "add(1, 2)", "crash()",
                        env={"LD_PRELOAD": KILLER, "DC_KILL_TARGET": str(target.pid)})
        equal((run.code, run.out), (1, "3\n"), run)
        expect("has ended" in run.err and "runs on" not in run.err, run)


@test
def touched():
    """a refusal after stops does not say that there were none"""
    with Victim("rseq") as victim:
        run = debugcall("--wait", "20ms", "--thread", victim.tid, "-p", victim.pid, "add(1, 2)")
        expect(run.code != 6 or "restored" in run.err and "not touched" not in run.err, run)
    with Target() as target:
        run = debugcall("-p", target.pid, "add(")
        contains(run.err, "not touched")


def stuck(expression):
    """A thread that does not come back from a system call made for the call is not said to be restored."""
    with Program(f"{TARGETS}/stuck") as target:
        other = max(map(int, os.listdir(f"/proc/{target.pid}/task")))
        run = debugcall("--assume-seccomp-ok", "--thread", other, "-p", target.pid, expression)
        expect(run.code == 5 and "does not come back" in run.err, run)
        expect("goes home by itself" in run.err and "restored" not in run.err, run)
        equal(run.err.count("the target") + run.err.count("the thread is"), 1, run.err)

        def rounds():
            target.process.stdin.write("\n")
            target.process.stdin.flush()
            return int(target.process.stdout.readline())
        first = rounds()
        until(lambda: rounds() > first, "it has gone home")


@test
def names():
    """a thread's name gives a terminal no commands"""
    code = ("import ctypes, sys; ctypes.CDLL(None).prctl(15, b'\\x1b[31m\\xc2\\x9bx\\ny\\xc3\\xa9'); "
            "print('ready', flush=True); sys.stdin.read()")
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as target:
        target.stdout.readline()
        for args in ("check",), ("stacks",):
            out = good(*args, "-p", target.pid)
            contains(out, "?[31m??x?y\u00e9")
            equal([c for c in out if c < " " and c != "\n" or "\x7f" <= c < "\xa0"], [])
        target.stdin.close()


@test
def unknown_name():
    """a name that nothing mentions has no library's debug file opened for it"""
    with Target() as target:
        run = debugcall("--trace", "symbols", "-p", target.pid, "no_such_name_anywhere")
        opened = [line for line in run.err.splitlines() if "debug information opened" in line]
        expect(run.code == 1 and len(opened) == 1 and opened[0].endswith("plain"), run)


def seized(*args):
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    run = subprocess.run(["strace", "-f", "-qq", "-e", "trace=ptrace", DEBUGCALL, *map(str, args)],
                         capture_output=True, text=True, timeout=60, env=env, check=False)
    if "Operation not permitted" in run.stderr:
        skip("strace may not trace here")
    return run, run.stderr.count("PTRACE_SEIZE")


@test
def running():
    """a name that there is not, of a thread that runs, stops nothing, and a register stops it once"""
    with Target("threads") as target:
        other = target.threads()[1]
        until(lambda: target.state(other) == "R", "it runs")
        run, n = seized("--thread", other, "-p", target.pid, "no_such_name")
        contains(run.stderr, "no symbol 'no_such_name'")
        with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as file:
            if n and int(file.read()) > 2 and os.getuid():
                skip("no samples here")
        equal(n, 0, "stops for a name")
        run, n = seized("-q", "--thread", other, "-p", target.pid, "$rip")
        contains(run.stdout, "count")
        equal(n, 1, "stops for a register")


row("a system call that does not end: for a literal", stuck, 'length("abc")')
row("a system call that does not end: for a call", stuck, "sum(1, 2, 3, 4, 5, 6, 7)")
main()
