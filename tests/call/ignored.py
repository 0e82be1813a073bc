#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 7 where the program ignores the signals of faults: a callee's fault is contained, and the ignoring,
# which the kernel takes back for it, is as it was, wherever the debugger dies.
import os
import subprocess

from harness import TARGETS, Program, debugcall, equal, expect, good, killed_at, kill_points, main, row, status, test, \
    until
from harness.gort_server import Server

WANTED = "1/0/0 1/50000000/200 1/0/0 1/0/0 1/0/0 1/0/0\n"


class Ignoring(Program):
    def __init__(self, *args):
        super().__init__(f"{TARGETS}/ignoring", *args)

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def other(self):
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))[1]


def contained(expression, signo, *where):
    with Ignoring("threads") as target:
        threads = ("--thread", target.other()) if where else ()
        for _ in range(3):
            run = debugcall(*threads, "-p", target.pid, expression)
            expect(run.code == 1 and signo in run.err and "restored" in run.err, run)
            equal(target.ask(), WANTED, run.err)
        equal(good("-q", *threads, "-p", target.pid, "add(1, 2)", '*"x"'), "3\n120 'x'\n")
        beats = int(good("-q", "-p", target.pid, "beats"))
        until(lambda: int(good("-q", "-p", target.pid, "beats")) != beats, "the other thread runs")


@test
def through_the_pad():
    """a literal is mapped first"""
    with Ignoring() as target:
        run = debugcall("-p", target.pid, '*"x"', "divide(1, 0)")
        expect(run.code == 1 and "SIGFPE" in run.err, run)
        equal(target.ask(), WANTED, run.err)


@test
def sent():
    """what is only sent does nothing, and a callee may handle it"""
    for signals in "hold", "pass":
        with Ignoring() as target:
            equal(good("-q", f"--signals={signals}", "-p", target.pid, "send_fpe()", "handle()"), "0\n1\n")
            equal([each[:2] for each in target.ask().split()], ["1/"] * 6)


@test
def other_crashes():
    """abort() ends as ever"""
    with Ignoring() as target:
        run = debugcall("-p", target.pid, "give_up()")
        expect(run.code == 1 and "SIGABRT" in run.err, run)
        equal(target.ask(), WANTED)


def killed(expression):
    """A fault that nobody contains any more ends the program; whoever lives on ignores what it ignored."""
    died = 0
    target = Ignoring()
    _, total = kill_points("-p", target.pid, expression)
    for n in range(1, total + 3):
        killed_at(n, "-p", target.pid, expression)
        until(lambda: target.process.poll() is not None or status(target.pid)["State"][0] == "S", "it waits")
        if target.process.poll() is not None:
            died += 1
            target.__exit__()
            target = Ignoring()
        else:
            # What else is set for an ignored signal, and means nothing, comes back with a second step.
            equal([each[:2] for each in target.ask().split()], ["1/"] * 6, f"killed at {n} of {total}")
    target.__exit__()
    expect(died < total / 2, f"{died} of {total}")


@test
def perl():
    """it ignores SIGFPE"""
    with subprocess.Popen(["perl", "-e", '$| = 1; print "ready\\n"; <STDIN>; print $SIG{FPE} // "none", "\\n"'],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        until(lambda: status(process.pid)["State"][0] == "S", "it waits")
        equal(good("-q", "-p", process.pid, "(int)getpid()"), f"{process.pid}\n")
        equal(int(status(process.pid)["SigIgn"], 16) >> 7 & 1, 1, "SIGFPE is ignored")
        process.stdin.write("\n")
        process.stdin.close()


@test
def own_host():
    """libgort's host puts nothing back, so it refuses, and check says so beforehand"""
    with Server() as server:
        run = debugcall("check", "-p", server.pid)
        expect(run.code == 0 and "ignores SIGFPE" not in run.err, run)
        good("-q", "-p", server.pid, "(long)signal(8, (void (*)(int))1)")
        run = debugcall("check", "-p", server.pid)
        expect("gort: the program ignores SIGFPE" in run.err, run)
        run = debugcall("--host", "gort", "-p", server.pid, "(long)signal(8, (void (*)(int))0)")
        expect(run.code == 6 and "ignores SIGFPE" in run.err, run)
        good("-q", "--host", "gort", "--force", "-p", server.pid, "(long)signal(8, (void (*)(int))0)")
        run = debugcall("check", "-p", server.pid)
        expect("ignores SIGFPE" not in run.err, run)


row("contained: SIGFPE", contained, "divide(1, 0)", "SIGFPE")
row("contained: SIGFPE in a thread", contained, "divide(1, 0)", "SIGFPE", "thread")
row("contained: SIGSEGV", contained, "segv()", "SIGSEGV")
row("contained: SIGSEGV, its stack overflown", contained, "overflow(1)", "SIGSEGV", "thread")
row("contained: SIGILL", contained, "ill()", "SIGILL")
for e in "divide(1, 0)", "segv()":
    row(f"killed: {e}", killed, e)
main()
