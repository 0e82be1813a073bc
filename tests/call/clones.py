#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Bodies that an optimizer made for the callers that it saw: they take other arguments than their source says,
# and are refused by name, by whatever way they are reached. What it left alone is called as ever.    timeout: 300 s
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, equal, expect, main, row, skip

SOURCE = r"""
#include <stdio.h>
#include <unistd.h>
#define KEPT static __attribute__((noinline))
#define SHOWN __attribute__((noinline))
struct big { int a[20]; int tag; };
struct pair { long x, y; };
struct wide { long a[5]; };
int keep = 1;
KEPT int scaled(int v, int by) { keep++; return v * by; }
KEPT int tag_of(struct big *b) { keep++; return b->tag + 1; }
KEPT long gap(int unused, long v) { keep++; return v + 100; }
KEPT int ignored(int v) { keep += v; return v * 2; }
SHOWN int whole(int a, long b, double c, float d, char e) { keep++; return a + (int) b + (int) c + (int) d + e; }
SHOWN long many(long a, long b, long c, long d, long e, long f, long g, int h) { keep++; return a - g + h * b - c * d + e * f; }
SHOWN long both(struct pair p, int z) { keep++; return p.x * 10 + p.y * z; }
SHOWN long on_stack(int a, struct wide w, int z) { keep++; return a + w.a[0] + w.a[4] * z; }
SHOWN struct wide give(long a, int b) { keep++; struct wide w = {{ a, b, a + b }}; return w; }
SHOWN int lonely(int a) { keep++; return a * 3; }
KEPT int simple(int a) { keep++; return a * 3; }
KEPT int own(int a, struct pair p, long b) { keep++; return a * 3 + p.y - b; }
KEPT long own_many(long a, long b, long c, long d, long e, long f, long g, int h) { keep++; return a - g + h * b - c * d + e * f; }
SHOWN double halves(double a, long double b) { keep++; return a / 2 + (double) b; }
struct big g = { { 0 }, 7 }, h = { { 0 }, 9 };
int (*to_clone)(int, int), (*to_whole)(int) = lonely, (*to_own)(int) = simple;
int main(int argc, char **argv)
{
	struct pair p = { argc, argc + 1 }, q = { argc + 7, 2 };
	struct wide w = { { argc, 2, 3, 4, 5 } };
	long s = scaled(argc, 3) + scaled(argc + 1, 3) + tag_of(&g) + tag_of(&h) + gap(5, argc) + gap(6, argc + 1);

	ignored(argc);
	ignored(argc + 2);
	s += whole(argc, s, 1.5 * argc, 2.5f * argc, 'a' + argc) + whole(argc + 1, s, argc, 1.f * argc, 'b' + argc);
	s += many(s, 2 + argc, 3 + argc, 4, 5, 6, argc, 8 + argc) + many(1, argc, s, argc, argc * 2, argc * 3, s, s);
	s += both(p, argc) + both(q, argc * 2) + on_stack(argc, w, 3) + on_stack(argc + 3, w, argc);
	s += give(argc, 3).a[2] + give(s, argc).a[2] + lonely(argc) + lonely(argc * 5);
	s += own(argc, p, s) + own(argc + 3, q, 7 + argc);
	s += own_many(s, 2 + argc, 3 + argc, 4, 5, 6, argc, 8 + argc) + own_many(1, argc, s, argc, argc * 2, argc * 3, s, s);
	s += (long) (halves(argc, 1.5L * argc) + halves(s, argc));
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return (int) s;
}
"""
RIGHT = [
    ("whole(1, 2, 3.5, 4.5f, 'a')", "107"),
    ("many(1, 2, 3, 4, 5, 6, 7, 8)", "28"),
    ("both((struct pair){3, 4}, 5)", "50"),
    ("on_stack(1, (struct wide){{2, 0, 0, 0, 3}}, 4)", "15"),
    ("give(2, 3).a[2]", "5"),
    ("lonely(4)", "12"),
    ("to_whole(4)", "12"),
    ("halves(3, 2)", "3.5"),
]
# The value is the source's, or none: never another one.
CHANGED = [("scaled(2, 5)", "10"), ("tag_of(&h)", "10"), ("gap(5, 3)", "103"), ("ignored(1)", "2"),
           ("((int (*)(int, int)) scaled)(2, 5)", "10"), ("(&scaled)(2, 5)", "10"),
           ("((long (*)(int, long)) &gap)(5, 3)", "103"),
           ("own(2, (struct pair){3, 4}, 5)", "5"), ("own_many(1, 2, 3, 4, 5, 6, 7, 8)", "28"), ("to_own(2)", "6")]
