#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# C++: pointers to members, shown as gdb shows them, followed, called, compared, passed and returned by value.
import json
import re
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, equal, expect, main, row, skip
from harness.shell import printed

SOURCE = r"""
#include <cstdio>
#include <unistd.h>
struct A { int j = 10, jj = 20; int bar(int n); int bar(int n) const; int lone(int n); virtual int vget(); virtual int vother(int k) { return k + j; } static int of; static int sf(int n) { return n; } int bits : 3; A() : bits(1), in(3) { } union { int in; float f; }; int list[4] = { 1, 2, 3, 4 }; };
int A::of = 5;
int A::bar(int n) { return j + n; }
int A::bar(int n) const { return j + n + 1000; }
int A::lone(int n) { return jj * n; }
int A::vget() { return j; }
struct B { virtual ~B() { } long b = 77; int get_b(); virtual int second(); };
int B::get_b() { return (int) b; }
int B::second() { return 2; }
struct D : A, B { int d = 30; int vget() override { return j + 1; } int second() override { return d; } int mine() { return d; } };
struct V : virtual B { int v = 9; };
struct P { short a; double b; int A::*inside; int (A::*code)(int); };
A a; D d; V v; extern const A ca; const A ca; A *pa = &d; D *pd = &d; A &ra = d;
int A::*pmi = &A::jj; int A::*null_pmi; int D::*pmd = &A::jj; int B::*unset = nullptr; long D::*pmb = &B::b; int (A::*pml)[4] = &A::list; double P::*pdb = &P::b;
int (A::*pmf)(int) = &A::bar; int (A::*pmc)(int) const = &A::bar; int (A::*pmv)() = &A::vget; int (A::*null_pmf)(int); int (D::*pmd2)() = &B::get_b; int (D::*pmdv)() = &B::second; int (A::*vother)(int) = &A::vother;
typedef int (A::*method)(int); method table[3] = { &A::bar, &A::lone, nullptr }; P p = { 1, 2.5, &A::j, &A::lone }; extern const method fixed; const method fixed = &A::lone;
int by_data(A *x, int A::*m) { return x->*m; }
int by_code(A *x, int (A::*m)(int), int n) { return (x->*m)(n); }
int late(int a1, int a2, int a3, int a4, int a5, int (A::*m)(int), int a6) { return a1 + a2 + a3 + a4 + a5 + (a.*m)(a6); }
int stacked(int a1, int a2, int a3, int a4, int a5, int a6, int (A::*m)(int), int A::*n) { return a1 + a2 + a3 + a4 + a5 + a6 + (a.*m)(1) + a.*n; }
method give(int n) { if (n) return &A::lone; return &A::bar; }
int A::*give_data(int n) { return n ? &A::j : &A::jj; }
int which(int A::*) { return 1; } int which(int (A::*)(int)) { return 2; } int which(int (A::*)()) { return 3; }
bool is(int A::*m) { return m; }
P pass(P x) { x.a++; return x; }
int main() {
	volatile int n = by_data(&a, pmi) + by_code(&a, pmf, 1) + late(1, 2, 3, 4, 5, pmf, 6) + stacked(1, 2, 3, 4, 5, 6, pmf, pmi) + (a.*give(1))(2) + a.*give_data(1) + which(pmi) + which(pmf) + which(pmv) + is(pmi) + pass(p).a + d.mine() + d.second() + (ca.*pmc)(1) + v.get_b() + A::sf(1) + (int) sizeof(pml) + (int) sizeof(fixed) + (a.*vother)(1);
	puts("ready"); fflush(stdout); for (;;) pause(); return n;
}
"""
VALUES = [
    ("a.*pmi", "20"), ("(&a)->*pmi", "20"), ("pa->*pmi", "20"), ("d.*pmi", "20"), ("d.*pmb", "77"), ("pd->*pmb", "77"), ("ca.*pmi", "20"), ("ra.*pmi", "20"),
    ("a.*pml", "{1, 2, 3, 4}"), ("(a.*pml)[2]", "3"), ("p.*pdb", "2.5"), ("a.*pmi * 2 + 1", "41"), ("2 * a.*pmi", "40"), ("a.*(&A::jj)", "20"), ("a.*p.inside", "10"),
    ("(a.*pmf)(5)", "15"), ("(pa->*pmf)(5)", "15"), ("(ca.*pmc)(5)", "1015"), ("(d.*pmd2)()", "77"), ("(pd->*pmdv)()", "30"), ("(a.*pmv)()", "10"), ("(d.*pmv)()", "11"), ("(pa->*pmv)()", "11"),
    ("(a.*table[1])(3)", "60"), ("(a.*p.code)(2)", "40"), ("(a.*(&A::lone))(4)", "80"), ("(d.*(int (D::*)(int)) &A::lone)(2)", "40"), ("(a.*(int (A::*)(int) const) &A::bar)(1)", "1011"),
    ("(a.*give(1))(2)", "40"), ("a.*give_data(0)", "20"), ("pass(p).a", "2"), ("(a.*pass(p).code)(1)", "20"),
    ("pmi == &A::jj", "true"), ("pmi == &A::j", "false"), ("pmi != &A::j", "true"), ("pmd == pmi", "true"), ("pmf == &A::lone", "false"), ("table[1] == &A::lone", "true"), ("pmv == &A::vget", "true"),
    ("null_pmi == 0", "true"), ("null_pmi == nullptr", "true"), ("pmf == nullptr", "false"), ("nullptr != pmf", "true"), ("null_pmf == nullptr", "true"),
    ("!pmi", "false"), ("!null_pmi", "true"), ("!pmf", "false"), ("!null_pmf", "true"), ("pmi ? 1 : 2", "1"), ("null_pmf || pmi", "true"), ("(bool) null_pmi", "false"), ("(long) pmi", "12"),
    ("by_data(&a, pmi)", "20"), ("by_data(&a, &A::j)", "10"), ("by_code(&a, pmf, 5)", "15"), ("by_code(&a, &A::bar, 5)", "15"), ("by_code(&a, &A::lone, 5)", "100"), ("by_code(&d, &A::vother, 5)", "15"),
    ("late(1, 2, 3, 4, 5, pmf, 6)", "31"), ("stacked(1, 2, 3, 4, 5, 6, pmf, pmi)", "52"), ("stacked(1, 2, 3, 4, 5, 6, &A::lone, &A::j)", "51"),
    ("which(pmi)", "1"), ("which(pmf)", "2"), ("which(pmv)", "3"), ("which(&A::vget)", "3"), ("which(&A::j)", "1"), ("is(pmi)", "true"), ("is(null_pmi)", "false"), ("is(nullptr)", "false"),
    ("sizeof(pmi)", "8"), ("sizeof(pmf)", "16"), ("sizeof(int (A::*)(int))", "16"), ("(int D::*) pmi", "&A::jj"), ("(int A::*) pmd", "&A::jj"), ("(d.*(int (D::*)(void)) pmd2)()", "77"),
    ("$m = &A::jj", "&A::jj"), ("a.*$m", "20"), ("a.*pmi = 99", "99"), ("a.jj", "99"), ("pmi = &A::j", "&A::j"), ("a.*pmi", "10"), ("pmi = nullptr", "NULL"), ("pmi = &A::jj", "&A::jj"),
    ("&D::d", "&D::d"), ("&A::in", "&A::in"), ("*(&A::of)", "5"), ("A::lone(a, 2)", "198"),
]
# These are written as gdb writes them, but for what it takes for a mistake.
SHOWN = ["pmi", "null_pmi", "pmd", "pmb", "pml", "pdb", "unset", "pmf", "pmc", "pmv", "null_pmf", "pmd2", "pmdv", "vother", "table", "p", "fixed", "&A::j", "&A::jj", "&A::lone", "&A::vget",
         "&D::d", "&D::j", "&B::b", "&A::of", "&A::sf", "a.*pmf"]
