#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# C++: objects of classes that copy and destroy themselves, as arguments and results, on every host: right values,
# and for each that is made one that is destroyed.
import os
import shutil
import subprocess
import tempfile

from harness import B, SANITIZER, Program, debugcall, equal, expect, kills, main, row, skip
from harness.dap import Client

SOURCE = r"""
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>
int made, ended;
struct Count { int *p; Count(int n); Count(const Count &o); ~Count(); int get() const; Count twice() const; Count &add(int n); };
Count::Count(int n) : p(new int(n)) { made++; }
Count::Count(const Count &o) : p(new int(*o.p)) { made++; }
Count::~Count() { ended++; *p = -1; delete p; }
int Count::get() const { return *p; }
Count Count::twice() const { return Count(2 * *p); }
Count &Count::add(int n) { *p += n; return *this; }
struct Derived : Count { int k; Derived(int n) : Count(n), k(n + 1) { } };
struct Person { std::string name; std::vector<int> v; };
struct Poly { virtual ~Poly() { ended++; } Poly() { made++; } Poly(const Poly &o) : q(o.q) { made++; } int q = 7; };
struct Shared : virtual Poly { int z = 8; };
struct Trivial { int x; Trivial(int n) : x(n) { } };
struct Tracked { int x; ~Tracked() = default; Tracked(const Tracked &) = default; Tracked(int n) : x(n) { } };
struct Outside { int x; ~Outside(); Outside(int n) : x(n) { made++; } Outside(const Outside &o); };
Outside::~Outside() { ended++; }
Outside::Outside(const Outside &o) : x(o.x) { made++; }
int guards;
struct Guard { long x = 3; ~Guard() { guards++; } };
template <class X> struct Box { X x; Box(X a) : x(a) { made++; } Box(const Box &o) : x(o.x) { made++; } ~Box() { ended++; } };
struct Fixed { int x; Fixed(int n) : x(n) { } Fixed(const Fixed &) = delete; ~Fixed() { } };
struct Moves { int *p; Moves(int n); Moves(Moves &&o); ~Moves(); };
Moves::Moves(int n) : p(new int(n)) { made++; }
Moves::Moves(Moves &&o) : p(o.p) { o.p = nullptr; made++; }
Moves::~Moves() { delete p; ended++; }
namespace { struct Hidden { int h; Hidden(int n) : h(n) { made++; } Hidden(const Hidden &o) : h(o.h) { made++; } ~Hidden() { ended++; } }; }
namespace ns { struct Inner { std::string s; Inner(const char *t) : s(t) { } }; struct Slice { int a, b; }; }
struct Wide { long a[10]; Wide(long n) { made++; for (long &x : a) x = n++; } Wide(const Wide &o) { made++; for (int i = 0; i < 10; i++) a[i] = o.a[i]; } ~Wide() { ended++; } };
struct alignas(64) Aligned { int n = 5; Aligned() { made++; } Aligned(const Aligned &o) : n(o.n) { made++; } ~Aligned() { ended++; } bool is() const { return (unsigned long) this % 64 == 0; } };
Count count(5); Derived derived(6); Person person = { "bob", { 1, 2, 3 } }; Poly poly; Shared shared; Trivial trivial(9); Tracked tracked(2); Outside outside(3);
Guard guard; Box<int> box(4); Fixed fixed(1); Moves moves(11); Hidden hidden(12); ns::Inner inner("inner"); Wide wide(100); Aligned aligned;
std::string s = "hello"; std::shared_ptr<int> sh(new int(6));
int eat(Count c) { return c.get(); }
int take2(int a, Count c, Count d, double e) { return a * 1000 + c.get() * 100 + d.get() * 10 + (int) e; }
int many(int a, int b, int c, int d, int e, int f, Count g, int h) { return a + b + c + d + e + f + g.get() * 100 + h; }
int take_person(Person p) { return (int) p.name.size() * 10 + (int) p.v.size(); }
int take_poly(Poly v) { return v.q; }
int take_shared(Shared v) { return v.z * 10 + v.q; }
int take_box(Box<int> b) { return b.x; }
int take_trivial(Trivial t, Tracked u, Outside o) { return t.x * 100 + u.x * 10 + o.x; }
int take_guard(Guard g) { return (int) g.x; }
int take_fixed(Fixed f) { return f.x; }
int take_moves(Moves m) { return *m.p; }
int take_hidden(Hidden h) { return h.h; }
int take_inner(ns::Inner i) { return (int) i.s.size(); }
long take_wide(Wide w, int n) { return w.a[n]; }
bool take_aligned(Aligned a) { return a.is() && a.n == 5; }
long users(std::shared_ptr<int> p) { return p.use_count(); }
int length(std::string t) { return (int) t.size(); }
int ref(const Count &c) { return c.get(); }
int offered(Count &&c) { return c.get() + 1000; }
int which(const Count &) { return 1; }
int which(Count &&) { return 2; }
Count give(int n) { return Count(n); }
Person make_person() { return { "somebody with a long name", { 4, 5 } }; }
Poly make_poly() { return Poly(); }
Box<int> make_box(int n) { return Box<int>(n); }
Shared make_shared() { return Shared(); }
std::string make_string(int n) { return std::string(n, 'x'); }
std::vector<int> make_vector() { return { 4, 5 }; }
std::map<std::string, int> make_map() { return { { "one", 1 }, { "two", 2 } }; }
std::optional<std::string> make_optional() { return "opt"; }
Trivial make_trivial(int n) { return Trivial(n); }
Wide make_wide(long n) { return Wide(n); }
Count same(Count c) { return c; }
const Count &least(const Count &a, const Count &b) { return a.get() < b.get() ? a : b; }
Count operator+(const Count &a, const Count &b) { return Count(a.get() + b.get()); }
struct Maker { int n = 20; Count give(Count c, int more); virtual Count over(int k); virtual ~Maker() { } } maker;
Count Maker::give(Count c, int more) { return Count(n + c.get() + more); }
Count Maker::over(int k) { return Count(k); }
Maker *pointer = &maker;
Count (*through)(int) = give;
int use_all()
{
	volatile long n = eat(count) + eat(derived) + take2(1, count, count, 2) + many(1, 2, 3, 4, 5, 6, count, 7) + take_person(person) + take_poly(poly) + take_shared(shared) +
		take_box(box) + take_trivial(trivial, tracked, outside) + take_guard(guard) + users(sh) + length(s) + ref(count) + offered(give(1)) + which(count) + which(give(1)) + take_hidden(hidden) +
		take_inner(inner) + take_wide(wide, 1) + take_aligned(aligned) + (long) make_person().name.size() + make_poly().q + make_box(1).x + make_shared().z + (long) make_string(3).size() +
		(long) make_vector().size() + (long) make_map().size() + (long) make_optional()->size() + make_trivial(1).x + make_wide(1).a[0] + same(count).get() + least(count, count).get() +
		(count + count).get() + count.twice().get() + maker.give(count, 1).get() + pointer->over(1).get() + take_fixed(Fixed(3)) + take_moves(Moves(3)) + through(3).get() + give(1).add(1).get();
	return (int) n;
}
"""
PLAIN = r"""
int main() { use_all(); made = ended = 0; puts("ready"); fflush(stdout); for (;;) pause(); }
"""
GORT = r"""
#include "runtime/gort.h"
static volatile int turns;
static void works(void *) { for (;;) { turns = turns + 1; if (turns % 1000 == 0) gort_yield(); } }
static void starts(void *) { gort_go(works, nullptr); puts("ready"); fflush(stdout); for (;;) gort_sleep(10000000); }
int main() { use_all(); made = ended = 0; return gort_main(starts, nullptr); }
"""
# What an optimizer may leave no code of is asked for where nothing is optimized.
VALUES = [
    ("eat(count)", "5"), ("eat(derived)", "6"), ("take2(1, count, derived, 2.5)", "1562"), ("many(1, 2, 3, 4, 5, 6, count, 7)", "528"),
    ("length(s)", "5"), ("ref(count)", "5"), ("give(3).get()", "3"),
    ("eat(give(4))", "4"), ("same(give(4)).twice().get()", "8"), ("least(give(2), give(1)).get()", "1"), ("(count + give(2)).get()", "7"),
    ("make_person()", '{name = "somebody with a long name", v = std::vector of length 2, capacity 2 = {4, 5}}'), ("$.name", '"somebody with a long name"'),
    ("make_string(20)", "'x' <repeats 20 times>"), ("$", "'x' <repeats 20 times>"), ("make_string(3)", '"xxx"'), ("$$2", "'x' <repeats 20 times>"), ("make_trivial(2)", "{x = 2}"),
    ("take_trivial(trivial, tracked, outside)", "923"), ("offered(give(1))", "1001"), ("which(count)", "1"), ("which(give(1))", "2"), ("maker.give(count, 3).get()", "28"),
    ("pointer->over(31).get()", "31"), ("through(17).get()", "17"), ("give(1).add(41).get()", "42"), ("*give(9).p", "9"), ("eat(static_cast<Count &&>(count))", "5"),
    ("count.get()", "5"), ("give(1).get() + give(2).get() * give(3).get()", "7"), ("eat(count) == eat(count) ? give(1).get() : give(2).get()", "1"), ("make_string(4)[2]", "120 'x'"),
    ("sizeof(give(1))", "8"), ("(void) give(2)", None), ("made - ended", "0"), ("make_string(200).size()", "200"), ("make_wide(7).a[2]", "9"),
]
PLAIN_VALUES = [
    ("take_wide(wide, 3)", "103"),
    ("take_person(person)", "33"), ("take_inner(inner)", "5"),
    ("take_poly(poly)", "7"), ("take_shared(shared)", "87"), ("take_box(box)", "4"), ("take_guard(guard)", "3"), ("take_hidden(hidden)", "12"), ("users(sh)", "2"),
    ("make_poly().q", "7"), ("make_box(3)", "{x = 3}"), ("make_shared().z", "8"), ("make_vector()", "std::vector of length 2, capacity 2 = {4, 5}"), ("$[1]", "5"),
    ("make_map()", 'std::map with 2 elements = {["one"] = 1, ["two"] = 2}'), ("$", 'std::map with 2 elements = {["one"] = 1, ["two"] = 2}'), ('$["two"]', "2"),
    ("make_optional()", 'std::optional<std::string> = {[contained value] = "opt"}'), ("take_aligned(aligned)", "true"), ("guards = 0", "0"), ("take_guard(guard)", "3"), ("guards", "1"),
]
MISTAKES = [
    ("take_fixed(fixed)", 6, "'Fixed' has no copy constructor: it is deleted"), ("take_moves(moves)", 6, "'Moves' has no copy constructor: it is deleted"),
    ("&give(1)", 1, "ends with the expression"), ("give(1).p = 0", 1, "must be an object in the target"),
    ("eat(poly)", 1, "cannot convert"),
]


