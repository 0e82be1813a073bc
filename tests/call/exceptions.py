#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# C++: an exception that leaves the callee is told by its type and text and unwound, so that destructors run and locks
# are free again; no handler of the program's runs, and the program's own exceptions stay as they were.
import os
import shutil
import subprocess
import tempfile

from harness import B, SANITIZER, Program, debugcall, equal, expect, main, row, skip

SOURCE = r"""
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>
int handled, destroyed, uncaught_inside, made, ended;
static void gone() { handled++; puts("terminate handler"); fflush(stdout); _exit(3); }
std::mutex mutex;
struct Local { int was = std::uncaught_exceptions(); ~Local() { destroyed++; uncaught_inside = std::uncaught_exceptions() - was; try { throw 1; } catch (int) { } } };
struct Thrown { int n; };
struct Own : Thrown, std::runtime_error { Own() : Thrown{ 3 }, std::runtime_error("my own") { } };
struct Virtual : virtual std::exception { const char *what() const noexcept override { return "called"; } };
struct Count { int n; Count(int k); Count(const Count &o); ~Count(); };
Count::Count(int k) : n(k) { made++; }
Count::Count(const Count &o) : n(o.n) { made++; }
Count::~Count() { ended++; }
Count count(5);
__attribute__((noinline)) int thrower(int v)
{
	Local l;
	std::lock_guard<std::mutex> guard(mutex);
	switch (v) {
	case 1: throw std::runtime_error("too big");
	case 2: throw 42;
	case 3: throw Thrown{ 5 };
	case 4: throw "a text";
	case 5: throw std::string("a string");
	case 6: throw Own();
	case 7: throw Virtual();
	case 8: throw std::bad_alloc();
	case 9: throw std::system_error(std::make_error_code(std::errc::io_error), "disk");
	case 10: throw true;
	case 11: throw std::out_of_range("two\nlines");
	}
	return v;
}
int outer(int v) { Local l; try { return thrower(v); } catch (const std::logic_error &) { return -5; } }
int again(int v) { Local l; try { return thrower(v); } catch (...) { throw; } }
int caught(int v) { try { return thrower(v); } catch (...) { return -1; } }
int noexc(int v) noexcept { return thrower(v); }
int with(Count c, int v) { return thrower(v) + c.n; }
Count gives(int v) { return Count(thrower(v)); }
int terminates() { std::terminate(); }
int uncaught_now() { return std::uncaught_exceptions(); }
int locked() { if (!mutex.try_lock()) return 1; mutex.unlock(); return 0; }
int current_now() { if (!std::current_exception()) return 0; try { throw; } catch (int n) { return n; } catch (...) { return -1; } }
struct Method { int n = 4; int run(int v); virtual int over(int v); virtual ~Method() { } } method;
int Method::run(int v) { return thrower(v) + n; }
int Method::over(int v) { return outer(v); }
int use_all()
{
	volatile int n = outer(0) + again(0) + caught(1) + noexc(0) + with(count, 0) + gives(0).n + uncaught_now() + locked() + current_now() + method.run(0) + method.over(0);
	std::set_terminate(gone);
	made = ended = 0;
	if (n == 12345)
		terminates();
	return n;
}
"""
PLAIN = r"""
int main(int argc, char **)
{
	use_all();
	puts("ready");
	fflush(stdout);
	for (;;) {
		try {
			throw 9;
		} catch (int) {
			if (argc > 1)
				for (;;)
					pause();
		}
		if (argc == 1)
			for (;;)
				pause();
	}
}
"""
GORT = r"""
#include "runtime/gort.h"
static volatile int turns;
static void works(void *) { for (;;) { turns = turns + 1; if (turns % 1000 == 0) gort_yield(); } }
static void starts(void *) { gort_go(works, nullptr); puts("ready"); fflush(stdout); for (;;) gort_sleep(10000000); }
int main() { use_all(); return gort_main(starts, nullptr); }
"""
# The host ends it before the debugger looks, and knows the text of the standard library's own.
THROWN_ON_GORT = [
    ("thrower(1)", "thrower threw std::runtime_error: too big"), ("outer(2)", "outer threw int"), ("outer(4)", "outer threw char const*: a text"),
    ("again(5)", "again threw std::"), ("outer(6)", "outer threw Own"), ("with(count, 1)", "with threw std::runtime_error: too big"), ("gives(2)", "gives threw int"),
]
THROWN = [
    ("thrower(1)", "thrower threw std::runtime_error: too big"), ("outer(2)", "outer threw int: 42"), ("outer(3)", "outer threw Thrown"),
    ("outer(4)", "outer threw char const*: a text"), ("again(5)", "again threw std::string: a string"), ("outer(6)", "outer threw Own: my own"),
    ("thrower(7)", "thrower threw Virtual"), ("thrower(8)", "thrower threw std::bad_alloc"), ("thrower(9)", "thrower threw std::system_error: disk: Input/output error"),
    ("again(10)", "again threw bool: true"), ("thrower(11)", "thrower threw std::out_of_range: two lines"), ("with(count, 1)", "with threw std::runtime_error: too big"),
    ("gives(2)", "gives threw int: 42"), ("method.run(1)", "threw std::runtime_error: too big"), ("method.over(2)", "over(int) threw int: 42"), ("1 + outer(2) * 2", "outer threw int: 42"),
]


