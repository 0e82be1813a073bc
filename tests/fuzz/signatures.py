#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Random signatures: programs of functions with arguments and results of any type, whose own compiler is the judge
# of what arrived. A wrong value fails; a refusal is counted, and says why.    timeout: 600 s
#
#   tests/fuzz/signatures.py                   500 of them, always the same
#   SIGNATURES=20000 SEED=1 tests/fuzz/signatures.py
import collections
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, expect, main, row, skip

COUNT = int(os.environ.get("SIGNATURES", "500"))
SEED = int(os.environ.get("SEED", "15"))
PER_PROGRAM = 50
REFUSALS = re.compile(r"cannot be passed exactly|cannot be returned exactly|may be packed|alignment|was changed|"
                      r"is not where|at the entry|the compiler|clone|copy|complex of long double or of __float128")

INTEGERS = [("char", 8), ("signed char", 8), ("unsigned char", 8), ("short", 16), ("unsigned short", 16), ("int", 32),
            ("unsigned", 32), ("long", 64), ("unsigned long", 64), ("long long", 64), ("unsigned long long", 64)]
FLOATS = ["float", "double", "long double"]


class Type:
    """How it is written around a name, how a value of it is, and how two are compared."""

    def __init__(self, name, value, equal=None, literal=None):
        self.name, self.value = name, value
        self.equal = equal or (lambda a, b: f"{a} == {b}")
        self.literal = literal or (lambda text: text)
        self.is_literal = literal is not None
        self.eq = None  # its function

    def declare(self, name):
        return f"{self.name} {name}"


def integer(rng):
    name, bits = rng.choice(INTEGERS)
    low = 0 if name.startswith("unsigned") or name == "char" else -(1 << (bits - 1)) + 1
    top = (1 << (bits if name.startswith("unsigned") else bits - 1)) - 1

    def value(random_):
        number = random_.choice([low, top, 0, 1, random_.randint(low, top)])
        suffix = "" if bits < 64 else "ull" if name.startswith("unsigned") else "ll"
        return f"{number}{suffix}" if number >= 0 else f"({number}{suffix})"
    return Type(name, value, literal=lambda text: text)


def floating(rng):
    return Type(rng.choice(FLOATS), lambda r: f"{r.randint(-4000, 4000) / 16!r}", literal=lambda text: text)


def wide(rng):
    name = rng.choice(["__int128", "unsigned __int128"])
    return Type(name, lambda r: f"((({name}) {r.randint(1, 1 << 62)}ull << 61) + {r.randint(0, 1 << 62)}ull)")