def balance(pid, *options):
    run = debugcall("-q", *options, "-p", pid, "made", "made - ended")
    expect(run.code == 0 and run.out.splitlines()[1] == "0", f"made and not destroyed: {run}")
    return int(run.out.splitlines()[0])


def values(pid, table, *options):
    before = balance(pid, *options)
    run = debugcall("-q", *options, "-p", pid, "--", *[expr for expr, _ in table])
    wanted = [(expr, value) for expr, value in table if value is not None]
    for (expr, value), got in zip(wanted, run.out.splitlines() + [str(run)] * len(wanted)):
        equal(got, value, expr)
    expect(balance(pid, *options) > before, "nothing was made")


def moved(pid):
    values(pid, [("take_moves(static_cast<Moves &&>(moves))", "11"), ("moves.p == nullptr", "true")])


def mistakes(pid):
    before = balance(pid)
    for expr, code, part in MISTAKES:
        run = debugcall("-p", pid, "--", expr)
        expect(run.code == code and part in run.err and not run.out, f"{expr}: {run}")
    run = debugcall("--repeat", "3", "-p", pid, "eat(count)")
    expect(run.code == 6 and "made once" in run.err, run)
    run = debugcall("-p", pid, "give(1)", "$.get()")
    expect(run.code == 1 and "has ended with the expression" in run.err, run)
    run = debugcall("-p", pid, "take2(1, count, give(1), *(double *) 8)")
    expect(run.code == 1 and not run.out, run)
    equal(balance(pid) - before, 3, "objects made")


