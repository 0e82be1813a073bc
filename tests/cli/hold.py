#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# How the program lets go: interrupts, full pipes, job control, --all-stop, notes.
import os
import signal
import subprocess

from harness import DEBUGCALL, Target, contains, debugcall, ends, equal, main, start, test, until


def held(target):
    until(lambda: any(target.tracer(tid) for tid in target.threads()), "a thread is borrowed")


def interrupt_with(signo):
    with Target() as target:
        debugger = start("-p", target.pid, "--timeout", "0", "--finally", "note()", "spin()")
        held(target)
        before = target.call
        debugger.send_signal(signo)
        out, err = debugger.communicate(timeout=60)
        equal(debugger.returncode, 130, err)
        contains(err, "cancelled")
        equal(out, "1\n", "--finally")
        equal(target.tracer(), 0)
        equal(before("notes"), ["1"])
        target.answers()


@test
def interrupts():
    """an interrupt undoes the call: status 130, --finally runs, the target goes on"""
    for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        interrupt_with(signo)


@test
def interrupts_at_any_time():
    """an interrupt at any time leaves the target as it was"""
    with Target() as target:
        for _ in range(40):
            debugger = start("-p", target.pid, "add(1, 2)")
            debugger.send_signal(signal.SIGINT)
            out, err = debugger.communicate(timeout=60)
            # Before the program's handler stands, the signal's own action is taken.
            if debugger.returncode not in (0, 130, -signal.SIGINT):
                raise AssertionError(f"status {debugger.returncode}: {err}")
            equal(target.tracer(), 0)
        target.answers()


@test
def full_pipe():
    """nobody reads the output: the thread is not held meanwhile"""
    with Target() as target:
        read, write = os.pipe()
        os.set_blocking(write, False)
        try:
            while True:
                os.write(write, b"x" * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(write, True)
        debugger = subprocess.Popen([DEBUGCALL, "-p", str(target.pid), "add(1, 2)", "note()"],
                                    stdout=write, stderr=write)
        os.close(write)
        until(lambda: target.call("notes") == ["1"], "the call was made")
        until(lambda: target.tracer() == 0, "the thread was given back")
        target.answers()
        equal(debugger.poll(), None, "the debugger still waits for its reader")
        while os.read(read, 65536):
            pass
        equal(debugger.wait(60), 0)
        os.close(read)


@test
def closed_output():
    """a reader that is gone does not stop the list"""
    with Target() as target:
        read, write = os.pipe()
        os.close(read)
        debugger = subprocess.Popen([DEBUGCALL, "-p", str(target.pid), "note()", "note()"], stdout=write,
                                    stderr=subprocess.PIPE)
        os.close(write)
        debugger.communicate(timeout=60)
        equal(target.call("notes"), ["2"])
        target.answers()


@test
def stop_key():
    """Ctrl-Z does not suspend the debugger while it holds a thread"""
    with Target() as target:
        debugger = start("-p", target.pid, "--timeout", "200ms", "spin()")
        held(target)
        debugger.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(debugger.pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            equal(target.tracer(), 0, "stopped, with the thread held by")
            os.kill(debugger.pid, signal.SIGCONT)
            _, status = os.waitpid(debugger.pid, 0)
        debugger.returncode = os.waitstatus_to_exitcode(status)
        equal(debugger.returncode, 5)
        target.answers()


@test
def all_stop():
    """--all-stop holds every thread, and only from attach to detach"""
    with Target("threads") as target:
        target.waits()
        counter = target.threads()[1]
        debugger = start("--all-stop", "-p", target.pid, "--timeout", "0", "nap(1000)")
        until(lambda: target.state(counter) == "t", "the other thread is stopped")
        debugger.send_signal(signal.SIGINT)
        debugger.communicate(timeout=60)
        equal(debugger.returncode, 130)
        until(lambda: target.state(counter) == "R", "the other thread runs")
        target.answers()


@test
def one_thread():
    """without --all-stop the other threads run during a call (promise 3)"""
    with Target("threads") as target:
        target.waits()
        debugger = start("-p", target.pid, "--thread", target.pid, "--timeout", "0",
                         "nap(1000)")
        held(target)
        before = int(target.call("--no-call", "ticks")[0])
        until(lambda: int(target.call("--no-call", "ticks")[0]) > before, "the other thread counts")
        debugger.send_signal(signal.SIGINT)
        debugger.communicate(timeout=60)
        target.answers()


@test
def notes():
    """the thread that was chosen for the user is named; -q and --thread leave that out"""
    with Target() as target:
        contains(debugcall("-p", target.pid, "add(1, 2)").err, f"thread {target.pid}")
        equal(debugcall("-q", "-p", target.pid, "add(1, 2)").err, "")
        equal(debugcall("-p", target.pid, "--thread", target.pid, "add(1, 2)").err, "")
        ends(3, "-p", target.pid, "--thread", "1", "add(1, 2)")


@test
def stopped_stays_stopped():
    """a process stopped by job control is called and stays stopped"""
    with Target() as target:
        target.waits()
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: target.state() == "T", "the target is stopped")
        equal(target.call("add(1, 2)"), ["3"])
        until(lambda: target.state() == "T", "the target is stopped again")
        os.kill(target.pid, signal.SIGCONT)
        target.answers()


main()
