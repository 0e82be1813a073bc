#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls that the target's own host runs: a program on libgort whose goroutines verify every register.
# Promises 1, 2, 5, 6 and 7 hold there too.    timeout: 600 s
import ctypes
import json
import os
import signal
import struct
import subprocess
import tempfile

from harness import CAMPAIGN, TARGETS, Program, debugcall, expect, kills, main, row, start, status, until
from harness.gort_server import IN_CALLEE, Server, failure, first, goroutines, labelled, sweep, value

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


def parked(function, spinners):
    """A callee that is parked is left to itself, and its caller goes home; gort_cancel() ends it."""
    with Server(spinners=spinners) as server:
        spins = spinners > 0
        error = failure(server, function, "deadline", "did not return", "--timeout", "100ms")
        left, id = server.left, int(error["goroutine"])
        expect(error["frames"][0]["function"] == function.split("(")[0], error)
        expect(f"gort_cancel({id})" in error["notes"][0], error)
        row = goroutines(server)[id]
        expect(row["label"] == "debug call" and row["status"] != "dead", row)
        server.beat(spins=spins)
        value(server, "add(1, 2)", "3")
        # Its end is one like any other goroutine's.
        if function.startswith("slow_parked"):
            server.set("release", 1)
        elif function.startswith("lock_forever"):
            # A plain lock is waited for, cancelled or not.
            value(server, f"gort_cancel({id})", "0")
            value(server, "ask()", "42")
            row = goroutines(server)[id]
            expect(row["status"] == "waiting" and row["wait_reason"] == "mutex" and server.left == left, row)
            value(server, "free_lock()", "0")
        else:
            value(server, f"gort_cancel({id})", "0")
        until(lambda: server.left > left or not server.alive(), "the callee returned")
        until(lambda: id not in goroutines(server) or not server.alive(), "its goroutine ended")
        server.beat(spins=spins)
        value(server, "ask()", "42")
        server.beat(spins=spins)


def parked_ends(how):
    """The end of a callee that was left is its own: a panic, an exit, or a child that it forks."""
    with Server(spinners=1) as server:
        error = failure(server, f"parks_then({how})", "deadline", "did not return", "--timeout", "500ms")
        server.set("release", 1)
        until(lambda: int(error["goroutine"]) not in goroutines(server), "its goroutine ended")
        server.beat()
        value(server, "add(1, 2)", "3")


def tied():
    """A callee that tied itself to its thread cannot be parted from it."""
    with Server(spinners=2) as server:
        failure(server, "parks_tied(1)", "deadline", "did not return", "--timeout", "50ms", state=IN_CALLEE)
        server.set("release", 1)
        until(lambda: server.left, "the callee returned")
        server.beat()


def abandoned(spinners):
    """The debugger dies at each step of leaving a parked callee."""
    with Server(spinners=spinners) as server:
        spins = spinners > 0

        def between():
            # Wherever it was killed, the callee goes on, and its caller, too.
            entered, left = server.entered, server.left
            server.set("release", 1)
            until(lambda: server.left >= server.entered or not server.alive(), f"the callee returned: {entered} {left}")
            until(lambda: not server.alive() or not labelled(server, "debug call"), "its goroutine ended")
            server.set("release", 0)

        args = ("--host", "gort", "--timeout", "20ms", "-p", server.pid, "slow_parked(1)")
        run = sweep(server, args, spins, between)
        expect(run.code == 5 and "is left parked" in run.err, run)
        value(server, "add(1, 2)", "3")
        server.beat(spins=spins)


def quick_and_late():
    """The deadline comes when the callee is about to return: one of both is the outcome, and all is well."""
    with Server(spinners=2) as server:
        late = 0
        for _ in range(300 if CAMPAIGN else 60):
            run = server.call("--timeout", "2ms", "naps(2)")
            expect(run.code in (0, 5), run)
            late += run.code == 5
            expect(first(run)["value"] == "2" if run.code == 0 else first(run)["error"]["code"] == "deadline", run)
        until(lambda: not labelled(server, "debug call"), "all goroutines ended")
        server.beat()
        print(f"# {late} of them late")


