#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 1, survival: the debugger is killed at each of its ptrace, write and wait calls, over targets
# that verify every register; no target may die, stop, or see a wrong value.    timeout: 600 s
import os
import signal

from harness import CAMPAIGN, Victim, debugcall, expect, kills, main, row, start, status, until

# A thread that goes home alone from one of these waits sees EINTR (the documented exception), as it
# does after any stop in epoll_wait, which the kernel never restarts.
MAY_SEE_EINTR = {"nanosleep", "nanosleep_rest", "poll", "futex_timed", "epoll_wait"}

BLOCKING = ["read", "nanosleep", "nanosleep_rest", "poll", "select", "epoll_wait", "futex", "futex_timed", "accept",
            "recv", "waitpid"]
MODES = ["spin", *BLOCKING, "spin+altstack", "read+altstack", "spin+blocked", "read+blocked",
         "spin+sigurg", "read+sigurg", "spin+mdwe", "spin+seccomp", "spin+alone", "rseq"]

ROUNDS = 3  # of a campaign


def sweep(mode, value, *exprs):
    with Victim(mode) as victim:
        args = ("--thread", victim.tid, "--assume-seccomp-ok", "-p", victim.pid, *exprs)
        if mode == "rseq":
            # What a search of 1 s does is the same looks, many times over.
            args = ("--wait", "20ms", *args)
        run = debugcall(*args)
        # Refused inside the sequence; the kill sweep then proves that looking is harmless.
        refused = mode == "rseq" and run.code == 6
        expect(refused or (run.code == 0 and run.out.split() == value), run)
        victim.beat()
        expect(victim.eintr == 0, f"EINTR after an ordinary call: {victim.eintr}")
        kills.sweep(args, victim.beat, few=0 if mode in ("spin", "read", "nanosleep") else 12, rounds=ROUNDS)
        if victim.base_mode not in MAY_SEE_EINTR:
            expect(victim.eintr == 0, f"{victim.eintr} times EINTR")
        run = debugcall(*args)
        if mode != "rseq":
            expect(run.code == 0 and run.out.split() == value, f"after all kills: {run}")
        victim.beat()


def in_callee(mode, function):
    """Killed while the callee runs: it goes home alone when it returns."""
    with Victim(mode) as victim:
        def goes_on():
            victim.set("release", 1)
            victim.beat()

        for _ in range(100 if CAMPAIGN else 3):
            entered = victim.entered
            victim.set("release", 0)
            run = start("--thread", victim.tid, "-p", victim.pid, f"{function}(5)")
            until(lambda: victim.entered > entered or run.poll() is not None, "callee entered")
            expect(run.poll() is None, "debugcall ended early: " + str(run.poll()))
            run.kill()
            run.communicate()
            kills.survived("killed inside the callee", goes_on)
        if victim.base_mode not in MAY_SEE_EINTR:
            expect(victim.eintr == 0, f"{victim.eintr} times EINTR")


def group_stopped(mode, *exprs):
    """A stopped process stays stopped, wherever the debugger dies; SIGCONT then wakes it."""
    with Victim(mode) as victim:
        def is_stopped():
            # Going home alone, a thread first runs to the end of the call; then it stops again.
            until(lambda: status(victim.pid, victim.tid)["State"].startswith("T"), "stopped")

        os.kill(victim.pid, signal.SIGSTOP)
        is_stopped()
        run = kills.sweep(("--thread", victim.tid, "-p", victim.pid, *exprs), is_stopped, few=12, rounds=ROUNDS)
        expect(run.code == 0, run)
        os.kill(victim.pid, signal.SIGCONT)
        victim.beat()


def forbidden_tgkill():
    """A filter that kills on tgkill: refused by name before anything runs."""
    with Victim("spin+no_tgkill") as victim:
        run = debugcall("--thread", victim.tid, "-p", victim.pid, "add(1,2)")
        victim.beat()
        expect(run.code in (0, 6), run)
        if run.code == 6:
            expect("seccomp" in run.err, run)
        else:
            expect(run.out.strip() == "3", run)


def coroutine():
    """On a small stack from malloc nothing may be written below it."""
    with Victim("spin+coroutine") as victim:
        run = debugcall("-p", victim.pid, "add(1,2)")
        expect(run.code == 0 and run.out.strip() == "3", run)
        victim.beat()
        run = kills.sweep(("--thread", victim.tid, "-p", victim.pid, "add(1,2)"), victim.beat, few=12, rounds=ROUNDS)
        expect(run.code in (0, 6), run)


for each in MODES:
    row(f"killed at every step: {each}", sweep, each, ["3"], "add(1,2)")
for each in ("spin", "read", "nanosleep", "poll", "futex", "spin+altstack", "spin+blocked", "spin+mdwe"):
    row(f"killed at every step, with a landing pad: {each}", sweep, each, ["40", "5"],
        "sum_many(1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5)", 'length("hello")')
for each in ("spin", "read"):
    row(f"killed at every step: {each}, a callee that spoils every register", sweep, each, ["5"], "spoil(4)")
    # What is mapped for the second stands on the stack where the first was.
    row(f"killed at every step: {each}, a list that needs both ways", sweep, each, ["3", "5", "7", "40"], "add(1,2)",
        'length("hello")', "add(3,4)", "sum_many(1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5)")
for each in ("spin", "read", "nanosleep", "select", "futex", "spin+altstack", "spin+sigurg", "spin+blocked"):
    row(f"killed inside the callee: {each}", in_callee, each, "slow")
row("killed inside the callee, asleep: read", in_callee, "read", "slow_sleeping")
for each in ("spin", "read"):
    row(f"group-stopped: {each}", group_stopped, each, "add(1,2)")
    row(f"group-stopped, with a landing pad: {each}", group_stopped, each, 'length("hello")')
row("a filter that kills on tgkill", forbidden_tgkill)
row("a coroutine's stack", coroutine)
main()
