#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# A process that its cgroup froze, as a paused container is: it stops for a debugger and runs nothing for it.
import os

from guest import called, refused
from harness import TARGETS, Program, Victim, debugcall, expect, finish, main, row, start, until

GROUP = "/sys/fs/cgroup/frozen/inner"


def put(name, value, group=GROUP):
    with open(f"{group}/{name}", "w", encoding="ascii") as file:
        file.write(str(value))


def freeze(frozen, group=GROUP):
    put("cgroup.freeze", int(frozen), group)
    with open(f"{group}/cgroup.events", encoding="ascii") as file:
        until(lambda: file.seek(0) == 0 and f"frozen {int(frozen)}" in file.read(), "frozen or thawed")


def by(group):
    with Program(f"{TARGETS}/plain") as target:
        put("cgroup.procs", target.pid)
        freeze(True, group)
        refused(target.pid, "frozen by its cgroup", "thaw it", code=6)
        run = debugcall("-p", target.pid, "hidden")
        expect(run.code == 0 and run.out.strip() == "17", run)
        freeze(False, group)
        called(target.pid)


def within_a_call():
    """The callee is undone at its deadline, and nothing of it is left when the process thaws."""
    with Victim("read") as victim:
        put("cgroup.procs", victim.pid)
        run = start("--thread", victim.tid, "--timeout", "2s", "-p", victim.pid, "slow(5)")
        until(lambda: victim.entered, "callee entered")
        freeze(True)
        run = finish(run)
        expect(run.code == 5 and "the target runs on, restored" in run.err, run)
        freeze(False)
        victim.beat()
        called(victim.pid)
        expect(victim.eintr == 0, f"{victim.eintr} times EINTR")


os.makedirs(GROUP)
row("by its own cgroup", by, GROUP)
row("by the cgroup around its own", by, os.path.dirname(GROUP))
row("while a callee runs", within_a_call)
main()