def on_goroutine():
    """--goroutine: the call begins on that one, running or parked, or says why not."""
    with Server(spinners=1) as server:
        passers, spinner = labelled(server, "passer"), labelled(server, "spinner")[0]
        main = min(goroutines(server))
        for id in (spinner, *passers, spinner):
            value_on(server, id, "caller()", str(id))
            server.beat()
        run = server.call("--goroutine", spinner, "caller()", 'length("abc")', "caller()")
        expect([json.loads(line)["value"] for line in run.out.splitlines()] == [str(spinner), "3", str(spinner)], run)
        run = server.call("--goroutine", passers[0], "--repeat", 50, "caller()")
        expect(run.code == 0 and first(run)["value"] == str(passers[0]), run)
        server.beat()
        run = server.call("--wait", "50ms", "--goroutine", main, "add(1, 2)")
        error = first(run)["error"]
        expect(run.code == 6 and re_words(error, f"goroutine {main} is waiting (sleep) since"), run)
        run = server.call("--goroutine", 123456, "add(1, 2)")
        expect(run.code == 6 and "no goroutine 123456; --goroutines lists" in first(run)["error"]["message"], run)
        server.beat()


def re_words(error, words):
    return words in error["message"] + " ".join(error.get("notes", []))


def value_on(server, id, expr, wanted):
    run = server.call("--goroutine", id, expr)
    expect(run.code == 0 and first(run)["value"] == wanted, f"goroutine {id}: {run}")


def goroutine_usage():
    for args in (("--goroutine", 1, "--thread", 1), ("--goroutine", 1, "--host", "bare"), ("--goroutine", "x"),
                 ("--goroutine", 0)):
        run = debugcall(*args, "-p", os.getpid(), "1")
        expect(run.code == 2 and "--goroutine" in run.err, f"{args}: {run}")
    with subprocess.Popen(["sleep", "100"]) as plain:
        run = debugcall("--goroutine", 1, "-p", plain.pid, "(int)getpid()")
        expect(run.code == 6 and "no debug call host" in run.err, run)
        plain.kill()


def goroutine_killed(which):
    """The debugger dies at each step of a call on a goroutine, also while that waits for it."""
    with Server(spinners=1) as server:
        id = labelled(server, which)[0]
        args = ("--host", "gort", "--goroutine", id, "-p", server.pid, "caller()")
        run = sweep(server, args)
        expect(run.code == 0 and run.out.strip() == str(id), run)
        value_on(server, id, "caller()", str(id))
        server.beat()


COUNTING = ("handle", "signalfd", "sigwait")


def interrupts(how):
    """Calls take nothing of SIGINT away from the program: each one that it is sent arrives, once."""
    with Server(interrupt=how) as server:
        for sent in range(1, 21):
            run = start("--json", "--host", "gort", "-p", server.pid, "ask()")
            os.kill(server.pid, signal.SIGINT)
            out, _ = run.communicate()
            expect(run.returncode == 0, out)
            if how in COUNTING:
                until(lambda: not server.alive() or server.interrupts >= sent, f"interrupt {sent}")
            server.check()
            if how in COUNTING:
                expect(server.interrupts == sent, f"{server.interrupts} of {sent} signals")
        server.beat()


def interrupted_in_callee(how):
    """The debugger is killed while the callee runs, and a SIGINT comes before that returns."""
    with Server(interrupt=how) as server:
        for sent in range(1, 6):
            entered, left = server.entered, server.left
            server.set("release", 0)
            run = start("--host", "gort", "-p", server.pid, "slow(5)")
            until(lambda: server.entered > entered or run.poll() is not None, "callee entered")
            run.kill()
            run.communicate()
            os.kill(server.pid, signal.SIGINT)
            server.set("release", 1)
            until(lambda: not server.alive() or server.left > left, "callee returned")
            if how in COUNTING:
                until(lambda: not server.alive() or server.interrupts >= sent, f"interrupt {sent}")
                expect(server.interrupts == sent, f"{server.interrupts} of {sent} signals")
            server.beat()


