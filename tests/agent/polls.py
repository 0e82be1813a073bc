#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls on a thread of the program's that polls for them: it is the one that is named, and is not stopped.
import json
import subprocess

from harness import B, TARGETS, contains, debugcall, ends, equal, expect, main, status, test, until

AGENT = f"{B}/libdebugcall-agent.so"


class Polls:
    def __init__(self):
        self.process = subprocess.Popen(["env", f"LD_PRELOAD={AGENT}", f"{TARGETS}/agent_polls"],
                                        stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.tid = int(self.process.stdout.readline())
        equal(self.process.stdout.readline(), "ready\n")

    def call(self, expression, *args):
        answer = json.loads(ends(0, "--json", "-p", self.pid, *args, expression).out)
        return answer["value"], answer["host"]

    def works(self):
        before = self.call("rounds")
        until(lambda: self.call("rounds") != before, "the loop goes on")
        equal(self.call("who()", "--thread", self.tid), (str(self.tid), "agent"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@test
def named():
    """the thread that is named makes the call, with what is its own"""
    with Polls() as program:
        equal(program.call("who()", "--thread", program.tid), (str(program.tid), "agent"))
        equal(program.call("get_own()", "--thread", program.tid), ("42", "agent"))
        equal(program.call("get_own()"), ("1", "agent"))
        expect(program.call("who()")[0] not in (str(program.tid), str(program.pid)))
        program.works()


@test
def not_polling():
    """a thread that does not poll is borrowed; one that has ceased to is waited for, and then borrowed"""
    with Polls() as program:
        equal(program.call("who()", "--thread", program.pid), (str(program.pid), "bare"))
        equal(program.call("polls = 0"), ("0", "none"))
        equal(program.call("who()", "--thread", program.tid, "--wait", "300ms"), (str(program.tid), "bare"))
        run = ends(6, "--thread", program.tid, "--host", "agent", "--wait", "300ms", "-p", program.pid, "who()")
        contains(run.err, "did not come to debugcall_poll()")


@test
def crashes():
    """what a callee crashes with there is contained, a full stack too"""
    with Polls() as program:
        for expression in ("crash()", "overflow(1)"):
            mask = status(program.pid, program.tid)["SigBlk"]
            run = ends(1, "--thread", program.tid, "--host", "agent", "-p", program.pid, expression)
            contains(run.err, "SIGSEGV")
            contains(run.err.splitlines()[-1], "restored")
            program.works()
            equal(status(program.pid, program.tid)["SigBlk"], mask)


@test
def deadline():
    """a callee that does not return is undone, and the loop goes on"""
    with Polls() as program:
        run = debugcall("--thread", program.tid, "--host", "agent", "--wait", "200ms", "--timeout", "300ms", "-p", program.pid,
                        "spin()")
        equal(run.code, 5, run)
        contains(run.err, " in spin ")
        program.works()


@test
def forks():
    """the child of a callee that forks does not go on in the loop"""
    with Polls() as program:
        child = int(program.call("have_child()", "--thread", program.tid)[0])

        def gone():
            try:
                return status(child)["State"][0] in "ZX"
            except OSError:
                return True

        until(gone, "the child has ended")
        program.works()


main()
