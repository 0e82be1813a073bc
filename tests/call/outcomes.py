#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promises 6, 7 and 12: what becomes of a callee that crashes, ends its thread or process, leaves, or
# never ends; each is reported for what it is and the target is as promised.    timeout: 300 s
import json
import os
import signal

from harness import Victim, debugcall, expect, main, row, start, status, until

MODES = ("spin", "read")


def call(victim, expr, *options):
    return debugcall("--thread", victim.tid, *options, "-p", victim.pid, expr)


def crash(mode, expr, name, function):
    with Victim(mode) as victim:
        run = call(victim, expr)
        victim.beat()
        expect(run.code == 1 and not run.out, run)
        first, *rest = run.err.splitlines()
        expect(name in first, run)
        expect(any(function in line and line.startswith(" ") for line in rest), run)
        expect("restored" in rest[-1], run)
        again = call(victim, "add(1,2)")
        expect(again.code == 0 and again.out == "3\n", again)
        victim.beat()


def crash_address():
    with Victim("spin") as victim:
        run = call(victim, "crash_segv(1)", "--json")
        victim.beat()
        answer = json.loads(run.out.splitlines()[0])
        expect(answer["ok"] is False and answer["error"]["code"] == "crashed", run)
        expect("0x10" in answer["error"]["message"], run)
        expect(answer["error"]["frames"][0]["function"] == "crash_segv", run)


def crash_frames():
    with Victim("spin") as victim:
        run = call(victim, "crash_segv_deep(5)", "--json")
        frames = json.loads(run.out.splitlines()[0])["error"]["frames"]
        names = [frame.get("function") for frame in frames]
        expect(names[:7] == ["crash_segv"] + ["crash_segv_deep"] * 6, names)
        victim.beat()


def end_of_thread():
    with Victim("spin") as victim:
        # The main thread may end while others go on; the process then lives as a zombie leader.
        run = call(victim, "end_thread()")
        expect(run.code == 1, run)
        expect("thread" in run.err.splitlines()[0], run)
        expect(victim.alive(), "the process ended")


def end_of_process():
    with Victim("spin") as victim:
        run = call(victim, "end_process(9)")
        expect(run.code == 4, run)
        expect("9" in run.err and "ended" in run.err.splitlines()[-1], run)
        expect(victim.process.wait(20) == 9, "exit status")


def other_program():
    with Victim("spin") as victim:
        run = call(victim, "become_true()")
        expect(run.code == 4, run)
        expect("another program" in run.err, run)
        expect(os.readlink(f"/proc/{victim.pid}/exe").endswith("sleep"), "not sleep")
        expect(status(victim.pid)["TracerPid"] == "0", "still traced")
        expect(status(victim.pid)["State"][0] in "SR", status(victim.pid)["State"])


def child(mode):
    with Victim(mode) as victim:
        run = call(victim, "count_child()")
        expect(run.code == 0 and int(run.out) > 0, run)
        pid = int(run.out)
        victim.beat()

        def gone():
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    return file.read().rpartition(")")[2].split()[0] in "ZX"
            except OSError:
                return True

        until(gone, "the child ended on its way home")
        victim.beat()
        for expr, wanted in (("reap()", "0"), ("reaped", "1"), ("reaped_badly", "0")):
            run = call(victim, expr)
            expect(run.code == 0 and run.out.strip() == wanted, f"{expr}: {run}")
        victim.beat()


def left(mode):
    with Victim(mode) as victim:
        entered = victim.entered
        run = call(victim, "leave()")
        expect(run.code == 1 and "left" in run.err, run)
        until(lambda: victim.entered > entered, "the program went on where longjmp put it")
        victim.beat()
        victim.beat()


def deadline(mode, expr, where):
    with Victim(mode) as victim:
        run = call(victim, expr, "--timeout", "300ms")
        expect(run.code == 5 and not run.out, run)
        expect(where in run.err, run)
        expect("lock" in run.err, f"no warning that locks stay taken: {run}")
        victim.beat()
        # A timed wait cannot go on after a callee that began one of its own: it ends with EINTR.
        if not (victim.base_mode in ("nanosleep", "futex_timed") and expr.startswith("sleep")):
            expect(victim.eintr == 0, f"EINTR {victim.eintr}")
        if expr != "lock_twice()":
            again = call(victim, "add(1,2)")
            expect(again.code == 0 and again.out == "3\n", again)


def interrupted(mode, expr):
    with Victim(mode) as victim:
        victim.set("release", 0)
        run = start("--thread", victim.tid, "-p", victim.pid, expr)
        until(lambda: victim.entered, "callee entered")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        expect(run.returncode == 130, (run.returncode, out, err))
        victim.beat()


def no_deadline():
    with Victim("spin") as victim:
        run = start("--thread", victim.tid, "--timeout", "0", "-p", victim.pid, "slow(7)")
        until(lambda: victim.entered, "callee entered")
        victim.set("release", 1)
        out, err = run.communicate(timeout=60)
        expect(run.returncode == 0 and out == "7\n", (out, err))
        victim.beat()


def list_stops():
    """The first failure stops the list; --finally still runs."""
    with Victim("spin") as victim:
        run = debugcall("--thread", victim.tid, "--finally", "add(4,5)", "-p", victim.pid, "add(1,2)",
                        "crash_segv(1)", "add(2,3)")
        expect(run.code == 1 and run.out == "3\n9\n", run)
        victim.beat()


def listening_parent():
    """The victim's own parent sees no stop and no end of it while calls come and go."""
    with Victim("read") as victim:
        for _ in range(20):
            call(victim, "add(1,2)")
        expect(os.waitpid(victim.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED) == (0, 0),
               "the parent was told of a stop")
        victim.beat()


for m in MODES:
    for e, n, f in (("crash_segv(1)", "SIGSEGV", "crash_segv"), ("crash_fpe(1)", "SIGFPE", "crash_fpe"),
                    ("crash_ill()", "SIGILL", "crash_ill"), ("crash_abort()", "SIGABRT", "crash_abort"),
                    ("crash_trap()", "SIGTRAP", "crash_trap"),
                    ("crash_overflow(1)", "SIGSEGV", "crash_overflow")):
        row(f"crash in the callee: {e} in {m}", crash, m, e, n, f)
row("a crash names the address", crash_address)
row("a crash shows the callee's frames", crash_frames)
row("the callee ends its thread", end_of_thread)
row("the callee ends the process", end_of_process)
row("the callee becomes another program", other_program)
# In a chain of frames, and on a landing pad.
for m in (*MODES, "nanosleep"):
    row(f"the callee forks: {m}", child, m)
row("the callee is left by longjmp: spin", left, "spin")
row("the callee is left by longjmp: read", left, "read")
for m in ("spin", "read", "nanosleep", "futex_timed"):
    row(f"deadline: a loop in {m}", deadline, m, "loop_forever()", "loop_forever")
    row(f"deadline: a read that never returns in {m}", deadline, m, "read_forever()", "read")
    row(f"deadline: a long sleep in {m}", deadline, m, "sleep_long(30)", "sleep")
row("deadline: a lock that the callee itself holds", deadline, "spin", "lock_twice()", "lock")
row("interrupt: a callee that computes", interrupted, "spin", "slow(1)")
row("interrupt: a callee that sleeps", interrupted, "read", "slow_sleeping(1)")
row("no deadline", no_deadline)
row("a list of expressions", list_stops)
row("the parent sees nothing", listening_parent)
main()
