#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Go's expressions: each is part of a Go program, which prints what it is; the debugger's answer is the same.
# timeout: 300 s
import atexit
import json
import os
import re
import shutil
import subprocess

from harness import debugcall, expect, main, skip, test, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Read with nothing stopped.
VALUES = r"""
i i8 i16 i32 i64 u u8 u16 u32 u64 uptr f32 f64 tiny third third32 huge c64 c128 yes no r str quoted unicode empty long
point pp npp ppp line arr parr matrix sl nsl esl bytes runes points ppoints names many m nm em table byPoint byKind
nested ch nch fn nfn callback any1 any2 any3 any4 any5 nany shape nshape err1 nerr color temp anon pair ring square
big wide mixed up shapeP err2 list circle
main.i
Answer
Blue
Answer + 1
i + 1
i - 3*i8_as
-i
+i
^i
^u8
!yes
i / 5
i % 5
u / 5
u8 + 100
u8 * u8
i8 - 127
u16 << 3
i16 >> 2
u8 >> 9
u8 << 9
i &^ 7
i & 0xff
i | 1
i ^ 0x55
1 << 40
1 << u8_small
u64 >> 60
u64 + 1
7 / 2
7 / 2.0
7 % 3
-7 / 2
-7 % 3
0x_ff + 0b101 + 0o17 + 017
1_000_000
'a' + 1
'\n'
'世'
1e3
.5
0x1p-2
3 + 4i
f64 / 3
f32 * 3
f32 + 0.1
third32 + third32
c128 * c128
c128 / (1 + 1i)
c64 + 1
real(c128)
imag(c64)
complex(f32, 2)
yes && no
yes || no
!(i < 0)
i == -42
i != -42
i < 0 && u > 3
f64 <= 0
str == "plain"
str + "/" + quoted[:1]
str < "q"
str >= "plain"
"abc" + "def"
`raw \n`
"tab\tand \u00e9 \x41 \101"
len(str)
len(unicode)
str[1]
str[1:3]
str[:2]
str[3:]
unicode[6:]
"literal"[2]
len("literal")
point.X
point.X + point.Y
pp.Y
(*pp).X
*pp
**ppp
&point == pp
line.From.X
line.name
(&line).To
arr[0]
arr[i+44]
parr[1]
len(arr)
len(parr)
cap(arr)
matrix[1][2]
matrix[1]
arr == [3]int{7, 8, 9}
sl[0]
sl[len(sl)-1]
sl[1:3]
sl[:2]
sl[2:]
sl[1:2:3]
cap(sl[1:2:3])
len(sl)
arr[:]
arr[1:2]
parr[1:]
nsl == nil
sl != nil
len(nsl)
bytes[0]
string(bytes)
string(runes)
string(r)
points[1].Y
ppoints[0].X
ppoints[1] == nil
names[0]
m["one"]
m["two"]
nm["x"]
len(m)
len(large)
large[31]
large[999]
large[1000]
table["k"]
byPoint[Point{1, 2}]
byPoint[Point{2, 1}]
byKind["s"]
byKind[1]
bigs["b"][2]
nested["a"]["b"][1]
len(ch)
cap(ch)
nch == nil
fn != nil
nfn == nil
any1.(int) + 1
any2.(string)
any3.(Point).Y
any4.(*Point).X
any5.([]int)[0]
any1 == 7
any2 == "text"
any1 == any2
any3 == Point{1, 2}
nany == nil
shape.(Square).Side
shapeP.(*Circle).R
nshape == nil
shape == Square{Point{1, 2}, 1.5}
nerr == nil
err1 != nil
color == Green
color + 1
temp + 0.5
temp < 40
anon.B
pair.Key
pair.Value + 1
list.Next.Next.Value
list.Next.Next.Next == nil
ring.Value
square.X
square.Point.Y
circle.X
circle.Point == pp
big.A[2]
mixed.F[0]
mixed.D
*mixed.H
int8(i)
uint8(i)
uint32(i64)
int64(f64)
int(f32)
float32(third)
float64(third32)
float64(i) / 4
int(temp)
Celsius(i)
Color(2)
uint(u8) << 8
string(rune(0x4e16))
string(names[0])
Named(esl)
Point(point)
Point{1, 2}
Point{Y: 5}
Line{From: Point{1, 2}, name: "x"}.name
[2]int{1, 2}
[...]string{"a", "b"}[1]
[4]int{2: 7}
[]int{1, 2, 3}[1]
len([]int{1, 2, 3})
(*Point)(nil) == nil
struct{ A int; B string }{1, "z"} == anon
Pair[string, int]{"k", 5} == pair
min_of(3, u8)
"""

