#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Lists of expressions, results by number, --finally, --repeat, --no-call, --json.
import json
import subprocess

from harness import DEBUGCALL, Target, contains, debugcall, ends, equal, good, main, test


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


@test
def values():
    """values print as gdb prints them"""
    with Target() as target:
        equal(target.call("add(1, 2)", "half(5)", "make_pair(7, 0.5)", "next_colour(RED)",
                          "is_even(4)", "'c'", "pairs", "hidden", "word", "1 + 2", "nothing()",
                          "&pairs[1] == pairs + 1"),
              ["3", "2.5", "{a = 7, b = 0.5}", "GREEN", "true", "99 'c'",
               "{{a = 1, b = 2.5}, {a = 3, b = 4.5}}", "17",
               '"before", \'\\000\' <repeats 25 times>', "3", "1"])
        target.answers()


@test
def results():
    """$1 $2 $ $$ are the results so far"""
    with Target() as target:
        equal(target.call("add(1, 2)", "add($1, 10)", "$ + $1", "$$", "$1 * $2"),
              ["3", "13", "16", "13", "39"])


@test
def literals():
    """string literals reach the callee and may be kept by it"""
    with Target() as target:
        out = target.call('set_word("hello")', "word")
        contains(out[0], '"hello"')
        contains(out[1], '"hello"')


@test
def first_failure():
    """the first failure stops the list, what came before is printed, --finally runs"""
    with Target() as target:
        done = ends(1, "-p", target.pid, "--finally", "note()", "add(1, 2)", "crash()", "set_word(\"no\")")
        equal(done.out, "3\n1\n")
        contains(done.err, "error: ")
        contains(done.err, "SIGSEGV")
        equal(target.call("notes"), ["1"])
        contains(target.call("word")[0], "before")
        target.answers()


@test
def finally_after_success():
    """--finally runs after a list that succeeds, and sees its results"""
    with Target() as target:
        equal(good("-q", "-p", target.pid, "--finally", "add($1, 1)", "add(1, 2)"), "3\n4\n")


@test
def finally_after_deadline():
    """--finally runs after a deadline whose call was undone"""
    with Target() as target:
        done = ends(5, "-p", target.pid, "--timeout", "50ms", "--finally", "note()", "spin()")
        equal(done.out, "1\n")
        equal(target.call("notes"), ["1"])
        target.answers()


@test
def refused_beforehand():
    """a fault that shows without running refuses the whole list"""
    with Target() as target:
        done = ends(1, "-p", target.pid, "--finally", "note()", "note()", "no_such_name(1)")
        contains(done.err, "no_such_name")
        equal(done.err.splitlines()[-1], "the target was not touched")
        equal(done.out, "")
        equal(target.call("notes"), ["0"])


@test
def loaded():
    """what one expression loads another names"""
    load = 'dlopen("libm.so.6", RTLD_NOW) != 0'
    with Target() as target:
        ends(1, "-p", target.pid, "fmax(3.0, 1.0)")
        equal(good("-q", "-p", target.pid, "--finally", "cbrt(8.0)", "note()", load, "fmax(3.0, 1.0)", "note()"),
              "1\n1\n3\n2\n2\n")
    with Target() as target:
        done = ends(1, "-p", target.pid, "--finally", "note()", "note()", load, "no_such_name(1)", "note()")
        equal(done.out, "1\n1\n2\n")
        contains(done.err, "no_such_name")
        target.answers()


@test
def no_call():
    """--no-call refuses calls and nothing else"""
    with Target() as target:
        equal(good("-q", "--no-call", "-p", target.pid, "hidden", "pairs[1].b"), "17\n4.5\n")
        done = ends(6, "--no-call", "-p", target.pid, "note()")
        equal(done.err.splitlines()[-1], "the target was not touched")
        equal(target.call("notes"), ["0"])


