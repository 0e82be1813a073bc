#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# C++ targets: qualified names, overloads chosen by their arguments or refused with the candidates,
# methods, virtual tables, references, enums; and C files that have the same names.
import os
import re

from harness import TARGETS, Program, debugcall, expect, main, row, skip

VALUES = [
    ("ns::counter", "7"),
    ("other::counter", "70"),
    ("ns::inner::only", "99"),
    ("inner::only", "99"),
    ("ns::limit", "12"),
    ("ns::Point::made", "4"),
    ("ns::Point::dimensions", "2"),
    ("thrower(1)", "1"),
    ("ns::f(1)", "101"),
    ("ns::f('A')", "165"),
    ("ns::f(1.5)", "15"),
    ("ns::f(1.5f)", "15"),
    ('ns::f("A")', "65"),
    ("ns::f(5, 2)", "3"),
    ("ns::which(nullptr)", "1"),
    ('ns::which("a")', "1"),
    ("ns::which(0)", "2"),
    ("ns::which((short) 1)", "2"),
    ("ns::which(1l)", "3"),
    ("ns::which(true)", "4"),
    ("ns::which(ns::Plain::STEEP)", "5"),
    ("ns::which('a')", "2"),
    ("ns::which(ns::letter)", "6"),
    ("other::f(1)", "201"),
    ("'ns::f(int)'(3)", "103"),
    ("'ns::f(int, int)'(3, 1)", "2"),
    ("ns::inner::deep(4)", "12"),
    ("only_here(3)", "4"),
    ("hidden(5)", "4"),
    ("ns::largest<int>(3, 4)", "4"),
    ("ns::largest(3.5, 2.5)", "3.5"),
    ("ns::both(true, ns::counter == 7)", "true"),
    ("ns::Color::GREEN", "ns::Color::GREEN"),
    ("(int) ns::Color::GREEN", "5"),
    ("ns::next(ns::Color::RED)", "ns::Color::GREEN"),
    ("(ns::Color) 3", "3"),
    ("ns::origin", "{static dimensions = 2, static made = 4, x = 3, y = 4}"),
    ("ns::origin.sum()", "7"),
    ("ns::where->sum()", "7"),
    ("ns::Point::sum(ns::origin)", "7"),
    ("ns::Point::sum(&ns::origin)", "7"),
    ("ns::origin.kind()", "1"),
    ("ns::fixed->kind()", "2"),
    ("ns::Point::kind(ns::origin)", "1"),
    ("ns::Point::kind(*ns::fixed)", "2"),
    ("ns::origin.scaled(2)", "14"),
    ("ns::origin.scaled(2.5)", "1017"),
    ("ns::Point::scaled(ns::origin, 2)", "14"),
    ("ns::Point::twice(4)", "8"),
    ("ns::origin.twice(5)", "10"),
    ("ns::square.area()", "36"),
    ("ns::as_shape.area()", "36"),
    ("ns::square.name_of()", "1"),
    ("ns::as_solid->heavy()", "76"),
    ("ns::square.heavy()", "76"),
    ("ns::Shape::area(ns::square)", "0"),
    ("area_of(ns::square)", "36"),
    ("ns::use(&ns::square)", "37"),
    ("moved(ns::origin, 10)", "{static dimensions = 2, static made = 4, x = 13, y = 14}"),
    ("sizeof(ns::Point::Inside)", "4"),
    ("*(ns::Point::Inside *) &ns::inside", "{z = 8}"),
    ("ns::where == (ns::Point *) &ns::origin", "true"),
    ("counted::calls", "40"),
    ("counted()", "41"),
    ("'cxx.cc'::hidden(4)", "3"),
    ("cxx.cc:hidden(4)", "3"),
    ("'targets/cxx.cc'::counted::calls", "41"),
    ("1 ? ns::counter : 0", "7"),
    ("shared::take(&shared::whole)", "7"),
    ("shared::take(shared::right)", "7"),
    ("shared::take(&shared::alone)", "7"),
    ("shared::refer(shared::whole)", "7"),
    ("shared::right == shared::base", "true"),
    ("shared::base == &shared::whole", "true"),
    ("(shared::Base *) shared::right == shared::base", "true"),
    ("((shared::Base *) shared::right)->base", "7"),
    ("shared::whole.base", "7"),
    ("shared::right->base", "7"),
    ("shared::whole.base = 11", "11"),
    ("shared::base->base", "11"),
    ("shared::whole.twice()", "22"),
    ("shared::base->base = 7", "7"),
    ("shared::right->who()", "2"),
    ("shared::base->who()", "2"),
    ("(shared::slot = shared::right) == shared::base", "true"),
    ("shared::whole.made", "5"),
    ("shared::right->made", "5"),
    ("shared::slice(shared::derived)", "3"),
    ("shared::calls = 0", "0"),
    ("shared::Base::twice(shared::next_base())", "14"),
    ("shared::calls", "1"),
    ("&std::cerr == stream", "true"),
    ("is_stream(*(std::ostream *) &std::cerr)", "true"),
    ("atoi(1)", "2"),
    ('text("a")', '"a"'),
    ("free(5)", "55"),
    ("::free(5)", "55"),
    ('strlen("four")', "4"),
    ("md5::sum(3)", "8"),
    ("md5::state.length()", "6"),
    ("md5::Vec3::length(md5::state)", "6"),
    ("md5::state.made", "9"),
    ("sum_of(1, 2)", "3"),
    ("sum_of<int, int>(1, 2)", "3"),
    ("first_of(5, 6, 7)", "502"),
    # Comparisons are bools, and an enum is an int where that holds it.
    ("rank::f(1 == 2)", "2"),
    ("rank::f(!ns::counter)", "2"),
    ("rank::f(ns::counter && 1)", "2"),
    ("rank::f(1 < 2 || 0)", "2"),
    ("rank::f(rank::some)", "1"),
    ("rank::f(rank::some - 8)", "1"),
    ("rank::some - 8 < 0", "true"),
    ("1 ? 'a' : 'b'", "97 'a'"),
    ("sizeof(1 == 2)", "1"),
    ("rank::near_to(&rank::low)", "1"),
    ("rank::near_to(&rank::high)", "2"),
    ("rank::any(&rank::low)", "1"),
    ("rank::object.call()", "1"),
    ("rank::fixed.call()", "2"),
    ("rank::hardware.call()", "3"),
    ("rank::object.referred()", "1"),
    ("rank::exact(1)", "1"),
    ("rank::exact(1l)", "2"),
]