# Called.
CALLS = r"""
add(1, 2)
add(i, int(u8))
add(add(1, 2), add(3, 4))
double(-3)
fn(3, 4)
callback(21)
closure(1)
two("a", 1)
three(-1, 2.5, "xyz")
three(i8, f64, str)
join(Point{1, 2}, "b", []int{1, 2}, "any", nil, nil, 1.5)
join(point, str, sl, any1, err1, m, f32)
ten(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
sizes(-128, 65535, true, -2147483648, 255, 'x', 0)
sizes(i8, u16, no, i32, u8, r, u64)
bigOf(big, wide)
bigOf(Big{B: "q"}, Wide{J: 7})
mixedOf(mixed, c128)
variadic("p")
variadic("p", 1)
variadic("p", 1, 2, 3)
variadic("p", sl...)
apply(callback, 5)
apply(closure, 5)
unused(1, 2, 3, "s")
sum(sl)
sum(sl[1:3])
sum([]int{10, 20, 30})
sum(nil)
area(shape)
area(shapeP)
isNil(nil, nil, nil)
isNil(pp, nil, nil)
deref(&i)
deref(new(int))
grow(3000)
collect("kept alive")
point.Sum()
pp.Sum()
Point{5, 6}.Sum()
point.Add(Point{1, 1})
pp.Scale(3)
point.Scale(2)
(&Point{1, 2}).Scale(4)
Point.Sum(point)
(*Point).Scale(pp, 2)
square.Sum()
square.Area()
circle.Scale(2)
shape.Area()
shape.Name()
shapeP.Area()
shapeP.Name()
err1.Error()
err2.Error()
color.String()
Color(3).String()
names.Join("-")
Named{"a", "b", "c"}.Join("+")
list.Length()
temp.Fahrenheit()
fmt.Sprint("x", 1, 2.5, true, nil)
fmt.Sprintf("%v %d %q", point, i, str)
add(1, 2) == 3
len(two_first("abc"))
"<" + shape.Name() + ">"
add(1, 2) * 10
yes || add(1, 2) == 0
"""

# What Go's compiler refuses, in its words.
WRONG = r"""
i + str
i + f64
u8 + 300
i8 + 128
str - "a"
-str
!i
i && yes
i == str
sl == sl
m == m
fn == fn
point.Z
point.x
nosuch
str.X
add(1)
add(1, 2, 3)
add(1, "2")
add(1.5, 2)
two(1, 2)
i[0]
i.(int)
*i
point()
arr[5]
1 / 0
i << -1
uint8(300)
int8(1.5)
int(str)
Point{1}
Point{1, 2, 3}
Point{Z: 1}
Color("x")
len(i)
cap(m)
"""

# What would panic, and what is refused here.
REFUSED = {
    "npp.X": (1, "nil pointer dereference"),
    "sl[5]": (1, "index out of range [5] with length 5"),
    "str[9]": (1, "index out of range [9] with length 5"),
    "sl[3:2]": (1, "slice bounds out of range"),
    "any1.(string)": (1, "interface conversion: interface {} is int, not string"),
    "nany.(int)": (1, "interface conversion: interface {} is nil, not int"),
    "i / (i + 42)": (1, "division by zero"),
    "pair.First()": (1, "generic"),
    "main.main.func1(1)": (6, "closure"),
    "str = \"x\"": (6, "holds pointers"),
    "nosuch.Thing": (1, "undefined: nosuch"),
    "main.pont": (1, "did you mean 'main.point'"),
    "ponit.X": (1, "did you mean 'main.point'"),
    "fmt.Errorf(\"x\")": (1, "undefined: fmt.Errorf"),
    "nfn()": (1, "nil"),
    "nshape.Area()": (1, "nil pointer dereference"),
    "skip(1, 2, \"c\", \"d\")": (1, "want (int, string)"),
    "skip(2, \"d\")": (6, "parameters that the debug information does not tell"),
    "Ratio": (1, "undefined"),
    "<-ch": (6, "not received from"),
    "map[string]int{\"a\": 1}": (6, "maps are not made here"),
    "map[string]float32{}": (1, "the program has no type map[string]float32"),
    "[]*Point{fresh}": (6, "heap"),
    "(" * 300 + "1": (1, "nested too deeply"),
    "'ab'": (1, "not ended"),
    "\"abc": (1, "not ended"),
    "1 +": (1, "expected an expression"),
    "0x": (1, "no digits"),
    "08": (1, "too large"),
    "\xff\xfe": (1, "undefined"),
    "i i": (1, "expected an operator or the end"),
}