@test
def repeat():
    """--repeat makes that many calls and prints the last value and the rate"""
    with Target() as target:
        out = good("-q", "-p", target.pid, "--repeat", "1000", "note()").splitlines()
        equal(out[0], "1000")
        contains(out[1], "1000 calls, ")
        contains(out[1], "calls/s, median ")
        contains(out[1], "p99 ")
        equal(target.call("notes"), ["1000"])
        done = objects(good("--json", "-p", target.pid, "--repeat", "10", "note()"))
        equal(done[0]["value"], "1010")
        equal(done[0]["calls"], 10)
        ends(2, "-p", target.pid, "--repeat", "10", "hidden")
        # What only contains a call is found before it is made.
        contains(ends(2, "-p", target.pid, "--repeat", "10", "note() + 1").err, "the target was not touched")
        equal(target.call("notes"), ["1010"])
        target.answers()


@test
def repeat_nested():
    """--repeat repeats the outermost call; its arguments are evaluated once"""
    with Target() as target:
        out = good("-q", "-p", target.pid, "--repeat", "100", "add(note(), note())").splitlines()
        equal(out[0], "3")
        equal(target.call("notes"), ["2"])


@test
def as_json():
    """--json prints one object a line"""
    with Target() as target:
        done = ends(1, "--json", "-p", target.pid, "add(1,2)", "nothing()", "crash()")
        first, second, third = objects(done.out)
        pause = first.pop("pause_us")
        if not 0 < pause < 5e6:
            raise AssertionError(f"pause_us is {pause}")
        equal(first, {"schema": 1, "expr": "add(1,2)", "ok": True, "value": "3", "type": "int",
                      "host": "bare", "thread": target.pid})
        equal((second["value"], second["type"]), (None, "void"))
        equal((third["schema"], third["expr"], third["ok"]), (1, "crash()", False))
        error = third["error"]
        equal(error["code"], "crashed")
        equal(error["signal"], "SIGSEGV")
        equal(error["address"], "0x10")
        equal([frame["function"] for frame in error["frames"]][:2], ["fault", "crash"])
        contains(error["state"], "restored")
        equal(debugcall("--json", "-p", target.pid, "1 +").code, 1)


@test
def json_bytes():
    """what is not UTF-8 does not break a line of JSON"""
    with Target() as target:
        done = subprocess.run([DEBUGCALL, "--json", "-p", str(target.pid), b"\"\xff\x80\"", b"'\xff'"],
                              capture_output=True, timeout=60)
        for line in done.stdout.decode().splitlines():
            equal(json.loads(line)["schema"], 1)


@test
def carets():
    """an error points at its place in the expression"""
    with Target() as target:
        lines = ends(1, "-p", target.pid, "add(1, nosuch)").err.splitlines()
        contains(lines[0], "nosuch")
        equal(lines[1:3], ["  add(1, nosuch)", "         ^"])
        equal(lines[-1], "the target was not touched")
        equal(len(ends(1, "-q", "-p", target.pid, "add(1, nosuch)").err.splitlines()), 1)
        contains(ends(1, "-p", target.pid, "make_pear(1, 2)").err, "make_pair")


@test
def bad_input():
    """malformed, deep and huge expressions are errors, not crashes"""
    with Target() as target:
        for bad in ("", "1 +", "(", ")", "add(1", "add(1,2))", "1 2", "'", '"', "\x01", "\u00e9", "@",
                    "(" * 100000, "-" * 100000 + "1", "((((1))))" * 3, "1" + "+1" * 60000,
                    "pairs[", "pairs.", "*", "&1", "1 = 2", "make_pair(1, 2).c", "add(1)", "add(1,2,3)",
                    "1/0", "*(int *) 8", "sizeof", "(struct nosuch) 1", "9" * 5000):
            done = debugcall("-p", target.pid, "--", bad)
            if done.code not in (0, 1, 6):
                raise AssertionError(f"{bad[:40]!r}: {done}")
            if done.code and not done.err.startswith("error: "):
                raise AssertionError(f"{bad[:40]!r}: {done}")
        target.answers()


main()
