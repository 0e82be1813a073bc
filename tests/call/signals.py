#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 10: no signal is lost, none is invented, whatever arrives during a call.    timeout: 300 s
import ctypes
import os
import re
import signal
import time

from harness import TARGETS, Program, Victim, debugcall, equal, expect, good, main, row, skip, start, status, until

libc = ctypes.CDLL(None, use_errno=True)


def queue(pid, signo, value):
    if libc.sigqueue(pid, signo, ctypes.c_void_p(value)):
        raise OSError(ctypes.get_errno(), "sigqueue")


def tgkill(pid, tid, signo):
    if libc.syscall(234, pid, tid, signo):
        raise OSError(ctypes.get_errno(), "tgkill")


def in_call(victim, *options):
    victim.set("release", 0)
    entered = victim.entered
    run = start("--thread", victim.tid, *options, "-p", victim.pid, "slow(5)")
    until(lambda: victim.entered > entered, "callee entered")
    return run


def end(victim, run):
    victim.set("release", 1)
    out, err = run.communicate(timeout=60)
    expect(run.returncode == 0 and out == "5\n", (run.returncode, out, err))


def alarm(expr):
    """A handler that is to end a read runs once the thread is home, and the read sees EINTR as without us."""
    with Victim("read") as victim:
        until(lambda: status(victim.pid, victim.tid)["State"].startswith("S"), "it waits")
        run = start("--thread", victim.tid, "-p", victim.pid, expr)
        until(lambda: victim.entered or run.poll() is not None, "callee entered")
        os.kill(victim.pid, signal.SIGALRM)
        expect(victim.signals == 0, "the handler ran in the callee")
        end(victim, run)
        until(lambda: victim.signals == 1 and victim.eintr == 1, "the read ended")
        victim.beat()
        equal((victim.signals, victim.eintr), (1, 1))


def blocks_all(expr):
    """Its handshake passes all the same, and the thread has its own mask again."""
    for mode in ("spin", "read"):
        with Victim(mode) as victim:
            for _ in range(3):
                equal(good("-q", "--thread", victim.tid, "-p", victim.pid, expr), "0\n")
                victim.beat()
            equal(victim.eintr, 0)


def process_signal(mode):
    with Victim(mode) as victim:
        run = in_call(victim)
        os.kill(victim.pid, signal.SIGUSR1)
        end(victim, run)
        until(lambda: victim.signals == 1, "the signal arrived")
        victim.beat()
        expect(victim.signals == 1, f"{victim.signals} signals")


def thread_signal(mode):
    with Victim(mode) as victim:
        run = in_call(victim)
        tgkill(victim.pid, victim.tid, signal.SIGUSR1)
        time.sleep(0)  # held by the kernel: nothing to wait for
        expect(victim.signals == 0, "the handler ran during the call")
        end(victim, run)
        until(lambda: victim.signals == 1, "the signal arrived")
        victim.beat()


def queued_values(mode):
    """Realtime signals keep order and value, each once."""
    with Victim(mode) as victim:
        run = in_call(victim)
        for value in range(1, 21):
            queue(victim.pid, signal.SIGRTMIN, value)
        end(victim, run)
        until(lambda: victim.signals == 20, "all signals arrived")
        expect(victim.value == 20, f"the last value is {victim.value}")
        victim.beat()


def passed():
    with Victim("spin") as victim:
        run = in_call(victim, "--signals=pass")
        os.kill(victim.pid, signal.SIGUSR1)
        until(lambda: victim.signals == 1, "the handler ran during the call")
        end(victim, run)
        victim.beat()


def raised_by_callee():
    with Victim("spin") as victim:
        run = debugcall("--thread", victim.tid, "-p", victim.pid, "raise_usr1()")
        expect(run.code == 0 and run.out == "0\n", run)
        until(lambda: victim.signals == 1, "the callee's own signal arrived after the call")
        victim.beat()


def storm(mode):
    """Every one of a stream of queued signals arrives while calls come and go."""
    with Victim(mode) as victim:
        sent = 0
        for _ in range(40):
            run = start("--thread", victim.tid, "-p", victim.pid, "add(1,2)")
            while run.poll() is None:
                if sent - victim.signals < 200:
                    queue(victim.pid, signal.SIGRTMIN, sent)
                    sent += 1
            out, err = run.communicate()
            # A thread that is always in its handler may not be borrowed; then it is a refusal.
            expect(run.returncode in (0, 6), (run.returncode, out, err))
        until(lambda: victim.signals == sent, f"all {sent} signals arrived")
        victim.beat()
        expect(victim.signals == sent, f"{victim.signals} of {sent}")


