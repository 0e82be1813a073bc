#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# --repeat: the pad makes the calls of a slice by itself. Each is made once and entered as if it were the only
# one; deadline, crash, cancel and the debugger's death inside the loop end as they do for a single call.
#    timeout: 600 s
import json
import os
import signal
import subprocess

from harness import CAMPAIGN, TARGETS, Victim, debugcall, equal, expect, finish, kills, main, row, start, status, until

MANY = 100_000_000  # more than anybody waits for


def repeat(victim, n, expr, *options):
    return debugcall("--json", "--thread", victim.tid, *options, "--repeat", n, "-p", victim.pid, expr)


def first(run):
    return json.loads(run.out.splitlines()[0])


def value(victim, expr):
    run = debugcall("-q", "--thread", victim.tid, "-p", victim.pid, expr)
    expect(run.code == 0, run)
    return int(run.out)


def counted(mode):
    """N calls are N calls, in one slice or many, and the last one's value comes back."""
    with Victim(mode) as victim:
        total = 0
        for n in (1, 2, 1000) if mode == "spin+blocked" else (1, 2, 3, 1000, 33_000, 200_000):
            run = repeat(victim, n, "count()")
            total += n
            expect(run.code == 0 and first(run)["value"] == str(total) and first(run)["calls"] == n, run)
            equal(value(victim, "counted"), total)
            victim.beat()
        equal(victim.eintr, 0, "EINTR")


def as_the_first(mode):
    """What a call spoils of its arguments, its stack, its mask and its control words, the next finds as it was."""
    with Victim(mode) as victim:
        for n in (1000, 40_000):
            run = repeat(victim, n, "spoil_arguments(1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5)")
            expect(run.code == 0 and first(run)["value"] == "0", run)
            run = repeat(victim, n, "spoil(4)")
            expect(run.code == 0 and first(run)["value"] == "5", run)
            victim.beat()
        # The mask that a callee leaves would keep the handshake away.
        run = repeat(victim, 1000, "block_all()")
        expect(run.code == 0 and first(run)["value"] == "0", run)
        victim.beat()


def results():
    """Results in memory, on the x87 stack and in vectors, of the last call."""
    with Victim("spin") as victim:
        for expr, wanted in (("make_block(7)", "{word = {7, 8, 9, 10, 11}}"), ("long_half(3)", "1.5"),
                             ("scale(2.0, 1.5)", "3")):
            for n in (1, 1000):
                run = repeat(victim, n, expr)
                expect(run.code == 0 and first(run)["value"] == wanted, run)
        victim.beat()


def times():
    """Each call's time is its own: of 100 one is long."""
    with Victim("spin") as victim:
        run = repeat(victim, 100, "long_at(50)")
        expect(run.code == 0, run)
        answer = first(run)
        # The 99th of 100 is the longest but one.
        expect(0 < answer["median_us"] <= answer["p99_us"] < 100_000, run)
        equal(value(victim, "counted"), 100)
        run = repeat(victim, 1, "long_at(101)")
        expect(run.code == 0 and first(run)["median_us"] >= 100_000, run)
        # Half of them are long: the median is.
        run = repeat(victim, 6, "long_always()")
        expect(run.code == 0 and first(run)["median_us"] >= 20_000, run)
        victim.beat()


def by_resumes(mode):
    """Where the pad cannot make them by itself, each call is a stop of its own, as many and as right."""
    with Victim(mode) as victim:
        run = repeat(victim, 300, "count()")
        expect(run.code == 0 and first(run)["value"] == "300", run)
        expect(first(run)["median_us"] > 0, run)
        victim.beat()


def forks(mode):
    """A child ends at the landing pad, once for each call; the parent counts on."""
    with Victim(mode) as victim:
        n = 300
        before = value(victim, "counted")
        run = repeat(victim, n, "count_child()")
        expect(run.code == 0 and int(first(run)["value"]) > 0, run)
        equal(value(victim, "counted"), before + n)
        # All ended by themselves with 0, and none made a second call.
        until(lambda: value(victim, "reap()") == 0, "no child lives")
        equal(value(victim, "reaped"), n)
        equal(value(victim, "reaped_badly"), 0)
        victim.beat()


def crashes(mode):
    with Victim(mode) as victim:
        run = repeat(victim, 100_000, "crash_at(77000)")
        expect(run.code == 1 and first(run)["error"]["code"] == "crashed", run)
        expect(first(run)["error"]["frames"][0]["function"] == "crash_at", run)
        expect("76999 of 100000" in run.out, run)
        victim.beat()
        equal(value(victim, "counted"), 77000)
        run = repeat(victim, 1000, "count()")
        expect(run.code == 0 and first(run)["value"] == "78000", run)
        victim.beat()


def leaves(mode):
    with Victim(mode) as victim:
        entered = victim.entered
        run = repeat(victim, 1000, "leave()")
        expect(run.code == 1 and first(run)["error"]["code"] == "left", run)
        until(lambda: victim.entered > entered, "the program went on where longjmp put it")
        victim.beat()


def overdue(mode, expr):
    """One call of many meets its deadline: all before it were shorter, together they were longer."""
    with Victim(mode) as victim:
        run = repeat(victim, MANY, expr, "--timeout", "300ms")
        expect(run.code == 5 and first(run)["error"]["code"] == "deadline", run)
        expect("loop_at" in run.out or "sleep" in run.out, run)
        # Stopped in its middle, not before.
        equal(value(victim, "counted"), 3_000_000)
        expect("2999999 of" in run.out, run)
        if victim.base_mode != "nanosleep":
            equal(victim.eintr, 0, "EINTR")
        victim.beat()


