# SPDX-License-Identifier: MIT
# What the rows share: the kernel's settings, and being an ordinary user.
import ctypes
import json
import os

from harness import B, Failed, debugcall, equal, expect

ORDINARY = 1000  # the user and the group "ordinary"
PR_CAPBSET_DROP, CAP_SYS_PTRACE = 24, 19

AGENT = {"LD_PRELOAD": f"{B}/libdebugcall-agent.so"}

libc = ctypes.CDLL(None, use_errno=True)


def setting(name, value=None):
    """A sysctl: its value, or a new one."""
    path = "/proc/sys/" + name.replace(".", "/")
    if value is not None:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(value))
    with open(path, encoding="ascii") as file:
        return int(file.read())


def become_ordinary():
    os.setgroups([])
    os.setgid(ORDINARY)
    os.setuid(ORDINARY)


def drop_ptrace():
    """From the next exec on, which every program that is started goes through."""
    if libc.prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0):
        raise Failed("prctl(PR_CAPBSET_DROP)")


def in_child(become, function, *args):
    """Runs a test in a child that became somebody else; what it starts is that one's."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        text = "done"
        try:
            become()
            function(*args)
        except Failed as failure:
            text = str(failure)
        except BaseException as error:  # the child ends here, whatever happened
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, errors="replace") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if text != "done":
        raise Failed(text or "the test's process ended")


def as_container_root(function, *args):
    """Root without CAP_SYS_PTRACE, as in most containers."""
    in_child(drop_ptrace, function, *args)


def as_ordinary(function, *args):
    in_child(become_ordinary, function, *args)


def called(pid):
    """A call gives its value, and check says beforehand that it will."""
    run = debugcall("check", "-p", pid)
    expect(run.code == 0 and "may be borrowed" in run.out, run)
    run = debugcall("-p", pid, "add(1, 2)")
    expect(run.code == 0 and run.out.strip() == "3", run)


def refused(pid, *words, code=3):
    """A call is refused with all of these words, and check says the same beforehand."""
    run = debugcall("-p", pid, "add(1, 2)")
    expect(run.code == code and not run.out, run)
    for word in (*words, "the target was not touched"):
        expect(word in run.err, f"{word!r} is not said: {run}")
    run = debugcall("check", "-p", pid)
    expect(run.code == 6 and "0 of 1 threads may be borrowed" in run.out or run.code == 3, run)
    for word in words:
        expect(word in run.out + run.err, f"{word!r} is not said: {run}")
    expect("memory" not in run.err, f"what follows from the reason is told as another: {run}")


def called_by_agent(pid):
    """Its functions are called, and its memory is read, with nobody traced."""
    for expression, wanted in (("add(1, 2)", ("3", "agent")), ("hidden", ("17", "none"))):
        run = debugcall("--json", "-p", pid, expression)
        equal(run.code, 0, run)
        answer = json.loads(run.out.splitlines()[0])
        equal((answer["value"], answer["host"]), wanted)
