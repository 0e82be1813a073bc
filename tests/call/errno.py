#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# errno: what the last callee left while the thread is borrowed, the thread's own once it is home, whoever
# brings it there; with every C library.
import os

from harness import TARGETS, Program, debugcall, equal, expect, good, killed_at, kill_points, main, row, skip, \
    start, until

OWN = 77


class Errnos(Program):
    def __init__(self, way):
        path = f"{TARGETS}/errnos{way and '-' + way}"
        if not os.path.exists(path):
            skip(f"no {way} here")
        super().__init__(path)

    def number(self, name):
        return int(good("-q", "-p", self.pid, name))

    def threads(self):
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))

    def computer(self):
        return self.threads()[1]

    def reader(self):
        return self.threads()[2]

    def check(self, what):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        equal(self.process.stdout.readline(), "0\n", what)


def lists(way):
    with Errnos(way) as target:
        for thread in target.computer(), target.reader():
            args = ("-q", "--thread", thread, "-p", target.pid)
            equal(good(*args, "(int)close(9999)", "errno"), "-1\n9\n")
            target.check("after close")
            # Through the landing pad, where a literal is; the next call sees what the last one left.
            equal(good(*args, 'look_for("/nowhere")', "get_errno()", "errno"), "-1\n2\n2\n")
            target.check("after look_for")
            # Two chains, one after the other.
            equal(good(*args, "set_errno(4)", "get_errno()", "set_errno(5)", "get_errno()"), "4\n4\n5\n5\n")
            target.check("after two chains")
            equal(good(*args, "errno", "get_errno()"), f"{OWN}\n{OWN}\n")
            target.check("after a look")


def assigned(way):
    """Like a register that is assigned: the thread goes home with it."""
    with Errnos(way) as target:
        for thread in target.computer(), target.reader():
            args = ("-q", "--thread", thread, "-p", target.pid)
            equal(good(*args, "errno = 6", "get_errno()", "set_errno(7)"), "6\n6\n7\n")
            target.process.stdin.write("\n")
            target.process.stdin.flush()
            equal(target.process.stdout.readline(), "1\n", "the assignment was seen, once")
            good(*args, "wrong = 0")


def undone(way):
    with Errnos(way) as target:
        for thread in target.computer(), target.reader():
            run = debugcall("--thread", thread, "-p", target.pid, "crash()")
            expect(run.code == 1 and "SIGSEGV" in run.err, run)
            target.check("after a crash")


def repeated(way):
    with Errnos(way) as target:
        good("-q", "--thread", target.computer(), "-p", target.pid, "--repeat", "20000", "set_errno(3)")
        target.check("after many calls")


def alone(way, before):
    """The debugger is dead when the callee returns. before: makes it take the landing pad."""
    with Errnos(way) as target:
        for thread in target.computer(), target.reader():
            entered = target.number("entered")
            good("-q", "-p", target.pid, "release = 0")
            run = start("--thread", thread, "-p", target.pid, *before, "slow_close()")
            until(lambda: target.number("entered") > entered, "callee entered")
            run.kill()
            run.communicate()
            good("-q", "-p", target.pid, "release = 1")
            target.check("it went home alone")


def killed(way, expression):
    """At each of its steps."""
    with Errnos(way) as target:
        args = ("--thread", target.computer(), "-p", target.pid, expression)
        _, total = kill_points(*args)
        for n in range(1, total + 3):
            killed_at(n, *args)
            target.check(f"killed at {n} of {total}")


for w in "", "static", "musl", "muslstatic":
    row(f"lists: {w or 'shared'}", lists, w)
    row(f"assigned: {w or 'shared'}", assigned, w)
    row(f"undone: {w or 'shared'}", undone, w)
    row(f"many calls: {w or 'shared'}", repeated, w)
    row(f"goes home alone: {w or 'shared'}", alone, w, ())
    row(f"goes home alone from the pad: {w or 'shared'}", alone, w, ("other[0]", '*"x"'))
for e in "set_errno(9)", 'look_for("/nowhere")':
    row(f"killed: {e}", killed, "", e)
main()
