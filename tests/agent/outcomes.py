#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promises 6, 7 and 12 on an agent's thread: what becomes of a callee that crashes, leaves, ends its thread
# or the process, or never ends; the program goes on beside it.
import json
import os

from harness import B, TARGETS, Program, contains, ends, equal, expect, finish, main, row, start, status, test, until

AGENT = f"{B}/libdebugcall-agent.so"


class Callees(Program):
    def __init__(self):
        super().__init__(f"{TARGETS}/agent_callees", env={"LD_PRELOAD": AGENT})

    def says(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        equal(self.process.stdout.readline(), line + "\n")

    def value(self, name):
        return json.loads(ends(0, "--json", "-p", self.pid, name).out)["value"]

    def works(self):
        self.says("anything")
        answer = json.loads(ends(0, "--json", "-p", self.pid, "add(1, 2)").out)
        equal((answer["value"], answer["host"]), ("3", "agent"))
        equal(self.value("waits_ended"), "0", "interrupted waits of the program")


def crash(expression, signal, frame):
    with Callees() as program:
        run = ends(1, "-p", program.pid, expression)
        contains(run.err.splitlines()[0], signal)
        contains(run.err, f" in {frame} " if frame else "#0")
        contains(run.err, "locks that")
        contains(run.err.splitlines()[-1], "runs on, restored")
        program.works()


def undone(expression, frame):
    with Callees() as program:
        run = ends(5, "-p", program.pid, "--timeout", "200ms", expression)
        contains(run.err.splitlines()[0], "did not return within 200 ms")
        contains(run.err, f" in {frame} ")
        contains(run.err.splitlines()[-1], "runs on, restored")
        program.works()


def stays(expression, reason, *lines):
    """It is left where it is, and others are called meanwhile."""
    with Callees() as program:
        run = ends(5, "-p", program.pid, "--timeout", "200ms", expression)
        contains(run.err, "it cannot be undone there")
        contains(run.err, reason)
        contains(run.err.splitlines()[-1], "still in the callee")
        program.works()
        for line in lines:
            program.says(line)
        program.works()


@test
def waits_for_lock():
    """a callee waits for a lock that a thread of the program holds"""
    with Callees() as program:
        running = start("--json", "-p", program.pid, "lock_guarded()")
        until(lambda: program.value("entered") == "1", "the callee waits")
        program.says("unlock")
        answer = json.loads(finish(running).out)
        equal((answer["value"], answer["host"]), ("7", "agent"))


@test
def several():
    """clients call at once, one of them while another's callee waits"""
    with Callees() as program:
        waiting = [start("-q", "-p", program.pid, "lock_guarded()") for _ in range(3)]
        until(lambda: program.value("entered") == "3", "three callees wait")
        program.works()
        program.says("unlock")
        equal([finish(each).out for each in waiting], ["7\n"] * 3)


@test
def interrupted():
    """a callee is cancelled by an interrupt"""
    with Callees() as program:
        running = start("-p", program.pid, "lock_guarded()")
        until(lambda: program.value("entered") == "1", "the callee waits")
        running.send_signal(2)
        run = finish(running)
        equal(run.code, 130, run)
        contains(run.err, "was cancelled")
        program.works()


@test
def forks():
    """the child of a callee that forks does not go on in the agent"""
    with Callees() as program:
        for expression in ("have_child()", "have_daemon()"):
            child = int(ends(0, "-q", "-p", program.pid, expression).out)
            expect(child > 0, child)

            def gone(pid=child):
                try:
                    return status(pid)["State"][0] in "ZX"
                except OSError:
                    return True

            until(gone, "the child has ended")
        program.works()


@test
def jumps():
    """longjmp within a callee is its own affair"""
    with Callees() as program:
        equal(program.value("jump_inside(6)"), "6")
        equal(program.value("jump_out_of_a_call()"), "5")
        program.works()


@test
def left():
    """longjmp out of a callee does not take the agent's thread to the program's stack"""
    with Callees() as program:
        run = ends(1, "-p", program.pid, "leave()")
        contains(run.err, "was left by longjmp")
        contains(run.err.splitlines()[-1], "runs on, restored")
        equal(program.value("jumped"), "0")
        program.works()


@test
def thread_ends():
    """a callee that ends its thread ends the agent's, and another takes its place"""
    with Callees() as program:
        run = ends(1, "-p", program.pid, "end_thread()", "add(1, 2)")
        contains(run.err, "ended the agent's thread")
        program.works()


@test
def becomes_another():
    """a callee that executes another program"""
    with Callees() as program:
        run = ends(4, "-p", program.pid, "become_true()")
        contains(run.err, "became another program")


@test
def raises():
    """what a callee raises comes to the program, once"""
    with Callees() as program:
        equal(program.value("raise_usr1()"), "0")
        until(lambda: program.value("signals") == "1", "the handler ran")
        program.works()


@test
def exception():
    """an exception that nobody catches ends where the agent called, and nothing of it is left"""
    with Program(f"{TARGETS}/catcher", env={"LD_PRELOAD": AGENT}) as program:
        run = ends(1, "-p", program.pid, "throw_it(2)")
        contains(run.err, "throw_it threw int: 2")
        answer = json.loads(ends(0, "--json", "-p", program.pid, "throw_it(1)").out)
        equal((answer["value"], answer["host"]), ("1", "agent"))


@test
def client_dies():
    """a client that is killed in the middle of its call: the callee is finished or undone, the slot is free again"""
    with Callees() as program:
        for expression in ("loop_forever()", "lock_guarded()"):
            running = start("-p", program.pid, "--timeout", "300ms", expression)
            until(lambda: any(status(program.pid, tid)["Name"] == "debugcall-call"
                              for tid in os.listdir(f"/proc/{program.pid}/task")), "the callee runs")
            running.kill()
            finish(running)
            program.works()
        program.says("unlock")
        until(lambda: len(os.listdir(f"/proc/{program.pid}/task")) == 2, "no thread is left behind")
        program.works()


for expression_, signal_, frame_ in (
        ("crash_segv(1)", "SIGSEGV", "crash_segv"), ("crash_segv_deep(5)", "SIGSEGV", "crash_segv_deep"),
        ("crash_fpe(1)", "SIGFPE", "crash_fpe"), ("crash_ill()", "SIGILL", "crash_ill"),
        ("crash_trap()", "SIGTRAP", "crash_trap"), ("crash_abort()", "SIGABRT", "crash_abort"),
        ("crash_overflow(1)", "SIGSEGV", "crash_overflow"), ("free_nonsense()", "SIG", "free_nonsense"),
        ("print_nonsense()", "SIGSEGV", "print_nonsense"), ("((int (*)(void))16)()", "SIGSEGV", None)):
    row(f"a crash is contained: {expression_}", crash, expression_, signal_, frame_)
for expression_, frame_ in (("loop_forever()", "loop_forever"), ("read_forever()", "read_forever"),
                            ("sleep_long(1000)", "sleep_long"), ("lock_twice()", "lock_twice"),
                            ("lock_guarded()", "lock_guarded")):
    row(f"at the deadline it is undone: {expression_}", undone, expression_, frame_)
row("at the deadline it stays: in a condition", stays, "wait_in_cond()", "pthread_cond")
row("at the deadline it stays: in stdio", stays, "wait_in_stdio()", "stdio", "release")
main()
