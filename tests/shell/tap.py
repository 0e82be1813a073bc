# SPDX-License-Identifier: MIT
# What the tests of the command line share: targets, runs of debugcall, TAP.
import os
import subprocess
import sys
import time
import traceback

B = os.environ.get("B", "build/release")
DEBUGCALL = os.path.join(B, "debugcall")
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
        name = (function.__doc__ or function.__name__).strip().splitlines()[0]
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}", flush=True)
        except BaseException as error:
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


def until(condition, what, seconds=60):
    """Waits for a condition, which is the test; the limit only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.002)


class Done:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}, out {self.out!r}, err {self.err!r}"


def debugcall(*args, **keywords):
    done = subprocess.run([DEBUGCALL, *map(str, args)], capture_output=True, text=True, timeout=60,
                          errors="surrogateescape", **keywords)
    return Done(done.returncode, done.stdout, done.stderr)


def good(*args):
    """A run that must succeed; its output."""
    done = debugcall(*args)
    if done.status:
        raise AssertionError(f"{' '.join(map(str, args))}: {done}")
    return done.out


def ends(status, *args):
    """A run that must end with this status."""
    done = debugcall(*args)
    if done.status != status:
        raise AssertionError(f"{' '.join(map(str, args))}: wanted status {status}: {done}")
    return done


class Target:
    """A program from tests/targets (or an absolute path) that says a first line when it is ready."""

    def __init__(self, name="plain", *args, ready=True):
        path = name if os.path.isabs(name) else os.path.join(B, "tests/targets", name)
        self.process = subprocess.Popen([path, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.first = self.process.stdout.readline() if ready else b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def call(self, *args):
        """The values that the expressions print, without notes."""
        return good("-q", "-p", self.pid, *args).splitlines()

    def answers(self):
        """The main thread reads and writes as before."""
        self.process.stdin.write(b"x")
        self.process.stdin.flush()
        equal(self.process.stdout.read(1), b"x", "the target's answer")

    def state(self, tid=None):
        with open(f"/proc/{tid or self.pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]

    def waits(self):
        until(lambda: self.state() == "S", "the target waits")

    def threads(self):
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))

    def tracer(self, tid=None):
        with open(f"/proc/{tid or self.pid}/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith("TracerPid:"):
                    return int(line.split()[1])
        return 0

    def signal(self, signo):
        os.kill(self.pid, signo)


