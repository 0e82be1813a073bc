#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Locals, parameters and registers of the chosen frame.
import re

from harness import Target, contains, ends, equal, good, main, test


@test
def innermost():
    """without --frame: the innermost frame that has names"""
    with Target() as target:
        target.waits()
        equal(target.call("depth", "local", "both", "sizeof(c)"), ["1", "100", "{a = 1, b = 1.5}", "1"])
        target.answers()


@test
def by_function():
    """--frame FUNC is the innermost frame of that function"""
    with Target() as target:
        target.waits()
        equal(target.call("--frame", "wait_here", "depth"), ["1"])
        equal(target.call("--frame", "main", "argc"), ["1"])
        done = ends(1, "-p", target.pid, "--frame", "add", "a")
        contains(done.err, "no frame of add")


@test
def by_number():
    """--frame N is the N-th, 0 the innermost"""
    with Target() as target:
        target.waits()
        # read() of libc is frame 0, the three of wait_here() follow.
        equal(target.call("--frame", "1", "depth"), ["1"])
        equal(target.call("--frame", "2", "depth"), ["2"])
        equal(target.call("--frame", "3", "depth", "local", "add(depth, local)"), ["3", "300", "303"])
        contains(ends(1, "-p", target.pid, "--frame", "200", "depth").err, "no frame 200")


@test
def locals_and_calls():
    """a local may be an argument, and may be assigned"""
    with Target() as target:
        target.waits()
        equal(target.call("add(depth, 1)", "both.a = 42", "both.a"), ["2", "42", "42"])
        target.answers()


@test
def running():
    """locals of a thread that runs"""
    with Target("threads") as target:
        target.waits()
        counter = target.threads()[1]
        contains(good("-q", "-p", target.pid, "--thread", counter, "--frame", "count", "arg"), "0x0")


@test
def registers():
    """registers by gdb's names"""
    with Target() as target:
        target.waits()
        rip, rsp, orig, low, flags = target.call("$rip", "$rsp", "$orig_rax", "$eax == (int) $rax",
                                                 "$eflags & 2")
        contains(rip, "(void (*)()) 0x")
        if not re.match(r"\(void \*\) 0x7f", rsp):
            raise AssertionError(rsp)
        equal((orig, low, flags), ("0", "1", "2"))
        equal(target.call("$mxcsr", "sizeof($xmm0)"), ["8064", "16"])
        target.answers()


@test
def thread_local():
    """a thread-local variable is the borrowed thread's"""
    with Target() as target:
        target.waits()
        equal(target.call("mine"), ["5"])


main()