# Each is refused, and the message and its notes say these.
MISTAKES = [
    ("f(1)", "ambiguous", "candidate: ns::f(int)", "candidate: other::f(int)"),
    ("counter", "ambiguous", "ns::counter", "other::counter"),
    ("ns::f(ns::origin)", "no 'ns::f' takes these arguments", "candidate: ns::f(double)"),
    ("ns::f", "overloaded", "in quotes"),
    ("&ns::f", "overloaded"),
    ("ns::largest(3, 4.5)", "ambiguous", "largest<double>"),
    ("ns::g(1)", "no symbol 'ns::g'"),
    ("(shared::Right *) shared::base", "virtual base"),
    ("sum_of()", "too few arguments"),
    ("rank::defaulted(1)", "too few arguments", "3 wanted, 1 given", "the last 2 are to be given"),
    ("first_of(5)", "too few arguments"),
    ("(shared::First *) &shared::both", "ambiguous base"),
    ("ns::origin.nope()", "no member or method", "'ns::Point'"),
    ("ns::origin.sum(1)", "too many arguments", "0 wanted, 1 given"),
    ("ns::origin.scaled()", "no 'scaled' takes these arguments"),
    ("length(*(std::string *) 0)", "crashed with SIGSEGV"),
    ("thrower(2)", "thrower threw int: 2", "the target runs on, restored"),
    ("'nope.cc'::hidden(1)", "no source file 'nope.cc'"),
    ("'cxx.cc'::nope", "nothing named 'nope' in 'cxx.cc'"),
]


def values(pid):
    run = debugcall("-q", "-p", pid, "--", *[expr for expr, _ in VALUES])
    expect(run.code == 0, run)
    for (expr, value), got in zip(VALUES, run.out.splitlines(), strict=True):
        expect(got == value, f"{expr}: {value} wanted, got {got}")


def references(pid):
    """A reference parameter is bound to the object itself, one to const also to a value."""
    run = debugcall("-q", "-p", pid, "ns::counter = 7", "increase(ns::counter, 3)", "ns::counter", "$2 + 1",
                    "reference = 8", "reference++", "ns::counter", "&reference == &ns::counter", "ns::counter = 7")
    lines = run.out.splitlines()
    expect(run.code == 0 and len(lines) == 9, run)
    expect(lines[1].startswith("(int &) @0x") and lines[1].endswith(": 10"), run)
    expect(lines[2:8] == ["10", "11", "8", "8", "9", "true"], run)


