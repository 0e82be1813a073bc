#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Random C++ signatures with classes by value, by reference and by pointer: what arrives and what comes back has the
# right value and lies where it was made, and for each object that is made one is destroyed. What an optimizer left no
# code of is refused by name, and counted.    timeout: 600 s
#
#   tests/fuzz/objects.py                   100 of them, always the same
#   SIGNATURES=2000 SEED=1 tests/fuzz/objects.py
import collections
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

from harness import CAMPAIGN, Program, debugcall, expect, main, row, skip

COUNT = int(os.environ.get("SIGNATURES", "2000" if CAMPAIGN else "100"))
SEED = int(os.environ.get("SEED", "16"))
PER_PROGRAM = 50
REFUSALS = re.compile(r"has no code that could be called|was inlined everywhere|it is deleted|does not tell how it is copied|"
                      r"compiler changed its arguments")

HEAD = r"""
#include <cstdio>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>
#define KEPT __attribute__((used, noinline))
long live, wrong;
static long part(long whole, bool is_right) { if (!is_right) wrong++; return is_right ? whole : -77; }
"""
TAIL = r"""
int main() { use_all(); live = wrong = 0; puts("ready"); fflush(stdout); for (;;) pause(); }
"""


class Class:
    """One that is made of a number, and gives it back as long as all of it is whole."""

    def __init__(self, maker, name):
        rng = maker.rng
        self.name = name
        self.bases = [rng.choice(maker.classes)] if maker.classes and rng.random() < .3 else []
        # By a virtual base, and by a virtual function.
        self.is_shared = bool(self.bases) and rng.random() < .25
        self.is_virtual = rng.random() < .2
        # Copied by itself; else as its parts are.
        self.is_own = rng.random() < .65
        self.ends = self.is_own or rng.random() < .2
        self.moves = self.is_own and rng.random() < .3
        self.is_template = rng.random() < .2
        self.members = []
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
            pick = rng.random()
            member = f"m{len(self.members)}"
            if pick < .25 and maker.classes:
                self.members.append((rng.choice(maker.classes).spelled, member, "k", f"{member}.sum() == a"))
            elif pick < .45:
                self.members.append(("std::string", member, "std::to_string(k)", f"{member} == std::to_string(a)"))
            elif pick < .6:
                self.members.append(("std::vector<long>", member, "k & 7, k", f"(long) {member}.size() == (a & 7)"))
            elif pick < .7:
                self.members.append(("std::shared_ptr<long>", member, "new long(k)", f"*{member} == a"))
            elif pick < .85:
                self.members.append((rng.choice(["char", "short", "double", "float"]), member, "(char) (k & 63)",
                                     f"{member} == (char) (a & 63)"))
            else:
                self.members.append((f"Block<{rng.choice([1, 3, 8, 17, 64, 300])}>", member, "k", f"{member}.is(a)"))
        self.spelled = f"{name}<int>" if self.is_template else name

    def text(self):
        name = self.name
        base = self.bases[0].spelled if self.bases else None
        # A virtual base is made by the whole object, and all have the same number.
        colon = f" : {'virtual ' if self.is_shared else ''}{base}" if base else ""
        lines = [f"{'template <class T> ' if self.is_template else ''}struct {name}{colon} {{", "\tlong a;"]
        lines += [f"\t{kind} {member};" for kind, member, _, _ in self.members]
        if self.is_own:
            lines.append("\tconst void *self = this;")
        inits = [f"{base}(k)"] if base else []
        inits += ["a(k)"] + [f"{member}({value})" for _, member, value, _ in self.members]
        counts = "live++;" if self.is_own else ""
        virtual_bases = [b for b in self.virtual_bases() if b is not (self.bases[0] if self.bases else None)]
        inits = [f"{b.spelled}(k)" for b in virtual_bases] + inits
        lines.append(f"\tKEPT explicit {name}(long k) : {', '.join(inits)} {{ {counts} }}")
        for kind, source in (("const {} &o", "o.{}"),) + ((("{} &&o", "o.{}"),) if self.moves else ()):
            if not self.is_own:
                break
            copies = [f"{b.spelled}(o)" for b in virtual_bases] + ([f"{base}(o)"] if base else []) + ["a(o.a)"]
            copies += [f"{member}({source.format(member)})" for _, member, _, _ in self.members]
            lines.append(f"\tKEPT {name}({kind.format(name)}) : {', '.join(copies)} {{ live++; }}")
        if self.ends:
            lines.append(f"\tKEPT {'virtual ' if self.is_virtual else ''}~{name}() {{ {'live--; a = -1;' if self.is_own else ''} }}")
        tests = [test for _, _, _, test in self.members] + (["self == this"] if self.is_own else [])
        tests += [f"{base}::sum() == a"] if base else []
        lines.append(f"\tKEPT {'virtual ' if self.is_virtual else ''}long sum() const {{ return part(a, {' && '.join(tests) or 'true'}); }}")
        lines.append("};")
        if self.is_template:
            # All of it is there then; clang cannot do both.
            return "\n".join(lines).replace("KEPT ", "") + f"\ntemplate struct {self.spelled};"
        return "\n".join(lines)

    def virtual_bases(self):
        found = []
        for base in self.bases:
            found += base.virtual_bases()
            if self.is_shared:
                found.append(base)
        return list(dict.fromkeys(found))

    def is_base_of(self, other):
        return any(base is self or self.is_base_of(base) for base in other.bases)


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.classes, self.text, self.uses = [], [], []
        self.objects = {}

    def add_classes(self):
        self.text.append("template <int n> struct Block { char bytes[n]; Block(long k) { for (char &b : bytes) b = (char) k; } "
                         "bool is(long k) const { for (char b : bytes) if (b != (char) k) return false; return true; } };")
        for i in range(8):
            one = Class(self, f"C{i}")
            self.classes.append(one)
            self.text.append(one.text())
            number = self.number()
            self.objects[one] = number
            self.text.append(f"{one.spelled} g{i}({number}), *p{i} = &g{i}; {one.spelled} &r{i} = g{i};\n"
                             f"KEPT {one.spelled} make{i}(long k) {{ return {one.spelled}(k); }}\n"
                             f"KEPT {one.spelled} same{i}({one.spelled} o) {{ return o; }}")
            self.uses += [f"make{i}(1).sum()", f"same{i}(g{i}).sum()", f"p{i}->sum()", f"r{i}.sum()"]

    def number(self):
        return self.rng.choice([0, 1, 7, 63, 1 << 20, self.rng.randint(2, 1 << 40)])

    def argument(self, one, depth=0):
        """An expression for an object of the class, and its number."""
        rng = self.rng
        i = self.classes.index(one)
        pick = rng.random()
        if pick < .35:
            return f"g{i}", self.objects[one], False
        if pick < .45:
            return f"*p{i}", self.objects[one], False
        if pick < .5:
            return f"r{i}", self.objects[one], False
        if pick < .6 and depth < 2:
            inner, number, _ = self.argument(one, depth + 1)
            return f"same{i}({inner})", number, True
        if pick < .7:
            derived = [other for other in self.classes if one.is_base_of(other)]
            if derived:
                other = rng.choice(derived)
                return f"g{self.classes.index(other)}", self.objects[other], False
        number = self.number()
        return f"make{i}({number})", number, True

    def function(self, index):
        """Its text; the expression, and what it gives."""
        rng = self.rng
        name = f"f{index}"
        params, args, tests, uses = [], [], [], []
        for j in range(rng.choice([1, 1, 2, 2, 3, 4, 6, 9])):
            pick = rng.random()
            if pick < .3:
                kind, value = rng.choice([("int", rng.randint(-99, 99)), ("double", rng.randint(-99, 99) / 4), ("long", self.number()),
                                          ("char", rng.randint(0, 99)), ("float", rng.randint(-99, 99) / 2)])
                params.append(f"{kind} x{j}")
                args.append(str(value))
                uses.append("0")
                tests.append(f"x{j} == {value}")
                continue
            one = rng.choice(self.classes)
            i = self.classes.index(one)
            shown, number, is_made = self.argument(one)
            if pick < .68:
                params.append(f"{one.spelled} x{j}")
                uses.append(f"g{i}")
            elif pick < .82:
                params.append(f"const {one.spelled} &x{j}")
                uses.append(f"g{i}")
            elif pick < .88 and is_made:
                params.append(f"{one.spelled} &&x{j}")
                uses.append(f"make{i}(0)")
            else:
                params.append(f"{one.spelled} *x{j}")
                shown, number = f"p{i}", self.objects[one]
                uses.append(f"p{i}")
            args.append(shown)
            tests.append(f"x{j}{'->' if params[-1].find('*') > 0 else '.'}sum() == {number}")
        pick = rng.random()
        one = rng.choice(self.classes)
        i = self.classes.index(one)
        number = self.number()
        body = f"if (!({' && '.join(tests)})) wrong += 100;"
        if pick < .55:
            result, back, tail = one.spelled, f"return {one.spelled}({number});", ".sum()"
        elif pick < .65:
            result, back, tail, number = f"{one.spelled} &", f"return g{i};", ".sum()", self.objects[one]
        elif pick < .75:
            result, back, tail, number = f"{one.spelled} *", f"return p{i};", "->sum()", self.objects[one]
        else:
            result, back, tail = "long", f"return {number};", ""
        head, use, call = f"KEPT {result} {name}({', '.join(params)})", f"{name}({', '.join(uses)})", f"{name}({', '.join(args)})"
        kind = rng.random()
        if kind < .2:
            self.text.append(f"struct H{index} {{ long h = 5; {head} {{ {body} if (h != 5) wrong += 1000; {back} }} }} h{index};")
            use, call = f"h{index}.{use}", f"h{index}.{call}"
        elif kind < .3:
            self.text.append(f"struct H{index} {{ long h = 5; virtual {head} {{ {body} if (h != 5) wrong += 1000; {back} }} }} h{index}, *i{index} = &h{index};")
            use, call = f"i{index}->{use}", f"i{index}->{call}"
        else:
            self.text.append(f"{head} {{ {body} {back} }}")
        # A result that nobody looks at ends all the same.
        if result == one.spelled and rng.random() < .3:
            self.uses.append(f"{use}.sum()")
            return f"{call}, 4", "4"
        self.uses.append(use + (tail if tail else ""))
        return call + tail, str(number)

    def program(self, n):
        self.add_classes()
        tests = [self.function(i) for i in range(n)]
        uses = "KEPT void use_all() { " + " ".join(f"(void) {use};" for use in self.uses) + " }"
        return HEAD + "\n".join(self.text) + "\n" + uses + TAIL, tests