def values(pid, *expressions):
    run = debugcall("-q", "-p", pid, *expressions)
    expect(run.code == 0, run)
    return run.out.split()


def as_before(pid, current):
    found = values(pid, "uncaught_now()", "current_now()", "locked()", "handled", "made - ended")
    equal(found, ["0", current, "0", "0", "0"], "uncaught_now(), current_now(), locked(), handled, made - ended")


def throws(pid, expression, message):
    run = debugcall("-p", pid, expression)
    expect(run.code == 1 and message in run.err and "the target runs on, restored" in run.err and not run.out, f"{expression}: {run}")
    expect("stay taken" not in run.err and "std::terminate" not in run.err, run)
    # Destructors have run, and saw an exception on its way.
    more, inside, _ = values(pid, "destroyed", "uncaught_inside", "destroyed = 0")
    expect(int(more) > 0 and inside == "1", f"{expression}: {more} destroyed, {inside} exceptions on their way")


def thrown(pid, current, table):
    for expression, message in table:
        throws(pid, expression, message)
    as_before(pid, current)
    equal(values(pid, "outer(11)", "caught(1)"), ["-5", "-1"], "caught by the callee")
    run = debugcall("--json", "-p", pid, "thrower(1)")
    expect('"threw"' in run.out, run)
    as_before(pid, current)


def terminated(pid):
    """What the program would end by is a crash, and its handler does not run."""
    for expression, name in (("noexc(1)", "noexc"), ("terminates()", "terminates")):
        run = debugcall("-p", pid, expression)
        expect(run.code == 1 and f"{name} ended in std::terminate" in run.err and "restored" in run.err, run)
        equal(values(pid, "handled", "thrower(0)"), ["0", "0"], "handled, thrower(0)")


def lists(pid):
    run = debugcall("-q", "-p", pid, "thrower(0)", "thrower(1)", "thrower(0)", "--finally", "locked()")
    expect(run.code == 1 and run.out == "0\n0\n" and "too big" in run.err, run)
    run = debugcall("-p", pid, "--repeat", "3", "thrower(1)")
    expect(run.code == 1 and "threw std::runtime_error: too big" in run.err, run)
    as_before(pid, "0")


def build(target, way, source, *more):
    with open(f"{target}.cc", "w", encoding="ascii") as file:
        file.write(source)
    subprocess.run([*way.split(), "-std=c++17", "-g", "-o", target, f"{target}.cc", *more, "-pthread"], check=True)


with tempfile.TemporaryDirectory(prefix="exceptions-") as directory:
    for way in ("g++ -O0", "g++ -O2", "g++ -O1 -static", "clang++ -O2"):
        if not shutil.which(way.split()[0]):
            row(way, lambda: skip("its compiler is not installed"))
            continue
        target = f"{directory}/exceptions"
        build(target, way, SOURCE + PLAIN)
        with Program(target) as program:
            row(f"{way}: thrown", thrown, program.pid, "0", THROWN if way in ("g++ -O0", "clang++ -O2") else THROWN[::4])
            row(f"{way}: lists", lists, program.pid)
            row(f"{way}: terminated", terminated, program.pid)
        if way == "g++ -O0":
            os.environ["LD_PRELOAD"] = f"{B}/libdebugcall-agent.so"
            with Program(target) as program:
                del os.environ["LD_PRELOAD"]
                row("agent: thrown", thrown, program.pid, "0", THROWN)
        with Program(target, "catching") as program:
            row(f"{way}: thrown in a thread that has caught one itself", thrown, program.pid, "9", THROWN[::5])
    build(f"{directory}/gort", "g++ -O0 -I.", SOURCE + GORT, f"{B}/libgort.a", *SANITIZER)
    with Program(f"{directory}/gort") as program:
        row("gort: thrown", thrown, program.pid, "0", THROWN_ON_GORT)
main()