WAYS = [f"{compiler} {level}{more}" for compiler in ("gcc", "clang") for level in ("-O1", "-O2", "-O3", "-Os")
        for more in ("", " -gdwarf-4")] + ["gcc -O2 -flto", "gcc -O0", "clang -O0", "gcc -Og",
                                           "gcc -O2 -fno-var-tracking", "gcc -O2 -ffunction-sections"]


def build(directory, way):
    if not shutil.which(way.split()[0]):
        skip(f"{way.split()[0]} is not installed")
    source, path = os.path.join(directory, "clones.c"), os.path.join(directory, "clones")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    subprocess.run([*way.split(), "-g", "-w", "-o", path, source], check=True)
    return path


def check_changed(way, pid, expression, value):
    call = debugcall("-p", pid, expression)
    if way.startswith("clang") and expression.startswith("ignored") and call.code == 0:
        # That it gives nothing back any more shows nowhere.
        equal(way.endswith("-O0") or "local function of optimized code" in call.err, True, call.err)
    elif call.code == 0:
        expect(value and call.out == value + "\n", f"{expression}: {value} or a refusal expected, not {call.out}")
    else:
        expect(call.code in (1, 6) and not call.out and any(w in call.err for w in ("changed its arguments", "a copy", "optimized out")),
               f"{expression}: {call.code} {call.out} {call.err}")
    return call


def check(way):
    with tempfile.TemporaryDirectory() as directory, Program(build(directory, way)) as program:
        for expression, value in RIGHT:
            call = debugcall("-q", "-p", program.pid, expression)
            # Where all units are one, none is safe from it.
            if "-flto" not in way or call.code == 0:
                equal(f"{call.out}{call.err}", value + "\n", f"{way}: {expression}")
        for expression, value in CHANGED:
            check_changed(way, program.pid, expression, value)


def check_pointer():
    """a pointer whose value is a changed body's address is refused when it is called through"""
    with tempfile.TemporaryDirectory() as directory, Program(build(directory, "gcc -O2")) as program:
        lines = subprocess.run(["nm", f"{directory}/clones"], check=True, stdout=subprocess.PIPE, text=True).stdout
        symbols = {line.split()[2]: int(line.split()[0], 16) for line in lines.splitlines() if len(line.split()) == 3}
        clone = next(name for name in symbols if name.startswith("scaled.constprop"))
        call = debugcall("-q", "-p", program.pid,
                         f"to_clone = (int (*)(int, int)) ((char *) &main + ({symbols[clone] - symbols['main']}))",
                         "to_clone(2, 5)")
        expect(call.code == 6 and "a copy (.constprop" in call.err, f"{call.code} {call.out} {call.err}")


def check_note():
    """what no debug information shows is said of local functions of optimized code, and of no others"""
    with tempfile.TemporaryDirectory() as directory:
        for way, said in (("gcc -O2", 1), ("clang -O2", 1), ("gcc -O0", 0), ("clang -O0", 0)):
            with Program(build(directory, way)) as program:
                call = debugcall("-p", program.pid, "simple(4)", "lonely(4)")
                equal(call.err.count("local function of optimized code"), said, f"{way}: {call.err}")


def check_listing():
    """functions that are refused are not listed as callable"""
    with tempfile.TemporaryDirectory() as directory, Program(build(directory, "gcc -O2")) as program:
        out = debugcall("functions", "-p", program.pid, "^(gap|whole|scaled|tag_of)").out
        expect("whole(" in out and "gap" not in out and "scaled" not in out and "tag_of" not in out, out)


for one in WAYS:
    row(f"{one}: the source's value, or a refusal", lambda one=one: check(one))
row("a pointer to a changed body is not called through", check_pointer)
row("a note for local functions of optimized code", check_note)
row("changed functions are not listed", check_listing)
main()