def children(pid):
    """What a result held can be opened when it has ended: as it was read then."""
    with Client() as client:
        client.attach(pid)
        for expression, wanted in (("make_map()", [('["one"]', "1"), ('["two"]', "2")]), ("make_vector()", [("[0]", "4"), ("[1]", "5")]),
                                   ("make_optional()", [("[contained value]", '"opt"')])):
            found = client.children(client.evaluate(expression)["variablesReference"])
            equal([(one["name"], one["value"]) for one in found], wanted, expression)
        person = {one["name"]: one for one in client.children(client.evaluate("make_person()")["variablesReference"])}
        equal(person["name"]["value"], '"somebody with a long name"')
        equal([one["value"] for one in client.children(person["v"]["variablesReference"])], ["4", "5"])


def mapped(pid):
    """Nothing stays mapped: the room of the objects goes with the thread that is given back."""
    def maps():
        with open(f"/proc/{pid}/maps", encoding="ascii") as file:
            return len(file.readlines())

    debugcall("-q", "-p", pid, "eat(give(4))")
    before = maps()
    run = debugcall("-q", "-p", pid, "eat(give(4))", "make_person()", "many(1, 2, 3, 4, 5, 6, count, 7)")
    expect(run.code == 0 and maps() == before, f"{maps()} mappings, {before} before: {run}")