class Maker:
    """One program's types and functions."""

    def __init__(self, rng, is_cxx):
        self.rng, self.is_cxx = rng, is_cxx
        self.text, self.types, self.checks = [], [], []
        self.nr = 0

    def name(self, prefix):
        self.nr += 1
        return f"{prefix}{self.nr}"

    def scalar(self):
        pick = self.rng.random()
        if pick < .45:
            return integer(self.rng)
        if pick < .75:
            return floating(self.rng)
        if pick < .80:
            return wide(self.rng)
        if pick < .85:
            return Type("bool" if self.is_cxx else "_Bool", lambda r: str(r.randint(0, 1)), literal=lambda text: text)
        if pick < .90 and not self.is_cxx:
            part = self.rng.choice(FLOATS)
            return Type(f"{part} _Complex", lambda r: f"({r.randint(-99, 99)}.5 + {r.randint(-99, 99)}.25i)")
        if pick < .95:
            return self.enum()
        return Type("const char *", lambda r: f"&pool[{r.randint(0, 99)}]")

    def enum(self):
        name = self.name("e")
        under = f" : {self.rng.choice(['unsigned char', 'short', 'long'])}" if self.is_cxx and self.rng.random() < .5 \
            else ""
        scoped = "class " if self.is_cxx and self.rng.random() < .3 else ""
        high = self.rng.choice([3, 100] if under else [3, 100, 1 << 20] if scoped else [3, 100, 1 << 20, 1 << 40])
        self.text.append(f"enum {scoped}{name}{under} {{ {name}_a, {name}_b = {high} }};")
        full = f"{name}::{name}" if scoped else name
        return Type(name if self.is_cxx else f"enum {name}", lambda r: f"{full}_{r.choice('ab')}")

    def vector(self):
        part, size = self.rng.choice([("int", 16), ("float", 16), ("double", 16), ("long", 16), ("short", 16),
                                      ("char", 16), ("float", 8), ("int", 8)])
        name = self.name("v")
        self.text.append(f"typedef {part} {name} __attribute__((vector_size({size})));")
        n = size // {"int": 4, "float": 4, "double": 8, "long": 8, "short": 2, "char": 1}[part]
        return Type(name, lambda r: "{" + ", ".join(str(r.randint(-99, 99)) for _ in range(n)) + "}",
                    lambda a, b: f"!memcmp(&{a}, &{b}, {size})")

    def any(self, depth=0):
        pick = self.rng.random()
        if pick < .5 or depth > 3:
            return self.scalar()
        if pick < .55 and not self.is_cxx:
            return self.vector()
        return self.record(depth) if pick < .92 else self.union(depth)

    def members(self, depth, least=0):
        """Declarations, values and comparisons."""
        out = []
        for _ in range(self.rng.choice([1, 1, 2, 2, 2, 3, 3, 4, 5, 7]) if least or self.rng.random() < .96 else 0):
            name = self.name("m")
            pick = self.rng.random()
            if pick < .12:
                part = integer(self.rng)
                bits = self.rng.randint(1, {"char": 8, "signed char": 8, "unsigned char": 8, "short": 16,
                                            "unsigned short": 16, "int": 32, "unsigned": 32}.get(part.name, 64))
                out.append((f"{part.name} {name} : {bits};", lambda r: str(r.randint(0, 1)) if bits > 1 else "0",
                            lambda a, b, name=name: f"{a}.{name} == {b}.{name}"))
            elif pick < .25:
                part, n = self.scalar(), self.rng.randint(1, 4)

                def compare(a, b, name=name, part=part, n=n):
                    return " && ".join(part.equal(f"{a}.{name}[{i}]", f"{b}.{name}[{i}]") for i in range(n))
                out.append((part.declare(f"{name}[{n}];"),
                            lambda r, part=part, n=n: "{" + ", ".join(part.value(r) for _ in range(n)) + "}", compare))
            else:
                part = self.any(depth + 1)
                out.append((part.declare(f"{name};"), part.value,
                            lambda a, b, name=name, part=part: part.equal(f"{a}.{name}", f"{b}.{name}")))
        return out

    def record(self, depth):
        name, members = self.name("s"), self.members(depth)
        base = None
        packed = ""
        if self.rng.random() < .08:
            packed = "__attribute__((packed)) "
        elif self.rng.random() < .06:
            packed = f"__attribute__((aligned({self.rng.choice([8, 16, 32])}))) "
        if self.is_cxx and depth < 2 and self.rng.random() < .15:
            base = self.record(depth + 2)
        colon = f" : {base.name}" if base else ""
        self.text.append(f"struct {packed}{name}{colon} {{ {' '.join(m[0] for m in members)} }};")

        def value(r):
            parts = [base.value(r)] if base else []
            return "{" + ", ".join(parts + [m[1](r) for m in members]) + "}"

        def compare(a, b):
            parts = [base.equal(a, b)] if base else []
            return "(" + (" && ".join(parts + [m[2](a, b) for m in members]) or "1") + ")"
        spelled = name if self.is_cxx else f"struct {name}"
        return Type(spelled, value, compare,
                    None if self.is_cxx else lambda text: f"(struct {name}){text}" if members else None)

    def union(self, depth):
        name, members = self.name("u"), self.members(depth + 1, 1)
        first = members[0]
        self.text.append(f"union {name} {{ {' '.join(m[0] for m in members)} }};")
        return Type(name if self.is_cxx else f"union {name}", lambda r: "{" + first[1](r) + "}", first[2])

    def equality(self, type_):
        if type_.eq is None:
            type_.eq = self.name("eq")
            self.checks.append(f"int {type_.eq}({type_.declare('a')}, {type_.declare('b')}) "
                               f"{{ return {type_.equal('a', 'b')}; }}")
        return type_.eq

    def function(self):
        """Its text, and the expression that is 3, or 1 without a result, when all is as it should be."""
        name, rng = self.name("f"), self.rng
        params = [self.any() for _ in range(rng.choice([0, 1, 2, 2, 3, 3, 4, 5, 6, 8, 11]))]
        result = self.any() if rng.random() < .85 else None
        values = [p.value(rng) for p in params]
        out, tests, args, shown = [], [], [], []
        is_variadic = not self.is_cxx and params and rng.random() < .08
        for i, (param, value) in enumerate(zip(params, values)):
            out.append(f"{param.declare(f'{name}_{i}')} = {value};")
            is_reference = self.is_cxx and rng.random() < .15
            args.append(f"{param.name} {'&' if is_reference else ''}p{i}")
            tests.append(param.equal(f"p{i}", f"{name}_{i}"))
            literal = param.literal(value) if param.is_literal and not is_reference and rng.random() < .4 else None
            shown.append(literal or f"{name}_{i}")
        body = f"right = {' && '.join(tests) or '1'};"
        head = ", ".join(args) or "void"
        if is_variadic and all(p.name in ("int", "unsigned", "long", "double", "long double", "const char *") or
                               p.name.startswith("struct") for p in params):
            reads = "".join(f"{p.declare(f'p{i}')} = va_arg(list, {p.name}); " for i, p in enumerate(params))
            head = "int n, ..."
            body = f"va_list list; va_start(list, n); {reads}{body} va_end(list);"
            # Nothing but the argument tells its type there.
            shown = [str(len(params))] + [f"{name}_{i}" for i in range(len(params))]
        if result:
            out.append(f"{result.declare(f'{name}_r')} = {result.value(rng)};")
            body += f" return {name}_r;"
        out.append(f"{result.name if result else 'void'} {name}({head}) {{ {body} }}")
        self.text.extend(out)
        call = f"{name}({', '.join(shown)})"
        if not result:
            return f"{call}, right", "1"
        return f"$e = {self.equality(result)}({call}, {name}_r), $e + 2 * right", "3"

    def program(self, n):
        tests = [self.function() for _ in range(n)]
        head = ["#include <stdarg.h>", "#include <stdio.h>", "#include <string.h>", "#include <unistd.h>",
                "char pool[100];", "int right;"]
        tail = ["int main(void) { puts(\"ready\"); fflush(stdout); for (;;) pause(); }"]
        return "\n".join(head + self.text + self.checks + tail) + "\n", tests


