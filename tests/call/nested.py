#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Names in functions that lie within others: lambdas, methods of local classes, GNU C's nested functions; and
# members by the class that has them.
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, equal, expect, main, row, skip

LAMBDAS = r"""
#include <cstdio>
#include <unistd.h>
int level = 900, other = 800, apart = 700;
static int rest() { std::puts("ready"); std::fflush(stdout); char c; return (int) read(0, &c, 1); }
struct S {
	int m = 6;
	int go() { int level = 3; auto f = [this, level](int n) { int k = n + level + m; return rest() + k; }; return f(4); }
} s;
int main() { int other = 5; auto g = [&](int q) { other += q; return s.go() + other; }; return g(2); }
"""
LOCAL_CLASS = r"""
#include <cstdio>
#include <unistd.h>
int level = 900;
struct Task { virtual void run(int n) = 0; };
int main()
{
	int level = 3, hidden = 8;
	static int kept = 12;
	struct Local : Task {
		int seen = 5;
		void run(int n) override { int level = n * 2; std::puts("ready"); std::fflush(stdout); char c; level += (int) read(0, &c, 1); }
	} l;
	Task *t = &l;
	t->run(level);
	return kept + hidden;
}
"""
NESTED = r"""
#include <stdio.h>
#include <unistd.h>
int depth = 900;
static int outer(int a)
{
	int depth = 4 + a;
	int inner(int k) { char c; if (k == 5) { puts("ready"); fflush(stdout); return (int) read(0, &c, 1) + depth; } return outer(5) + a; }
	return inner(a) + 1;
}
int main(void) { return outer(2); }
"""
BASES = r"""
#include <cstdio>
#include <unistd.h>
namespace ns { struct Q { int q = 1; virtual int f() { return 10 + q; } int g(int n) { return n + q; } }; }
struct R : ns::Q { int q = 2; int f() override { return 20 + q; } };
struct V : virtual ns::Q { int v = 3; int f() override { return 30 + v; } } v;
R r, *p = &r;
int main() { std::puts("ready"); std::fflush(stdout); char c; return (int) read(0, &c, 1) + r.f() + r.g(1) + v.f(); }
"""

SCOPES = r"""
#include <cstdio>
#include <unistd.h>
namespace a {
int counter = 1, outer = 5;
namespace inner { int counter = 3; int step(int n) { return n + 100; }
	int f(int n) { std::puts("ready"); std::fflush(stdout); char c; return (int) read(0, &c, 1) + n + counter + step(n); } }
int step(int n) { return n + 1; }
}
namespace b { int counter = 2; int step(int n) { return n + 2; } }
int apart = 9;
int main() { return a::inner::f(1) + a::step(1) + b::step(1) + apart; }
"""


def check(compiler, text, name, cases):
    if not shutil.which(compiler):
        skip(f"{compiler} is not installed")
    with tempfile.TemporaryDirectory() as directory:
        source, path = os.path.join(directory, name), os.path.join(directory, "nested")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run([compiler, "-g", "-w", "-o", path, source], check=True)
        with Program(path) as program:
            for *words, wanted in cases:
                run = debugcall("-q", "-p", program.pid, *words)
                if wanted.startswith("!"):
                    expect(run.code == 1 and not run.out and wanted[1:] in run.err, f"{words}: {run}")
                else:
                    equal(run.out + run.err, wanted + "\n", f"{compiler} {words}")


for one in ("g++", "clang++"):
    row(f"{one}: lambdas", check, one, LAMBDAS, "lambdas.cc", [
        ("--frame", "2", "n", "4"), ("--frame", "2", "k", "13"), ("--frame", "2", "level", "3"),
        ("--frame", "2", "m", "6"), ("--frame", "2", "this->m", "6"), ("--frame", "2", "level = 33", "33"),
        ("--frame", "2", "level", "33"), ("::level", "900"), ("--frame", "2", "apart", "700"),
        ("--frame", "4", "q", "2"), ("--frame", "4", "other + 0", "7"), ("::other", "800")])
    row(f"{one}: a local class", check, one, LOCAL_CLASS, "local.cc", [
        ("level", "6"), ("n", "3"), ("this->seen", "5"), ("seen", "5"), ("kept", "12"),
        ("hidden", "!whose frame is not known"), ("level = 77", "77"), ("::level", "900")])
    row(f"{one}: members of a named class", check, one, BASES, "bases.cc", [
        ("r.f()", "22"), ("r.Q::f()", "11"), ("r.ns::Q::f()", "11"), ("p->Q::f()", "11"), ("r.R::f()", "22"),
        ("r.q", "2"), ("r.Q::q", "1"), ("p->ns::Q::q", "1"), ("r.Q::q = 5", "5"), ("r.Q::f()", "15"),
        ("r.Q::g(1)", "6"), ("v.Q::f()", "11"), ("v.Q::q", "1"), ("v.V::f()", "33"), ("r.Nope::f()", "!no base of that name")])
    row(f"{one}: namespaces around", check, one, SCOPES, "scopes.cc", [
        ("counter", "3"), ("outer", "5"), ("--frame", "a::inner::f", "step(1)", "101"), ("a::counter", "1"), ("b::counter", "2"), ("a::step(1)", "2"),
        ("apart", "9"), ("--frame", "main", "counter", "!ambiguous")])
row("gcc: nested functions", check, "gcc", NESTED, "nested.c", [
    ("k", "5"), ("depth", "9"), ("a", "5"), ("--frame", "inner", "k", "5"), ("depth = 3", "3"), ("::depth", "900"),
    ("depth", "3")])
main()
