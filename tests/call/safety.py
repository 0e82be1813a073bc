#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promises 2, 3, 5 and 9 on ordinary calls: exact restore after many calls, the others never stop, safe
# points in a process that only allocates, nothing uninvited runs.    timeout: 600 s
import os
import struct
import subprocess
import tempfile

from harness import CAMPAIGN, TARGETS, Program, Victim, debugcall, expect, main, row, status, until

CALLS = 1000


def value(pid, expr):
    run = debugcall("-p", pid, expr)
    expect(run.code == 0, run)
    return int(run.out)


def restored(mode, expr, last):
    """A thousand calls leave every register, the mask and the alternate stack as they were."""
    with Victim(mode) as victim:
        run = debugcall("--thread", victim.tid, "--repeat", CALLS, "-p", victim.pid, expr)
        expect(run.code == 0 and run.out.split()[0] == last, run)
        victim.beat()
        attaches = 50 if CAMPAIGN else 10
        for _ in range(attaches):
            run = debugcall("--thread", victim.tid, "-p", victim.pid, expr)
            expect(run.code == 0 and run.out.strip() == last, run)
            victim.beat()
        if victim.base_mode != "epoll_wait":
            expect(victim.eintr == 0, f"{victim.eintr} times EINTR")


def leaves_no_mapping():
    """After a call without literals the mappings are what they were."""
    with Victim("spin") as victim:
        def maps():
            with open(f"/proc/{victim.pid}/maps", encoding="utf-8") as file:
                return [line for line in file if "[stack]" not in line]
        before = maps()
        run = debugcall("--thread", victim.tid, "-p", victim.pid, "add(1,2)")
        expect(run.code == 0, run)
        expect(maps() == before, "the mappings changed")
        run = debugcall("--thread", victim.tid, "--drop-literals", "-p", victim.pid, 'strlen("abc")')
        expect(run.code == 0 and run.out == "3\n", run)
        expect(maps() == before, "the mappings changed with --drop-literals")
        run = debugcall("--thread", victim.tid, "-p", victim.pid, 'strlen("abc")')
        expect(run.code == 0 and run.out == "3\n", run)
        kept = [line for line in maps() if line not in before]
        expect(len(kept) == 1 and " rw-p " in kept[0], kept)
        expect("literal" in run.err, f"what stays is not said: {run}")
        victim.beat()


