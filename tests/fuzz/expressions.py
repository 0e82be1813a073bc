#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Random expressions of C and C++: each is compiled, too, and the compiler says what its value and its type are.
# timeout: 300 s
#
#   tests/fuzz/expressions.py                  1,000 of them, always the same
#   EXPRESSIONS=20000 SEED=1 tests/fuzz/expressions.py
import json
import os
import random
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, expect, main, row, skip

COUNT = int(os.environ.get("EXPRESSIONS", "1000"))
SEED = int(os.environ.get("SEED", "15"))
PER_PROGRAM = 250

INTEGERS = {"char": "-7", "signed char": "-100", "unsigned char": "200", "short": "-3000", "unsigned short": "60000",
            "int": "-123456789", "unsigned": "4000000000u", "long": "-1234567890123456789",
            "unsigned long": "12345678901234567890ul", "long long": "77ll", "unsigned long long": "99ull", "BOOL": "1"}
FLOATS = {"float": "1.625f", "double": "-2.5", "long double": "3.75L"}
LITERALS = ["0", "1", "-1", "7", "255", "2147483647", "2147483648", "4294967295u", "0x80000000", "0xffffffffffffffff",
            "1ul", "3ll", "017", "65536"]
SOURCE = r"""
#include <stdio.h>
#include <unistd.h>
enum color { RED, GREEN = 5, BLUE = -3 } color = GREEN;
enum size { SMALL = 1, LARGE = 4000000000u } size = LARGE;
struct bits { int a : 5; unsigned b : 7; unsigned c : 31; long d : 40; unsigned long e : 33; BOOL f : 1; int whole; } bits = { -9, 100, 77, -5000000000, 6000000000ul, 1, 42 };
struct point { short x; double y; struct point *next; int list[3]; } point = { 3, 4.5, &point, { 7, 8, 9 } };
union both { int i; unsigned u; float f; } both = { -5 };
int array[8] = { 10, -20, 30, -40, 50, -60, 70, -80 };
unsigned char bytes[4] = { 250, 1, 128, 255 };
int *middle = array + 3, *end = array + 8;
struct point *where = &point;
"""


def variable_of(name):
    return "v_" + name.lower().replace(" ", "_")


class Maker:
    """One expression after the other; what is undefined in C is not made."""

    def __init__(self, rng, is_cxx, is_gcc):
        self.rng, self.is_cxx = rng, is_cxx
        # To gcc a field of 40 bits is of a type of 40 bits; all others, gdb too, have it in a long.
        self.wide = [] if is_gcc else ["bits.d", "bits.e"]

    def variable(self):
        pick = self.rng.random()
        if pick < .55:
            return variable_of(self.rng.choice(list(INTEGERS)))
        return self.rng.choice(["bits.a", "bits.b", "bits.c", *self.wide, "bits.f", "bits.whole", "point.x",
                                "where->x", "where->next->list[1]", "both.i", "both.u", "array[2]", "middle[-1]",
                                "*middle", "bytes[0]", "bytes[3]", "color", "size", "GREEN", "BLUE", "LARGE",
                                "*(middle + 2)", "2[array]", "(&point)->list[2]"])

    def integer(self, depth):
        rng = self.rng
        if depth <= 0:
            return self.variable() if rng.random() < .7 else rng.choice(LITERALS)
        inner = self.integer
        pick = rng.random()
        if pick < .40:
            return f"({inner(depth - 1)} {rng.choice(['+', '-', '*', '&', '|', '^'])} {inner(depth - 1)})"
        if pick < .50:
            return f"({inner(depth - 1)} {rng.choice(['==', '!=', '<', '>', '<=', '>='])} {inner(depth - 1)})"
        if pick < .56:
            return f"({inner(depth - 1)} {rng.choice(['/', '%'])} {rng.choice(['3', '7u', '5l', '11ul', '13'])})"
        if pick < .62:
            return f"({inner(depth - 1)} {rng.choice(['<<', '>>'])} {rng.choice(['1', '3u', '5l', '0'])})"
        if pick < .70:
            return f"{rng.choice(['-', '~', '!', '+'])}({inner(depth - 1)})"
        if pick < .80:
            return f"(({rng.choice(list(INTEGERS))}) {inner(depth - 1)})"
        if pick < .86:
            # g++ forgets there that a bit-field fits an int.
            return f"({inner(depth - 1)} ? +({inner(depth - 1)}) : +({inner(depth - 1)}))"
        if pick < .90:
            return f"({inner(depth - 1)} {rng.choice(['&&', '||'])} {inner(depth - 1)})"
        if pick < .93:
            return f"sizeof({rng.choice([self.integer, self.floating])(depth - 1)} + 0)"
        if pick < .96:
            return f"({self.floating(depth - 1)} {rng.choice(['<', '>', '=='])} {self.any(depth - 1)})"
        return rng.choice(["(end - middle)", "(middle - array)", "(middle < end)", "(middle == &array[3])", "(!middle)",
                           "(&array[5] - 2 - array)", "((char *) end - (char *) middle)", "(middle && 0)"])

    def floating(self, depth):
        rng = self.rng
        if depth <= 0:
            return rng.choice(["v_float", "v_double", "v_long_double", "point.y", "where->next->y", "1.5", "2.25f", "0.1",
                               "0.1f", "3.5L", "1e10"])
        pick = rng.random()
        if pick < .55:
            a, b = self.floating(depth - 1), self.any(depth - 1)
            return f"({a} {rng.choice(['+', '-', '*'])} {b})" if rng.random() < .5 else f"({b} {rng.choice(['+', '-', '*'])} {a})"
        if pick < .65:
            return f"({self.floating(depth - 1)} / {rng.choice(['3', '7.5', '2.5f', '-3L', '9.0L', '4u'])})"
        if pick < .85:
            return f"(({rng.choice(list(FLOATS))}) {self.any(depth - 1)})"
        if pick < .95:
            return f"({self.integer(depth - 1)} ? {self.floating(depth - 1)} : {self.any(depth - 1)})"
        return f"-({self.floating(depth - 1)})"

    def any(self, depth):
        return self.integer(depth) if self.rng.random() < .6 else self.floating(depth)

    def program(self, n):
        auto = "auto" if self.is_cxx else "__auto_type"
        exprs, lines = [], []
        for i in range(n):
            expr = self.any(self.rng.choice([1, 2, 2, 3, 3, 4]))
            exprs.append(expr)
            # The value is found where nothing is folded away, and kept where names are found.
            lines.append(f"__typeof__({'+' if expr.startswith('bits.') else ''}{expr}) r{i}; void c{i}(void) "
                         f"{{ {auto} r = {expr}; r{i} = r; }}")
        declared = [f"{name} {variable_of(name)} = {value};" for name, value in [*INTEGERS.items(), *FLOATS.items()]]
        calls = "".join(f"c{i}(); " for i in range(n))
        text = "\n".join(["#define BOOL " + ("bool" if self.is_cxx else "_Bool"), SOURCE, *declared, *lines,
                          f"int main(void) {{ {calls} puts(\"ready\"); fflush(stdout); for (;;) pause(); }}\n"])
        return text, [expr.replace("BOOL", "bool" if self.is_cxx else "_Bool") for expr in exprs]


