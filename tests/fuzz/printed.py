#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Random variables of C and C++ programs, printed beside gdb: each text, and each type's name, is gdb's word for word, but for the
# differences that KNOWN lists with who is right.
# timeout: 300 s
#
#   tests/fuzz/printed.py                  100 of them, always the same
#   PRINTED=5000 SEED=1 tests/fuzz/printed.py
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, equal, expect, main, row, skip

COUNT = int(os.environ.get("PRINTED", "100"))
SEED = int(os.environ.get("SEED", "15"))
PER_PROGRAM = 50

INTEGERS = {"char": 8, "signed char": -8, "unsigned char": 8, "short": -16, "unsigned short": 16, "int": -32, "unsigned int": 32, "long": -64,
            "unsigned long": 64, "long long": -64, "unsigned long long": 64, "BOOL": 1}
FLOATS = {"float": "f", "double": "", "long double": "L"}
LETTERS = ["a", "Z", "0", " ", "\\n", "\\t", "\\0", "\\001", "\\033", "\\177", "\\\"", "'", "\\\\", "\\303\\251", "\\377", "~"]
WIDE = ["a", "Z", "\\0", "\\n", "\\u00e9", "\\u20ac", "\\x41", "0", "\\x1f"]


class Maker:
    """One variable after the other; what it is made of is declared before it."""

    def __init__(self, rng, is_cxx):
        self.rng, self.is_cxx = rng, is_cxx
        self.lines, self.names, self.count = [], [], 0
        self.pointees = []

    def fresh(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    # ---- values of simple types ----

    def integer(self, name):
        rng, bits = self.rng, INTEGERS[name]
        if bits == 1:
            return rng.choice(["0", "1"])
        if rng.random() < .4:
            return str(rng.choice([0, 1, 7, 65, 100]))
        size = abs(bits)
        low, high = (-(1 << (size - 1)), (1 << (size - 1)) - 1) if bits < 0 else (0, (1 << size) - 1)
        if name == "char":
            low, high = -128, 127
        value = rng.choice([low, high, rng.randint(low, high), rng.randint(max(low, -200), min(high, 200))])
        if value == -(1 << 63):
            return "(-9223372036854775807L - 1)"
        return f"{value}{'u' if bits > 0 and name != 'char' else ''}{'l' if size == 64 else ''}"

    def floating(self, name):
        value = self.rng.choice(["0.0", "-0.0", "1.0", "1.5", "-2.25", "1e10", "1e-5", "123456.789", "3.14159265358979", "1e100", "0.1", "1e300 * 1e300",
                                 "-1e300 * 1e300", "100000000.0", "6.02e23", "1.0 / 3"])
        return f"({name}) ({value})"

    def text(self, n):
        parts = self.rng.choice([[self.rng.choice("abcXYZ 019.") for _ in range(n)], [self.rng.choice(LETTERS) for _ in range(n)], [self.rng.choice(LETTERS)] * n])
        joined = ""
        for part in parts:
            # A digit behind an octal escape would be part of it.
            joined += '""' + part if part in "0123456789" and part else part
        return f'"{joined}"'

    def simple(self):
        """The words of a type without declarators, and a value of it."""
        pick = self.rng.random()
        if pick < .55:
            name = self.rng.choice(list(INTEGERS))
            return name, self.integer(name)
        if pick < .75:
            name = self.rng.choice(list(FLOATS))
            return name, self.floating(name)
        if pick < .9:
            return self.enum()
        name = self.rng.choice(["double", "float", "int", "unsigned char"])
        alias = self.fresh("t")
        self.lines.append(f"typedef {name} {alias};")
        return alias, self.integer(name) if name in INTEGERS else self.floating(name)

    def enum(self):
        rng = self.rng
        name, first = self.fresh("e"), self.fresh("E")
        kind = rng.choice(["plain", "flags", "negative", "gaps"])
        values = {"plain": [0, 1, 2, 3], "flags": [1, 2, 4, 8], "negative": [-5, 0, 7], "gaps": [1, 10, 100]}[kind]
        scoped = self.is_cxx and rng.random() < .4
        # Of a signed type without negative enumerators gdb takes one for unsigned, which only what is none of them shows.
        under = rng.choice([" : unsigned char", " : unsigned short", ""]) if scoped and kind != "negative" else ""
        self.lines.append(f"enum {'class ' if scoped else ''}{name}{under} {{ " + ", ".join(f"{first}_{i} = {value}" for i, value in enumerate(values)) + " };")
        value = rng.choice([*values, *values, 3, 6, 12, 9, 0])
        word = name if self.is_cxx else f"enum {name}"
        return word, f"({word}) {value}"

    # ---- declared types ----

    def member(self, depth):
        """A declaration of the name, and a value."""
        rng, name = self.rng, self.fresh("m")
        pick = rng.random()
        if pick < .15:
            word = rng.choice(["int", "unsigned int", "unsigned char", "long", "short"])
            bits = rng.randint(1, min(abs(INTEGERS[word]), 20))
            value = rng.randint(0, (1 << (bits - (INTEGERS[word] < 0 and bits > 1))) - 1) if INTEGERS[word] > 0 or bits > 1 else 0
            return f"{word} {name} : {bits}", str(value)
        declared, value = self.object(name, depth)
        return declared, value

    def record(self, depth):
        rng, name = self.rng, self.fresh("s")
        is_union = rng.random() < .15
        members = [self.member(depth - 1) for _ in range(rng.randint(1, 5))]
        lines = [f"{declared};" for declared, _ in members]
        values = [value for _, value in members]
        if not is_union and rng.random() < .2:
            inner = [self.member(0) for _ in range(2)]
            inner = [(declared, value) for declared, value in inner if ":" not in declared] or [(f"int {self.fresh('m')}", "4")]
            lines.append("union { " + " ".join(f"{declared};" for declared, _ in inner) + " };")
            values.append(f"{{ {inner[0][1]} }}")
        packed = " __attribute__((packed))" if rng.random() < .1 else ""
        self.lines.append(f"{'union' if is_union else 'struct'} {name} {{ {' '.join(lines)} }}{packed};")
        word = name if self.is_cxx else f"{'union' if is_union else 'struct'} {name}"
        return word, "{ " + ", ".join(values[:1] if is_union else values) + " }"

    def pointer(self, name):
        rng = self.rng
        pick = rng.random()
        if pick < .3:
            return f"const char *{name}", rng.choice([self.text(rng.randint(0, 12)), self.text(rng.randint(190, 230)), "0"])
        if pick < .45:
            return f"int (*{name})(int, double)", rng.choice(["function", "0", "other_function"])
        if pick < .6:
            return f"void *{name}", rng.choice(["&target_int", "0", "(void *) 0x1234", "target_array + 2"])
        if pick < .7:
            return f"void (*{name}[2])(void)", "{ nothing, 0 }"
        if pick < .8:
            return f"int **{name}", "&target_pointer"
        if pick < .9:
            return f"int (*{name})[5]", "&target_array"
        return rng.choice([(f"int *{name}", "target_array + 3"), (f"double *{name}", "0"), (f"{'' if self.is_cxx else 'struct '}target *{name}", "&target_struct"),
                           (f"const int *{name}", "&target_int"), (f"unsigned char *{name}", "(unsigned char *) \"bytes\""), (f"int *const {name}", "&target_int")])

    def array(self, name, depth):
        rng = self.rng
        pick = rng.random()
        if pick < .3:
            n = rng.randint(1, 20)
            word = rng.choice(["char", "char", "unsigned char", "signed char"])
            text = self.text(n)
            return f"{word} {name}[{n + text.count('303') + 1 + rng.choice([0, 0, 3, 12])}]", text
        if pick < .4:
            word, prefix = rng.choice([("wchar_t", "L"), ("char16_t", "u"), ("char32_t", "U")])
            n = rng.randint(0, 14)
            one = rng.choice(WIDE)
            letters = rng.choice([[rng.choice(WIDE) for _ in range(n)], [one] * n])
            return f"{word} {name}[{n + rng.choice([1, 4])}]", f'{prefix}"' + f'" {prefix}"'.join(letters) + '"'
        if pick < .55:
            n, m = rng.randint(1, 3), rng.randint(1, 4)
            return f"short {name}[{n}][{m}]", "{ " + ", ".join("{ " + ", ".join(str(rng.choice([0, 1, i * j])) for j in range(m)) + " }" for i in range(n)) + " }"
        if pick < .8 or depth <= 0:
            word, _ = self.simple()
            n = rng.choice([1, 2, 5, 12, 30])
            if word in INTEGERS:
                one = [self.integer(word) for _ in range(n)]
            elif word in FLOATS:
                one = [self.floating(word) for _ in range(n)]
            else:
                one = [f"({word}) {rng.choice([0, 1, 2, 7])}" for _ in range(n)]
            if rng.random() < .4:
                one = [one[0]] * n
            return f"{word} {name}[{n}]", "{ " + ", ".join(one) + " }"
        word, value = self.record(depth - 1)
        n = rng.choice([1, 2, 11])
        return f"{word} {name}[{n}]", "{ " + ", ".join([value] * n) + " }"

    def object(self, name, depth):
        """A declaration of the name without its end, and an initializer."""
        rng = self.rng
        pick = rng.random()
        if pick < .40 or depth <= 0:
            word, value = self.simple()
            return f"{word} {name}", value
        if pick < .55:
            return self.pointer(name)
        if pick < .75:
            return self.array(name, depth)
        word, value = self.record(depth)
        return f"{word} {name}", value

    def special(self, name):
        rng = self.rng
        return rng.choice([(f"float _Complex {name}", "1.5f + 2.0f * 1.0if"), (f"double _Complex {name}", "-1.0 + 0.25 * 1.0i"), (f"__int128 {name}", "-5"),
                           (f"unsigned __int128 {name}", "((unsigned __int128) 1 << 100) + 7"), (f"int4 {name}", "{ 1, 2, 3, 4 }"), (f"float4 {name}", "{ 0.5f, 0.5f, 0.5f, 0.5f }"),
                           (f"uchar8 {name}", "{ 65, 66, 0, 255, 1, 2, 3, 4 }"), (f"wchar_t {name}", "L'x'"), (f"char16_t {name}", "u'\\u20ac'"), (f"char32_t {name}", "U'\\n'")])

    # ---- classes ----

    def class_of(self, depth):
        """A class with what only classes have; its objects make themselves."""
        rng, name = self.rng, self.fresh("c")
        bases, lines, after = [], [], []
        for base in rng.sample(self.classes, min(len(self.classes), rng.choice([0, 0, 1, 1, 2]))):
            if not any(base in self.above[other] or other in self.above[base] or self.above[base] & self.above[other] for other in bases):
                bases.append(base)
        virtual = {base for base in bases if rng.random() < .2}
        for _ in range(rng.choice([0, 1, 2, 3])):
            declared, value = self.member(depth - 1)
            lines.append(f"{declared} = {value};" if " : " not in declared else f"{declared};")
        if rng.random() < .3:
            member, value = self.fresh("f"), rng.randint(-9, 99)
            lines.append(f"static int {member};")
            after.append(f"int {name}::{member} = {value};")
        if rng.random() < .15:
            lines.append(f"static const int {self.fresh('k')} = {rng.randint(0, 9)};")
        if rng.random() < .25:
            lines.append(rng.choice([f"virtual ~{name}() {{ }}", f"virtual int {self.fresh('v')}() {{ return 1; }}"]))
        if rng.random() < .2:
            lines.append(f"int &{self.fresh('r')} = target_int;")
        if rng.random() < .15:
            lines.append(f"int method(int n) {{ return n; }} int (target::*{self.fresh('p')})(int) = &target::method; int target::*{self.fresh('p')} = &target::second;")
        if rng.random() < .2:
            lines.append(f"struct inner {{ char c = 'i'; }} {self.fresh('n')};")
        heads = ", ".join(("virtual " if base in virtual else "") + "public " + base for base in bases)
        self.lines.append(f"struct {name}{' : ' + heads if heads else ''} {{ {' '.join(lines)} }};")
        self.lines.extend(after)
        self.classes.append(name)
        self.above[name] = {name}.union(*[self.above[base] for base in bases])
        return name

    def library(self, name):
        """An object of the standard library, and what makes it."""
        rng = self.rng
        ints = ", ".join(str(rng.randint(-5, 300)) for _ in range(rng.randint(1, 5)))
        text = rng.choice(['"short"', '"a text that is longer than what lies in the object"', '""', self.text(5)])
        return rng.choice([
            (f"std::string {name}", text), (f"std::vector<int> {name}", f"{{ {ints} }}"), (f"std::vector<std::string> {name}", f"{{ {text}, \"b\" }}"), (f"std::vector<bool> {name}", "{ true, false, true }"),
            (f"std::map<int, std::string> {name}", f"{{ {{ 1, {text} }}, {{ 7, \"seven\" }} }}"), (f"std::set<int> {name}", f"{{ {ints} }}"), (f"std::pair<int, double> {name}", "{ 4, 0.5 }"),
            (f"std::tuple<int, char, std::string> {name}", f"{{ 1, 'c', {text} }}"), (f"std::array<short, 4> {name}", "{ 1, 2, 3, 4 }"), (f"std::list<int> {name}", f"{{ {ints} }}"), (f"std::deque<int> {name}", f"{{ {ints} }}"),
            (f"std::optional<int> {name}", rng.choice(["5", "std::nullopt"])), (f"std::unique_ptr<int> {name}", rng.choice(["{ new int(5) }", "{ }"])), (f"std::string_view {name}", '"view"'), (f"std::vector<int> {name}", "{ }"),
            (f"std::map<std::string, std::vector<int>> {name}", f"{{ {{ \"key\", {{ {ints} }} }} }}"), (f"std::forward_list<int> {name}", f"{{ {ints} }}"), (f"std::variant<int, std::string> {name}", rng.choice(["{ 5 }", f"{{ std::string({text}) }}"])),
            (f"std::bitset<12> {name}", "{ 77 }"), (f"std::atomic<int> {name}", "{ 9 }"), (f"std::unordered_map<int, int> {name}", "{ { 3, 4 } }"), (f"std::shared_ptr<int> {name}", "{ new int(6) }"), (f"std::pair<const int, target> {name}", "{ 4, target_struct }"),
        ])

    # ---- all of it ----

    def variable(self):
        rng, name = self.rng, self.fresh("g")
        pick = rng.random()
        if self.is_cxx and pick < .30:
            self.lines.append(f"{self.class_of(2)} {name};")
        elif self.is_cxx and pick < .45:
            declared, value = self.library(name)
            self.lines.append(f"{declared}{'' if value.startswith('{') else ' = '}{value};")
        elif self.is_cxx and pick < .50:
            self.lines.append(rng.choice([f"int &{name} = target_int;", f"target &{name} = target_struct;", f"int target::*{name} = &target::second;", f"int (target::*{name})(int) = &target::method;",
                                          f"const double &{name} = target_double;", f"int (&{name})[5] = target_array;", f"int target::*{name} = nullptr;", f"decltype(nullptr) {name};"]))
        elif pick < .55:
            declared, value = self.special(name)
            self.lines.append(f"{declared} = {value};")
        else:
            declared, value = self.object(name, 3)
            self.lines.append(f"{declared} = {value};")
        self.names.append(name)

    def program(self, n):
        self.classes, self.above = [], {}
        method = "int method(int n) { return n + first; }" if self.is_cxx else ""
        head = ["#define BOOL " + ("bool" if self.is_cxx else "_Bool"), "#include <stdio.h>", "#include <unistd.h>", "#include <wchar.h>", "#include <uchar.h>"]
        if self.is_cxx:
            head += [f"#include <{name}>" for name in ("array", "atomic", "bitset", "deque", "forward_list", "list", "map", "memory", "optional", "set", "string", "string_view", "tuple", "unordered_map", "variant", "vector")]
        head += ["typedef int int4 __attribute__((vector_size(16))); typedef float float4 __attribute__((vector_size(16))); typedef unsigned char uchar8 __attribute__((vector_size(8)));",
                 "int target_int = 42, target_array[5] = { 1, 2, 3, 4, 5 }, *target_pointer = &target_int; double target_double = 2.5;",
                 f"struct target {{ int first, second; {method} }} target_struct = {{ 5, 6 }};",
                 "int function(int a, double b) { return a + (int) b; } int other_function(int a, double b) { return a - (int) b; } void nothing(void) { }"]
        for _ in range(n):
            self.variable()
        return "\n".join([*head, *self.lines, "int main(void) { puts(\"ready\"); fflush(stdout); for (;;) pause(); }\n"])


GDB = r"""
import gdb, json
gdb.execute("set language " + LANGUAGE)
said = []
for expr in EXPRESSIONS:
    try:
        said.append([gdb.execute("output " + expr, to_string=True), gdb.execute("whatis " + expr, to_string=True).strip()[7:]])
    except Exception as error:
        said.append(["error: %s" % error, ""])
print("said " + json.dumps(said))
"""
# What is not the same, as patterns of both sides, and who is right.
KNOWN = [
    # gdb has it as an int, which is not what the program says.
    (r"\(decltype\(nullptr\)\) 0x0", "0", "ours"), (r"decltype\(nullptr\)", "int", "ours"),
    # One type has one name here, whatever the compiler calls it; gdb leaves out which complex type it is.
    (r"unsigned __int128", r"__int128 unsigned|unsigned int __int128|unsigned __int128", "both"), (r"complex (float|double)", r"complex", "ours"),
    # What nothing uses clang leaves out.
    (r"no symbol '\w+' in the program", r"error: No symbol \"\w+\" in current context.", "both"),
    # A string is called what it is called everywhere else.
    (r"std::variant<.*std::string.*", r"std::variant<.*std::__cxx11::basic_string.*", "ours"),
    # gdb leaves arguments of the library's templates out, and the namespace of its own ABI.
    (r"(const )?std::.*>", r"(const )?std::.*>", "both"),
]


def as_gdb_has_it(text):
    """What gdb writes of strings in a way that cannot be read back: a wide one's prefix at its beginning only, whatever follows a
    repeated character; a repeated quote escaped as if it stood in a string."""
    text = re.sub(r"(?<=[\"'>], )[uUL](?=[\"'])", "", text)
    return re.sub(r"(?<!\d )'(\"|\\')' <repeats", lambda match: "'\\\"' <repeats" if match[1] == '"' else "'" * 3 + " <repeats", text)


def is_known(ours, theirs):
    # A byte that begins no character takes what stands before it away in gdb; numbers whose first bit is missing are none to it.
    ours = re.sub(r'"[^"]*", (?=<incomplete sequence)', "", ours) if "<incomplete sequence" in theirs and ours != theirs else ours
    pattern = re.escape(theirs).replace(re.escape("<invalid float value>"), r"[-+.0-9e]+")
    return as_gdb_has_it(ours) == theirs or re.fullmatch(pattern, ours, re.S) or any(re.fullmatch(pattern, ours, re.S) and re.fullmatch(other, theirs, re.S) for pattern, other, _ in KNOWN)


def judge(directory, seed, compiler, suffix):
    source, exe, script, asked = (os.path.join(directory, f"{seed}{end}") for end in (suffix, "", ".script", ".py"))
    maker = Maker(random.Random(seed), suffix == ".cc")
    with open(source, "w", encoding="ascii") as file:
        file.write(maker.program(PER_PROGRAM))
    with open(script, "w", encoding="ascii") as file:
        file.write("".join(f"print {name}\n" for name in maker.names))
    with open(asked, "w", encoding="ascii") as file:
        file.write(f"LANGUAGE, EXPRESSIONS = {'c++' if suffix == '.cc' else 'c'!r}, {maker.names!r}\n" + GDB)
    built = subprocess.run([compiler, "-g", "-O0", "-w", *(["-std=gnu++17"] if suffix == ".cc" else []), *(["-fstandalone-debug"] if compiler.startswith("clang") else []), "-o", exe, source],
                           capture_output=True, text=True, check=False)
    expect(built.returncode == 0, f"{compiler} seed {seed}: {built.stderr[:800]}")
    with Program(exe) as program:
        run = debugcall("--json", "--keep-going", "--no-init", "-p", program.pid, "-x", script, "--batch", limit=200)
        gdb = subprocess.run(["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-p", str(program.pid), "-x", asked], capture_output=True, text=True, check=False, timeout=200)
    ours = [record for line in run.out.splitlines() for record in json.loads(line).get("records", []) if record["kind"] in ("result", "error")]
    said = [line[5:] for line in gdb.stdout.splitlines() if line.startswith("said ")]
    expect(said, f"gdb said nothing: {gdb.stderr[-600:]}")
    theirs = [[re.sub(r"warning: .*\n", "", text), spelled] for text, spelled in json.loads(said[0])]
    equal(len(ours), len(maker.names), f"said: {run.err[:600]}")
    wrong = []
    for name, our, (text, spelled) in zip(maker.names, ours, theirs):
        value, its_type = (our["value"], our["type"]) if our["ok"] else (our["error"]["message"], "")
        if value != text and not is_known(value, text):
            wrong.append(f"{compiler} seed {seed} {name}:\n  {value}\n  {text}")
        if its_type != spelled and not is_known(its_type, spelled):
            wrong.append(f"{compiler} seed {seed} {name}, its type:\n  {its_type}\n  {spelled}")
    return wrong


def batch(first, n):
    if not shutil.which("gdb"):
        skip("gdb is not installed")
    ways = [way for way in (("gcc", ".c"), ("g++", ".cc"), ("clang", ".c"), ("clang++", ".cc")) if shutil.which(way[0])]
    with tempfile.TemporaryDirectory(prefix="printed-") as directory:
        wrong = [one for i in range(n) for one in judge(directory, first + i, *ways[(first + i) % len(ways)])]
    expect(not wrong, f"{len(wrong)} differ (ours first)\n" + "\n".join(wrong[:30]))


for start in range(0, COUNT // PER_PROGRAM, 4):
    many = min(4, COUNT // PER_PROGRAM - start)
    row(f"{many * PER_PROGRAM} variables from seed {SEED * 1000 + start} on", batch, SEED * 1000 + start, many)
main()
