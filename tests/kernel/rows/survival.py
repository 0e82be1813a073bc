#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 1 on this kernel: the debugger dies at ten of its steps, spread over a whole call; the targets
# verify every register.
from harness import Failed, Victim, expect, kill_points, killed_at, main, row
from harness.gort_server import Server

POINTS = 10


def sweep(target, args):
    run, total = kill_points(*args)
    expect(run.code == 0, run)
    target.beat()
    expect(total >= POINTS, f"a call has {total} steps")
    kills = 0
    for i in range(POINTS):
        at = 1 + i * (total - 1) // (POINTS - 1)
        kills += killed_at(at, *args)[1]
        try:
            target.beat()
        except Failed as failure:
            raise Failed(f"killed at step {at} of {total}: {failure}") from None
    # The last step may not come where a thread was met in another moment.
    expect(kills >= POINTS - 2, f"{kills} kills at {POINTS} points of {total} steps")
    run, _ = kill_points(*args)
    expect(run.code == 0, f"after all kills: {run}")
    target.beat()


def bare(mode, expr):
    with Victim(mode) as victim:
        sweep(victim, ("--thread", victim.tid, "-p", victim.pid, expr))
        expect(victim.eintr == 0, f"{victim.eintr} times EINTR")


def gort():
    with Server() as server:
        sweep(server, ("--host", "gort", "-p", server.pid, "add(1,2)"))


row("ten kills: a running thread, a callee that spoils every register", bare, "spin", "spoil(4)")
row("ten kills: a thread in read()", bare, "read", "add(1,2)")
row("ten kills: libgort's host", gort)
main()
