#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# C++: operators and conversions that the program defines, objects that are called, casts by what an object is.
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, equal, expect, main, row, skip

SOURCE = r"""
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <unistd.h>
struct V {
	int x, y;
	V operator+(const V &o) const;
	V operator-() const;
	V operator-(const V &o) const;
	bool operator==(const V &o) const;
	int operator[](int i) const;
	int operator()(int a, int b) const;
	V &operator+=(int n);
	V &operator++();
	V operator++(int);
	int operator*() const;
	bool operator!() const;
	V *operator->();
	explicit operator bool() const;
	operator long() const;
	int area() const;
};
V V::operator+(const V &o) const { return V{ x + o.x, y + o.y }; }
V V::operator-() const { return V{ -x, -y }; }
V V::operator-(const V &o) const { return V{ x - o.x, y - o.y }; }
bool V::operator==(const V &o) const { return x == o.x && y == o.y; }
int V::operator[](int i) const { return i ? y : x; }
int V::operator()(int a, int b) const { return a * x + b * y; }
V &V::operator+=(int n) { x += n; return *this; }
V &V::operator++() { x++; return *this; }
V V::operator++(int) { V old = *this; x++; return old; }
int V::operator*() const { return x * 100 + y; }
bool V::operator!() const { return !x && !y; }
V *V::operator->() { return this; }
V::operator bool() const { return x > 0; }
V::operator long() const { return x + 1000; }
int V::area() const { return x * y; }
V p = { 1, 2 }, q = { 3, 4 }, none = { 0, 0 };
namespace ns {
struct W { int n; };
W operator*(const W &a, int k) { return W{ a.n * k }; }
W operator*(int k, const W &a) { return W{ a.n * k + 1 }; }
W operator*(const W &a, double k) { return W{ (int) (a.n * k) + 5000 }; }
bool operator<(const W &a, const W &b) { return a.n < b.n; }
W operator<<(W a, int k) { return W{ a.n << k }; }
W w = { 7 }, big = { 70 };
namespace inner { struct X : W { }; X x; }
template <class T> struct Box { T v; };
template <class T> bool operator==(const Box<T> &a, const Box<T> &b) { return a.v == b.v; }
template <class T> bool operator<(const Box<T> &a, const Box<T> &b) { return a.v < b.v; }
template bool operator==(const Box<int> &, const Box<int> &);
template bool operator< <int>(const Box<int> &, const Box<int> &);
Box<int> one = { 1 }, two = { 2 };
}
int operator-(const ns::W &a, int k) { return a.n - k + 1000; }
struct Guard { int v, assigned; Guard &operator=(const Guard &o); };
Guard &Guard::operator=(const Guard &o) { v = o.v; assigned++; return *this; }
Guard guard = { 1, 0 }, other = { 2, 0 };
struct Owner { int *held; Owner(int v) : held(new int(v)) { } Owner(const Owner &) = delete; ~Owner() { delete held; } };
Owner owner(1), owner2(2);
struct Base { virtual int operator+(int k) const { return k; } virtual ~Base() { } };
struct Derived : Base { int operator+(int k) const override { return k + 50; } };
Derived derived;
Base &base = derived;
struct Shape { virtual ~Shape() { } virtual int area() { return 0; } int s = 1; };
struct Tag { virtual ~Tag() { } int t = 2; };
struct Square : Shape, Tag { int side = 6; int area() override { return side * side; } };
struct Circle : Shape { int r = 1; };
Square square;
Circle circle;
Shape *shape = &square, *round_one = &circle, *nowhere;
Tag *tag = &square;
enum Color { RED, GREEN = 5 } color = GREEN;
int made;
V make(int n) { made++; return V{ n, n + 1 }; }
int base_of = 5;
auto twice = [](int x) { return 2 * x; };
auto adds = [k = 30](int x, int y = 0) { return k + x + y; };
std::function<int(int)> function = twice, empty;
size_t length(const std::string &s) { return s.size(); }
size_t length_of(std::string_view s) { return s.size(); }
size_t view_of(const std::string_view &s) { return s.size() + 100; }
std::string kept = "before";
int keep(const std::string &s) { kept = s; return (int) kept.size(); }
int which(const std::string &) { return 1; }
int which(int) { return 2; }
int which(bool, int) { return 3; }
void write_to(std::string &s) { s += "!"; }
struct Named { std::string name = "x"; bool is(const std::string &other) const; };
bool Named::is(const std::string &other) const { return name == other; }
Named named;
int main()
{
	length("a"); length_of("a"); view_of("a"); keep("before"); named.is("y"); write_to(kept);
	volatile long n = which("a") + which(1) + which(true, 1) + twice(1) + adds(1, 2) + function(2) + (p + q).x + (bool) p + (long) p + (ns::w * 2).n + (2 * ns::w).n;
	printf("%s", typeid(*shape).name() && typeid(int).name() ? "" : "!");
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return (int) n;
}
"""
VALUES = [
    ("p + q", "{x = 4, y = 6}"), ("-p", "{x = -1, y = -2}"), ("p - q", "{x = -2, y = -2}"), ("p + q + p", "{x = 5, y = 8}"),
    ("p == q", "false"), ("p == p", "true"), ("q[0]", "3"), ("q[1]", "4"), ("q(10, 100)", "430"), ("*p", "102"),
    ("!none", "true"), ("!p", "false"), ("p->area()", "2"), ("p->y", "2"), ("(bool) none", "false"), ("(bool) p", "true"),
    ("p ? 1 : 2", "1"), ("none ? 1 : 2", "2"), ("p && q", "true"), ("p && none", "false"), ("(long) p", "1001"),
    ("(p + q).area()", "24"), ("make(3) + p", "{x = 4, y = 6}"), ("made", "1"), ("make(3).area()", "12"), ("made", "2"),
    ("make(1)[1]", "2"), ("made", "3"), ("(p += 10).x", "11"), ("p.x", "11"), ("(++p).x", "12"), ("p++", "{x = 12, y = 2}"),
    ("p.x", "13"), ("p.x = 1", "1"),
    ("ns::w * 3", "{n = 21}"), ("3 * ns::w", "{n = 22}"), ("ns::w * 2.0", "{n = 5014}"), ("ns::w < ns::big", "true"),
    ("ns::big < ns::w", "false"), ("ns::w << 2", "{n = 28}"), ("ns::w - 7", "1000"), ("ns::inner::x < ns::w", "true"),
    ("ns::one == ns::two", "false"), ("ns::one < ns::two", "true"), ("ns::one == ns::one", "true"),
    ("(guard = other).v", "2"), ("guard.assigned", "1"), ("base + 1", "51"), ("derived + 2", "52"),
    ("twice(21)", "42"), ("adds(1, 2)", "33"), ("function(4)", "8"), ("function(ns::w.n)", "14"),
    ("dynamic_cast<Square *>(tag)->side", "6"), ("dynamic_cast<Shape *>(tag)->area()", "36"),
    ("dynamic_cast<Circle *>(shape) == nullptr", "true"), ("dynamic_cast<Circle *>(round_one)->r", "1"),
    ("dynamic_cast<Square &>(*shape).side", "6"), ("dynamic_cast<void *>(tag) == &square", "true"),
    ("dynamic_cast<Square *>(nowhere) == nullptr", "true"), ("static_cast<Square *>(tag)->side", "6"),
    ("*typeid(*shape).name()@7", '"6Square"'), ("*typeid(int).name()@2", '"i"'), ("*typeid(shape->s).name()", "105 'i'"),
    ('length("hello")', "5"), ('length("a string that is longer than sixteen bytes")', "42"), ('length("")', "0"),
    ('length_of("hello")', "5"), ('view_of("abc")', "103"), ('keep("kept as a copy that is long enough")', "34"),
    ("kept", '"kept as a copy that is long enough"'), ('keep("short")', "5"), ("kept", '"short"'),
    ('which("a")', "1"), ("which(5)", "2"), ('named.is("x")', "true"), ('named.is("y")', "false"), ("length(kept)", "5"),
    ("p != q", "true"), ("p != p", "false"), ("p.operator+(q)", "{x = 4, y = 6}"), ("q.operator[](1)", "4"), ("q.operator()(10, 100)", "430"),
    ("(&q)->operator[](0)", "3"), ("derived.operator+(2)", "52"), ("typeid(*shape) == typeid(Square)", "true"), ("typeid(*shape) == typeid(*round_one)", "false"),
    ("typeid(*shape) != typeid(Shape)", "true"), ("typeid(*tag) == typeid(*shape)", "true"), ("int(3.7)", "3"), ("double(1) / 2", "0.5"), ("Color(5)", "GREEN"), ("int('a')", "97"), ("(int) Color(0)", "0"),
]
# What C++20 makes of other comparisons.
ORDERED = r"""
#include <compare>
#include <cstdio>
#include <unistd.h>
struct O { int n; std::strong_ordering operator<=>(const O &o) const; bool operator==(int k) const; std::partial_ordering operator<=>(double d) const; };
std::strong_ordering O::operator<=>(const O &o) const { return n <=> o.n; }
bool O::operator==(int k) const { return n == k; }
std::partial_ordering O::operator<=>(double d) const { return n <=> d; }
O x{ 1 }, y{ 2 };
int main() { volatile bool used = x < y && x != 3 && 3 == x && x < 2.5; puts("ready"); fflush(stdout); for (;;) pause(); return used; }
"""
ORDERED_VALUES = [
    ("x < y", "true"), ("y < x", "false"), ("x <= x", "true"), ("x >= y", "false"), ("x != 1", "false"), ("3 == x", "false"), ("1 == x", "true"),
    ("1 != x", "false"), ("x < 2.5", "true"), ("2.5 > x", "true"), ("0.5 > x", "false"), ("0.0 / 0 < x", "false"), ("0.0 / 0 >= x", "false"), ("x > y ? 1 : 2", "2"),
]
MISTAKES = [
    ("p / q", 1, "'/' is not defined"), ("owner = owner2", 6, "cannot be copied as it lies"),
    ("dynamic_cast<Circle &>(*shape)", 1, "std::bad_cast"), ("dynamic_cast<int *>(&p)", 1, "virtual"),
    ("ns::w * \"a\"", 1, "'*' is not defined"), ("p(1)", 1, "too few arguments"), ("empty(1)", 1, "null pointer"),
    ('write_to("a")', 1, "cannot convert"),
]


