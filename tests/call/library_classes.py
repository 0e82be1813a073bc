#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The C++ standard library's objects are printed as what they hold, as gdb prints them with libstdc++'s printers,
# and where those fail as they would. What cannot be valid is said to be none.    timeout: 300 s
import json
import os
import re
import subprocess

from harness import TARGETS, Program, debugcall, equal, expect, main, row, skip
from harness.dap import Client

VALUES = [
    ("empty_string", '""'), ("short_string", '"hello"'), ("long_string", "'x' <repeats 40 times>"),
    ("quoted", '"a\\"b\\n"'), ("with_nul", '"a\\000b\\000"'), ("huge_string", "'y' <repeats 200 times>..."),
    ("wide_string", 'L"wide"'), ("u16", 'u"sixteen"'), ("view", '"a view"'), ("no_view", '""'),
    ("no_vector", "std::vector of length 0, capacity 0"), ("vector", "std::vector of length 3, capacity 5 = {1, 2, 3}"),
    ("big_vector", "std::vector of length 300, capacity 300 = {" + ", ".join(["7"] * 200) + "...}"),
    ("bits", "std::vector<bool> of length 4, capacity 64 = {true, false, true, true}"),
    ("no_bits", "std::vector<bool> of length 0, capacity 0"),
    ("strings", 'std::vector of length 2, capacity 2 = {"one", "two"}'),
    ("points", "std::vector of length 2, capacity 2 = {{x = 1, y = 2}, {x = 3, y = 4}}"),
    ("nested", "std::vector of length 3, capacity 3 = {std::vector of length 1, capacity 1 = {1}, "
     "std::vector of length 0, capacity 0, std::vector of length 2, capacity 2 = {2, 3}}"),
    ("people", "std::vector of length 1, capacity 1 = {{<point> = {x = 0, y = 0}, name = \"bob\", "
     "numbers = std::vector of length 3, capacity 3 = {1, 2, 3}}}"),
    ("colors", "std::vector of length 2, capacity 2 = {color::RED, color::GREEN}"),
    ("/x vector", "std::vector of length 3, capacity 5 = {0x1, 0x2, 0x3}"),
    ("array", "{_M_elems = {4, 5, 6}}"), ("no_deque", "std::deque with 0 elements"),
    ("deque", "std::deque with 3 elements = {1, 2, 3}"), ("wides", "std::deque with 2 elements = {{v = 0}, {v = 0}}"),
    ("big_deque", "std::deque with 299 elements = {" + ", ".join(map(str, range(1, 201))) + "...}"),
    ("no_list", "empty std::__cxx11::list"), ("list", "std::__cxx11::list = {[0] = 1, [1] = 2, [2] = 3}"),
    ("wide_list", "std::__cxx11::list = {[0] = {v = 0}, [1] = {v = 0}}"),
    ("string_list", 'std::__cxx11::list = {[0] = "a", [1] = "b"}'), ("no_forward", "empty std::forward_list"),
    ("forward", "std::forward_list = {[0] = 1, [1] = 2, [2] = 3}"), ("no_map", "std::map with 0 elements"),
    ("map", 'std::map with 2 elements = {["a"] = 1, ["b"] = 2}'),
    ("maps", "std::map with 2 elements = {[1] = std::map with 1 element = {[2] = 3}, "
     "[4] = std::map with 0 elements}"),
    ("big_map", "std::map with 300 elements = {" + ", ".join(f"[{i}] = {i * i}" for i in range(100)) + "...}"),
    ("multimap", "std::multimap with 2 elements = {[1] = 97 'a', [1] = 98 'b'}"), ("no_set", "std::set with 0 elements"),
    ("set", "std::set with 3 elements = {[0] = 1, [1] = 2, [2] = 3}"),
    ("multiset", 'std::multiset with 2 elements = {[0] = "x", [1] = "x"}'),
    ("no_hash", "std::unordered_map with 0 elements"), ("hash", 'std::unordered_map with 1 element = {[1] = "one"}'),
    ("string_hash", 'std::unordered_map with 1 element = {["key"] = 5}'),
    ("hash_set", "std::unordered_set with 1 element = {[0] = 9}"),
    ("point_set", "std::unordered_set with 1 element = {[0] = {x = 1, y = 2}}"),
    ("pair", '{first = 1, second = "second"}'), ("no_tuple", "empty std::tuple"),
    ("one_tuple", "std::tuple containing = {[1] = 5}"),
    ("tuple", 'std::tuple containing = {[1] = 1, [2] = "two", [3] = {x = 3, y = 4}}'),
    ("no_optional", "std::optional<int> [no contained value]"),
    ("optional", "std::optional<int> = {[contained value] = 5}"),
    ("string_optional", 'std::optional<std::string> = {[contained value] = "inside"}'),
    ("variant", 'std::variant<int, std::string, point> [index 1] = {"text"}'),
    ("point_variant", "std::variant<int, std::string, point> [index 2] = {{x = 1, y = 2}}"),
    ("no_any", "std::any [no contained value]"), ("int_any", "std::any containing int = {[contained value] = 5}"),
    ("string_any", 'std::any containing std::string = {[contained value] = "in any"}'),
    ("point_any", "std::any containing point = {[contained value] = {x = 7, y = 8}}"),
    ("no_unique", "std::unique_ptr<int> = {get() = 0x0}"), ("unique", "std::unique_ptr<int> = {get() = PTR}"),
    ("unique_closer", "std::unique_ptr<int> = {get() = PTR}"),
    ("no_shared", "std::shared_ptr<int> (empty) = {get() = 0x0}"),
    ("shared", "std::shared_ptr<int> (use count 2, weak count 1) = {get() = PTR}"),
    ("weak", "std::weak_ptr<int> (use count 2, weak count 1) = {get() = PTR}"),
    ("expired", "std::weak_ptr<int> (expired, weak count 1) = {get() = PTR}"),
    ("atomic", "std::atomic<int> = { 5 }"), ("atomic_bool", "std::atomic<bool> = { true }"),
    ("atomic_pointer", "std::atomic<int *> = { 0x0 }"), ("no_bitset", "std::bitset"),
    ("bitset", "std::bitset = {[0] = 1, [2] = 1, [9] = 1}"), ("big_bitset", "std::bitset = {[129] = 1}"),
    ("path", 'filesystem::path "/usr/lib"'), ("stack", "std::stack wrapping: std::deque with 2 elements = {1, 2}"),
    ("queue", "std::queue wrapping: std::deque with 1 element = {3}"), ("iterator", "1"), ("set_iterator", "1"),
    ("list_iterator", "1"), ("deque_iterator", "1"), ("map_iterator", '{first = "a", second = 1}'),
    ("initializers", "std::initializer_list of length 2 = {1, 2}"), ("*string_pointer", '"hello"'),
    ("string_reference", "(std::string &) @PTR: 'x' <repeats 40 times>"),
    ("array_of_vectors", "{std::vector of length 1, capacity 1 = {1}, std::vector of length 2, capacity 2 = {2, 3}}"),
    ("give_optional(3)", "std::optional<int> = {[contained value] = 3}"),
    ("give_optional(0)", "std::optional<int> [no contained value]"), ("give_view()", '"view"'),
    ("/r pair", "{<std::__pair_base<*", ), ("/r optional", "{<std::_Optional_base<*"),
]
# Operators of the library's classes, without calling them.
ACCESS = [
    ("vector[1]", "2"), ("vector[vector[0]]", "2"), ("vector[1] = 9", "9"), ("vector[1]", "9"), ("vector[1] = 2", "2"),
    ("points[1].y", "4"), ("nested[2][1]", "3"), ("people[0].numbers[2]", "3"), ("bits[1]", "false"),
    ("deque[2]", "3"), ("big_deque[250]", "251"), ("short_string[1]", "101 'e'"), ("view[0]", "97 'a'"),
    ('map["b"]', "2"), ("maps[1][2]", "3"), ('map["b"] + vector[0]', "3"), ("big_map[250]", "62500"),
    ("hash[1]", '"one"'), ('string_hash["key"]', "5"), ("string_hash[short_string]", None), ('map["none"]', None),
    ("vector[3]", None), ("vector[-1]", None), ("*optional", "5"), ("*string_optional", '"inside"'), ("*no_optional", None),
    ("*unique", "5"), ("unique_point->y", "2"), ("(*unique_point).x", "1"), ("*shared", "7"),
    ("*shared_string", '"owned"'), ("shared_string[0]", None), ("*iterator", "1"), ("map_iterator->second", "1"),
    ("*list_iterator + 1", "2"), ("unique_point->x = 8", "8"), ("unique_point->x", "8"), ("*no_unique", None),
    ("sizeof(vector[0])", "4"), ("&vector[1] == &vector[0] + 1", "true"), ("strings[1][0]", "116 't'"),
    ("static_cast<int>(3.7)", "3"), ("static_cast<double>(vector[1]) / 4", "0.5"),
    ("static_cast<point *>(&bob)->x", "0"), ("reinterpret_cast<unsigned long>(&bob) == (unsigned long) &bob", "true"),
    ("const_cast<int *>(&vector[0])[1]", "2"), ("dynamic_cast<point *>(&bob)", None),
]
DAMAGED = ["vector", "string", "map", "list", "deque", "hash", "shared", "optional"]
# What clang does not describe itself, it leaves to the library's own debug information.
ONLY_GCC = {"path", "/r pair", "array"}


