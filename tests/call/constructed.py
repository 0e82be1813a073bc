#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# C++: objects made for an expression: by T(a, b) and T{a, b}, by constructors and conversions that an argument implies. For each
# that is made one is destroyed, and no constructor is taken that C++ would not take.
import json
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, equal, expect, main, row, skip
from harness.shell import printed

SOURCE = r"""
#include <cstdio>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>
int made, ended;
struct Count { int *p; Count(int n); Count(int a, int b); Count(const Count &o); ~Count(); int get() const; };
Count::Count(int n) : p(new int(n)) { made++; }
Count::Count(int a, int b) : p(new int(a * b)) { made++; }
Count::Count(const Count &o) : p(new int(*o.p)) { made++; }
Count::~Count() { ended++; *p = -1; delete p; }
int Count::get() const { return *p; }
struct Trivial { int x; Trivial(int n); Trivial(const char *s); };
Trivial::Trivial(int n) : x(n * 2) { }
Trivial::Trivial(const char *s) : x(s[0]) { }
struct Strict { int x; explicit Strict(int n); };
Strict::Strict(int n) : x(n) { }
struct Plain { int a; double b; };
struct Gone { int x; Gone(int) = delete; Gone(double d); };
Gone::Gone(double d) : x((int) d) { }
struct Source { int v; operator int() const; operator Count() const; explicit operator bool() const; };
Source::operator int() const { return v + 1; }
Source::operator Count() const { return Count(v + 100); }
Source::operator bool() const { return v; }
struct Two { int n; Two(Count c); };
Two::Two(Count c) : n(c.get()) { }
template <class T> struct Box { T v; Box(T a); ~Box(); T get() const { return v; } };
template <class T> Box<T>::Box(T a) : v(a) { made++; }
template <class T> Box<T>::~Box() { ended++; }
template struct Box<int>;
template struct Box<std::string>;
struct Base0 { long z = 4; };
struct Virtual : virtual Base0 { int v; Virtual(int n); };
Virtual::Virtual(int n) : v(n) { }
namespace ns { struct In { int i; In(int a, int b = 7); }; In::In(int a, int b) : i(a + b) { } int take(In i) { return i.i; } int by_ref(const In &i) { return i.i; } }
enum Color { RED, GREEN = 5 } color = GREEN;
struct Num { long n; Num(long k); }; Num::Num(long k) : n(k) { }
Num operator+(const Num &a, const Num &b) { return Num(a.n + b.n); }
bool operator==(const Num &a, const Num &b) { return a.n == b.n; }
Source source = { 9 }; Num num(5); Box<int> box(1); Two two(Count(1)); Virtual virt(2); Plain plain = { 1, 2 };
int eat(Count c) { return c.get(); }
int ref(const Count &c) { return c.get() + 1000; }
int offered(Count &&c) { return c.get() + 2000; }
int write_to(Count &c) { return c.get(); }
int take_trivial(Trivial t) { return t.x; }
int trivial_ref(const Trivial &t) { return t.x + 1; }
int take_strict(Strict s) { return s.x; }
int take_plain(Plain p) { return p.a; }
int take_gone(Gone g) { return g.x; }
int take_two(Two t) { return t.n; }
int take_box(Box<int> b) { return b.v; }
long take_virtual(Virtual v) { return v.v + v.z; }
int take_int(int n) { return n; }
int length(std::string s) { return (int) s.size(); }
int length_of(std::string &&s) { s += "!"; return (int) s.size(); }
int both(std::string a, const std::string &b, std::string_view c) { return (int) (a.size() * 10000 + b.size() * 100 + c.size()); }
int over(int) { return 1; } int over(Count) { return 2; }
int over2(Count) { return 1; } int over2(const char *) { return 2; }
int amb(Count) { return 1; } int amb(Trivial) { return 2; }
int dot(int, ...) { return 1; } int dot(Trivial, int) { return 2; }
std::string text = "text";
int use()
{
	volatile long n = eat(5) + eat(Count(2, 3)) + ref(5) + offered(5) + take_trivial(5) + take_trivial("a") + trivial_ref(5) + take_strict(Strict(5)) + take_plain({ 1, 2 }) + take_gone(2.5) + take_two(Two(Count(1))) + take_box(5) + take_virtual(5) +
		ns::take(ns::In(5)) + ns::by_ref(5) + (num + 5).n + (num == 5) + take_int(source) + eat(source) + (bool) source + length("a") + length_of("a") + both("a", "b", "c") + over(1) + over(Count(1)) + over2(1) + over2("a") + amb(Count(1)) + amb(Trivial(1)) + dot(1) + dot(Trivial(1), 2) + Box<std::string>("a").get().size() + std::string(3, 'x').size() + write_to(*new Count(1)) + std::vector<int>(3).size() + std::vector<int>{1, 2}.size();
	return (int) n;
}
int main() { use(); made = ended = 0; puts("ready"); fflush(stdout); for (;;) pause(); }
"""
VALUES = [
    ("eat(5)", "5"), ("eat(Count(2, 3))", "6"), ("eat(Count{2, 3})", "6"), ("eat({2, 3})", "6"), ("eat('a')", "97"), ("eat(2.9)", "2"), ("eat(true)", "1"), ("eat(color)", "5"),
    ("ref(5)", "1005"), ("ref(Count(4))", "1004"), ("ref({3, 4})", "1012"), ("offered(5)", "2005"), ("offered(Count(4))", "2004"),
    ("take_trivial(5)", "10"), ('take_trivial("abc")', "97"), ("take_trivial({5})", "10"), ("trivial_ref(5)", "11"), ("take_strict(Strict(5))", "5"), ("take_strict(Strict{6})", "6"),
    ("take_plain({3, 4.5})", "3"), ("take_plain(Plain{3, 4.5})", "3"), ("take_plain(Plain())", "0"), ("Plain{1, 2.5}.b", "2.5"), ("take_gone(2.5)", "2"),
    ("take_two(Count(5))", "5"), ("take_two(Two(Count(6)))", "6"), ("take_two(Two(6))", "6"), ("take_box(5)", "5"), ("take_box(Box<int>(6))", "6"), ("take_box(Box<int>{7})", "7"), ("Box<int>(8).get()", "8"),
    ("take_virtual(5)", "9"), ("take_virtual(Virtual(6))", "10"), ("ns::take(ns::In(5, 6))", "11"), ("ns::by_ref({5, 6})", "11"), ("ns::by_ref(ns::In{5, 6})", "11"),
    ("(num + 5).n", "10"), ("(5 + num).n", "10"), ("num == 5", "true"), ("5 == num", "true"), ("num == 6", "false"), ("(Num(1) + Num(2)).n", "3"), ("Num{1} == Num{1}", "true"), ("Num(num).n", "5"),
    ("take_int(source)", "10"), ("eat(source)", "109"), ("take_int(source) + 1", "11"),
    ('length("hello")', "5"), ('length(std::string("hello"))', "5"), ("length(text)", "4"), ('length_of("hello")', "6"), ('both("a", "bc", "def")', "10203"),
    ('both("a string that is longer than sixteen bytes", "bc", "def")', "420203"), ('std::string("abc")', '"abc"'), ('std::string("abc").size()', "3"), ("std::string(4, 'y')", '"yyyy"'), ("std::string(text).size()", "4"),
    ("over(1)", "1"), ("over(Count(1))", "2"), ("over2(1)", "1"), ('over2("a")', "2"), ("amb(Trivial(1))", "2"), ("dot(1)", "1"), ("dot(Trivial(1), 2)", "2"),
    ("Count(7).get()", "7"), ("(Count(7)).get()", "7"), ("Count(Count(8)).get()", "8"), ("Trivial(3)", "{x = 6}"), ("Trivial(3).x", "6"), ("Trivial(3)", "{x = 6}"), ("$.x", "6"),
    ("int{5}", "5"), ("int(5.5)", "5"), ("Color{5}", "GREEN"), ("Color(5)", "GREEN"), ("sizeof(Count(1))", "8"), ("sizeof(int (*)(int))", "8"), ("(Count (*)(int)) 0 == nullptr", "true"),
    ("true ? Count(1).get() : Count(2).get()", "1"), ("Count(1).get() + Count(2, 3).get() * 10", "61"),
]
MISTAKES = [
    ("write_to(5)", "cannot convert 'int' to 'Count &'"), ("take_strict(5)", "cannot convert 'int' to 'Strict'"), ("take_strict({5})", "no constructor for that"), ("take_gone(2)", "it is deleted"), ("Gone(1)", "it is deleted"),
    ("take_two(5)", "cannot convert 'int' to 'Two'"), ("ns::take(5)", "cannot convert"), ("take_int(Count(1))", "cannot convert"), ("amb(5)", "ambiguous"), ("dot(1, 2)", "ambiguous"), ("Count()", "no 'Count' takes these"),
    ("Count(1, 2, 3)", "no 'Count' takes these"), ('Count("a")', "no 'Count' takes these"), ("Plain(1, 2)", "has no constructors: write"), ("ns::In(5)", "no 'ns::In' takes these"), ("Count{.n = 1}", "have no names"),
    ("eat(plain)", "cannot convert"), ("&Count(1)", "ends with the expression"), ("int{5, 6}", "one value is wanted"), ("eat(Count(*(int *) 8))", "0x8"),
]


