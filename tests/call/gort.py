#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls that the target's own host runs: a program on libgort whose goroutines verify every register.
# Promises 1, 2, 5, 6 and 7 hold there too.    timeout: 600 s
import json
import mmap
import os
import re
import signal
import struct
import subprocess
import tempfile

from harness import CAMPAIGN, TARGETS, Failed, Tap, debugcall, expect, kill_points, killed_at, \
    start, status, until

FIELDS = ["ready", "beats", "faults", "passed", "interrupts", "entered", "release", "left"]
NAMES = set(FIELDS)
RESTORED = "the target runs on, restored"
IN_CALLEE = "the thread is still in the callee and goes home by itself when it returns"


class Server:
    """tests/targets/gort_server; see there for what it verifies about itself."""

    def __init__(self, spinners=1, interrupt=""):
        handle, self.path = tempfile.mkstemp(prefix="gort-")
        os.ftruncate(handle, 4096)
        self.page = mmap.mmap(handle, 4096)
        os.close(handle)
        self.process = subprocess.Popen([f"{TARGETS}/gort_server", self.path, str(spinners), interrupt],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        until(lambda: self.ready, "server ready")

    def __getattr__(self, name):
        if name in NAMES:
            return struct.unpack_from("Q", self.page, 8 * FIELDS.index(name))[0]
        raise AttributeError(name)

    def set(self, name, value):
        struct.pack_into("Q", self.page, 8 * FIELDS.index(name), value)

    def alive(self):
        return self.process.poll() is None

    def beat(self, spins=True):
        """All goroutines go on, none of them with a wrong register."""
        beats, passed = self.beats, self.passed
        until(lambda: not self.alive() or ((not spins or self.beats >= beats + 2) and self.passed >= passed + 2),
              "next rounds")
        self.check()

    def check(self):
        if not self.alive():
            raise Failed(f"the target died, status {self.process.returncode}: "
                         f"{self.process.stderr.read().decode(errors='replace')}")
        if self.faults:
            text = self.page[8 * len(FIELDS):8 * len(FIELDS) + 200].split(b"\0")[0].decode()
            raise Failed(f"{self.faults} faults: {text}")

    def call(self, *args, **named):
        return debugcall("--json", "--host", "gort", "-p", self.pid, *args, **named)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.page.close()
        os.unlink(self.path)


def first(run):
    return json.loads(run.out.splitlines()[0])


def value(server, expr, wanted):
    run = server.call(expr)
    expect(run.code == 0, f"{expr}: {run}")
    got = first(run)
    expect(got["value"] == wanted and got["host"] == "gort", f"{expr}: {got}")


def failure(server, expr, code, words, *options, state=RESTORED):
    run = server.call(*options, expr)
    expect(run.code != 0, f"{expr}: {run}")
    error = first(run)["error"]
    expect(error["code"] == code and re.search(words, error["message"]) and error["state"] == state,
           f"{expr}: {error}")
    return error


VALUES = [
    ("add(1, 2)", "3"),
    ("scale(1.5, 2.0f)", "3"),
    ("sum_many(1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5)", "40"),
    ("make_large(5)", "{a = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14}}"),
    ("sum_large(make_large(7), 1)", "24"),
    ("make_mixed(1.5, 2)", "{x = 3, n = 3}"),
    ("twice(2.5L)", "5"),
    ('length("hello")', "5"),
    ("spoil(4)", "5"),
    ("deep(100)", "100"),
    ("ask()", "42"),
    ("yields(10)", "10"),
    ("unlocks()", "7"),
    ("procs() > 0", "1"),
]


def values():
    with Server() as server:
        for expr, wanted in VALUES:
            value(server, expr, wanted)
            server.beat()


def chosen():
    """The target's own host is taken by itself; --host bare keeps it out."""
    with Server() as server:
        run = debugcall("--json", "-p", server.pid, "add(1, 2)")
        expect(run.code == 0 and first(run)["host"] in ("gort", "bare"), run)
        run = debugcall("--json", "--host", "bare", "-p", server.pid, "add(1, 2)")
        expect(run.code == 0 and first(run)["host"] == "bare", run)
        server.beat()


def several():
    """A list of expressions, with a literal between calls; registers need a thread that stays."""
    with Server() as server:
        run = server.call("add(1, 2)", "add($1, 4)", 'length("abc") + $2', "ask()")
        expect(run.code == 0, run)
        got = [json.loads(line)["value"] for line in run.out.splitlines()]
        expect(got == ["3", "7", "10", "42"], got)
        run = server.call("add(1, 2)", "$rip != 0")
        expect(run.code == 6 and "bare host" in run.out, run)
        server.beat()


def repeated():
    with Server() as server:
        run = server.call("--repeat", 300, "ask()")
        expect(run.code == 0 and first(run)["calls"] == 300 and first(run)["host"] == "gort", run)
        server.beat()


def outcomes():
    with Server() as server:
        error = failure(server, "panics(3)", "panicked", "no room for 3")
        expect(error["frames"][0]["function"] == "panics", error)
        failure(server, "exits()", "goroutine-exited", "ended its goroutine")
        failure(server, "crash_segv(1)", "panicked", "crash_segv")
        failure(server, "crash_fpe(1)", "panicked", "crash_fpe")
        error = failure(server, "crash_abort()", "crashed", "SIGABRT")
        expect("crash_abort" in [frame["function"] for frame in error["frames"]], error)
        failure(server, "crash_ill()", "crashed", "SIGILL")
        failure(server, "crash_trap()", "crashed", "SIGTRAP")
        failure(server, "raise_usr1()", "crashed", "SIGUSR1")
        failure(server, "crash_overflow(1)", "panicked", "overflow")
        server.beat()


def ends():
    """The callee ends its thread, its process, or makes it another program."""
    with Server() as server:
        failure(server, "end_thread()", "thread-ended", "ended thread")
        run = debugcall("--json", "-p", server.pid, "add(1, 2)")
        expect(run.code == 0 and first(run)["value"] == "3", run)
    with Server() as server:
        failure(server, "end_process(3)", "target-ended", "status 3", state="the target has ended")
        until(lambda: not server.alive(), "the target ended")
        expect(server.process.returncode == 3, server.process.returncode)
    with Server() as server:
        failure(server, "become_true()", "target-execed", "another program", state="the target became another program")
        expect(server.alive(), "it lives on as another program")


def forks():
    """A child that the callee forks ends; it neither goes on as the parent nor signals it."""
    with Server(interrupt="handle") as server:
        run = server.call("have_child()")
        expect(run.code == 0, run)
        child = int(first(run)["value"])
        until(lambda: not os.path.exists(f"/proc/{child}") or status(child)["State"].startswith("Z"), "the child ended")
        server.beat()
        expect(server.interrupts == 0, f"{server.interrupts} SIGINT handlers ran")


def deadline():
    with Server() as server:
        failure(server, "slow(1)", "deadline", "did not return", "--timeout", "100ms")
        server.beat()
        failure(server, "sleep_long(100)", "deadline", "did not return", "--timeout", "100ms")
        server.beat()
        failure(server, "read_forever()", "deadline", "did not return", "--timeout", "100ms")
        server.beat()
        value(server, "add(1, 2)", "3")


def parked():
    """A callee that is parked in the runtime cannot be undone: it is left to go home by itself."""
    with Server(spinners=2) as server:
        failure(server, "slow_parked(1)", "deadline", "did not return", "--timeout", "100ms",
                state=IN_CALLEE)
        server.set("release", 1)
        until(lambda: server.left, "the callee returned")
        server.beat()
        value(server, "add(1, 2)", "3")


def interrupts(how):
    """Calls take nothing of SIGINT away from the program: each one that it is sent arrives."""
    with Server(interrupt=how) as server:
        for sent in range(1, 21):
            run = start("--json", "--host", "gort", "-p", server.pid, "ask()")
            os.kill(server.pid, signal.SIGINT)
            run.communicate()
            if how == "handle":
                until(lambda: not server.alive() or server.interrupts >= sent, f"interrupt {sent}")
            server.check()
            if how == "handle":
                expect(server.interrupts == sent, f"{server.interrupts} handlers for {sent} signals")
        server.beat()


def refused():
    with Server(spinners=0) as server:
        run = server.call("--all-stop", "add(1, 2)")
        expect(run.code == 6 and "bare host" in run.out, run)
        server.beat(spins=False)
    with subprocess.Popen(["sleep", "100"]) as plain:
        run = debugcall("--host", "gort", "-p", plain.pid, "getpid()")
        expect(run.code == 6 and "no debug call host" in run.err, run)
        plain.kill()


kills = survivors = 0


def sweep(expr, wanted, spinners=1):
    """The debugger dies at each of its steps: the host goes home alone."""
    global kills, survivors
    with Server(spinners) as server:
        args = ("--host", "gort", "-p", server.pid, expr)
        run, total = kill_points(*args)
        expect(run.code == 0 and run.out.strip() == wanted, run)
        server.beat(spins=spinners > 0)
        for n in range(1, total + 8):
            _, killed = killed_at(n, *args)
            kills += killed
            try:
                server.beat(spins=spinners > 0)
            except Failed as reason:
                raise Failed(f"killed at call {n} of {total}: {reason}") from None
            survivors += killed
        run = debugcall(*args)
        expect(run.code == 0 and run.out.strip() == wanted, f"after all kills: {run}")
        server.beat(spins=spinners > 0)


def in_callee(function, interrupt):
    """Killed while the callee runs: it returns to the host, which nobody hears."""
    global kills, survivors
    with Server(interrupt=interrupt) as server:
        for _ in range(20 if CAMPAIGN else 3):
            entered, left = server.entered, server.left
            server.set("release", 0)
            run = start("--host", "gort", "-p", server.pid, f"{function}(5)")
            until(lambda: server.entered > entered or run.poll() is not None, "callee entered")
            expect(run.poll() is None, "debugcall ended early: " + str(run.poll()))
            run.kill()
            run.communicate()
            kills += 1
            server.set("release", 1)
            until(lambda: not server.alive() or server.left > left, "callee returned")
            server.beat()
            survivors += 1
        expect(server.interrupts == 0, "the program's SIGINT handler ran")


def idle():
    """Every goroutine is parked: a thread that sleeps without work hosts the call."""
    with Server(spinners=0) as server:
        for expr, wanted in VALUES:
            value(server, expr, wanted)
        failure(server, "panics(3)", "panicked", "no room for 3")
        failure(server, "exits()", "goroutine-exited", "ended its goroutine")
        failure(server, "slow(1)", "deadline", "did not return", "--timeout", "100ms")
        server.beat(spins=False)


def crowded():
    """More goroutines compute than may at once."""
    with Server(spinners=6) as server:
        for expr, wanted in VALUES:
            value(server, expr, wanted)
        server.beat()


def listed():
    """Every goroutine is told of, with what it waits for and where."""
    with Server() as server:
        run = debugcall("--json", "-p", server.pid, "--goroutines")
        expect(run.code == 0, run)
        rows = [json.loads(line) for line in run.out.splitlines()]
        labels = [row["label"] for row in rows]
        expect(labels.count("passer") == 4 and labels.count("spinner") == 1, labels)
        spinner = rows[labels.index("spinner")]
        expect(spinner["status"] in ("running", "runnable"), spinner)
        expect(spinner["created"]["function"] == "serve", spinner)
        for row in rows:
            if row["label"] == "passer" and row["status"] == "waiting":
                expect(row["wait_reason"] in ("sleep", "chan receive", "chan send"), row)
        main = rows[0]
        expect(main["wait_reason"] == "sleep" and main["where"]["function"] == "serve", main)
        expect(main["waited_us"] >= 0 and main["reason"], main)
        run = debugcall("-p", server.pid, "--goroutines")
        expect(run.code == 0 and len(run.out.splitlines()) == len(rows), run)
        run = debugcall("--json", "check", "-p", server.pid)
        expect(run.code == 0 and "gort" in first(run)["hosts"], run)
        expect(any("goroutine" in note for note in first(run)["notes"]), run)
        server.beat()
    with subprocess.Popen(["sleep", "100"]) as plain:
        run = debugcall("-p", plain.pid, "--goroutines")
        expect(run.code == 6 and "no goroutines" in run.err, run)
        plain.kill()


def damaged():
    """A target whose descriptor is wrong is refused by reason, and called into without it."""
    with Server() as server:
        value(server, "add(1, 2)", "3")
        for member, words in (("entry", "entry"), ("all_m", "lists"), ("g.label", "g.label"), ("major", "version")):
            wrong = f"debugcall_descriptor.{member}"
            run = debugcall("--host", "bare", "-p", server.pid, wrong)
            keep = run.out.split()[-1] if run.code == 0 else None
            expect(keep, run)
            run = debugcall("-p", server.pid, "--no-call", f"{wrong} = 65000")
            expect(run.code == 0, run)
            run = debugcall("--host", "gort", "-p", server.pid, "add(1, 2)")
            expect(run.code == 6 and words in run.err, run)
            run = debugcall("--json", "-p", server.pid, "add(1, 2)")
            expect(run.code == 0 and first(run)["host"] == "bare", run)
            run = debugcall("check", "-p", server.pid)
            expect(run.code == 0 and words in run.err, run)
            run = debugcall("-p", server.pid, "--no-call", f"{wrong} = {keep}")
            expect(run.code == 0, run)
        value(server, "add(1, 2)", "3")
        server.beat()


def two_debuggers():
    """Two at a time: each gets its answer, or says that another one is there."""
    with Server(spinners=2) as server:
        for _ in range(10):
            runs = [start("--json", "--host", "gort", "-p", server.pid, "ask()") for _ in range(3)]
            for each in runs:
                out, err = each.communicate()
                expect(each.returncode in (0, 3, 6), f"{each.returncode} {out} {err}")
        server.beat()


def untraced():
    """After all calls no thread is traced and none blocks a signal that it did not."""
    with Server() as server:
        before = {status(server.pid, tid)["SigBlk"] for tid in os.listdir(f"/proc/{server.pid}/task")}
        caught = status(server.pid)["SigCgt"]
        for expr in ("add(1, 2)", "panics(1)", "exits()", "slow(1)"):
            server.call("--timeout", "50ms", expr)
        for tid in os.listdir(f"/proc/{server.pid}/task"):
            expect(status(server.pid, tid)["TracerPid"] == "0", f"{tid} is traced")
        server.beat()
        until(lambda: {status(server.pid, tid)["SigBlk"] for tid in os.listdir(f"/proc/{server.pid}/task")}
              <= before, "signal masks as before")
        expect(status(server.pid)["SigCgt"] == caught, "signal handlers as before")


tap = Tap()
tap.test("arguments and results", values)
tap.test("the host is chosen by itself", chosen)
tap.test("several expressions", several)
tap.test("repeated", repeated)
tap.test("panics, exits and crashes", outcomes)
tap.test("the list of goroutines", listed)
tap.test("descriptors that are damaged while the program runs", damaged)
tap.test("two debuggers at once", two_debuggers)
tap.test("every goroutine parked", idle)
tap.test("more goroutines than Ps", crowded)
tap.test("ends", ends)
tap.test("a callee that forks", forks)
tap.test("deadline", deadline)
tap.test("deadline of a parked callee", parked)
tap.test("masks, handlers, tracers", untraced)
for each in ("handle", "ignore"):
    tap.test(f"the program's own SIGINT: {each}", interrupts, each)
tap.test("refusals", refused)
tap.test("killed at every step", sweep, "spoil(4)", "5")
tap.test("killed at every step, idle", sweep, "spoil(4)", "5", 0)
tap.test("killed at every step, idle, a callee that parks", sweep, "ask()", "42", 0)
tap.test("killed at every step, a callee that parks", sweep, "ask()", "42")
tap.test("killed at every step, with a literal", sweep, 'length("hello")', "5")
for each in ("", "handle", "ignore"):
    tap.test(f"killed inside the callee, SIGINT: {each or 'default'}", in_callee, "slow", each)
    tap.test(f"killed inside the callee, parked, SIGINT: {each or 'default'}", in_callee, "slow_parked", each)
print(f"# {kills} kills, {survivors} survivors")
tap.end()
