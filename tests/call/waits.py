#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promise 2: waits that the kernel never restarts go on after a call as if it had not been, unless they have
# a time limit; and a signal of the program still ends them.
# timeout: 300 s
import ctypes
import os
import signal
import threading

from harness import CAMPAIGN, Victim, debugcall, equal, expect, good, main, row, skip, start, status, test, until

WAITS = ("epoll_wait", "epoll_pwait2", "sigtimedwait", "semop", "semtimedop", "io_getevents", "io_uring")


def asleep(target):
    until(lambda: status(target.pid, target.tid)["State"].startswith("S"), "it waits")


def there(mode):
    """Not every kernel has io_uring."""
    if mode == "io_uring" and ctypes.CDLL(None).syscall(425, 1, ctypes.create_string_buffer(120)) < 0:
        skip("no io_uring here")


def unseen(mode, calls, expression, value):
    """No EINTR; the victim compares all its registers each time."""
    there(mode)
    with Victim(mode) as target:
        for _ in range(calls):
            asleep(target)
            equal(good("-q", "--thread", target.tid, "-p", target.pid, expression), value + "\n")
        target.beat()
        equal(target.eintr, 0, "rounds that saw EINTR")


def unseen_company(mode):
    """It is not the borrowed one, but stopped with it."""
    there(mode)
    with Victim(mode) as target:
        other = max(map(int, os.listdir(f"/proc/{target.pid}/task")))
        for _ in range(10):
            asleep(target)
            equal(good("-q", "--all-stop", "--thread", other, "-p", target.pid, "add(1, 2)"), "3\n")
        target.beat()
        equal(target.eintr, 0, "rounds that saw EINTR")


def handled(mode):
    """A handler of the program that runs after the call ends the wait as it always does."""
    with Victim(mode) as target:
        asleep(target)
        entered = target.entered
        run = start("--thread", target.tid, "-p", target.pid, "slow(5)")
        until(lambda: target.entered > entered, "callee entered")
        os.kill(target.pid, signal.SIGUSR1)
        target.set("release", 1)
        out, err = run.communicate(timeout=60)
        expect(run.returncode == 0 and out == "5\n", (run.returncode, out, err))
        until(lambda: target.signals == 1 and target.eintr == 1, "the wait ended")
        target.beat()
        equal(target.eintr, 1, "rounds that saw EINTR")


def returns(mode, expression, value):
    """A wait with a time limit is left to end by itself: the thread is met behind it, and sees no EINTR."""
    with Victim(mode) as target:
        for _ in range(5):
            asleep(target)
            run = start("-q", "--wait", "60s", "--thread", target.tid, "-p", target.pid, expression)

            def ended():
                target.poke()
                return run.poll() is not None
            until(ended, "a call at its return")
            out, err = run.communicate()
            expect(run.returncode == 0 and out == value + "\n", (run.returncode, out, err))
        target.beat()
        equal(target.eintr, 0, "rounds that saw EINTR")


def killed(mode):
    """The debugger dies while it waits, or is told to stop: nothing is seen of either."""
    with Victim(mode) as target:
        for how in (signal.SIGKILL, signal.SIGINT) * 5:
            asleep(target)
            run = start("-q", "--wait", "60s", "--thread", target.tid, "-p", target.pid, "add(1, 2)")
            until(lambda: int(status(target.pid, target.tid)["TracerPid"]), "it is awaited")
            run.send_signal(how)
            _, err = run.communicate(timeout=60)
            equal(run.returncode, 130 if how == signal.SIGINT else -how, err)
            target.beat()
        equal(target.eintr, 0, "rounds that saw EINTR")


def just_begun(mode, expression, value):
    """A thread that was awake when it was looked at has begun to wait by the time it is stopped."""
    with Victim(mode) as target:
        over = threading.Event()

        def storm():
            while not over.is_set():
                target.poke()
        poking = threading.Thread(target=storm)
        poking.start()
        try:
            for _ in range(300 if CAMPAIGN else 60):
                equal(good("-q", "--wait", "60s", "--thread", target.tid, "-p", target.pid, expression), value + "\n")
        finally:
            over.set()
            poking.join()
        target.beat()
        equal(target.eintr, 0, "rounds that saw EINTR")


def out_of_time(mode):
    """Where it does not end within --wait, it is stopped all the same, and sees EINTR."""
    with Victim(mode) as target:
        asleep(target)
        equal(good("-q", "--wait", "50ms", "--thread", target.tid, "-p", target.pid, "add(1, 2)"), "3\n")
        until(lambda: target.eintr == 1, "the wait ended")
        target.beat()


@test
def timed():
    """a wait with a time limit sees EINTR, and check says so beforehand"""
    for mode, call, wanted in (("epoll_timed", "epoll_wait", True), ("epoll_wait", "epoll_wait", False),
                               ("recv_timed", "recvfrom", True), ("recv", "recvfrom", False)):
        with Victim(mode) as target:
            asleep(target)
            run = debugcall("check", "-p", target.pid)
            lines = [line for line in run.out.splitlines() if call in line]
            equal(len(lines), 1, run)
            equal("sees EINTR" in lines[0], wanted, lines[0])


for m in WAITS:
    row(f"unseen: {m}", unseen, m, 50, "add(1, 2)", "3")
    # A literal needs the landing pad.
    row(f"unseen, with a pad: {m}", unseen, m, 10, 'strlen("abcd")', "4")
    row(f"unseen, all stopped: {m}", unseen_company, m)
for m in ("epoll_timed", "recv_timed"):
    row(f"met where it returns: {m}", returns, m, "add(1, 2)", "3")
    row(f"met where it returns, with a pad: {m}", returns, m, 'strlen("abcd")', "4")
    row(f"just begun: {m}", just_begun, m, "add(1, 2)", "3")
    row(f"just begun, with a pad: {m}", just_begun, m, 'strlen("abcd")', "4")
    row(f"given up while it is awaited: {m}", killed, m)
    row(f"stopped in the end: {m}", out_of_time, m)
for m in ("epoll_wait", "semop"):
    row(f"a handler's: {m}", handled, m)
main()