def balance(pid):
    run = debugcall("-q", "-p", pid, "made", "made - ended")
    expect(run.code == 0 and run.out.splitlines()[1] == "0", f"made and not destroyed: {run}")
    return int(run.out.splitlines()[0])


def values(pid):
    before = balance(pid)
    for start in range(0, len(VALUES), 20):
        part = VALUES[start:start + 20]
        run = debugcall("-q", "-p", pid, "--", *[expr for expr, _ in part])
        for (expr, value), got in zip(part, run.out.splitlines() + [run.err] * len(part)):
            equal(got, value, expr)
    expect(balance(pid) > before, "nothing was made")


def mistakes(pid):
    parts = dict(MISTAKES)
    for expr, one in printed(pid, parts):
        expect(not one["ok"] and parts[expr] in json.dumps(one["error"], ensure_ascii=False), f"{expr}: {one}")
    balance(pid)


def effects(pid):
    """What makes an object is called: it is told beforehand, and not run where none may be."""
    for expr in ("Count(1)", "Trivial(1)", "num == 5"):
        run = debugcall("--no-call", "-p", pid, "--", expr)
        expect(run.code == 6 and "calls" in run.err, f"{expr}: {run}")
    run = debugcall("--no-call", "-q", "-p", pid, "--", "sizeof(Count(1))", "Plain{1, 2}")
    expect(run.code == 0 and run.out == "8\n{a = 1, b = 2}\n", run)


with tempfile.TemporaryDirectory(prefix="constructed-") as directory:
    with open(f"{directory}/made.cc", "w", encoding="ascii") as file:
        file.write(SOURCE)
    for way in ("g++ -gdwarf-5", "clang++ -fstandalone-debug"):
        if not shutil.which(way.split()[0]):
            row(way, lambda: skip("its compiler is not installed"))
            continue
        subprocess.run([*way.split(), "-std=c++17", "-g", "-O0", "-o", f"{directory}/made", f"{directory}/made.cc"], check=True)
        with Program(f"{directory}/made") as program:
            for each in (values, mistakes, *([effects] if way == "g++ -gdwarf-5" else [])):
                row(f"{way}: {each.__name__}", each, program.pid)
main()