def allocating(expr, good):
    """Threads that only allocate: no hang, no damage, every call right or refused."""
    with Program(f"{TARGETS}/heap") as program:
        attaches = CALLS if CAMPAIGN else 60
        right = refused = 0
        for _ in range(attaches):
            run = debugcall("--wait", "10s", "-p", program.pid, expr, limit=60)
            expect(run.code in (0, 6), run)
            if run.code == 0:
                expect(good(run.out), run)
                right += 1
            else:
                refused += 1
        expect(right >= attaches * 9 // 10, f"{right} right, {refused} refused")
        run = debugcall("--wait", "10s", "--repeat", CALLS, "-p", program.pid, expr.split(" !=")[0], limit=60)
        expect(run.code == 0, run)
        before = value(program.pid, "rounds[0]"), value(program.pid, "rounds[1]")
        until(lambda: value(program.pid, "rounds[0]") > before[0] and
              value(program.pid, "rounds[1]") > before[1], "both threads allocate on")
        expect(value(program.pid, "damaged") == 0, "the heap is damaged")


def others_run():
    """The callee waits for all other threads to make progress: it returns only if none is stopped."""
    with Program(f"{TARGETS}/counters") as program:
        for _ in range(20):
            run = debugcall("--thread", program.pid, "-p", program.pid, "others_count()")
            expect(run.code == 0 and run.out == "2\n", run)


def all_stop():
    """--all-stop is the other way: nobody else runs, so the same callee meets its deadline."""
    with Program(f"{TARGETS}/counters") as program:
        run = debugcall("--all-stop", "--timeout", "300ms", "--thread", program.pid, "-p", program.pid,
                        "others_count()")
        expect(run.code == 5, run)
        before = value(program.pid, "counters[0].count")
        until(lambda: value(program.pid, "counters[0].count") > before, "the others run on")
        run = debugcall("--all-stop", "--thread", program.pid, "-p", program.pid, "counter_now() > 0")
        expect(run.code == 0 and run.out == "1\n", run)


def all_stop_of_an_executor():
    """The threads of a program that becomes another are stopped, but never kept from ending: it waits for
    them, and a tracer that seizes one more waits for it."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(16))
        file.flush()

        def begun():
            with open(file.name, "rb") as page:
                return struct.unpack("Q", page.read(8))[0]

        with Program(f"{TARGETS}/exec_storm", file.name) as program:
            until(lambda: begun() > 1, "it begins anew")
            for _ in range(100 * (20 if CAMPAIGN else 1)):
                # What becomes of the call depends on the moment; that it ends does not.
                debugcall("--all-stop", "-p", program.pid, "add(1, 2)", limit=20)
                expect(program.process.poll() is None, "the target died")
                before = begun()
                until(lambda: begun() > before + 1, "it goes on", 20)
            # It rests: from some moment on it stays what it is.
            with open(file.name, "r+b") as page:
                page.seek(8)
                page.write(struct.pack("Q", 1))
            until(lambda: debugcall("--all-stop", "-p", program.pid, "add(1, 2)").out == "3\n", "a call returns")


def waiting_in_stdio():
    """A program that waits in fgets can still be called; what needs stdio is refused, not risked."""
    with Program(f"{TARGETS}/fgets") as program:
        run = debugcall("-p", program.pid, "add(1,2)")
        expect(run.code == 0 and run.out == "3\n", run)
        run = debugcall("-p", program.pid, 'puts("x")')
        expect(run.code == 6, run)
        expect("stdio" in run.err, run)
        program.process.stdin.write("line\n")
        program.process.stdin.flush()
        expect(program.process.stdout.readline() == "got line\n", "fgets gave the wrong line")


def tight_stack(args, expr, wanted):
    """What lies below a thread's stack, or beside it, is not the room of a call (promise 2)."""
    with tempfile.TemporaryFile("w+") as said, \
         subprocess.Popen([f"{TARGETS}/tight_stacks", *args], stdout=said) as target:
        def lines():
            return os.pread(said.fileno(), 1 << 16, 0).decode().split()
        try:
            until(lambda: "ready" in lines(), "the target is ready")
            for tid in [line for line in lines() if line != "ready"] * 3:
                run = debugcall("--thread", tid, "-p", target.pid, expr)
                expect(run.code == 0 and run.out == wanted or run.code == 6 and "room" in run.err, run)
                # The target looks at its memory each time that it wakes.
                woken = int(status(target.pid)["voluntary_ctxt_switches"])
                until(lambda: int(status(target.pid)["voluntary_ctxt_switches"]) > woken + 3, "the target looks")
                expect(target.poll() is None, f"the target ended with {target.returncode}")
                expect("damaged" not in lines(), "memory beside the stack was changed")
        finally:
            target.kill()


def looking_is_free():
    """check, functions and expressions without calls stop nothing and run nothing (promise 11)."""
    with Victim("epoll_wait") as victim:  # a stop would show: this wait ends with EINTR at every stop
        run = debugcall("check", "-p", victim.pid)
        expect(run.code == 0, run)
        run = debugcall("functions", "-p", victim.pid, "^add$")
        expect(run.code == 0 and "int add(int" in run.out, run)
        run = debugcall("-p", victim.pid, "page->beats")
        expect(run.code == 0 and run.out.strip().isdigit(), run)
        victim.beat()
        expect(victim.eintr == 0, "a thread was stopped")


for m in ("spin", "read", "nanosleep", "poll", "select", "futex", "futex_timed", "accept", "recv", "waitpid",
          "epoll_wait", "spin+altstack", "spin+blocked", "spin+sigurg", "spin+mdwe", "spin+seccomp"):
    row(f"exact restore: {m}", restored, m, "spoil(4)", "5")
row("no mapping is left", leaves_no_mapping)
row("malloc-hot: strlen of a literal", allocating, 'strlen("abc")', lambda out: out == "3\n")
row("malloc-hot: malloc", allocating, "malloc(100) != 0", lambda out: out == "1\n")
row("the other threads run", others_run)
row("--all-stop", all_stop)
row("--all-stop of a program that becomes another", all_stop_of_an_executor)
row("a program that waits in fgets", waiting_in_stdio)
for left in (1500, 6000, 12000):
    row(f"a stack of the program's own, {left} bytes from its end", tight_stack, ["given", str(left)], "add(1,2)", "3\n")
row("stacks without guards", tight_stack, ["unguarded"], "deep(150)", "238\n")
row("a stack in the program's own memory", tight_stack, ["coroutine"], "add(1,2)", "3\n")
row("looking is free", looking_is_free)
main()
