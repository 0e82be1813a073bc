#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What a call costs the borrowed thread, counted and not timed: stops, and writes to the target's
# memory (promise 3's figure); and what the short way must not change (promises 1, 5 and 7).
import os
import re
import subprocess
import tempfile

from harness import TARGETS, Program, Victim, debugcall, expect, main, row, skip
from harness.runs import DEBUGCALL


def counted(victim, *expressions):
    """Stops that debugcall saw and writes that it made, by strace."""
    with tempfile.NamedTemporaryFile("r") as log:
        run = subprocess.run(["strace", "-f", "-qq", "-e", "trace=wait4,pwrite64", "-o", log.name,
                              DEBUGCALL, "-q", "--thread", str(victim.tid), "-p", str(victim.pid),
                              *expressions], capture_output=True, text=True, check=False,
                             # A leak checker traces by itself, which it may not here.
                             env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        if "Operation not permitted" in run.stderr:
            skip("strace may not trace here")
        lines = log.read().splitlines()
    expect(run.returncode == 0, run)
    stops = sum("WIFSTOPPED" in line for line in lines)
    writes = sum(bool(re.search(r"pwrite64\(\d+", line)) for line in lines)
    return run.stdout.split(), stops, writes


def short_way(mode, expression, value):
    with Victim(mode) as victim:
        out, stops, writes = counted(victim, expression)
        expect(out == [value], out)
        expect((stops, writes) == (2, 1), f"{stops} stops, {writes} writes")
        victim.beat()
        expect(victim.eintr == 0, f"{victim.eintr} times EINTR")


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


def exception(expression):
    """An exception that leaves the callee does not get into the program's own handlers."""
    with Program(f"{TARGETS}/catcher") as program:
        for _ in range(3):
            run = debugcall("-p", program.pid, expression)
            expect(run.code == 1 and "SIGABRT" in run.err, run)
            expect(program.process.poll() is None, "the program caught it")
        run = debugcall("-p", program.pid, "throw_it(1)")
        expect(run.code == 0 and run.out == "1\n", run)


for m in ("spin", "read", "futex", "accept", "recv"):
    row(f"two stops and one write: an integer in {m}", short_way, m, "add(1,2)", "3")
row("two stops and one write: a float", short_way, "spin", "scale(5.0, 0.5f)", "2.5")
row("two stops and one write: vectors are restored", short_way, "spin", "spoil(4)", "5")
row("a list", short_list)
row("eight stops: a literal", long_way, "spin", 'strlen("abcd")', "4", 8)
row("six stops: a wait whose time the kernel keeps", long_way, "nanosleep", "add(1,2)", "3", 6)
row("an exception", exception, "throw_it(2)")
main()
