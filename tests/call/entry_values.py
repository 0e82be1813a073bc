#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Parameters that optimized code has lost: what the caller put into the register is asked of the caller, unless
# another function may have come between the two.    timeout: 300 s
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, expect, main, row, skip

SOURCE = r"""
#include <stdio.h>
#include <unistd.h>
#define KEPT __attribute__((noinline, noclone, noipa))
volatile int sink;
KEPT void wait_here(void) { char c; puts("ready"); fflush(stdout); sink = (int) read(0, &c, 1); sink++; }
KEPT int deepest(int n, long m) { (void) n; (void) m; wait_here(); return sink; }
KEPT int middle(int n, long m) { sink = n; deepest(n, m); return sink; }
KEPT int looped(int n, long m) { sink = n; if (n > 100) return looped(n - 1, m); middle(n, m); return sink; }
KEPT int other(int n, long m) { sink = n; return middle(n + 1, m); }
KEPT int outer(int n) { int r = KIND(n, 40); return r + n; }
int main(int argc, char **argv) { (void) argv; return outer(argc + 6) + outer(argc); }
"""
# How main's call leads to middle(), and what is known there of its n.
WAYS = [("middle", "7", "40"), ("other", "8", "40")]
COMPILERS = ["gcc -O2", "gcc -O2 -gdwarf-4", "gcc -O1"]


def check(compiler, kind, n, m):
    if not shutil.which(compiler.split()[0]):
        skip("the compiler is not installed")
    with tempfile.TemporaryDirectory() as directory:
        source, path = os.path.join(directory, "entry.c"), os.path.join(directory, "entry")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run([*compiler.split(), "-g", "-w", f"-DKIND={kind}", "-o", path, source], check=True)
        with Program(path) as program:
            for name, value in (("n", n), ("m", m)):
                run = debugcall("-q", "-p", program.pid, "--frame", "middle", name)
                # What a tail call hides is not guessed; without one the value is there.
                hidden = kind == "other" and run.code == 1 and "tail call" in run.err and not run.out
                expect(hidden or (run.code == 0 and run.out == value + "\n"), f"{compiler}, {kind}: {name}: {run}")
                expect(not hidden or "-O2" in compiler, f"{compiler}: {run}")


for one in COMPILERS:
    for kind, n, m in WAYS:
        row(f"{one}: reached by {kind}", check, one, kind, n, m)
main()
