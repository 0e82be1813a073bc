#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Macros of programs that were compiled with -g3: what they stand for is read in their place, as the preprocessor puts it there.
import shutil
import subprocess
import tempfile

from harness import Program, equal, expect, main, row, skip
from harness.shell import printed

SOURCE = r"""
#include <stdio.h>
#include <unistd.h>
#define MAX_CLIENTS 64
#define SUM 1 + 2
#define SIZE(x) ((x) * 2 + MAX_CLIENTS)
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define NAMED(n) value_##n
#define TEXT(t) #t
#define FIRST(a, ...) (a)
#define ALL(...) add(__VA_ARGS__)
#define NONE() 7
#define SELF SELF + 1
#define DEEP LARGER(SIZE(1), SUM)
#define FIELD(p) ((p)->x)
#define MINUS -5
#define CAST(v) (long) v
#define QUOTED "a \"quoted\" text, with (parts"
#define CHANGED 1
#undef CHANGED
#define CHANGED 2
#define point_x 99
int value_one = 11, value_two = 22;
#undef point_x
int point_x = 5;
struct point { int x, y; } point = { 3, 4 };
int add(int a, int b) { return a + b; }
int main(void) { volatile int n = ALL(1, 2); puts("ready"); fflush(stdout); for (;;) pause(); return n; }
"""
VALUES = {
    "MAX_CLIENTS": "64", "MAX_CLIENTS * 2": "128", "(MAX_CLIENTS)": "64", "point.x + MAX_CLIENTS": "67", "-MAX_CLIENTS": "-64", "SUM * 3": "7", "3 * SUM": "5", "SIZE(3)": "70", "SIZE(SIZE(1))": "196",
    "LARGER(1, 2) + 1": "3", "LARGER(LARGER(1, 5), LARGER(2, 3))": "5", "LARGER((1, 2), 1)": "2", "NAMED(one) + NAMED(two)": "33", 'TEXT(a + "b")': '"a + \\"b\\""', "FIRST(1, 2, 3)": "1", "ALL(3, 4)": "7", "NONE()": "7",
    "DEEP": "66", "FIELD(&point)": "3", "-MINUS": "5", "CAST(5)": "5", "sizeof(CAST(5))": "8", "QUOTED": '"a \\"quoted\\" text, with (parts"', "BUFSIZ": "8192", "point_x": "5", "add(MAX_CLIENTS, SUM)": "67",
    "point.x = MAX_CLIENTS": "64", "point.x": "64",
}
# With the column of what is said to be wrong, in the text that was written.
MISTAKES = {
    "SIZE": ("no symbol 'SIZE'", 0), "SIZE(1, 2)": ("takes 1 arguments, 2 given", 0), "1 + LARGER(1)": ("takes 2 arguments, 1 given", 4), "SELF": ("too deeply", None), "CHANGED": ("in more than one way", 0), "NOTHING": ("no symbol", 0),
    "MAX_CLIENTS +": ("expected an expression", 13), "MAX_CLIENTS + nosuch": ("no symbol 'nosuch'", 14), "SIZE(nosuch)": ("no symbol 'nosuch'", 0), "SIZE(1": ("expected )", 6), "MAX_CLIENTS(1)": ("cannot be called", 0),
}


def values(pid):
    for expr, one in printed(pid, VALUES):
        equal(one.get("value", one.get("error")), VALUES[expr], expr)


def mistakes(pid):
    for expr, one in printed(pid, MISTAKES):
        text, column = MISTAKES[expr]
        expect(not one["ok"] and text in one["error"]["message"], f"{expr}: {one}")
        expect(column is None or one["error"]["column"] == column, f"{expr}: {one}")


with tempfile.TemporaryDirectory(prefix="macros-") as directory:
    with open(f"{directory}/macros.c", "w", encoding="ascii") as file:
        file.write(SOURCE)
    for way in ("gcc -g3 -gdwarf-5", "gcc -g3 -gdwarf-4", "clang -g -fdebug-macro"):
        if not shutil.which(way.split()[0]):
            row(way, lambda: skip("its compiler is not installed"))
            continue
        subprocess.run([*way.split(), "-O0", "-o", f"{directory}/macros", f"{directory}/macros.c"], check=True)
        with Program(f"{directory}/macros") as program:
            for each in (mistakes, values):
                row(f"{way}: {each.__name__}", each, program.pid)
main()