def spelled(pid):
    run = debugcall("-q", "-p", pid, "ns::where", "ns::use", "ns::square", "ns::Point::sum")
    lines = run.out.splitlines()
    expect(run.code == 0 and len(lines) == 4, run)
    expect(lines[0].startswith("(ns::Point *) 0x") and lines[0].endswith(" <ns::origin>"), run)
    expect(lines[1].startswith("{int (ns::Shape *)} 0x") and lines[1].endswith(" <ns::use(ns::Shape*)>"), run)
    expect(lines[2].startswith("{<ns::Shape> = {_vptr.Shape = 0x") or "_vptr$Shape" in lines[2], run)
    expect("<vtable for ns::Square+16>" in lines[2] and lines[2].endswith("side = 6}"), run)
    expect(lines[3].endswith(" <ns::Point::sum() const>"), run)
    # A virtual base is shown once, where it is first met.
    run = debugcall("-q", "-p", pid, "shared::whole", "*shared::right")
    shown = [re.sub(r"_vptr.(\w+) = 0x\w+ <[^>]*>", r"\1", line) for line in run.out.splitlines()]
    expect(run.code == 0 and shown == [
        "{<shared::Left> = {<shared::Base> = {Base, base = 7, static made = 5}, Left, left = 8}, "
        "<shared::Right> = {Right, right = 9}, whole = 10}",
        "{<shared::Base> = {Base, base = 7, static made = 5}, Right, right = 9}"], run)


def frames(pid):
    """Frames by the names of their functions, and their locals."""
    for name in ("wait_here", "wait_here(int)"):
        run = debugcall("-q", "-p", pid, "--frame", name, "local > 0", "hidden(local) == local - 1")
        expect(run.code == 0 and run.out == "true\ntrue\n", run)
    run = debugcall("-q", "-p", pid, "--frame", "Waiter::enter", "total", "::total", "own", "inherited", "shared",
                    "both(1)", "::both(1)", "times(2)", "from_base(1)", "outside", "own = 4", "this->own", "own = 3")
    expect(run.code == 0 and run.out.split() == ["1", "1000", "3", "6", "60", "11", "9001", "14", "7", "77", "4",
                                                 "4", "3"], run)
    run = debugcall("-p", pid, "--frame", "wait", "local")
    expect(run.code != 0 and "no frame of wait" in run.err, run)


def mistakes(pid):
    for expr, *parts in MISTAKES:
        run = debugcall("-p", pid, expr)
        expect(run.code in (1, 6) and not run.out, f"{expr}: {run}")
        for part in parts:
            expect(part in run.err, f"{expr}: '{part}' wanted, got {run}")


def listing(pid):
    run = debugcall("functions", "-p", pid, "ns::f")
    for name in ("ns::f(int)", "ns::f(double)", "ns::f(int, int)"):
        expect(name in run.out, run)


def twins():
    """Two C files with the same static names: each by its file."""
    with Program(f"{TARGETS}/symbols_twins", "wait") as program:
        for quote in ("'symbols_twin.c'::{}", "symbols_twin.c:{}", "symbols_twin.c::{}"):
            run = debugcall("-q", "-p", program.pid, quote.format("twin_static"),
                            quote.replace("twin.c", "twins.c").format("twin_static"))
            first, second = run.out.splitlines()
            expect(run.code == 0 and first != second, run)
        run = debugcall("-p", program.pid, "twin_static")
        expect("ambiguous" in run.err and "symbols_twin.c" in run.err, run)


def bare_symbols():
    """Without debug information overloads are refused, and one in quotes wants a cast."""
    with Program(f"{TARGETS}/cxx-symbols") as program:
        run = debugcall("-p", program.pid, "ns::f(1)")
        expect(run.code == 6 and "no debug information" in run.err and "candidate: ns::f(int)" in run.err, run)
        run = debugcall("-q", "-p", program.pid, "(int) 'ns::f(int)'(3)", "(int) ns::inner::deep(4)",
                        "(int) ns::counter")
        expect(run.code == 0 and run.out.split() == ["103", "12", "7"], run)


for way in ("gcc", "clang", "stripped"):
    target = f"{TARGETS}/cxx-{way}"
    if not os.path.exists(target):
        row(f"{way}", lambda: skip("its compiler is not installed"))
        continue
    with Program(target) as program:
        for each in (values, references, spelled, frames, mistakes, listing):
            row(f"{way}: {each.__name__}", each, program.pid)
row("symbols alone", bare_symbols)
main()
