#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Arguments whose place follows from what debug information tells poorly: alignment of packed types, bit-fields
# without a name. The program's own calls are the judge: the same value, or a refusal.
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, expect, main, row, skip

SOURCE = r"""
#include <stdio.h>
#include <unistd.h>
struct __attribute__((packed)) packed_wide { long double v; };
struct with_wide { char c; struct packed_wide p; long double d; };
struct __attribute__((packed)) packed_int { int v; };
struct with_int { char c; struct packed_int p; long double d; };
struct __attribute__((packed)) odd { char c; int v; };
struct with_odd { char c; struct odd p; long double d; };
struct plain_wide { long double v; };
struct padded { int i; long double v; };
#pragma pack(8)
struct by_eight { int i; long double v; };
#pragma pack()
typedef long double lesser __attribute__((aligned(8)));
struct __attribute__((aligned(32))) by_32 { char c; long double v; };
struct __attribute__((packed)) held { int i; struct by_32 s; };
struct __attribute__((aligned(8))) by_8 { char c; };
struct __attribute__((packed)) off { char a, b; struct by_8 s; };
struct nothing { unsigned : 3; };
struct more_nothing { long : 40; };
struct around { struct nothing n; };
#define SEVEN long a, long b, long c, long d, long e, long f, long g
long f1(SEVEN, struct with_wide s) { return s.c * 100 + (long) s.d; }
long f2(SEVEN, struct with_int s) { return s.c * 100 + (long) s.d; }
long f3(SEVEN, struct with_odd s) { return s.c * 100 + (long) s.d; }
long f4(SEVEN, struct plain_wide s) { return (long) s.v; }
long f5(SEVEN, struct packed_wide s) { return (long) s.v; }
long f6(SEVEN, struct padded s) { return s.i * 100 + (long) s.v; }
long f7(SEVEN, struct by_eight s) { return s.i * 100 + (long) s.v; }
long f8(SEVEN, lesser s) { return (long) s; }
long f9(long a, long b, long c, long d, long e, long f, struct plain_wide s) { return (long) s.v; }
long f10(SEVEN, struct held s) { return s.i * 100 + (long) s.s.v; }
long f11(long a, struct off s, long b) { return a * 1000 + s.b * 100 + s.s.c * 10 + b; }
long n1(struct nothing u, long a, long b) { return a * 10 + b; }
long n2(struct more_nothing u, long a, long b) { return a * 10 + b; }
long n3(struct around u, long a, long b) { return a * 10 + b; }
double n4(struct around u, double a, double b) { return a * 10 + b; }
struct with_wide v1 = { 1, { 2 }, 3 };
struct with_int v2 = { 1, { 2 }, 3 };
struct with_odd v3 = { 1, { 2, 2 }, 3 };
struct plain_wide v4 = { 4 };
struct packed_wide v5 = { 5 };
struct padded v6 = { 1, 6 };
struct by_eight v7 = { 1, 7 };
lesser v8 = 8;
struct held v10 = { 1, { 2, 10 } };
struct off v11 = { 1, 2, { 3 } };
struct nothing u1;
struct more_nothing u2;
struct around u3;
int main(void)
{
	char c;
	puts("ready");
	fflush(stdout);
	return (int) read(0, &c, 1);
}
"""
SEVEN = "1, 2, 3, 4, 5, 6, 7"
# Certain ones must be right; of the others a refusal is right, too.
CASES = [(f"f{n}({SEVEN}, v{n})", value, sure) for n, value, sure in (
    (1, 103, True), (2, 103, True), (3, 103, True), (4, 4, False), (5, 5, False), (6, 106, True), (7, 107, True),
    (8, 8, False), (10, 110, True))]
CASES += [("f11(5, v11, 4)", 5234, False),
          ("f9(1, 2, 3, 4, 5, 6, v4)", 4, True), ("n1(u1, 4, 2)", 42, False), ("n2(u2, 4, 2)", 42, False),
          ("n3(u3, 4, 2)", 42, False), ("n4(u3, 4, 2)", 42, False)]


def check(compiler):
    if not shutil.which(compiler.split()[0]):
        skip("the compiler is not installed")
    with tempfile.TemporaryDirectory() as directory:
        source, path = os.path.join(directory, "placement.c"), os.path.join(directory, "placement")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        subprocess.run([*compiler.split(), "-g", "-w", "-o", path, source], check=True)
        with Program(path) as program:
            for expression, value, sure in CASES:
                run = debugcall("-q", "-p", program.pid, expression)
                refused = run.code == 6 and "cannot be passed exactly" in run.err and not run.out
                expect((run.code == 0 and run.out == f"{value}\n") or (refused and not sure), f"{expression}: {run}")


for one in ("gcc", "gcc -O2", "gcc -gdwarf-4", "clang", "clang -O2", "clang -gdwarf-4"):
    row(one, check, one)
main()
