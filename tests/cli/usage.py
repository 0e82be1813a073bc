#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The command line itself: usage errors are status 2 and name what is wrong.
import json
import subprocess

from harness import DEBUGCALL, Target, contains, debugcall, ends, equal, good, main, test


def usage(message, *args):
    done = ends(2, *args)
    equal(done.out, "", "standard output")
    contains(done.err.splitlines()[0], message)
    contains(done.err, "usage: debugcall")


@test
def unknown():
    """unknown options are named"""
    usage("unknown option '--bogus'", "--bogus")
    usage("unknown option '-y'", "-y")
    usage("takes no argument", "--json=yes", "-p", "1", "1")


@test
def minus():
    """an expression may begin with a minus, and options may stand behind it"""
    with Target() as target:
        equal(good("-p", target.pid, "-q", "-1 + 2", "-(3)"), "1\n-3\n")
        equal(good("add(1, 2)", "--quiet", "-p", target.pid), "3\n")
        equal(good("-pid", target.pid, "-q", "add(1, 2)"), "3\n")
        equal(json.loads(good("-p", target.pid, "add(1, 2)", "--json"))["value"], "3")
        equal(good("-q", "-p", target.pid, "--", "-hidden"), "-17\n")
        contains(ends(1, "-q", "-p", target.pid, "--", "1", "--quiet").err, "quiet")
        contains(good("check", target.pid), "plain")
    usage("stands behind --", "-p", "1", "-y")
    usage("debugcall -p 12", "12", "add(1, 2)")


@test
def missing():
    """what is missing is said"""
    usage("-p PID", "1+1")
    usage("no expression", "evaluate", "-p", "1")
    usage("no expression", "-p", "1", "--repeat", "3")
    usage("wants an argument", "-p", "1", "-ex")
    usage("-ex, -x and --batch", "-p", "1", "-ex", "help", "1+1")
    usage("-ex, -x and --batch", "check", "-p", "1", "--batch")
    usage("--color", "-p", "1", "--color", "pink")
    usage("wants an argument", "-p")
    usage("-p PID", "check")
    usage("-p PID", "functions", "x")


@test
def numbers():
    """durations and counts are checked"""
    for bad in ("", "x", "5x", "-1s", "inf", "nan", "1e300h"):
        usage("--timeout", "-p", "1", "--timeout", bad, "1")
    usage("--wait", "-p", "1", "--wait", "soon", "1")
    for bad in ("0", "-1", "x", "99999999999999999999"):
        usage("--repeat", "-p", "1", "--repeat", bad, "1")
    usage("--thread", "-p", "1", "--thread", "main", "1")
    usage("--signals", "-p", "1", "--signals", "drop", "1")
    usage("--pass", "-p", "1", "--pass", "NOSUCH", "1")


@test
def surplus():
    """what does not belong is refused"""
    usage("check takes no expression", "check", "-p", "1", "1+1")
    usage("one regular expression", "functions", "-p", "1", "a", "b")
    usage("one expression", "-p", "1", "--repeat", "3", "f()", "g()")
    usage("check takes no --repeat", "check", "-p", "1", "--repeat", "3")
    usage("functions takes no --finally", "functions", "-p", "1", "--finally", "f()")
    usage("evaluate takes no --folded", "-p", "1", "--folded", "1")


@test
def as_json():
    """usage errors are JSON under --json, wherever that stands"""
    for args in (["--json", "--bogus"], ["--bogus", "--json", "-p", "1", "1"], ["--json", "1+1"],
                 ["check", "--timeout", "soon", "--json", "-p", "1"]):
        done = ends(2, *args)
        equal(done.err, "")
        said = json.loads(done.out)
        equal((said["schema"], said["ok"], said["error"]["code"]), (1, False, "usage"))
        equal(said["error"]["state"], "the target was not touched")


@test
def names():
    """a command is one before -p only; it has its aliases"""
    with Target() as target:
        for name in ("evaluate", "print", "call"):
            equal(good("-q", name, "-p", target.pid, "add(1, 2)"), "3\n")
        contains(ends(1, "-p", target.pid, "check").err, "check")
        contains(ends(6, "goroutines", "-p", target.pid).err, "no goroutines")


@test
def help_and_version():
    """--help and --version print to standard output and succeed"""
    done = ends(0, "--help")
    for word in ("--thread", "--frame", "--timeout", "--wait", "--json", "--all-stop", "--finally",
                 "--no-call", "--signals", "--pass", "--force", "--drop-literals",
                 "--assume-seccomp-ok", "--version", "-q", "Exit status", "130"):
        contains(done.out, word)
    equal(done.err, "")
    version = ends(0, "--version").out
    for word in ("debugcall ", "hosts:       bare, gort, agent, go", "kernel:", "breakpoints: ", "bpf: ", "yama: "):
        contains(version, word)
    equal(json.loads(ends(0, "--json", "--version").out)["hosts"], ["bare", "gort", "agent", "go"])


@test
def full_disk():
    """output that cannot be written is an error"""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([DEBUGCALL, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    equal(done.returncode, 1)
    contains(done.stderr, "No space left")


@test
def no_process():
    """processes that are not there cannot be attached to"""
    contains(ends(3, "-p", "2147483646", "1").err, "2147483646")
    ends(3, "-p", "0", "1")
    ends(3, "-p", "99999999999999999999", "1")
    contains(ends(3, "-p", "no-such-program-here", "1").err, "no-such-program-here")
    contains(debugcall("check", "-p", "2147483646").err, "the target was not touched")


main()