WRITTEN = {"pmi": "&A::jj", "pmb": "&B::b", "null_pmf": "NULL", "pmv": "&virtual A::vget()", "pmdv": "&virtual B::second()", "vother": "&virtual A::vother(int)",
           "pmf": "(int (A::*)(A * const, int)) 0xN <A::bar(int)>", "pmc": "(int (A::*)(const A * const, int)) 0xN <A::bar(int) const>",
           "pmd2": "(int (D::*)(D * const)) 0xN <B::get_b()>, this adjustment 40",
           "p": "{a = 1, b = 2.5, inside = &A::j, code = (int (A::*)(A * const, int)) 0xN <A::lone(int)>}", "a.*pmf": "{int (A * const, int)} 0xN <A::bar(int)>"}
TYPES = {"pmi": "int A::*", "pmf": "int (A::*)(A * const, int)", "pml": "int (A::*)[4]", "&B::b": "long B::*"}
MISTAKES = [
    ("a.*null_pmi", "the pointer to a member is null"), ("(a.*null_pmf)(1)", "the pointer to a member is null"), ("v.*pmi", "'V' has no members of 'A'"), ("*pmi", "cannot dereference"),
    ("pmi + 1", "'+' is not defined"), ("a.*5", "is no pointer to a member"), ("&A::bits", "a bit-field has no address"), ("&A::bar", "is overloaded: cast its address"), ("pmi = 5", "only 0, or nullptr"),
    ("by_data(&a, pmf)", "cannot convert"), ("by_data(&a, pmb)", "cannot convert"), ("pmi == pmf", "cannot convert"), ("(int A::*) pmb", "cannot convert"), ("(int V::*) &B::b", "cannot convert"),
    ("(a.*pmf)()", "too few arguments"), ("(a.*pmi)(1)", "cannot be called"), ("D::d", "no symbol"),
]


