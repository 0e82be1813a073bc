#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Who can call through an agent: whoever the kernel lets read the process as a tracer, and nobody else.
import contextlib
import json
import os
import shutil
import subprocess
import tempfile

from harness import B, DEBUGCALL, TARGETS, contains, equal, expect, main, row, skip, test, until

NOBODY, OTHER = ("--reuid=65534", "--regid=65534", "--clear-groups"), ("--reuid=1", "--regid=1", "--clear-groups")
WITHOUT = ("--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace")
ROOT = ()

# What a client does first, and the kernel's answer.
OPEN = """
import errno, os, sys
try:
    os.open(f"/proc/{sys.argv[1]}/fd/{sys.argv[2]}", os.O_RDWR)
    print("opened")
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def needs_root():
    if os.getuid():
        skip("only root can become others")
    for tool in ("setpriv", "unshare"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")


@contextlib.contextmanager
def readable():
    """A directory from which others, too, can run what was built."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        for path in (f"{B}/libdebugcall-agent.so", DEBUGCALL, f"{TARGETS}/plain", f"{TARGETS}/agent_forks"):
            shutil.copy(path, directory)
        yield directory


class Running:
    def __init__(self, directory, rights, *prefix, program=("plain",)):
        name, *args = program
        command = ["setpriv", *rights] if rights else []
        self.process = subprocess.Popen([*command, *prefix, "env", f"LD_PRELOAD={directory}/libdebugcall-agent.so",
                                         f"{directory}/{name}", *args],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.lines = []
        while (line := self.process.stdout.readline()) != "ready\n":
            expect(line, f"{name} ended")
            self.lines.append(line.strip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def descriptor(pid):
    def find():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/memfd:debugcall-agent"):
                return fd
        return None

    return until(find, "the agent's descriptor")


def as_who(rights, *command):
    done = subprocess.run([*(["setpriv", *rights] if rights else []), *command], capture_output=True, text=True,
                          check=False, cwd="/")
    return done


def tries(client, target, prefix=(), before=None):
    needs_root()
    with readable() as directory, Running(directory, target, *prefix) as running:
        fd = descriptor(running.pid)
        if before:
            before(directory, running)
        got = as_who(client, "/usr/bin/python3", "-c", OPEN, str(running.pid), fd).stdout.strip()
        run = as_who(client, f"{directory}/debugcall", "--json", "--host", "agent", "-p", str(running.pid), "add(1, 2)")
        return got, run


def opened(client, target, *prefix):
    got, run = tries(client, target, prefix)
    equal(got, "opened")
    answer = json.loads(run.stdout.splitlines()[0])
    equal((answer["ok"], answer.get("value"), answer.get("host")), (True, "3", "agent"), run)


def denied(client, target, before=None):
    got, run = tries(client, target, before=before)
    equal(got, "EACCES")
    expect(run.returncode in (3, 6), run)


def hides(directory, running):
    """The target is not dumpable any more, as after a change of its uid."""
    PR_SET_DUMPABLE = 4
    done = as_who(ROOT, f"{directory}/debugcall", "-q", "-p", str(running.pid), f"(int) prctl({PR_SET_DUMPABLE}, 0L)")
    equal(done.stdout, "0\n", done)


WAYS = {
    "mapping": "EFAULT",  # the parent's is not there
    "map": "EACCES",
    "own": "EACCES",
    "parent's": "EACCES",
    "memory": "EPERM",
    "mem": "EACCES",
    "resize": "EINVAL",
    "lock": "EBADF",
    "mode": "EPERM",
}
# A fork that libc knows of leaves no descriptor behind either.
WITHOUT_DESCRIPTOR = dict(WAYS, map="EBADF", own="ENOENT", resize="EBADF", mode="EBADF")


def dropped(how, wanted, inherited):
    needs_root()
    with readable() as directory, Running(directory, ROOT, program=("agent_forks", how)) as running:
        said = dict(line.split(" ", 1) for line in running.lines)
        equal((said.pop("uid"), said.pop("inherited")), ("65534", inherited))
        equal(said, wanted)
        run = as_who(ROOT, f"{directory}/debugcall", "--json", "-p", str(running.pid), "add(1, 2)")
        contains(run.stdout, '"host":"agent"')


@test
def own_rights():
    """a program whose first thread changes its rights alone is not called through the agent"""
    needs_root()
    with readable() as directory, Running(directory, ROOT) as running:
        # By the system call itself libc's other threads stay as they are.
        SYS_SETRESUID = 117
        run = as_who(ROOT, f"{directory}/debugcall", "-q", "--thread", str(running.pid), "-p", str(running.pid),
                     f"(long) syscall({SYS_SETRESUID}L, 65534L, 65534L, 65534L)")
        equal(run.stdout, "0\n", run)
        run = as_who(ROOT, f"{directory}/debugcall", "--host", "agent", "-p", str(running.pid), "add(1, 2)")
        equal(run.returncode, 6, run)
        contains(run.stderr, "other rights than the program's first thread (Uid)")
        run = as_who(ROOT, f"{directory}/debugcall", "--json", "-p", str(running.pid), "add(1, 2)")
        contains(run.stdout, '"host":"bare"')


@test
def shared_rights():
    """one that changes the rights of all its threads, as libc does, is"""
    needs_root()
    with readable() as directory, Running(directory, ROOT) as running:
        run = as_who(ROOT, f"{directory}/debugcall", "-q", "-p", str(running.pid),
                     "(int) setresuid(65534, 65534, 65534)")
        equal(run.stdout, "0\n", run)
        run = as_who(ROOT, f"{directory}/debugcall", "--json", "-p", str(running.pid), "add(1, 2)")
        contains(run.stdout, '"host":"agent"')


row("the same user may call", opened, NOBODY, NOBODY)
row("root may call another's program", opened, ROOT, NOBODY)
row("another user may not", denied, OTHER, NOBODY)
row("the same user may not call a program that is not dumpable", denied, NOBODY, NOBODY, hides)
row("root that lacks a capability of the target's may not", denied, WITHOUT, ROOT)
row("both root, without CAP_SYS_PTRACE: may call", opened, WITHOUT, WITHOUT)
row("in another network namespace: may call", opened, ROOT, ROOT, "unshare", "-n")
row("a worker that dropped its rights cannot write to its parent's mailbox", dropped, "fork", WITHOUT_DESCRIPTOR, "no")
row("nor one that was forked past libc", dropped, "raw", WAYS, "yes")
main()
