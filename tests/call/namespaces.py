#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# C++: what namespaces take from one another. Inline namespaces, other names for namespaces, using-directives and
# using-declarations, of namespaces and of the blocks around a frame.
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, equal, expect, main, row, skip

SOURCE = r"""
#include <cstdio>
#include <unistd.h>
namespace geo {
inline namespace v2 {
int version() { return 2; }
int over(int k) { return k + 20; }
int over(double) { return 7; }
int level = 5;
enum Kind { FLAT = 4 };
struct Box { int w = 3; int area() const; static int made; };
int Box::area() const { return w * w; }
int Box::made = 6;
Box box;
namespace sub { int below() { return 12; } }
}
namespace v1 {
int version() { return 1; }
int level = 1;
}
}
namespace deep { namespace inner {
int f(int a) { return a + 1; }
int value = 8;
struct T { long a = 9; };
T object;
} }
namespace brief = deep::inner;
namespace user {
namespace in = deep::inner;
using namespace deep::inner;
using geo::v1::version;
int own = 3;
}
namespace a { int same = 10; int pick(int) { return 10; } }
namespace b { int same = 20; int pick(int) { return 20; } int hides = 30; int calls(int) { return 31; } }
int hides = 300;
int calls(int) { return 301; }
__attribute__((noinline)) void wait_b(int n)
{
	using namespace b;
	using b::hides;
	using b::calls;
	namespace local = deep::inner;
	printf("ready\n");
	fflush(stdout);
	for (;;)
		n += pause() + same + hides + local::value + calls(n) + pick(n);
}
int main()
{
	volatile int n = geo::version() + geo::over(1) + geo::over(1.5) + geo::v1::version() + geo::level + geo::v1::level +
		geo::box.area() + geo::Box::made + geo::FLAT + geo::sub::below() + brief::f(1) + (int) brief::object.a +
		user::f(user::value) + user::version() + user::own + a::same + a::pick(1) + b::same + hides + calls(1);
	wait_b(n);
}
"""
NOWHERE = [
    ("geo::version()", "2"), ("geo::v1::version()", "1"), ("geo::v2::version()", "2"),
    ("geo::over(3)", "23"), ("geo::over(1.5)", "7"), ("geo::level", "5"), ("geo::level = 6", "6"),
    ("geo::v2::level", "6"), ("geo::v1::level", "1"), ("geo::Box::made", "6"), ("geo::box.area()", "9"),
    ("sizeof(geo::Box)", "4"), ("(int) geo::FLAT", "4"), ("geo::sub::below()", "12"),
    ("brief::f(1)", "2"), ("brief::value", "8"), ("sizeof(brief::T)", "8"), ("((brief::T *) &brief::object)->a", "9"),
    ("user::in::f(2)", "3"), ("user::f(2)", "3"), ("user::value", "8"), ("user::version()", "1"), ("user::own", "3"),
]
IN_FRAME = [("same", "20"), ("pick(1)", "20"), ("hides", "30"), ("::hides", "300"), ("calls(1)", "31"),
            ("::calls(1)", "301"), ("local::value", "8"), ("local::f(3)", "4"), ("b::same", "20"), ("a::same", "10"),
            ("brief::value", "8")]


def values(pid, table, *args):
    run = debugcall("-q", "-p", pid, *args, "--", *[expr for expr, _ in table])
    for (expr, value), got in zip(table, run.out.splitlines() + [run.err] * len(table)):
        equal(got, value, expr)


def mistakes(pid):
    """What is in no namespace that is taken from is not found, and nothing else is."""
    for expr, part in (("geo::nothing()", "geo::nothing"), ("brief::nothing", "brief::nothing"),
                       ("user::over(1)", "user::over"), ("a::hides", "a::hides")):
        run = debugcall("-p", pid, expr)
        expect(run.code == 1 and part in run.err and not run.out, f"{expr}: {run}")


with tempfile.TemporaryDirectory(prefix="namespaces-") as directory:
    for way in ("g++ -gdwarf-5", "g++ -gdwarf-4 -gstrict-dwarf", "clang++ -gdwarf-5", "clang++ -gdwarf-4"):
        source, exe = f"{directory}/namespaces.cc", f"{directory}/namespaces"
        if not shutil.which(way.split()[0]):
            row(way, lambda: skip("its compiler is not installed"))
            continue
        with open(source, "w", encoding="ascii") as file:
            file.write(SOURCE)
        subprocess.run([*way.split(), "-g", "-O0", "-o", exe, source], check=True)
        with Program(exe) as program:
            row(f"{way}: from nowhere", values, program.pid, NOWHERE)
            row(f"{way}: in a frame", values, program.pid, IN_FRAME, "--frame", "wait_b")
            row(f"{way}: mistakes", mistakes, program.pid)
        os.unlink(exe)
main()