def stop_during_call(mode):
    """SIGSTOP is obeyed at once; the deadline runs on and leaves the process stopped, restored."""
    with Victim(mode) as victim:
        victim.set("release", 0)
        run = start("--thread", victim.tid, "--timeout", "2s", "-p", victim.pid, "slow(5)")
        until(lambda: victim.entered, "callee entered")
        os.kill(victim.pid, signal.SIGSTOP)
        until(lambda: run.poll() is not None, "debugcall ended")
        out, err = run.communicate()
        expect(run.returncode == 5, (run.returncode, out, err))
        until(lambda: status(victim.pid, victim.tid)["State"].startswith("T"), "stopped")
        os.kill(victim.pid, signal.SIGCONT)
        victim.beat()


def group_stop_kept(mode):
    with Victim(mode) as victim:
        os.kill(victim.pid, signal.SIGSTOP)
        until(lambda: status(victim.pid, victim.tid)["State"].startswith("T"), "stopped")
        for _ in range(10):
            run = debugcall("--thread", victim.tid, "-p", victim.pid, "add(1,2)")
            expect(run.code == 0 and run.out == "3\n", run)
            until(lambda: status(victim.pid, victim.tid)["State"].startswith("T"), "still stopped")
        os.kill(victim.pid, signal.SIGCONT)
        victim.beat()


def fatal_during_call():
    """A SIGKILL of the target in mid-call is an end, reported as such."""
    with Victim("spin") as victim:
        run = in_call(victim)
        victim.process.kill()
        out, err = run.communicate(timeout=60)
        expect(run.returncode == 4, (run.returncode, out, err))


def reader(libc):
    if not os.path.exists(f"{TARGETS}/cancelled{libc}"):
        skip("no musl-gcc")
    return Program(f"{TARGETS}/cancelled{libc}")


def number(program, name):
    return int(re.sub(r".*= ", "", good("-q", "-p", program.pid, name)))


def in_reader(program, *options):
    tid = int(program.process.stdout.readline())
    run = start("--thread", tid, *options, "-p", program.pid, "slow(5)")
    until(lambda: number(program, "entered") == 1, "callee entered")
    return tid, run


def order(program, letter):
    program.process.stdin.write(letter)
    program.process.stdin.flush()


def returns(program, run):
    equal(good("-q", "-p", program.pid, "released = 1"), "1\n")
    out, err = run.communicate(timeout=60)
    expect(run.returncode == 0 and out == "5\n", (run.returncode, out, err))


def cancelled(libc, *options):
    """pthread_cancel of the borrowed thread waits for it to be home, and arrives there."""
    with reader(libc) as program:
        tid, run = in_reader(program, *options)
        order(program, "c")
        until(lambda: int(status(program.pid, tid)["SigPnd"], 16), "it is cancelled")
        returns(program, run)
        equal(program.process.stdout.readline(), "cancelled\n")


def ids(libc, *options):
    """Another thread's setgid() does not wait for the call to end."""
    with reader(libc) as program:
        _, run = in_reader(program, *options)
        order(program, "i")
        equal(program.process.stdout.readline(), "changed\n")
        returns(program, run)


def handler_of_callee():
    """A handler that the callee itself installs takes its signal: that is no crash."""
    with reader("") as program:
        equal(good("-q", "-p", program.pid, "raise_handled()"), "1\n")


for m in ("spin", "read"):
    row(f"to the process: {m}", process_signal, m)
    row(f"to the thread: {m}", thread_signal, m)
    row(f"queued with values: {m}", queued_values, m)
    row(f"a storm: {m}", storm, m)
    row(f"SIGSTOP during a call: {m}", stop_during_call, m)
    row(f"stopped before, stopped after: {m}", group_stop_kept, m)
for c in ("", "-musl"):
    for o in ("hold", "pass"):
        row(f"cancelled{c}, --signals={o}", cancelled, c, f"--signals={o}")
        row(f"ids of all threads{c}, --signals={o}", ids, c, f"--signals={o}")
row("a handler of the callee", handler_of_callee)
for e in ("slow(5)", 'length("") + slow(5)'):
    row(f"an alarm during a read: {e}", alarm, e)
for e in ("block_all()", 'length("") + block_all()'):
    row(f"a callee that blocks every signal: {e}", blocks_all, e)
row("--signals=pass", passed)
row("raised by the callee", raised_by_callee)
row("SIGKILL of the target", fatal_during_call)
main()
