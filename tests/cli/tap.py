# SPDX-License-Identifier: MIT
# What the tests of the command line share: the plain target, runs that must end so or so, TAP by
# decorator. Running debugcall and waiting are the call tests' harness.
import os
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../call"))
from harness import DEBUGCALL, TARGETS, Program, debugcall, start, status, until  # noqa: E402, F401

tests = []


class Skip(Exception):
    pass


def test(function):
    """Registers a test; its first docstring line is its name."""
    tests.append(function)
    return function


def main():
    failed = False
    for number, function in enumerate(tests, 1):
        name = function.__doc__.strip().splitlines()[0]
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}", flush=True)
        except Exception as error:
            failed = True
            why = str(error).replace("\n", " | ") or type(error).__name__
            print(f"not ok {number} - {name}: {why}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
    print(f"1..{len(tests)}")
    sys.exit(1 if failed else 0)


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}{': ' if what else ''}got {got!r}, wanted {wanted!r}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def ends(code, *args):
    """A run that must end with this status."""
    run = debugcall(*args)
    if run.code != code:
        raise AssertionError(f"{' '.join(map(str, args))}: wanted status {code}: {run}")
    return run


def good(*args):
    """A run that must succeed; its output."""
    return ends(0, *args).out


class Target(Program):
    """tests/targets/plain: reads and writes bytes; with "threads" a second thread counts."""

    def __init__(self, *args):
        super().__init__(f"{TARGETS}/plain", *args)

    def call(self, *args):
        """The values that the expressions print, without notes."""
        return good("-q", "-p", self.pid, *args).splitlines()

    def answers(self):
        """The main thread reads and writes as before."""
        self.process.stdin.write("x")
        self.process.stdin.flush()
        equal(self.process.stdout.read(1), "x", "the target's answer")

    def state(self, tid=None):
        return status(self.pid, tid)["State"][0]

    def waits(self):
        until(lambda: self.state() == "S", "the target waits")

    def threads(self):
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))

    def tracer(self, tid=None):
        return int(status(self.pid, tid)["TracerPid"])