def interrupted_thread():
    """Another process sends the thread itself one SIGINT after the other while it is called on."""
    with Server(interrupt="handle") as server:
        tgkill = ctypes.CDLL(None, use_errno=True).syscall
        run = start("--json", "--host", "gort", "-p", server.pid, "--repeat", 2000, "add(1, 2)")
        sent = 0
        while run.poll() is None:
            for tid in os.listdir(f"/proc/{server.pid}/task"):
                sent += tgkill(234, server.pid, int(tid), signal.SIGINT) == 0
        out, err = run.communicate()
        expect(run.returncode == 0 and json.loads(out)["calls"] == 2000, out + err)
        server.beat()
        expect(0 < server.interrupts <= sent, f"{server.interrupts} handlers for {sent} signals")
        print(f"# {sent} signals, {server.interrupts} handlers")


def nested():
    """Debuggers that were killed in their callee leave it running, and the next calls from there."""
    with Server(spinners=0) as server:
        for depth in range(1, 5):
            entered = server.entered
            spinning = labelled(server, "debug call")
            where = ("--goroutine", spinning[-1]) if spinning else ()
            run = start("--host", "gort", *where, "-p", server.pid, "slow(5)")
            until(lambda: server.entered > entered or run.poll() is not None, f"entered, {depth} deep")
            expect(run.poll() is None, f"{depth} deep: ended with {run.poll()}")
            run.kill()
            run.communicate()
        run = server.call("--goroutine", labelled(server, "debug call")[-1], "--wait", "50ms", "add(1, 2)")
        expect(run.code == 6 and "too many calls inside calls" in run.out, run)
        left = server.left
        server.set("release", 1)
        until(lambda: not server.alive() or server.left == left + 4, "all of them returned")
        until(lambda: not server.alive() or not labelled(server, "debug call"), "all of them ended")
        server.beat(spins=False)
        value(server, "add(1, 2)", "3")


def without_preemption():
    with Server(spinners=3, env={"GORTDEBUG": "asyncpreemptoff=1"}) as server:
        for expr, wanted in VALUES:
            value(server, expr, wanted)
        failure(server, "slow(1)", "deadline", "did not return", "--timeout", "500ms")
        failure(server, "park_forever()", "deadline", "did not return", "--timeout", "500ms")
        server.beat()


def refused():
    with Server(spinners=0) as server:
        run = server.call("--all-stop", "add(1, 2)")
        expect(run.code == 6 and "bare host" in run.out, run)
        # What parks would end the process on a thread without a goroutine.
        for options in (("--host", "bare"), ("--all-stop",)):
            run = debugcall(*options, "-p", server.pid, "ask()")
            expect(run.code == 6 and "need a goroutine" in run.err and "--force" in run.err, run)
            run = debugcall(*options, "-p", server.pid, "add(1, 2)")
            expect(run.code == 0 and run.out == "3\n", run)
        server.beat(spins=False)
    with subprocess.Popen(["sleep", "100"]) as plain:
        run = debugcall("--host", "gort", "-p", plain.pid, "(int)getpid()")
        expect(run.code == 6 and "no debug call host" in run.err, run)
        plain.kill()


def killed(expr, wanted, spinners=1):
    with Server(spinners) as server:
        args = ("--host", "gort", "-p", server.pid, expr)
        run = sweep(server, args, spins=spinners > 0)
        expect(run.code == 0 and run.out.strip() == wanted, run)
        run = debugcall(*args)
        expect(run.code == 0 and run.out.strip() == wanted, f"after all kills: {run}")
        server.beat(spins=spinners > 0)


def in_callee(function, interrupt):
    """Killed while the callee runs: it returns to the host, which nobody hears."""
    with Server(interrupt=interrupt) as server:
        for _ in range(100 if CAMPAIGN else 3):
            entered, left = server.entered, server.left
            server.set("release", 0)
            run = start("--host", "gort", "-p", server.pid, f"{function}(5)")
            until(lambda: server.entered > entered or run.poll() is not None, "callee entered")
            expect(run.poll() is None, "debugcall ended early: " + str(run.poll()))
            run.kill()
            run.communicate()

            def goes_on():
                server.set("release", 1)
                until(lambda: not server.alive() or server.left > left, "callee returned")
                server.beat()

            kills.survived("killed inside the callee", goes_on)
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
        # One that another debugger holds is read all the same.
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", os.devnull, "-p", str(server.pid)])
        until(lambda: status(server.pid)["TracerPid"] == str(tracer.pid), "traced")
        run = debugcall("-p", server.pid, "--goroutines")
        expect(run.code == 0 and len(run.out.splitlines()) == len(rows), run)
        tracer.terminate()
        tracer.wait()
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


