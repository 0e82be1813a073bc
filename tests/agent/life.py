#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# A program with an agent lives as it would without: it forks, becomes a daemon, closes what is open,
# executes another program, loads a second agent, ends in the middle of a call.
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile

from harness import B, TARGETS, contains, ends, equal, expect, finish, main, row, skip, start, status, test, until

AGENT = f"{B}/libdebugcall-agent.so"


class Life:
    def __init__(self, *args, env=None):
        self.process = subprocess.Popen([f"{TARGETS}/agent_life", *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True,
                                        env=dict(os.environ, **{"LD_PRELOAD": AGENT, **(env or {})}))
        self.pid = int(self.process.stdout.readline())
        equal(self.process.stdout.readline(), "ready\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in {self.pid, self.process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def call(self, expression, *args):
        answer = json.loads(ends(0, "--json", *args, "-p", self.pid, expression).out.splitlines()[0])
        return answer["value"], answer["host"]

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def boxes(self):
        found = []
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"/proc/{self.pid}/fd/{fd}"))
        return sum("debugcall-agent" in path for path in found)


def comes_back(*args, env=None):
    """Nothing of an agent is there until it is called; then it is, and its parent's is untouched."""
    with Life(*args, env=env) as life:
        equal((life.threads(), life.boxes()), (1, 0), "threads and memory files before")
        equal(life.call("add(1, 2)"), ("3", "agent"))
        equal(life.call("add(3, 4)"), ("7", "agent"))
        until(lambda: life.threads() == 2, "one thread sleeps")
        equal(life.boxes(), 1, "memory files")
        equal(life.call("value"), ("7", "none"))


@test
def parents():
    """parent and child are called each for itself"""
    with Life("fork") as life:
        parent = int(status(life.pid)["PPid"])
        for pid in (life.pid, parent, life.pid):
            answer = json.loads(ends(0, "--json", "-p", pid, "(int) getpid()").out)
            equal((answer["value"], answer["host"]), (str(pid), "agent"))


@test
def busy():
    """one that sleeps in a program that never waits is left asleep, and another host is taken"""
    with Life("busy", env={"DEBUGCALL_AGENT": "lazy"}) as life:
        equal(life.call("add(1, 2)"), ("3", "bare"))
        run = ends(6, "--host", "agent", "-p", life.pid, "add(1, 2)")
        contains(run.err, "no thread came to a place where it could start")


@test
def closed():
    """a program that has closed its descriptor: root finds the mailbox all the same"""
    with Life("close") as life:
        equal(life.boxes(), 0)
        if os.getuid():
            skip("only root can open mappings")
        run = ends(0, "--json", "-p", life.pid, "add(1, 2)")
        contains(run.out, '"host":"agent"')


@test
def closed_to_others():
    """and to others it is said so"""
    if os.getuid() or not shutil.which("setpriv"):
        skip("needs root, and setpriv")
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    with tempfile.TemporaryDirectory() as directory, Life("close") as life:
        del life
        os.chmod(directory, 0o755)
        program = shutil.copy(f"{TARGETS}/agent_life", directory)
        process = subprocess.Popen([*drop, "env", f"LD_PRELOAD={AGENT}", program, "close"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        try:
            pid = int(process.stdout.readline())
            equal(process.stdout.readline(), "ready\n")
            run = finish(start("--host", "agent", "-p", pid, "add(1, 2)", prefix=drop))
            equal(run.code, 6, run)
            contains(run.err, "has closed its agent's descriptor")
            run = finish(start("-q", "-p", pid, "add(1, 2)", prefix=drop))
            equal(run.out, "3\n", run)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


@test
def two_agents():
    """a second agent in the same process keeps out"""
    with tempfile.TemporaryDirectory() as directory:
        other = shutil.copy(AGENT, f"{directory}/libdebugcall-agent-other.so")
        with Life("load", other) as life:
            equal((life.threads(), life.boxes()), (2, 1))
            equal(life.call("add(1, 2)"), ("3", "agent"))


@test
def loaded():
    """an agent that the program loads by itself takes calls"""
    with Life("load", AGENT, env={"LD_PRELOAD": ""}) as life:
        equal(life.call("add(1, 2)"), ("3", "agent"))


@test
def exits():
    """a program that ends in the middle of a call ends as it would"""
    with Life("wait") as life:
        running = start("-p", life.pid, "sleeps(1000)")
        until(lambda: life.call("entered")[0] == "1", "the callee runs")
        life.process.stdin.write("q")
        life.process.stdin.flush()
        equal(life.process.wait(20), 5)
        run = finish(running)
        equal(run.code, 4, run)
        contains(run.err, "ended in sleeps")


@test
def exits_behind():
    """a callee that is under way at the exit is waited for, before what it reads is freed"""
    for _ in range(5):
        with Life("wait") as life:
            running = start("-q", "-p", life.pid, "reads_until_exit()")
            until(lambda: life.call("entered")[0] == "1", "the callee runs")
            life.process.stdin.write("q")
            life.process.stdin.flush()
            equal(life.process.wait(20), 5)
            run = finish(running)
            equal((run.code, run.out), (0, "9\n"), run)


@test
def threads():
    """nothing of the program's own wakes up, and no wait ends, over many clients"""
    with Life("wait") as life:
        until(lambda: status(life.pid)["State"][0] == "S", "the program waits")
        before = status(life.pid)["voluntary_ctxt_switches"]
        for _ in range(20):
            equal(life.call("add(1, 2)"), ("3", "agent"))
        equal(status(life.pid)["voluntary_ctxt_switches"], before)
        equal(life.call("interrupted"), ("0", "none"))
        expect(life.process.poll() is None)


row("a child of fork", comes_back, "fork")
row("a daemon", comes_back, "daemon")
LAZY = {"DEBUGCALL_AGENT": "lazy"}


def lazy():
    comes_back("wait", env=LAZY)


row("DEBUGCALL_AGENT=lazy", lazy)
main()