BUILDS = {"optimized": [], "unoptimized": ["-gcflags=-N -l"]}


def expressions(lines):
    for line in lines.strip().splitlines():
        # Names alone stand several in a line.
        yield from line.split() if re.fullmatch(r"[a-z]\w*( \w+)+", line) else [line]


def known(text):
    """What stands in for constants of odd types, and functions that Go 1.19 has not."""
    return text.replace("i8_as", "int(i8)").replace("u8_small", "(u8 & 7)").replace("two_first(\"abc\")", "str") \
        .replace("min_of(3, u8)", "u8")


def table(lines):
    """A function that prints each expression, as a value of the type that it has."""
    out = ["package main", "", 'import "fmt"', "", "func tableOfExpressions() {"]
    for text in lines:
        names = ", ".join(f"v{i}" for i in range(results(text)))
        addresses = ", ".join(f"&v{i}" for i in range(results(text)))
        plain = text.replace("main.", "")
        out.append(f"\t{{ {names} := {plain}; show({addresses}) }}")
    return "\n".join(out + ["}", ""])


def results(text):
    return {"two": 2, "three": 3, "sizes": 7, "bigOf": 2, "mixedOf": 2}.get(re.split(r"\W", text)[0], 1) \
        if text.endswith(")") else 1


def go(directory, *args):
    env = dict(os.environ, GO111MODULE="off", GOCACHE=f"{ROOT}/build/gocache", GOPATH=directory, HOME=directory,
               GOFLAGS="", GOPROXY="off")
    return subprocess.run(["go", "build", *args], cwd=directory, env=env, check=False, capture_output=True, text=True)


def build(name, lines):
    directory = f"{ROOT}/build/go_values/{name}"
    os.makedirs(directory, exist_ok=True)
    shutil.copy(f"{ROOT}/tests/targets/go_values.go", f"{directory}/main.go")
    with open(f"{directory}/table.go", "w", encoding="utf-8") as file:
        file.write(table(lines))
    run = go(directory, *BUILDS[name], "-o", "program", "main.go", "table.go")
    expect(run.returncode == 0, run.stderr)
    return f"{directory}/program"


