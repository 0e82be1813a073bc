#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls in real Go programs, by their own debug call: busy ones, idle ones, under the collector; panics, deadlines,
# and debuggers that are killed at every step.    timeout: 2400 s
import os
import re
import subprocess

from harness import B, CAMPAIGN, Failed, debugcall, equal, expect, finish, kill_points, killed_at, kills, main, row, skip, start, until
from harness.go import GoProgram, build, toolchains

RESTORED = "the target runs on, restored"
GO = None  # the toolchain that is tried
TAG = ""


def program(mode, *flags, **more):
    return GoProgram(mode, *flags, go=GO, **{"tag": TAG, **more})


def many(mode, n, *exprs):
    """So many calls in one session, each list of expressions again and again."""
    return debugcall("--wait", "30s", "--timeout", "60s", "-p", mode.pid, *(exprs * (n // len(exprs))))


def values(mode):
    with program(mode) as target:
        equal(target.calls("main.Add(3, 4)"), "7")
        equal(target.calls("main.Mean(1, 4, 2)"), "(2.5, false)")
        equal(target.calls("main.Many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2)"), "(13245, -1)")
        equal(target.calls('main.Length("foo")'), "203")
        equal(target.calls("main.Heavy(1000, 50)"), "1000")
        equal(target.calls("main.Nap(20)"), "20")
        target.beat()
        run = many(target, 60, "main.Count(1)", "main.Add(1, 2)")
        expect(run.code == 0, run)
        equal(run.out.split(), [word for n in range(30) for word in (str(n + 1), "3")])
        target.beat()
        equal(target.counted, 30)
        expect(target.is_disarmed(), "the hook stayed")
        equal(target.pads(), 1, "pads after many sessions")


def panics(mode):
    with program(mode) as target:
        for call, text in (("main.Index(5)", "main.Index panicked: runtime error: index out of range [5] with length 0"),
                           ('main.Fail("error")', "main.Fail panicked: no such thing"),
                           ('main.Fail("number")', "main.Fail panicked: int(42)"),
                           ('main.Fail("nil")', "main.Fail panicked: runtime error: invalid memory address or nil "
                                                "pointer dereference"),
                           ('main.Fail("no")', "main.Fail panicked: it said no")):
            out = target.calls(call, code=1).splitlines()
            equal((out[0], out[-1]), (f"error: {text}", RESTORED))
            function = call.partition("(")[0]
            expect(re.search(rf" in {function} at \S+/go_calls.go:\d+$", out[1]), f"frames: {out}")
        target.beat()
        equal(target.calls("main.Add(1, 1)"), "2")


def exits(mode):
    """runtime.Goexit, and with it t.Fatal, ends the callee's goroutine and nothing else"""
    with program(mode) as target:
        for _ in range(200 if CAMPAIGN else 5):
            equal(target.calls("main.Exit(1)", code=1), f"error: main.Exit ended its goroutine\n{RESTORED}")
        target.beat()
        equal(target.deferred, 200 if CAMPAIGN else 5)
        equal(target.calls("main.Add(1, 1)"), "2")


def deadlines(mode):
    with program(mode) as target:
        for _ in range(100 if CAMPAIGN else 2):
            out = target.calls("--timeout", "30ms", "main.Loop(1)", code=5)
            out = out.splitlines()
            equal((out[0], out[-2], out[-1]), ("error: main.Loop did not return within 30 ms",
                                               "  locks that main.Loop took stay taken", RESTORED))
            expect(any(" in main.Loop at " in line for line in out[1:-2]), f"frames: {out}")
        target.beat()
        out = target.calls("--timeout", "30ms", "main.Hold()", code=5)
        expect("waits in the runtime" in out and "still in the callee" in out and " in main.Hold at " in out, out)
        if mode != "busy":  # there its caller verifies, and waits meanwhile
            target.beat()
        out = target.calls("--wait", "50ms", "main.Add(1, 1)", code=6)
        expect("still runs" in out, out)


def ends(mode):
    with program(mode) as target:
        run = debugcall("-p", target.pid, "main.End(7)")
        equal(run.code, 4, run)
        equal(target.process.wait(), 7)


def repeats(mode, n):
    """Batches behind one signal, while eight goroutines allocate and the collector always runs"""
    with program(mode, env={"GOGC": "1"} if mode == "heap" else None) as target:
        out = target.calls("--repeat", n, "main.Count(1)")
        equal(out.split()[0], str(n))
        target.beat()
        equal(target.counted, n)
        run = debugcall("--timeout", "20ms", "--repeat", n, "-p", target.pid, "main.Nap(60)")
        equal(run.code, 5, run)
        target.beat()


def goroutines():
    """A call begins on the goroutine that was asked for, when that next wakes"""
    with program("parked", env={"GOGC": "10"}) as target:
        waiter, never = target.calls("main.waiter"), target.calls("main.never")
        for _ in range(200 if CAMPAIGN else 5):
            equal(target.calls("--goroutine", waiter, "main.Heavy(8, 20)"), "8")
            equal(target.calls("--goroutine", waiter, "main.Exit(1)", code=1),
                  f"error: main.Exit ended its goroutine\n{RESTORED}")
            out = target.calls("--goroutine", never, "--wait", "20ms", "main.Add(1, 2)", code=6)
            expect(f"goroutine {never} came to no safe point" in out, out)
        out = target.calls("--goroutine", 2, "main.Add(1, 2)", code=6)
        expect("is the runtime's own" in out, out)
        out = target.calls("--goroutine", 99999, "main.Add(1, 2)", code=6)
        expect("has no goroutine 99999" in out, out)
        target.beat()
        expect(target.is_disarmed(), "the hook stayed")
        kills.sweep(("--wait", "30s", "--goroutine", waiter, "-p", target.pid, "main.Add(1, 2)"), target.beat, few=6,
                    rounds=5)
        kills.sweep(("--wait", "20ms", "--goroutine", never, "-p", target.pid, "main.Add(1, 2)"), target.beat, few=6,
                    rounds=5)
        equal(target.calls("--goroutine", waiter, "main.Add(1, 2)"), "3")
        target.beat()


def literals():
    """Strings stay where the program may keep them, however many and large they are"""
    with program("idle") as target:
        text = "o" * 30000  # a word of a command may not be much longer
        for _ in range(4):
            run = many(target, 10, f'main.Length("{text}")')
            expect(run.code == 0, run.err)
            equal(run.out.split(), [str(len(text) * 101)] * 10)
        target.beat()


def together():
    """Several debuggers at once take turns"""
    with program("busy") as target:
        runs = [start("--wait", "30s", "--timeout", "60s", "-p", target.pid, *["main.Count(1)"] * 5) for _ in range(4)]
        for run in map(finish, runs):
            expect(run.code == 0, run)
        target.beat()
        equal(target.counted, 20)
        expect(target.is_disarmed(), "the hook stayed")


def notified():
    """A program that asks for SIGTRAP gets its own, and none of ours"""
    with program("notify") as target:
        run = many(target, 20, "main.Add(1, 2)")
        expect(run.code == 0, run)
        target.beat()
        equal(target.trapped, 0)
        target.process.send_signal(5)

        def got():
            target.beat()
            return target.trapped == 1
        until(got, "its own SIGTRAP")


def overdue():
    """A signal that asks a callee to leave may still be on its way when the runtime says that it has left"""
    with program("busy") as target:
        n = 2000 if CAMPAIGN else 200
        run = debugcall("-p", target.pid, "--keep-going", "-ex", "set timeout 1ms", *["-ex", "main.Loop(1)"] * n)
        equal(run.code, 5, run)
        equal(run.err.count("main.Loop did not return within 1 ms"), n, run)
        target.beat()
        equal(target.calls("main.Add(1, 2)"), "3")


def flavour(tag, env, *flags):
    try:
        build("go_calls", *flags, go=GO, tag=TAG + tag, **env)
    except Exception as reason:  # pylint: disable=broad-except
        skip(f"cannot be built: {str(reason).splitlines()[-1]}")
    for mode in ("busy", "idle"):
        with program(mode, *flags, tag=TAG + tag, build_env=env) as target:
            run = many(target, 10, "main.Add(1, 2)", "main.Heavy(10, 50)")
            expect(run.code == 0, run)
            equal(target.calls("main.Exit(1)", code=1), f"error: main.Exit ended its goroutine\n{RESTORED}")
            target.beat()


def minor():
    version = subprocess.run([GO, "version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(re.search(r"go1\.(\d+)", version).group(1))


def stripped(tag, *flags):
    """Names are the runtime's, types are said, fields are of a table by version; a wrong type is refused"""
    for mode in ("busy", "parked") if tag == "-s" or CAMPAIGN else ("parked",):
        with program(mode, *flags, tag=TAG + tag) as target:
            for call, value in (("(func(int, int) int)(main.Add)(3, 4)", "7"),
                                ("(func(float64, float64, int32) (float64, bool))(main.Mean)(1, 4, 2)", "(2.5, false)"),
                                ('(func(string) int)(main.Length)("foo")', "203"),
                                ("(func(int, int) int)(main.Heavy)(1000, 50)", "1000"),
                                ("(func(int) int)(main.Nap)(1)", "1"),
                                ("(func(int, int) int)(main.Add)(int(int8(-3)), cap([]int{1, 2}))", "-1")):
                equal(target.calls(call), value)
            if minor() < 27:  # since then no list has the types by their names
                equal(target.calls("(*os.File)(nil)"), "*os.File nil")
            out = target.calls('(func(string) int)(main.Fail)("error")', code=1)
            expect(out.startswith("error: main.Fail panicked: no such thing\n") and
                   re.search(r" in main.Fail at \S+/go_calls.go:\d+\n", out), out)
            equal(target.calls("(func(int) int)(main.Exit)(1)", code=1),
                  f"error: main.Exit ended its goroutine\n{RESTORED}")
            for call, code, reason in (("main.Add(3, 4)", 6, "say what it takes and gives: (func("),
                                       ("(func(int) int)(main.Add)(3)", 1, "it has 16 bytes for it, and these need 8"),
                                       ("(func(int))(runtime.memmove)(3)", 6, "written in assembler")):
                out = target.calls(call, code=code)
                expect(reason in out and out.endswith("the target was not touched"), out)
            run = debugcall("-p", target.pid, "--goroutines")
            expect(run.code == 0 and re.search(r"^\d+ +force gc \(idle\) +\(runtime\) ", run.out, re.M), run)
            if mode == "parked":  # for ever
                expect(re.search(r"^\d+ +select \(no cases\) +- +main\.park\.func2 at \S+/go_calls.go:\d+$", run.out, re.M), run)
                run = debugcall("stacks", "-p", target.pid)
                expect(run.code == 0 and re.search(r" main\.park\.func2 +go_calls\.go:\d+$", run.out, re.M), run)
            run = debugcall("functions", "-p", target.pid, "main.*")
            expect(re.search(r"^main\.Add ", run.out, re.M), run)
            run = debugcall("check", "-p", target.pid)
            expect("without debug information" in run.out + run.err, run)
            target.beat()
            if mode == "busy":
                kills.sweep(("--wait", "30s", "--timeout", "60s", "-p", target.pid, "(func(int, int) int)(main.Add)(1, 2)"),
                            target.beat, few=6, rounds=2)
                target.beat()


def mixed(mode):
    """C's frames and Go's on one stack, and a thread of C's own that calls Go"""
    for tag, flags in (("", ()), ("-s", ("-ldflags=-s",))):
        try:
            build("go_mixed", *flags, go=GO, tag=TAG + tag, CGO_ENABLED="1")
        except Failed as reason:
            skip(f"cannot be built: {str(reason).splitlines()[-1]}")
        with program(mode, *flags, tag=TAG + tag, source="go_mixed") as target:
            for _ in range(3):
                run = many(target, 5, "(func(int, int) int)(main.Add)(3, 4)")
                equal((run.code, run.out), (0, "7\n" * 5), run)
                target.beat()
            run = debugcall("stacks", "-p", target.pid)
            expect(run.code == 0, run)
            target.beat()


def copied(data, name):
    path = f"{os.path.abspath(B)}/tests/targets/{name}{TAG}.{os.getpid()}"
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o755)
    return path


def other_versions():
    """A version that is not known, one whose structures are others, and no version at all: nothing is guessed"""
    with open(build("go_calls", "-ldflags=-s", go=GO, tag=TAG + "-s"), "rb") as file:
        data = file.read()
    at = data.index(b"\xff Go buildinf:") + 33
    length = data[at - 1]
    rest = data[at + 6:at + length]
    own = int(data[at + 4:at + 6])
    for version, reason in ((b"go1.99" + rest, "not those of a version that is known (go1.99"),
                            ((b"go1.27" if own < 26 else b"go1.19") + rest, "its structures are not what they are elsewhere"),
                            (b"\xff" * length, "not those of a version that is known (???")):
        path = copied(data[:at] + version + data[at + length:], "go_version")
        with program("busy", path=path) as target:
            for args in (("(func(int, int) int)(main.Add)(3, 4)",), ("--goroutines",)):
                run = debugcall("--wait", "1s", "-p", target.pid, *args)
                expect(run.code == 6 and reason in run.err, run)
            run = debugcall("functions", "-p", target.pid, "main.*")
            expect(re.search(r"^main\.Add ", run.out, re.M), run)
            target.beat()
        os.unlink(path)


def replaced():
    """The file is another one by now: the program's own is called, or nothing is"""
    with open(build("go_calls", "-ldflags=-s", go=GO, tag=TAG + "-s"), "rb") as file:
        path = copied(file.read(), "go_replaced")
    with program("busy", path=path) as target:
        os.rename(copied(b"no program", "go_other"), path)
        run = debugcall("--wait", "30s", "-p", target.pid, "(func(int, int) int)(main.Add)(3, 4)")
        expect(run.out == "7\n" if run.code == 0 else "is no longer the file that is mapped" in run.err, run)
        target.beat()
    os.unlink(path)


# ---- kills ------------------------------------------------------------------------------------------

def setup(mode, few):
    """Each time in a process of its own, so that the pad is not there yet"""
    with program(mode) as target:
        _, total = kill_points("-p", target.pid, "main.Add(1, 2)")
    for turn in range(4 if CAMPAIGN else 1):
        for n in range(1, total + 4, 1 if CAMPAIGN else max(1, total // few)):
            later = kills.moments.randrange(1, kills.LATER_NS) if turn else 0
            with program(mode) as target:
                _, killed = killed_at(n, "-p", target.pid, "main.Add(1, 2)", later=later)
                if killed:
                    kills.survived(f"killed {later} ns behind step {n} of {total}", target.beat)
                else:
                    target.beat()
                equal(target.calls("main.Add(2, 2)"), "4")


def killed(mode, few, *exprs):
    """The pad is there; the same process survives them all"""
    with program(mode, env={"GOGC": "5"} if mode == "heap" else None) as target:
        expect(many(target, 3, *exprs).code in (0, 1), "before all kills")
        run = kills.sweep(("--wait", "30s", "--timeout", "60s", "-p", target.pid, *exprs), target.beat, few=few, rounds=8)
        expect(run.code in (0, 1), run)
        equal(target.calls("main.Add(2, 2)"), "4")
        target.beat()
        expect(target.is_disarmed(), "the hook stayed")
        expect(target.pads() <= 2, f"{target.pads()} pads")


if not toolchains():
    row("calls in Go programs", skip, "there is no Go toolchain (package golang)")
for GO in toolchains()[:None if CAMPAIGN else 1]:
    TAG = "" if GO == toolchains()[0] else "-" + re.sub(r"[^0-9.]", "", GO)
    for each in ("busy", "idle"):
        row(f"values, {each}{TAG}", values, each)
        row(f"panics, {each}{TAG}", panics, each)
        row(f"Goexit, {each}{TAG}", exits, each)
        row(f"deadlines, {each}{TAG}", deadlines, each)
        row(f"os.Exit, {each}{TAG}", ends, each)
    for each in ("busy", "idle", "heap"):
        row(f"many calls at once, {each}{TAG}", repeats, each, 100000 if CAMPAIGN else 3000)
    row(f"many deadlines{TAG}", overdue)
    row(f"goroutines by their number{TAG}", goroutines)
    row(f"literals{TAG}", literals)
    row(f"several debuggers{TAG}", together)
    row(f"signal.Notify(SIGTRAP){TAG}", notified)
    row(f"a position-independent program{TAG}", flavour, "-pie", {}, "-buildmode=pie")
    if CAMPAIGN:
        row(f"the race detector{TAG}", flavour, "-race", {"CGO_ENABLED": "1"}, "-race")
    row(f"without symbols{TAG}", stripped, "-s", "-ldflags=-s")
    row(f"without debug information{TAG}", stripped, "-w", "-ldflags=-w")
    for each in ("deep", "thread"):
        row(f"C's and Go's frames on one stack, {each}{TAG}", mixed, each)
    row(f"versions that are not known{TAG}", other_versions)
    row(f"a file that was replaced{TAG}", replaced)
    row(f"without symbols, position-independent{TAG}", stripped, "-s-pie", "-ldflags=-s", "-buildmode=pie")
    for each in ("busy", "idle"):
        row(f"killed at the set-up: {each}{TAG}", setup, each, 8)
    for each in ("busy", "idle", "heap"):
        row(f"killed at every step: {each}{TAG}", killed, each, 8, "main.Add(1, 2)")
    row(f"killed at every step: panic and Goexit{TAG}", killed, "idle", 5, "main.Exit(1)", "main.Index(1)")
main()