def values(pid, table):
    run = debugcall("-q", "-p", pid, "--", *[expr for expr, _ in table])
    for (expr, value), got in zip(table, run.out.splitlines() + [run.err] * len(table)):
        equal(got, value, expr)


def mistakes(pid):
    for expr, code, part in MISTAKES:
        run = debugcall("-p", pid, "--", expr)
        expect(run.code == code and part in run.err and not run.out, f"{expr}: {run}")


def effects(pid):
    """An operator of the program's is a call: it is told beforehand, and not run where none may be."""
    for expr in ("p + q", "*p", "q[0]", "p ? 1 : 2", "(bool) p", "twice(1)"):
        run = debugcall("--no-call", "-p", pid, "--", expr)
        expect(run.code == 6 and "calls a function" in run.err, f"{expr}: {run}")
    for expr in ("sizeof(p + q)", "p.x + q.x"):
        expect(debugcall("--no-call", "-p", pid, "--", expr).code == 0, expr)


with tempfile.TemporaryDirectory(prefix="operators-") as directory:
    for way in ("g++ -std=c++17 -gdwarf-5", "g++ -std=c++17 -gdwarf-4", "clang++ -std=c++17 -fstandalone-debug"):
        if not shutil.which(way.split()[0]):
            row(way, lambda: skip("its compiler is not installed"))
            continue
        with open(f"{directory}/operators.cc", "w", encoding="ascii") as file:
            file.write(SOURCE)
        subprocess.run([*way.split(), "-g", "-O0", "-o", f"{directory}/operators", f"{directory}/operators.cc"], check=True)
        with Program(f"{directory}/operators") as program:
            row(f"{way}: values", values, program.pid, VALUES)
            for each in (mistakes, effects):
                row(f"{way}: {each.__name__}", each, program.pid)
    with open(f"{directory}/ordered.cc", "w", encoding="ascii") as file:
        file.write(ORDERED)
    subprocess.run(["g++", "-std=c++20", "-g", "-o", f"{directory}/ordered", f"{directory}/ordered.cc"], check=True)
    with Program(f"{directory}/ordered") as program:
        row("rewritten comparisons", values, program.pid, ORDERED_VALUES)
main()