def killed(pid):
    """The debugger dies at each step: the program runs on, and what it would have destroyed is merely left."""
    def check():
        run = debugcall("-q", "-p", pid, "count.get()")
        expect(run.code == 0 and run.out == "5\n", run)

    kills.sweep(("-p", pid, "same(count).twice().get()"), check, few=8)


def build(directory, name, compiler, main_text, *more):
    path = f"{directory}/{name}"
    with open(f"{path}.cc", "w", encoding="ascii") as file:
        file.write(SOURCE + main_text)
    subprocess.run([*compiler.split(), "-g", "-o", path, f"{path}.cc", *more], check=True)
    return path


with tempfile.TemporaryDirectory(prefix="objects-") as directory:
    for way in ("g++ -std=c++17 -O0", "g++ -std=c++17 -O2 -gdwarf-4", "clang++ -std=c++17 -O0 -fstandalone-debug",
                "clang++ -std=c++17 -O2 -fstandalone-debug"):
        if not shutil.which(way.split()[0]):
            row(way, lambda: skip("its compiler is not installed"))
            continue
        target = build(directory, "objects", way, PLAIN)
        table = VALUES if "-O2" in way else VALUES + PLAIN_VALUES
        with Program(target) as program:
            row(f"{way}: values", values, program.pid, table)
            # A literal has the pad mapped before.
            row(f"{way}: values by the pad", values, program.pid, [('*"pad"', "112 'p'"), *table])
            row(f"{way}: mistakes", mistakes, program.pid)
            row(f"{way}: mappings", mapped, program.pid)
            if "-O0" in way:
                row(f"{way}: moved", moved, program.pid)
                row(f"{way}: children", children, program.pid)
        if way == "g++ -std=c++17 -O0":
            with Program(target) as program:
                row(f"{way}: killed", killed, program.pid)
            os.environ["LD_PRELOAD"] = f"{B}/libdebugcall-agent.so"
            with Program(target) as program:
                del os.environ["LD_PRELOAD"]
                row("agent: values", values, program.pid, VALUES + PLAIN_VALUES, "--host", "agent")
    target = build(directory, "gort", "g++ -std=c++17 -O0 -I.", GORT, f"{B}/libgort.a", *SANITIZER, "-pthread")
    with Program(target) as program:
        row("gort: values", values, program.pid, VALUES + PLAIN_VALUES, "--host", "gort")
main()