def plain(text):
    return re.sub(r"0x[1-9a-f][0-9a-f]+( <[^>]*>)?", "PTR", text)


def program(compiler):
    path = f"{TARGETS}/library-{compiler}"
    if not os.path.exists(path):
        skip("its compiler is not installed")
    return Program(path)


def ask(target, expressions, *options):
    """Several at once, for reading a C++ program's names takes long."""
    lines = []
    for start in range(0, len(expressions), 8):
        part = expressions[start:start + 8]
        run = debugcall("-q", "-p", target.pid, *options, *part)
        found = run.out.splitlines()
        expect(run.code == 0 and len(found) == len(part), f"after {len(found)} of {part}: {run}")
        lines += found
    return lines


def values(compiler):
    rows = [(e, v) for e, v in VALUES if compiler == "gcc" or e not in ONLY_GCC]
    with program(compiler) as target:
        for (expression, value), line in zip(rows, ask(target, [e for e, _ in rows])):
            out = plain(line)
            good = out.startswith(value[:-1]) if value.endswith("*") else out == value
            expect(good, f"{expression}: wanted {value}, got {line}")


def access(compiler):
    with program(compiler) as target:
        rows = [(e, v) for e, v in ACCESS if v]
        for (expression, value), line in zip(rows, ask(target, [e for e, _ in rows], "--no-call")):
            equal(line, value, expression)
        for expression in [e for e, v in ACCESS if not v]:
            run = debugcall("-q", "-p", target.pid, "--no-call", expression)
            expect(run.code in (1, 6) and not run.out, f"{expression}: {run}")