def judge(directory, seed, compiler, suffix):
    source, exe, script = (os.path.join(directory, f"{seed}{end}") for end in (suffix, "", ".gdb"))
    text, exprs = Maker(random.Random(seed), suffix == ".cc", compiler[0] == "g").program(PER_PROGRAM)
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    with open(script, "w", encoding="ascii") as file:
        file.write("".join(f"print {expr}\nprint r{i}\n" for i, expr in enumerate(exprs)))
    built = subprocess.run([compiler, "-g", "-O0", "-w", "-fwrapv", "-fpermissive" if suffix == ".cc" else "-g", "-o", exe,
                            source], capture_output=True, text=True, check=False)
    expect(built.returncode == 0, built.stderr[:800])
    with Program(exe) as program:
        run = debugcall("--json", "--keep-going", "--no-init", "-p", program.pid, "-x", script, "--batch", limit=200)
    said = [record for line in run.out.splitlines() for record in json.loads(line).get("records", [])]
    said = [one for one in said if one["kind"] in ("result", "error")]
    expect(len(said) == 2 * len(exprs), f"{len(said)} said: {run.err[:600]}")
    wrong = []
    for i, expr in enumerate(exprs):
        ours, theirs = said[2 * i], said[2 * i + 1]
        if not ours["ok"]:
            wrong.append(f"{compiler} seed {seed}: {expr}: {ours['error']['message']}")
        # To g++ 0.0f - 0 is -0.
        elif (ours["value"], ours["type"]) != (theirs["value"], theirs["type"]) and \
                (ours["value"], theirs["value"]) != ("0", "-0"):
            wrong.append(f"{compiler} seed {seed}: {expr}: {ours['value']} of {ours['type']}, "
                         f"wanted {theirs['value']} of {theirs['type']}")
    expect(not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong[:30]))


def batch(first, n):
    ways = [way for way in (("gcc", ".c"), ("g++", ".cc"), ("clang", ".c"), ("clang++", ".cc")) if shutil.which(way[0])]
    if not ways:
        skip("no compiler is installed")
    with tempfile.TemporaryDirectory(prefix="expressions-") as directory:
        for i in range(n):
            judge(directory, first + i, *ways[(first + i) % len(ways)])


for start in range(0, COUNT // PER_PROGRAM, 4):
    many = min(4, COUNT // PER_PROGRAM - start)
    row(f"{many * PER_PROGRAM} expressions from seed {SEED * 1000 + start} on", batch, SEED * 1000 + start, many)
main()
