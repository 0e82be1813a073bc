#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Conditions, judged by the kernel where it may, and by the debugger where it may not: the same answers.
import json
import os
import shutil

from harness import CAMPAIGN, TARGETS, Program, contains, debugcall, equal, expect, main, skip, status, test, until
from harness.shell import objects, says
from harness.runs import denying

NO_BPF = ("setpriv", "--bounding-set=-bpf,-sys_admin,-perfmon")
# Runs what follows with bpf() denied by a seccomp filter.
DENIED = denying(321)


class Comers(Program):
    """Threads that come by the same places without end; see the program for what they verify."""

    def __init__(self, threads=1, mode=""):
        super().__init__(f"{TARGETS}/comers", str(threads), mode)

    def counts(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(map(int, self.process.stdout.readline().split()))

    def runs_on(self):
        before, _, _ = self.counts()
        until(lambda: self.counts()[0] > before + 1000, "it goes on")
        equal(self.counts()[1:], (0, 0), "faults and stray signals")
        equal(status(self.pid)["TracerPid"], "0", "its tracer")


def hits(target, condition, count, *values, prefix=(), code=0, options=()):
    """Who judged, and the values at each hit."""
    run = debugcall("--json", "-p", target.pid, "--wait", "60s", *options, "--at", "serve", "--if", condition, "--count", count,
                    *values, prefix=prefix)
    expect(run.code == code, run)
    said = [json.loads(line) for line in run.out.splitlines()]
    judges = {record["judged_by"] for record in said if "judged_by" in record}
    told = [int(record["value"]) for record in said if "value" in record]
    return judges, list(zip(*(told[i::len(values)] for i in range(len(values)))))


def is_judged_by_kernel():
    """Whether it can be, here."""
    with Comers() as target:
        return hits(target, "weight == 7", 1, "weight")[0] == {"kernel"}


# What is asked, of what, and whether it holds. The kernel can judge all of them.
ASKED = (
    ("order->number % 50 == 7", "order->number", lambda number: number % 50 == 7),
    ("order->thread == 1 && !(order->number & 15)", "order->thread * 1000 + order->number % 16",
     lambda both: both == 1000),
    ("(char)order->number < -100 || verbosity == 4", "(int)(char)order->number", lambda number: number < -100),
    ("*order->customer == 'o' ? $rsi + 1 == 8 && order->number % 9 == 4 : weight / (order->thread % 2)",
     "order->number % 9 + 100 * order->thread", lambda both: both == 104),
    ("watched != -1 && order->customer[1] == 118 && order->number % 30 == 29", "order->number % 30",
     lambda number: number == 29),
)


def asks(prefix, wanted):
    with Comers(2) as target:
        for condition, value, holds in ASKED:
            # Where it divides by zero, as it does for every other thread, the debugger says so and
            # ends, whoever judged before.
            ends = "/" in condition
            judges, told = hits(target, condition, 0 if ends else 20, value, prefix=prefix, code=int(ends))
            expect(judges == {wanted} or (ends and not told), f"{condition}: judged by {judges}")
            expect(ends or len(told) == 20, told)
            expect(all(holds(number) for number, in told), f"{condition}: {told}")
        target.runs_on()


@test
def same_answers():
    """the kernel tells the hits that a condition is true for, and what cannot be computed"""
    asks((), "kernel" if is_judged_by_kernel() else skip("the kernel judges nothing for us here"))


@test
def without_rights():
    """without the right to load programs each hit is a stop, with the same answers"""
    if os.geteuid() or not shutil.which("setpriv"):
        skip("needs root, and setpriv")
    asks(NO_BPF, "debugger")


@test
def denied():
    """a seccomp filter denies bpf(): each hit is a stop"""
    asks(DENIED, "debugger")


@test
def one_of_many():
    """one hit of very many is true, and it is met"""
    if not is_judged_by_kernel():
        skip("the kernel judges nothing for us here")
    many = 300000 if CAMPAIGN else 20000
    with Comers() as target:
        judges, told = hits(target, f"order->number % {many} == {many - 1}", 2, "order->number")
        equal(judges, {"kernel"})
        (first,), (second,) = told
        equal((first % many, second % many), (many - 1, many - 1))
        target.runs_on()


@test
def young_threads():
    """threads that are made meanwhile are judged, too"""
    with Comers(2, "short") as target:
        _, told = hits(target, "order->number == 3 && order->thread > 1", 20, "order->number * 10 + order->thread")
        expect(all(both in (32, 33) for both, in told), told)
        target.runs_on()


@test
def blocked():
    """a thread that blocks all signals is heard of its true hits"""
    with Comers(1, "blocked") as target:
        _, told = hits(target, "order->number % 100 == 1", 5, "order->number % 100")
        equal(told, [(1,)] * 5)
        target.runs_on()


@test
def calls_end():
    """a call in a condition has a deadline, and the thread goes on as it was"""
    with Comers() as target:
        judges, told = hits(target, "endless(weight)", 1, "weight", code=5, options=("--timeout", "100ms"))
        equal((judges, told), (set(), []))
        target.runs_on()


@test
def said():
    """the shell says who judges, or why each hit is a stop"""
    with Comers() as target:
        by_kernel = "the kernel judges the condition" if is_judged_by_kernel() else "each hit is a stop: "
        out = says(target.pid, "break serve if weight == 8\nbreak quote if triple(1) == 4\ninfo breakpoints\n")
        contains(out, by_kernel)
        contains(out, "each hit is a stop: it calls a function")
        listed = objects(target.pid, "break serve if weight == 8\nbreak serve\ninfo breakpoints\n")[-1]["records"]
        equal(listed[0]["judged_by"], "debugger")
        equal(listed[0]["why_not_kernel"], "another breakpoint is there, too")
        target.runs_on()


main()
