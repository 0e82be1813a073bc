#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What a call costs the borrowed thread, counted and not timed: stops, and writes to the target's
# memory (promise 3's figure); and what the short way must not change (promises 1, 5 and 7).
import os
import re
import subprocess
import tempfile

from harness import B, CAMPAIGN, TARGETS, Program, Victim, debugcall, expect, kill_points, killed_at, main, row, skip, \
    until
from harness.gort_server import Server
from harness.runs import DEBUGCALL


# What a wait for a stop does again and again, by chance.
WAITING = re.compile(r"sched_yield\(|nanosleep\(|waitid\(|wait4\(.*\) += 0$")


def traced(victim, *args):
    """What debugcall printed, and the system calls of each of its threads, by strace. victim: or a server."""
    where = ("--thread", str(victim.tid)) if isinstance(victim, Victim) else ()
    with tempfile.NamedTemporaryFile("r") as log:
        run = subprocess.run(["strace", "-f", "-qq", "-o", log.name, DEBUGCALL, "-q", *where, "-p",
                              str(victim.pid), *args], capture_output=True, text=True, check=False,
                             # A leak checker traces by itself, which it may not here.
                             env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        if "Operation not permitted" in run.stderr:
            skip("strace may not trace here")
        lines = log.read().splitlines()
    expect(run.returncode == 0, run)
    calls = {}
    for line in lines:
        tid, call = line.split(maxsplit=1)
        mine = calls.setdefault(tid, [])
        if mine and "resumed>" in call:
            mine[-1] = mine[-1].replace("<unfinished ...>", "") + call.partition("resumed>")[2]
        else:
            mine.append(call)
    return run.stdout.split(), calls


def counted(victim, *expressions):
    """Stops that debugcall saw and writes that it made."""
    out, calls = traced(victim, *expressions)
    lines = [call for mine in calls.values() for call in mine]
    stops = sum("waitid(P_ALL" in line and "CLD_TRAPPED" in line for line in lines)
    writes = sum(bool(re.match(r"pwrite64\(\d+", line)) for line in lines)
    return out, stops, writes


def held(victim, *expressions):
    """The system calls from the interrupt to the detach, without those that only wait."""
    _, calls = traced(victim, *expressions)
    mine = next(mine for mine in calls.values() if any("PTRACE_INTERRUPT" in call for call in mine))
    begin = next(i for i, call in enumerate(mine) if "PTRACE_INTERRUPT" in call)
    end = max(i for i, call in enumerate(mine) if "PTRACE_DETACH" in call)
    return [call[:100] for call in mine[begin:end + 1] if not WAITING.search(call)]


def calls_while_held(mode, bound, *expressions):
    """Each prolongs the pause."""
    with Victim(mode) as victim:
        found = held(victim, *expressions)
        expect(len(found) <= bound, f"{len(found)} system calls:\n" + "\n".join(found))
        # It takes longer than all other registers together. A frame in the target has done it.
        expect(not any("PTRACE_SETREGSET" in call for call in found), "\n".join(found))
        expect(not any(re.match("mmap|munmap|brk|mprotect|madvise", call) for call in found), "\n".join(found))
        victim.beat()


def first_touches(mode, bound, *expressions):
    """Pages that are touched for the first time while a thread is held prolong the pause."""
    if os.environ.get("SAN"):
        skip("a sanitizer touches pages of its own")
    with Victim(mode) as victim:
        found = []
        for _ in range(5):
            with tempfile.NamedTemporaryFile("r") as file:
                run = debugcall("-q", "--thread", victim.tid, "-p", victim.pid, *expressions,
                                env={"LD_PRELOAD": f"{B}/tests/call/held.so", "HELD_FAULTS": file.name})
                expect(run.code == 0, run)
                found.append(int(file.read()))
        # The kernel takes pages away by itself, too.
        expect(min(found) <= bound, f"{found} page faults")
        victim.beat()


def short_way(mode, expression, value):
    with Victim(mode) as victim:
        out, stops, writes = counted(victim, expression)
        expect(out == [value], out)
        expect((stops, writes) == (2, 1), f"{stops} stops, {writes} writes")
        victim.beat()
        expect(victim.eintr == 0, f"{victim.eintr} times EINTR")


def always_inside(way):
    """A thread that is always in the allocator is met where it comes out of it; on a crowded machine it may be a second
    before it gets a CPU."""
    wait = ("--wait", "20s")
    with Program(f"{TARGETS}/heap", "always") as program:
        program.tid = program.pid
        for _ in range(500 if CAMPAIGN else 20):
            if way == "counted":
                out, stops, _ = counted(program, *wait, "add(1,2)")
                expect(out == ["3"], out)
                expect(stops <= 3, f"{stops} stops")
            else:
                run = debugcall("-q", *wait, "-p", program.pid, 'strlen("abc")')
                expect(run.code == 0 and run.out == "3\n", run)
        expect(debugcall("-q", "-p", program.pid, "damaged").out == "0\n", "the heap is damaged")


def always_inside_killed():
    """The breakpoint leaves with the debugger."""
    with Program(f"{TARGETS}/heap", "always") as program:
        _, total = kill_points("-p", program.pid, "add(1,2)")
        for n in range(1, total + 3):
            killed_at(n, "-p", program.pid, "add(1,2)")
            rounds = int(debugcall("-q", "-p", program.pid, "rounds[0]").out)
            until(lambda: int(debugcall("-q", "-p", program.pid, "rounds[0]").out) != rounds, f"killed at {n}: it runs on")
        expect(debugcall("-q", "-p", program.pid, "damaged").out == "0\n", "the heap is damaged")


def short_list():
    """Each further expression of a list is one more stop and one more write."""
    with Victim("spin") as victim:
        out, stops, writes = counted(victim, "add(1,2)", "scale(5.0, 0.5f)", "add(30,4)", "scale(9.0, 0.5f)", "add(7,8)")
        expect(out == ["3", "2.5", "34", "4.5", "15"], out)
        expect((stops, writes) == (6, 5), f"{stops} stops, {writes} writes")
        victim.beat()


def long_way(mode, expression, value, bound):
    with Victim(mode) as victim:
        out, stops, _ = counted(victim, expression)
        expect(out == [value], out)
        expect(stops <= bound, f"{stops} stops")
        victim.beat()


def text_is_searched_once():
    """What a thread is borrowed with is looked for in a session's first call."""
    with Victim("spin") as victim:
        found = []
        for n in (1, 4):
            _, calls = traced(victim, *["-ex", "p add(1, 2)"] * n)
            found.append(sum(call.startswith("pread64(") and call.endswith("= 262144")
                             for mine in calls.values() for call in mine))
        expect(found[0] and found[0] == found[1], f"{found} large reads")


def little_room():
    """The callee's stack comes with the pad."""
    with Program(f"{TARGETS}/tight_stacks", "unguarded") as program:
        program.tid = max(map(int, os.listdir(f"/proc/{program.pid}/task")))
        out, stops, _ = counted(program, f"--thread={program.tid}", "deep(1)")
        expect(out == ["238"], out)
        expect(stops <= 4, f"{stops} stops")


def own_host():
    """Where the caller is met, and two statuses: the last word of the host is not waited for."""
    with Server() as server:
        # Now and then the caller is met where it cannot be called on, and let go of.
        found = [counted(server, "--host", "gort", "add(1, 2)") for _ in range(10)]
        expect(all(out == ["3"] for out, _, _ in found), found)
        expect(min(stops for _, stops, _ in found) == 3, found)
        server.beat()


def exception(expression):
    """An exception that leaves the callee does not get into the program's own handlers."""
    with Program(f"{TARGETS}/catcher") as program:
        for _ in range(3):
            run = debugcall("-p", program.pid, expression)
            expect(run.code == 1 and "throw_it threw int: 2" in run.err, run)
            expect(program.process.poll() is None, "the program caught it")
        run = debugcall("-p", program.pid, "throw_it(1)")
        expect(run.code == 0 and run.out == "1\n", run)


for m in ("spin", "read", "futex", "accept", "recv"):
    row(f"two stops and one write: an integer in {m}", short_way, m, "add(1,2)", "3")
row("two stops and one write: a float", short_way, "spin", "scale(5.0, 0.5f)", "2.5")
row("two stops and one write: vectors are restored", short_way, "spin", "spoil(4)", "5")
row("a list", short_list)
# By the landing pad.
for m in ("spin", "read", "futex"):
    row(f"four stops: a literal in {m}", long_way, m, 'length("abcd")', "4", 4)
    row(f"four stops: arguments on the stack in {m}", long_way, m, "sum_many(1,2,3,4,5,6,7,8,1.0,2.0)", "39", 4)
row("text is searched once", text_is_searched_once)
row("four stops: a stack with too little room", little_room)
# Another thread maps the pad, and one unmaps it.
for e, v in (("add(1,2)", "3"), ('length("abcd")', "4")):
    row(f"eight stops: a thread on a stack that is not its own: {e}", long_way, "spin+coroutine", e, v, 8)
for e, v in (("add(1,2)", "3"), ('length("abcd")', "4")):
    row(f"six stops: a wait whose time the kernel keeps: {e}", long_way, "nanosleep", e, v, 6)
row("system calls while a thread is held", calls_while_held, "spin", 21, "add(1,2)")
row("system calls while a thread is held: read", calls_while_held, "read", 21, "add(1,2)")
row("system calls while a thread is held: a landing pad", calls_while_held, "read", 41, "sum_many(1,2,3,4,5,6,7,8,1.0,2.0)")
row("first touches while a thread is held", first_touches, "spin", 0, "add(1,2)")
row("three stops: libgort's host", own_host)
row("always in the allocator: three stops", always_inside, "counted")
row("always in the allocator: a literal", always_inside, "called")
row("always in the allocator: killed", always_inside_killed)
row("an exception", exception, "throw_it(2)")
main()
