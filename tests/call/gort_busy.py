#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls into a program on libgort whose goroutines are hardly ever outside of the runtime.    timeout: 300 s
import os

from harness import TARGETS, Program, debugcall, equal, expect, main, row

LISTS = 8
EXPRESSIONS = ["add(1, 2)", "add(3, 4)"] * 4


def lists(procs):
    """Whatever the host sees and we do not is gone at the next try."""
    os.environ["GORTMAXPROCS"] = procs
    with Program(f"{TARGETS}/gort_yields", "4") as program:
        for _ in range(LISTS):
            run = debugcall("-q", "--host", "gort", "--wait", "60s", "-p", program.pid, *EXPRESSIONS)
            expect(run.code == 0, run)
            equal(run.out.split(), ["3", "7"] * 4)


for each in ("1", "2", "4"):
    row(f"no expression of a list is refused, GORTMAXPROCS={each}", lists, each)
main()
