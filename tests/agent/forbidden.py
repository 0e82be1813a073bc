#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Where nobody may trace a process, its agent is called all the same, and its memory is read and written
# by it. (That Yama is of that kind is seen on Debian's kernel: tests/kernel/rows/agent.py.)
import json

from harness import B, TARGETS, Program, Target, contains, debugcall, equal, main, test

AGENT = {"LD_PRELOAD": f"{B}/libdebugcall-agent.so"}
DENIED = {"LD_PRELOAD": f"{B}/tests/agent/denier.so"}


def denied(target, *args):
    return debugcall("--json", "-p", target.pid, *args, env=DENIED)


def value(target, expression):
    run = denied(target, expression)
    equal(run.code, 0, run)
    answer = json.loads(run.out.splitlines()[0])
    return answer["value"], answer["host"]


@test
def without():
    """without an agent it is refused"""
    with Target() as target:
        run = debugcall("-p", target.pid, "add(1, 2)", env=DENIED)
        equal(run.code, 3, run)
        contains(run.err, "cannot attach")


@test
def calls():
    """calls, and what they crash with"""
    with Target(env=AGENT) as target:
        equal(value(target, "add(1, 2)"), ("3", "agent"))
        contains(value(target, 'set_word("seen")')[0], "seen")
        run = debugcall("-p", target.pid, "crash()", env=DENIED)
        equal(run.code, 1, run)
        contains(run.err, " in fault ")
        run = debugcall("-p", target.pid, "--timeout", "200ms", "spin()", env=DENIED)
        equal(run.code, 5, run)
        contains(run.err, " in spin ")
        contains(run.err.splitlines()[-1], "restored")


@test
def memory():
    """memory is read and written; what is not there says so"""
    with Target(env=AGENT) as target:
        equal(value(target, "pairs[1].a"), ("3", "none"))
        equal(value(target, "pairs"), ("{{a = 1, b = 2.5}, {a = 3, b = 4.5}}", "none"))
        contains(value(target, "word")[0], "before")
        equal(value(target, "notes = 41"), ("41", "none"))
        equal(value(target, "notes"), ("41", "none"))
        run = denied(target, "*parts.nowhere")
        equal(run.code, 1, run)
        contains(run.out, "cannot access memory at address 0x10")
        target.answers()


@test
def thread():
    """what needs a thread of the program is refused with the reason"""
    with Target(env=AGENT) as target:
        run = debugcall("-p", target.pid, "--thread", target.pid, "add(1, 2)", env=DENIED)
        equal(run.code, 3, run)
        contains(run.err, "cannot attach")


@test
def check():
    """check says which way is open"""
    with Target(env=AGENT) as target:
        run = debugcall("check", "-p", target.pid, env=DENIED)
        contains(run.out, "hosts: agent")
        contains(run.out + run.err, "its agent takes calls all the same")


@test
def another_program():
    """a program that becomes another in a callee"""
    with Program(f"{TARGETS}/agent_callees", env=AGENT) as target:
        run = debugcall("-p", target.pid, "become_true()", env=DENIED)
        equal(run.code, 4, run)


main()