def judge(directory, seed, compiler, way, refused):
    text, tests = Maker(random.Random(seed)).program(PER_PROGRAM)
    source, exe, script = (os.path.join(directory, f"{seed}{end}") for end in (".cc", "", ".gdb"))
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    # What is wrong, and what was not destroyed, is looked at behind each.
    lines = [line for expr, _ in tests for line in (f"print {expr}", "print wrong * 1000 + live")]
    with open(script, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    built = subprocess.run([compiler, *way, "-std=c++17", "-w", "-o", exe, source], capture_output=True, text=True, check=False)
    expect(built.returncode == 0, f"{compiler} seed {seed}: {built.stderr[:1500]}")
    with Program(exe) as program:
        run = debugcall("--json", "--keep-going", "--no-init", "-p", program.pid, "-x", script, "--batch", limit=300)
        said = [json.loads(line) for line in run.out.splitlines()]
    said = [record for one in said for record in one.get("records", []) if record["kind"] in ("result", "error")]
    expect(len(said) == len(lines), f"seed {seed}: {len(lines)} wanted, {len(said)} said: {run.err[:600]}")
    bad = []
    for (expr, value), one, state in zip(tests, said[::2], said[1::2]):
        what = one["value"] if one["ok"] else one["error"]["message"]
        expect(state["ok"], f"{state}")
        if state["value"] != "0" or (one["ok"] and what != value):
            bad.append(f"{compiler} {' '.join(way)} seed {seed}: {what} for {value}, wrong and live {state['value']}: {expr}")
            break
        if one["ok"]:
            continue
        if REFUSALS.search(what):
            refused[re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "…", what)[:110]] += 1
        else:
            bad.append(f"{compiler} {' '.join(way)} seed {seed}: {what}: {expr}")
    expect(not bad, "\n".join(bad[:10]))


def batch(first, n):
    refused = collections.Counter()
    ways = [(compiler, level, dwarf, *more) for level in ("-O0", "-O2") for dwarf in ("-gdwarf-5", "-gdwarf-4")
            for compiler, *more in (("g++",), ("clang++", "-fstandalone-debug")) if shutil.which(compiler)]
    if not ways:
        skip("no compiler is installed")
    with tempfile.TemporaryDirectory(prefix="objects-") as directory:
        for i in range(n):
            compiler, *way = ways[(first + i) * 3 % len(ways)]
            judge(directory, first + i, compiler, ["-g", *way], refused)
    for message, times in refused.most_common(12):
        print(f"# {times} refused: {message}")
    expect(sum(refused.values()) * 4 < n * PER_PROGRAM, f"too many are refused: {refused}")


for start in range(0, COUNT // PER_PROGRAM, 4):
    many = min(4, COUNT // PER_PROGRAM - start)
    row(f"{many * PER_PROGRAM} signatures from seed {SEED * 1000 + start} on", batch, SEED * 1000 + start, many)
main()