class Program:
    """One of each build for all tests."""
    running = {}

    def __init__(self, name):
        self.asked = [known(text) for text in [*expressions(VALUES), *expressions(CALLS)]]
        self.process = subprocess.Popen([build(name, self.asked)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        atexit.register(self.process.kill)
        self.pid = self.process.pid
        self.said = {text: self.process.stdout.readline().rstrip("\n") for text in self.asked}
        expect(self.process.stdout.readline() == "ready\n", "the program is not ready")

    @classmethod
    def of(cls, name):
        if not shutil.which("go"):
            skip("go is not installed")
        if name not in cls.running:
            cls.running[name] = cls(name)
        return cls.running[name]

    def lives(self):
        expect(self.process.poll() is None, "the program has ended")


def settled(text):
    """Maps have no order."""
    return re.sub(r"\[((?:[^][]*: [^][]*, )+)\]",
                  lambda found: "[" + "".join(sorted(re.findall(r".*?: .*?, ", found[1]))) + "]", text)


def compare(program, lines):
    lines = list(lines)
    wrong = []
    for start in range(0, len(lines), 60):
        part = lines[start:start + 60]
        run = debugcall("-p", program.pid, "--", *part)
        got = run.out.splitlines()
        if run.code or len(got) != len(part):
            # One of them: which?
            wrong.append(run.err)
            got = []
            for text in part:
                one = debugcall("-p", program.pid, "--", text)
                got.append(one.out.rstrip("\n") if one.code == 0 else f"{one.code}: {one.err}")
        wrong += [f"{text}: {answer!r}, not {program.said[text]!r}" for text, answer in zip(part, got)
                  if settled(answer) != settled(program.said[text])]
    expect(not wrong, "\n".join(wrong))


def check_refusals(program):
    wrong = []
    for text, (code, words) in REFUSED.items():
        run = debugcall("-p", program.pid, "--", text)
        if run.code != code or words not in run.err or "the target was not touched" not in run.err:
            wrong.append(f"{text[:60]}: {run.code} {run.err}")
    expect(not wrong and program.process.poll() is None, "\n".join(wrong))


def same_words(ours, theirs):
    """Go's compiler says more of positions and of methods, and since when."""
    def plain(text):
        text = re.sub(r"\s+", " ", text).strip().replace("main.", "").replace("for built-in ", "for ")
        return re.sub(r", but does have.*|, missing method.*", "", text).rstrip(")")
    return plain(theirs).startswith(plain(ours)) or plain(ours).startswith(plain(theirs))


def check_wrong(program):
    directory = f"{ROOT}/build/go_values/wrong"
    os.makedirs(directory, exist_ok=True)
    shutil.copy(f"{ROOT}/tests/targets/go_values.go", f"{directory}/main.go")
    texts = list(expressions(WRONG))
    with open(f"{directory}/table.go", "w", encoding="utf-8") as file:
        file.write("package main\nfunc tableOfExpressions() {\n")
        file.writelines(f"show({text})\n" for text in texts)
        file.write("}\n")
    run = go(directory, "-gcflags=-e", "-o", "/dev/null", "main.go", "table.go")
    said = {}
    for line in run.stderr.splitlines():
        found = re.match(r"\./table\.go:(\d+):\d+: (.*)", line)
        if found:
            said.setdefault(texts[int(found[1]) - 3], found[2])
    wrong = []
    for text in texts:
        run = debugcall("-p", program.pid, "--", text)
        message = run.err.splitlines()[0].removeprefix("error: ") if run.err else ""
        if run.code != 1 or not same_words(message, said.get(text, "?")):
            wrong.append(f"{text}: {run.code} {message!r}, not {said.get(text)!r}")
    expect(not wrong, "\n".join(wrong))


@test
def values():
    """every kind of value, operator and conversion, of an optimized program and an unoptimized one"""
    for name in BUILDS:
        compare(Program.of(name), map(known, expressions(VALUES)))


@test
def calls():
    """arguments and results of every kind in registers and on the stack, methods, closures, variadics"""
    for name in BUILDS:
        compare(Program.of(name), map(known, expressions(CALLS)))
        Program.of(name).lives()


@test
def refusals():
    """what would panic, and what is not done, is refused before anything is touched"""
    check_refusals(Program.of("optimized"))


def goroutines_of(program):
    run = debugcall("--json", "--goroutines", "-p", program.pid)
    expect(run.code == 0, run)
    return [json.loads(line) for line in run.out.splitlines()]


@test
def goroutines():
    """each goroutine with what it waits for, where, who started it, its labels and its stack; nothing is stopped"""
    for name in BUILDS:
        program = Program.of(name)

        def at(function):
            return [row for row in goroutines_of(program) if (row["where"] or {}).get("function") == function]

        until(lambda: len(at("main.receiving")) == 21 and at("main.selecting"), "all are parked")
        rows = at("main.receiving") + at("main.selecting")
        expect(all(row["status"] == "waiting" and not row["system"] and row["created"]["function"] == "main.park"
                   for row in rows), rows)
        expect({row["wait_reason"] for row in rows} == {"chan receive", "select"}, rows)
        labelled = [row for row in rows if row["label"]]
        expect(len(labelled) == 1 and labelled[0]["label"] == "kind=worker", labelled)
        system = [row for row in goroutines_of(program) if row["system"]]
        expect({"GC sweep wait", "force gc (idle)"} <= {row["wait_reason"] for row in system}, system)
        expect([row["goroutine"] for row in rows if row["system"]] == [], rows)
        run = debugcall("stacks", "-p", program.pid, "--goroutine", labelled[0]["goroutine"])
        expect(run.code == 0 and "main.labelled" in run.out and "main.receiving" in run.out and
               "0 stopped" in run.out, run)
        run = debugcall("stacks", "-p", program.pid, "--goroutine", 999999)
        expect(run.code == 1 and "no goroutine 999999" in run.err, run)


@test
def wrong_types():
    """what Go's compiler refuses is refused in its words"""
    check_wrong(Program.of("optimized"))


main()