def lies(way, code, words):
    """A host that does not keep to the protocol is told of, and its program goes on."""
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(4096)
        with Program(f"{TARGETS}/gort_liar", file.name, way) as liar:
            def rounds():
                return struct.unpack("Q", os.pread(file.fileno(), 8, 0))[0]

            for _ in range(3):
                run = debugcall("--json", "--host", "gort", "--timeout", "100ms", "--wait", "200ms", "-p", liar.pid,
                                "add(1, 2)")
                error = first(run)["error"]
                expect(error["code"] == code and words in error["message"], error)
                before = rounds()
                until(lambda: rounds() > before or liar.process.poll() is not None, "next round")
                expect(liar.process.poll() is None, f"the target ended: {liar.process.poll()}")
                expect(status(liar.pid)["TracerPid"] == "0", "it is traced")


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


row("arguments and results", values)
row("the host is chosen by itself", chosen)
row("several expressions", several)
row("repeated", repeated)
row("panics, exits and crashes", outcomes)
row("the list of goroutines", listed)
row("descriptors that are damaged while the program runs", damaged)
for each in (("early", "refused", "it said restored (16) out of turn"), ("unknown", "refused", "nothing known (3)"),
             ("twice", "refused", "it said ready (0) out of turn"), ("misaligned", "refused", "frame is not aligned"),
             ("elsewhere", "deadline", "was not entered"), ("mute", "deadline", "was not entered")):
    row(f"a host that lies: {each[0]}", lies, *each)
row("two debuggers at once", two_debuggers)
row("every goroutine parked", idle)
row("more goroutines than Ps", crowded)
row("ends", ends)
row("a callee that forks", forks)
row("deadline", deadline)
for each in (2, 0):
    row(f"deadline of a parked callee, {each} spinners", parked, "park_forever()", each)
    row(f"deadline of a callee in a plain lock, {each} spinners", parked, "lock_forever()", each)
    row(f"deadline of a callee that parks often, {each} spinners", parked, "slow_parked(1)", each)
for each in ("1", "2", "3"):
    row(f"how a callee that was left ends: {each}", parked_ends, each)
row("a parked callee that tied itself", tied)
row("deadlines and returns at the same moment", quick_and_late)
row("on a goroutine", on_goroutine)
row("on a goroutine: usage", goroutine_usage)
row("masks, handlers, tracers", untraced)
for each in ("handle", "ignore", "signalfd", "sigwait"):
    row(f"the program's own SIGINT: {each}", interrupts, each)
    row(f"the program's own SIGINT, in a callee with no debugger: {each}", interrupted_in_callee, each)
row("SIGINT for the thread itself", interrupted_thread)
row("calls inside calls of debuggers that were killed", nested)
row("GORTDEBUG=asyncpreemptoff=1", without_preemption)
row("refusals", refused)
row("killed at every step", killed, "spoil(4)", "5")
row("killed at every step, idle", killed, "spoil(4)", "5", 0)
row("killed at every step, idle, a callee that parks", killed, "ask()", "42", 0)
row("killed at every step, a callee that parks", killed, "ask()", "42")
row("killed at every step, with a literal", killed, 'length("hello")', "5")
for each in (1, 0):
    row(f"killed at every step, a deadline of a parked callee, {each} spinners", abandoned, each)
for each in ("spinner", "passer"):
    row(f"killed at every step, on a {each}", goroutine_killed, each)
for each in ("", "handle", "ignore"):
    row(f"killed inside the callee, SIGINT: {each or 'default'}", in_callee, "slow", each)
    row(f"killed inside the callee, parked, SIGINT: {each or 'default'}", in_callee, "slow_parked", each)
main()
