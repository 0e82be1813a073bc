#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# --trace: what happened in the target, told on standard error once the thread is back.
import re

from harness import Target, contains, debugcall, ends, equal, good, main, test
from harness.gort_server import Server

LINE = re.compile(r"trace: +\d+\.\d{6}  (target|inject|symbols) .*")


def traced(target, *args, env=None):
    """The lines of a call's trace, by area; the value is as ever."""
    done = debugcall(*args, "-q", "-p", target.pid, "add(1, 2)", env=env)
    equal((done.code, done.out), (0, "3\n"), str(done))
    rows = [LINE.fullmatch(line) for line in done.err.splitlines()]
    equal(None in rows, False, done.err)
    return [(row.group(1), row.group(0)) for row in rows]


@test
def symbols():
    """which files were read"""
    with Target() as target:
        rows = traced(target, "--trace", "symbols")
        equal({area for area, _ in rows}, {"symbols"})
        contains("\n".join(line for _, line in rows), "module found 0  at 0x")
        contains("\n".join(line for _, line in rows), "plain")


@test
def target_and_inject():
    """a call's stops, from the seizure to the release, in their order"""
    with Target() as target:
        target.waits()
        rows = traced(target, "--trace", "inject,target", "--thread", target.pid)
        equal({area for area, _ in rows}, {"inject", "target"})
        steps = [f"thread {target.pid}  {what}" for what in
                 ("is seized", "call begins 0", "is called on by host 0", "stops for signal", "says that it is done",
                  "is let go", "was away", "call has returned 0")]
        text = "\n".join(line for _, line in rows)
        for step in steps:
            contains(text, step)
            text = text[text.index(step):]
        times = [float(line.split()[1]) for _, line in rows]
        equal(times, sorted(times))


@test
def runtime_host():
    """what a host of the program's own says: ready, returned; its last word is not waited for"""
    with Server() as server:
        done = debugcall("--trace", "inject", "-q", "-p", server.pid, "add(1, 2)")
        equal((done.code, done.out), (0, "3\n"), str(done))
        said = re.findall(r"says status (\d+)", done.err)
        equal(said, ["0", "1"], done.err)


@test
def environment():
    """DC_TRACE says the same; nothing is traced unasked"""
    with Target() as target:
        equal(traced(target), [])
        equal(len(traced(target, env={"DC_TRACE": "symbols"})) > 3, True)


@test
def unknown():
    """an area that there is not is an error of usage"""
    with Target() as target:
        contains(ends(2, "--trace", "target,nosuch", "-p", target.pid, "1").err, "no trace of 'nosuch'")
        equal(good("-p", target.pid, "1"), "1\n")


main()
