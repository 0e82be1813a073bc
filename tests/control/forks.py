#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 1 for programs that make processes: the debugger is killed while it follows their children, at any moment, and
# neither parents nor children are dead, stopped, or other than they should be.
#     timeout: 300 s
import os
import random
import signal
import subprocess
import time

from harness import B, CAMPAIGN, TARGETS, Program, equal, main, status, test, until


class Loop(Program):
    """It makes processes without end, and knows how each is to end."""

    def __init__(self):
        super().__init__(f"{TARGETS}/forks", "loop")
        self.before = 0

    def counts(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        rounds, faults = map(int, self.process.stdout.readline().split())
        equal(faults, 0, "children that ended wrong")
        return rounds

    def members(self):
        """Its threads and children."""
        tasks = os.listdir(f"/proc/{self.pid}/task")
        with open(f"/proc/{self.pid}/task/{tasks[-1]}/children", encoding="ascii") as file:
            return [(self.pid, tid) for tid in tasks] + [(int(pid), None) for pid in file.read().split()]

    def is_free(self):
        """Nobody of it is stopped, or followed; a child that sleeps goes on by itself."""
        for pid, tid in self.members():
            try:
                fields = status(pid, tid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields["State"][0] in "Tt" or fields["TracerPid"] != "0":
                return False
        return True

    def runs_on(self):
        until(lambda: self.counts() > self.before + 20, "it goes on")


def debug(target, what):
    """The debugger is at work, and killed at a moment of no meaning: the sweep is over moments."""
    debugger = subprocess.Popen([f"{B}/tests/control/driver", str(target.pid), what], stdout=subprocess.PIPE, text=True)
    equal(debugger.stdout.readline(), "at work\n", what)
    time.sleep(random.random() * 0.03)
    debugger.kill()
    equal(debugger.wait(), -signal.SIGKILL)
    debugger.stdout.close()


@test
def killed():
    """promise 1: SIGKILL at any moment of a child's birth, of its way to its session, and of that"""
    kills, at_once = (1000 if CAMPAIGN else 20), 10
    random.seed(3)
    for _ in range(0, kills, at_once):
        targets = [Loop() for _ in range(at_once)]
        try:
            for n, target in enumerate(targets):
                debug(target, "follow" if n % 3 == 2 else "children")
                target.before = target.counts()
            for target in targets:
                until(target.is_free, "nobody stopped, or followed")
            # Those whose child sleeps wait for it together.
            for target in targets:
                target.runs_on()
        finally:
            for target in targets:
                target.__exit__()
    print(f"# {kills} kills, 0 dead")


main()