def plain(text):
    return re.sub(r"0x[0-9a-f]+", "0xN", text)


def values(pid):
    for start in range(0, len(VALUES), 20):
        part = VALUES[start:start + 20]
        run = debugcall("-q", "-p", pid, "--", *[expr for expr, _ in part])
        for (expr, value), got in zip(part, run.out.splitlines() + [run.err] * len(part)):
            equal(got, value, expr)


def shown(pid):
    run = debugcall("-q", "-p", pid, "--", *SHOWN)
    lines = dict(zip(SHOWN, run.out.splitlines()))
    for expr, value in WRITTEN.items():
        equal(plain(lines.get(expr, run.err)), value, expr)


def as_gdb(pid):
    """Word for word what gdb prints."""
    if not shutil.which("gdb"):
        skip("gdb is not installed")
    ours = debugcall("-q", "-p", pid, "--", *SHOWN).out.splitlines()
    theirs = subprocess.run(["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-p", str(pid), "-ex", "set language c++",
                             *[word for expr in SHOWN for word in ("-ex", f"print {expr}")]], capture_output=True, text=True, check=False, timeout=60).stdout
    theirs = [line.split(" = ", 1)[1] for line in theirs.splitlines() if line.startswith("$")]
    equal(len(theirs), len(SHOWN), "lines of gdb's")
    for expr, our, their in zip(SHOWN, ours, theirs):
        equal(our, their, expr)


def types(pid):
    for expr, one in printed(pid, TYPES):
        equal(one["type"] if one["ok"] else one["error"]["message"], TYPES[expr], expr)


def mistakes(pid):
    parts = dict(MISTAKES)
    for expr, one in printed(pid, parts):
        expect(not one["ok"] and parts[expr] in json.dumps(one["error"], ensure_ascii=False), f"{expr}: {one}")


def effects(pid):
    """A call through such a pointer is one: it is told beforehand."""
    run = debugcall("--no-call", "-p", pid, "--", "(a.*pmf)(5)")
    expect(run.code == 6 and "calls" in run.err, run)
    run = debugcall("--no-call", "-q", "-p", pid, "--", "a.*pmi", "a.*pmf", "&A::lone")
    expect(run.code == 0, run)


with tempfile.TemporaryDirectory(prefix="member-pointers-") as directory:
    with open(f"{directory}/members.cc", "w", encoding="ascii") as file:
        file.write(SOURCE)
    for way in ("g++ -gdwarf-5", "g++ -gdwarf-4", "clang++ -fstandalone-debug"):
        if not shutil.which(way.split()[0]):
            row(way, lambda: skip("its compiler is not installed"))
            continue
        subprocess.run([*way.split(), "-g", "-O0", "-o", f"{directory}/members", f"{directory}/members.cc"], check=True)
        with Program(f"{directory}/members") as program:
            for each in (shown, types, mistakes, effects, as_gdb) if way == "g++ -gdwarf-5" else (shown,):
                row(f"{way}: {each.__name__}", each, program.pid)
            row(f"{way}: values", values, program.pid)
main()
