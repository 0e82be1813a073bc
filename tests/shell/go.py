#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Go's frames in the shell and at places: breakpoints with conditions, arguments and locals of every frame, whole stacks,
# and a program whose collector works on when the debugger is killed.    timeout: 300 s
import re

from harness import debugcall, equal, expect, kills, main, row, says, shell, skip
from harness.go import SOURCES, GoProgram, toolchains


def line_of(text):
    with open(f"{SOURCES}/go_calls.go", encoding="utf-8") as file:
        return next(i for i, line in enumerate(file, 1) if text in line)


def stops():
    """a function is stopped where its arguments are all there; frames above have theirs, and their locals"""
    with GoProgram("busy") as target:
        out = says(target.pid, "break main.Add if b == 199\ncontinue\nbt\ninfo args\nprint a - b\nup\ninfo locals\nup\n"
                               "info locals\nprint sums\ngoroutines\n")
        expect(re.search(r"at breakpoint 1, in main\.Add at \S+/go_calls\.go:\d+\n>\d+ +func Add", out), out)
        expect(re.search(r"#0 +0x\w+ in main\.Add at .*\n *#1 +0x\w+ in main\.sum at .*\n *#2 +0x\w+ in main\.verify at .*\n"
                         r" *#3 +0x\w+ in runtime\.goexit", out), out)
        expect("incomplete" not in out and "~r" not in out, out)
        expect("\na = 19701\nb = 199\n$1 = 19502\n" in out, out)
        expect(re.search(r"^i = 199$", out, re.M) and re.search(r"^sums = 19900$", out, re.M) and "\n$2 = 19900\n" in out, out)
        expect(re.search(r"^\d+ +running +- +.* \[thread \d+\]$", out, re.M), out)
        target.beat()


def calls():
    """Go functions are not called while threads are followed, whether the pad is there or not"""
    with GoProgram("busy") as target:
        for _ in range(2):
            for text in ("break main.Add\ncontinue\nprint main.Add(1, 2)\n", "break main.End\nprint main.Add(1, 2)\n"):
                run = shell(target.pid, text)
                expect(run.code and "Go functions are not called " in run.err, run)
                target.beat()
            run = debugcall("--wait", "1s", "-p", target.pid, "--at", "main.Add", "main.Add(1, 2)")
            expect(run.code == 6 and ("Go functions are not called " in run.err or "is being traced" in run.err), run)
            target.beat()
            equal(target.calls("main.Add(1, 2)"), "3")


def places():
    """a line's locals, and none whose address a call could keep"""
    with GoProgram("busy") as target:
        place = f"go_calls.go:{line_of('if sum(200) != sums')}"
        run = debugcall("-p", target.pid, "--at", place, "sums", "sums == 19900", "*&sums")
        equal((run.code, run.out), (0, "19900\ntrue\n19900\n"), run)
        for call in ("main.wait(1, &sums)", "main.wait(1, (*int)(unsafe.Pointer(&sums)))"):
            run = debugcall("-p", target.pid, "--at", place, call)
            expect(run.code == 6 and "leads to a local on a goroutine's stack" in run.err, run)
        target.beat()


def whole_stacks():
    """every thread's stack is told to its end"""
    with GoProgram("heap") as target:
        run = debugcall("stacks", "-p", target.pid)
        expect(run.code == 0 and re.search(r"#\d+ +runtime\.mstart", run.out), run)
        target.beat()


def killed():
    """Go's own signals are not lost with the debugger: the collector stops the world as before"""
    with GoProgram("busy") as target:
        run = kills.sweep(("-p", target.pid, "--at", "main.Add", "--count", "3", "b >= 0"), target.beat, few=12, rounds=4)
        expect(run.code == 0, run)
        target.beat()


if toolchains():
    for each in (stops, calls, places, whole_stacks, killed):
        row(each.__doc__ if each is not killed else "killed at every step of a breakpoint", each)
else:
    row("Go's frames", skip, "there is no Go toolchain (package golang)")
main()