def judge(directory, seed, way, compiler, suffix, refused):
    rng = random.Random(seed)
    source, exe, script = (os.path.join(directory, f"{seed}{end}") for end in (suffix, "", ".gdb"))
    text, tests = Maker(rng, suffix == ".cc").program(PER_PROGRAM)
    with open(source, "w", encoding="ascii") as file:
        file.write(text)
    with open(script, "w", encoding="ascii") as file:
        file.write("".join(f"print {expr}\n" for expr, _ in tests))
    way = way + (["-std=gnu++17"] if suffix == ".cc" else [])
    # Functions that are the same would become one, with one's types.
    way = way + (["-fno-ipa-icf"] if compiler.startswith("g") else [])
    built = subprocess.run([compiler, *way, "-w", "-o", exe, source], capture_output=True, text=True, check=False)
    expect(built.returncode == 0, f"{' '.join(way)}: {built.stderr[:800]}")
    wrong = []
    with Program(exe) as program:
        run = debugcall("--json", "--keep-going", "--no-init", "-p", program.pid, "-x", script, "--batch", limit=300)
        said = [json.loads(line) for line in run.out.splitlines()]
    said = [record for one in said for record in one.get("records", []) if record["kind"] in ("result", "error")]
    expect(len(said) == len(tests), f"seed {seed}: {len(tests)} wanted, {len(said)} said: {run.err[:600]}")
    for one, (expr, value) in zip(said, tests):
        if one["ok"] and one["value"] == value:
            continue
        message = one["error"]["message"] if not one["ok"] else one["value"]
        if not one["ok"] and one["error"]["code"] in ("refused", "type") and REFUSALS.search(message):
            refused[re.sub(r"'[^']*'|\d+", "…", message)[:110]] += 1
        else:
            wrong.append(f"{compiler} {' '.join(way)} seed {seed}: {message[:200]}: {expr}"[:700])
    expect(not wrong, "\n".join(wrong[:20]))


def batch(first, n):
    refused = collections.Counter()
    ways = [(compiler, suffix, level, dwarf) for dwarf in ("-gdwarf-4", "-gdwarf-5") for level in ("-O0", "-O1", "-O2")
            for compiler, suffix in (("gcc", ".c"), ("clang", ".c"), ("g++", ".cc"), ("clang++", ".cc"))
            if shutil.which(compiler)]
    if not ways:
        skip("no compiler is installed")
    with tempfile.TemporaryDirectory(prefix="signatures-") as directory:
        for i in range(n):
            compiler, suffix, level, dwarf = ways[(first + i) * 5 % len(ways)]
            judge(directory, first + i, ["-g", dwarf, level], compiler, suffix, refused)
    for message, times in refused.most_common(12):
        print(f"# {times} refused: {message}")
    expect(sum(refused.values()) * 4 < n * PER_PROGRAM, f"too many are refused: {refused}")


for start in range(0, COUNT // PER_PROGRAM, 10):
    many = min(10, COUNT // PER_PROGRAM - start)
    row(f"{many * PER_PROGRAM} signatures from seed {SEED * 1000 + start} on", batch, SEED * 1000 + start, many)
main()