def damaged(compiler):
    with program(compiler) as target:
        names = [f"*bad_{name}" for name in DAMAGED] + ["*cyclic"]
        for name, line in zip(names, ask(target, names)):
            expect(line.startswith("<not initialised?> {"), f"{name}: {line}")


def raw(compiler):
    with program(compiler) as target:
        run = debugcall("-q", "-p", target.pid, "--raw", "vector")
        expect(run.code == 0 and "_M_start = " in run.out and "of length" not in run.out, run)
        run = debugcall("--json", "-p", target.pid, "vector")
        equal(json.loads(run.out)["value"], "std::vector of length 3, capacity 5 = {1, 2, 3}")


CHILDREN = [
    ("vector", [("[0]", "1"), ("[1]", "2"), ("[2]", "3")]), ("map", [('["a"]', "1"), ('["b"]', "2")]), ("strings", [("[0]", '"one"'), ("[1]", '"two"')]),
    ("set", [("[0]", "1"), ("[1]", "2"), ("[2]", "3")]), ("optional", [("[contained value]", "5")]), ("deque", [("[0]", "1"), ("[1]", "2"), ("[2]", "3")]),
    ("pair", [("first", "1"), ("second", '"second"')]), ("list", [("[0]", "1"), ("[1]", "2"), ("[2]", "3")]), ("long_string", []), ("no_map", []),
]


def children():
    """what they hold are their children, for clients that open them"""
    with program("gcc") as target, Client() as client:
        client.attach(target.pid)
        for name, wanted in CHILDREN:
            reference = client.evaluate(name, context="watch")["variablesReference"]
            found = client.children(reference) if reference else []
            equal([(one["name"], one["value"]) for one in found], wanted, name)
        # A page of them, and what one holds itself.
        people = client.children(client.evaluate("people", context="watch")["variablesReference"])
        parts = {one["name"]: one for one in client.children(people[0]["variablesReference"])}
        equal([one["value"] for one in client.children(parts["numbers"]["variablesReference"], start=1, count=2)], ["2", "3"])


def as_gdb_does():
    """with libstdc++'s printers, where they are installed and do not fail themselves"""
    with program("gcc") as target:
        names = [e for e, v in VALUES if re.fullmatch(r"\w+", e) and not v.startswith("(")]
        command = ["gdb", "-nx", "-q", "-batch", "-iex", "set auto-load safe-path /", "-ex", "set language c++", "-p", str(target.pid)]
        for name in names:
            command += ["-ex", f"echo @@{name}@@", "-ex", f"print {name}"]
        try:
            out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
        except FileNotFoundError:
            skip("gdb is not installed")
        theirs = dict(re.findall(r"@@(\w+)@@\$\d+ = (.*)", out))
        if "std::vector of" not in theirs.get("vector", ""):
            skip("libstdc++'s printers are not installed")
        # It names a tag where types have none, and the parts of a path; of a text it leaves one NUL out.
        ours = {"with_nul", "path"}
        same = 0
        for name, line in zip(names, ask(target, names)):
            wanted = re.sub(r"\b(struct|class) ", "", theirs.get(name, "Exception"))
            if "Exception" in wanted or "warning" in wanted or name in ours:
                continue
            equal(plain(line), plain(wanted), name)
            same += 1
        expect(same > 40, f"only {same} could be compared")


for one in ("gcc", "clang"):
    row(f"{one}: values", values, one)
    row(f"{one}: operators", access, one)
    row(f"{one}: what cannot be", damaged, one)
    row(f"{one}: members", raw, one)
row("children", children)
row("as gdb prints them", as_gdb_does)
main()
