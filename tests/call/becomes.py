#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 8, a target that becomes another program or exchanges a library while it is looked at: no
# function runs that nobody named, and what can still be done is done.
import os
import tempfile

from harness import TARGETS, Program, debugcall, expect, good, main, row
from harness.runs import B

CHANGER = f"{B}/tests/call/changer.so"
ADD, WIPE = f"{TARGETS}/becomes-add", f"{TARGETS}/becomes-wipe"


def openings(expression, *program):
    """How often an undisturbed run opens the mappings."""
    with Program(*program) as target, tempfile.NamedTemporaryFile("r") as count:
        run = debugcall("-p", target.pid, expression,
                        env={"LD_PRELOAD": CHANGER, "DC_CHANGE_COUNT_FILE": count.name})
        expect(run.code == 0 and run.out == "3\n", run)
        return int(count.read())


def changed_at(n, expression, *program):
    """The run, and the target after it, which another run then reads."""
    target = Program(*program)
    run = debugcall("-p", target.pid, expression,
                    env={"LD_PRELOAD": CHANGER, "DC_CHANGE_AT": str(n), "DC_CHANGE_PID": str(target.pid)})
    return target, run


def each_moment(expression, program, check):
    for n in range(1, openings(expression, *program) + 1):
        target, run = changed_at(n, expression, *program)
        with target:
            check(target, run)


def another_program():
    def check(target, run):
        expect(run.code == 1 and "add" in run.err and not run.out, run)
        expect(good("-p", target.pid, "wiped") == "0\n", "a function ran that nobody named")
    expect(os.path.realpath(ADD) != os.path.realpath(WIPE), "one program")
    each_moment("add(1, 2)", (ADD, "exec", WIPE), check)


def itself_again():
    def check(target, run):
        expect(run.code == 0 and run.out == "3\n", run)
        expect(good("-p", target.pid, "added") == "1\n", "it ran, but not once in the program that there is")
    each_moment("add(1, 2)", (ADD, "exec", ADD), check)


def another_library():
    def check(target, run):
        expect(run.code == 1 and "plug" in run.err and not run.out, run)
        expect(good("-p", target.pid, "pulled") == "0\n", "a function ran that nobody named")
    each_moment("plug(1, 2)", (ADD, "exchange", f"{TARGETS}/becomes-plug.so", f"{TARGETS}/becomes-pull.so"), check)


def loads_more():
    """A name of a library that comes while the names are read is looked for once more."""
    libraries = f"{TARGETS}/becomes-plug.so", f"{TARGETS}/becomes-pull.so"
    found = 0
    for n in range(1, 6):
        target, run = changed_at(n, "pull(1, 2)", ADD, "exchange", *libraries)
        with target:
            with open(f"/proc/{target.pid}/maps", encoding="utf-8") as maps:
                if "becomes-pull" not in maps.read():
                    break
            expect(run.code == 0 and run.out == "3\n", f"at {n}: {run}")
            found += 1
    expect(found > 1, f"{found} moments")


row("it becomes another program", another_program)
row("it becomes itself again", itself_again)
row("it exchanges a library", another_library)
row("it loads a library", loads_more)
main()
