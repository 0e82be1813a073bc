#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 1, survival: the debugger is killed at each of its ptrace, write and wait calls, over targets
# that verify every register; no target may die, stop, or see a wrong value.    timeout: 600 s
import os
import signal

from harness import CAMPAIGN, Failed, Victim, debugcall, expect, kill_points, killed_at, main, row, start, \
    status, until

# A thread that goes home alone from one of these waits sees EINTR (the documented exception), as it
# does after any stop in epoll_wait, which the kernel never restarts.
MAY_SEE_EINTR = {"nanosleep", "poll", "futex_timed", "epoll_wait"}

BLOCKING = ["read", "nanosleep", "poll", "select", "epoll_wait", "futex", "futex_timed", "accept",
            "recv", "waitpid"]
MODES = ["spin", *BLOCKING, "spin+altstack", "read+altstack", "spin+blocked", "read+blocked",
         "spin+sigurg", "read+sigurg", "spin+mdwe", "spin+seccomp", "spin+alone", "rseq"]

kills = survivors = 0


def sweep(mode, expr, value):
    global kills, survivors
    with Victim(mode) as victim:
        args = ("--thread", victim.tid, "--assume-seccomp-ok", "-p", victim.pid, expr)
        if mode == "rseq":
            # What a search of 1 s does is the same looks, many times over.
            args = ("--wait", "20ms", *args)
        run, total = kill_points(*args)
        if mode == "rseq" and run.code == 6:
            pass  # refused inside the sequence; the kill sweep then proves that looking is harmless
        else:
            expect(run.code == 0 and run.out.strip() == value, run)
        victim.beat()
        eintr = victim.eintr
        if mode.split("+")[0] not in ("epoll_wait",):
            expect(eintr == 0, f"EINTR after an ordinary call: {eintr}")
        step = 1 if CAMPAIGN or mode in ("spin", "read", "nanosleep") else max(1, total // 12)
        for n in range(1, total + 8, step):
            _, killed = killed_at(n, *args)
            kills += killed
            try:
                victim.beat()
            except Failed as failure:
                raise Failed(f"killed at call {n} of {total}: {failure}") from None
            survivors += killed
        if victim.base_mode not in MAY_SEE_EINTR:
            expect(victim.eintr == 0, f"{victim.eintr} times EINTR")
        run = debugcall(*args)
        if mode != "rseq":
            expect(run.code == 0 and run.out.strip() == value, f"after all kills: {run}")
        victim.beat()


def in_callee(mode, function):
    """Killed while the callee runs: it returns into the landing pad and goes home alone."""
    global kills, survivors
    with Victim(mode) as victim:
        for _ in range(20 if CAMPAIGN else 3):
            entered = victim.entered
            victim.set("release", 0)
            run = start("--thread", victim.tid, "-p", victim.pid, f"{function}(5)")
            until(lambda: victim.entered > entered or run.poll() is not None, "callee entered")
            expect(run.poll() is None, "debugcall ended early: " + str(run.poll()))
            run.kill()
            run.communicate()
            kills += 1
            victim.set("release", 1)
            victim.beat()
            survivors += 1
        if victim.base_mode not in MAY_SEE_EINTR:
            expect(victim.eintr == 0, f"{victim.eintr} times EINTR")


def group_stopped(mode):
    """A stopped process stays stopped, wherever the debugger dies; SIGCONT then wakes it."""
    global kills, survivors
    with Victim(mode) as victim:
        os.kill(victim.pid, signal.SIGSTOP)
        until(lambda: status(victim.pid, victim.tid)["State"].startswith("T"), "stopped")
        args = ("--thread", victim.tid, "-p", victim.pid, "add(1,2)")
        run, total = kill_points(*args)
        expect(run.code == 0 and run.out.strip() == "3", run)
        for n in range(1, total + 4, 1 if CAMPAIGN else max(1, total // 12)):
            _, killed = killed_at(n, *args)
            kills += killed
            # Going home alone, a thread first runs to the end of the call; then it stops again.
            until(lambda: status(victim.pid, victim.tid)["State"].startswith("T"),
                  f"killed at call {n} of {total}: stopped again")
            survivors += killed
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
    global kills, survivors
    with Victim("spin+coroutine") as victim:
        run = debugcall("-p", victim.pid, "add(1,2)")
        expect(run.code == 0 and run.out.strip() == "3", run)
        victim.beat()
        args = ("--thread", victim.tid, "-p", victim.pid, "add(1,2)")
        run, total = kill_points(*args)
        expect(run.code in (0, 6), run)
        for n in range(1, total + 4, 1 if CAMPAIGN else max(1, total // 12)):
            _, killed = killed_at(n, *args)
            kills += killed
            victim.beat()
            survivors += killed


for each in MODES:
    row(f"killed at every step: {each}", sweep, each, "add(1,2)", "3")
row("killed at every step: spin, a callee that spoils every register", sweep, "spin",
         "spoil(4)", "5")
row("killed at every step: read, a callee that spoils every register", sweep, "read",
         "spoil(4)", "5")
for each in ("spin", "read", "nanosleep", "select", "futex", "spin+altstack", "spin+sigurg", "spin+blocked"):
    row(f"killed inside the callee: {each}", in_callee, each, "slow")
row("killed inside the callee, asleep: read", in_callee, "read", "slow_sleeping")
for each in ("spin", "read"):
    row(f"group-stopped: {each}", group_stopped, each)
row("a filter that kills on tgkill", forbidden_tgkill)
row("a coroutine's stack", coroutine)
print(f"# {kills} kills, {survivors} survivors")
main()
