# SPDX-License-Identifier: MIT
# What the rows share: the call tests' harness, the kernel's settings, and being an ordinary user.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../call"))
from harness import KILLER, TARGETS, Failed, Program, Tap, Victim, debugcall, expect, kill_points, \
    killed_at, start, status, until  # noqa: E402, F401

ORDINARY = 1000  # the user and the group "ordinary"


def setting(name, value=None):
    """A sysctl: its value, or a new one."""
    path = "/proc/sys/" + name.replace(".", "/")
    if value is not None:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(value))
    with open(path, encoding="ascii") as file:
        return int(file.read())


def as_ordinary(function, *args):
    """Runs a test in a child that is the ordinary user; what it starts belongs to that user."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        text = "done"
        try:
            os.setgroups([])
            os.setgid(ORDINARY)
            os.setuid(ORDINARY)
            function(*args)
        except BaseException as error:  # pylint: disable=broad-except
            text = f"{type(error).__name__}: {error}" if not isinstance(error, Failed) else str(error)
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, errors="replace") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if text != "done":
        raise Failed(f"as an ordinary user: {text or 'the test ended'}")


def called(pid, *options):
    """A call gives its value, and check says beforehand that it will."""
    run = debugcall("check", "-p", pid)
    expect(run.code == 0 and "may be borrowed" in run.out, run)
    run = debugcall(*options, "-p", pid, "add(1, 2)")
    expect(run.code == 0 and run.out.strip() == "3", run)


def refused(pid, *words):
    """A call is refused with all of these words, and check says the same beforehand."""
    run = debugcall("-p", pid, "add(1, 2)")
    expect(run.code == 3 and not run.out, run)
    for word in (*words, "the target was not touched"):
        expect(word in run.err, f"{word!r} is not said: {run}")
    run = debugcall("check", "-p", pid)
    expect(run.code in (3, 6) and "0 of 1 threads may be borrowed" in run.out or run.code == 3, run)
    for word in words:
        expect(word in run.out + run.err, f"{word!r} is not said: {run}")
    expect("cannot access memory" not in run.err, run)