def in_time(mode):
    """A batch may last longer than the deadline of a call."""
    with Victim(mode) as victim:
        run = repeat(victim, 5_000_000, "count()", "--timeout", "1s")
        expect(run.code == 0 and first(run)["value"] == "5000000", run)
        victim.beat()


def under_way(victim, expr, *options):
    """A batch without end, some calls of it made."""
    before = victim.entered
    run = start("--json", "--thread", victim.tid, *options, "--repeat", MANY, "-p", victim.pid, expr)
    until(lambda: victim.entered > before + 10_000 or run.poll() is not None, "calls are made")
    expect(run.poll() is None, "debugcall ended early")
    return run


def cancelled(mode):
    with Victim(mode) as victim:
        run = under_way(victim, "enter(1)")
        run.send_signal(signal.SIGINT)
        done = finish(run)
        expect(done.code == 130, done)
        victim.beat()
        entered = victim.entered
        victim.beat()
        equal(victim.entered, entered, "calls after the end")


def storm(mode, thread_only):
    """A stranger's signals of the handshake's kind take its place, and come where no call has returned."""
    with Victim(mode) as victim:
        with subprocess.Popen([f"{TARGETS}/storm", str(victim.pid), str(victim.tid if thread_only else 0),
                               str(int(signal.SIGURG))]) as sender:
            try:
                total = 0
                for n in (1, 1, 1000, 10_000):
                    for options in ((), ("--signals=pass",)):
                        run = repeat(victim, n, "count()", "--wait", "30s", *options)
                        total += n
                        expect(run.code == 0 and first(run)["value"] == str(total), run)
            finally:
                sender.kill()
        equal(value(victim, "counted"), total)
        victim.beat()


def killed(mode, expr):
    """The loop ends with its slice, and the thread goes home by itself."""
    with Victim(mode) as victim:
        def goes_on():
            victim.beat()
            entered = victim.entered
            victim.beat()
            equal(victim.entered, entered, "calls after the slice")

        for _ in range(200 if CAMPAIGN else 5):
            run = under_way(victim, expr)
            run.kill()
            run.communicate()
            kills.survived("killed in the loop", goes_on)
        if mode not in ("nanosleep", "poll", "epoll_wait"):
            equal(victim.eintr, 0, "EINTR")
        run = repeat(victim, 1000, "count()")
        expect(run.code == 0 and first(run)["value"] == "1000", run)


def killed_at_steps(mode, wanted):
    """Of two slices, before, between and behind them."""
    with Victim(mode) as victim:
        run = kills.sweep(("--thread", victim.tid, "--repeat", 40_000 if wanted else 20, "-p", victim.pid, "enter(1)"),
                          victim.beat, few=0 if mode == "read" else 12, rounds=2)
        expect(run.code == 0, run)


def stopped(mode):
    """SIGSTOP is obeyed in the loop; the deadline runs on, and the thread is stopped still."""
    with Victim(mode) as victim:
        run = under_way(victim, "enter(1)", "--timeout", "1s")
        os.kill(victim.pid, signal.SIGSTOP)
        done = finish(run)
        expect(done.code == 5, done)
        until(lambda: status(victim.pid, victim.tid)["State"].startswith("T"), "stopped")
        os.kill(victim.pid, signal.SIGCONT)
        victim.beat()


def pause_told():
    """How long the thread was away is said of a batch as of a call."""
    with Victim("spin") as victim:
        run = debugcall("--json", "--thread", victim.tid, "--repeat", 10, "-p", victim.pid, "add(1,2)")
        expect(run.code == 0 and json.loads(run.out)["pause_us"] > 0, run)
        victim.beat()


for m in ("spin", "read", "spin+blocked"):
    row(f"N calls are N calls: {m}", counted, m)
for m in ("spin", "read"):
    row(f"each call as the first: {m}", as_the_first, m)
row("results of every kind", results)
row("times", times)
row("the pause is told", pause_told)
# All signals that could be a handshake are blocked; the clock is denied; a filter forbids what tells a child.
for m in ("spin+blocked", "spin+no_tsc", "spin+no_madvise"):
    row(f"one stop a call: {m}", by_resumes, m)
for m in ("spin", "read", "spin+no_tsc"):
    row(f"a callee that forks: {m}", forks, m)
for m in ("spin", "read"):
    row(f"a crash in the loop: {m}", crashes, m)
    row(f"left from the loop: {m}", leaves, m)
    row(f"SIGINT in the loop: {m}", cancelled, m)
    row(f"SIGSTOP in the loop: {m}", stopped, m)
row("a batch that is longer than a deadline", in_time, "read")
for m in ("spin", "read", "nanosleep"):
    row(f"deadline in the loop: {m}", overdue, m, "loop_at(3000000)")
row("deadline in the loop: asleep", overdue, "spin", "sleep_at(3000000)")
for m in ("spin", "read", "spin+no_tsc"):
    row(f"a storm to the thread: {m}", storm, m, True)
row("a storm to the process: spin+no_tsc", storm, "spin+no_tsc", False)
for m in ("spin", "read", "nanosleep", "futex", "spin+altstack", "spin+coroutine"):
    row(f"killed in the loop: {m}", killed, m, "enter(1)")
for m in ("spin", "read", "nanosleep"):
    row(f"killed at every step: {m}", killed_at_steps, m, True)
row("killed at every step: one stop a call", killed_at_steps, "spin+blocked", False)
row("killed in the loop: a callee that spoils every register", killed, "spin", "enter_and_spoil(1)")
main()
