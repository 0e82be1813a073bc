#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The shell and the processes that its target makes: with whom it goes on, and that nobody minds.
#     timeout: 300 s
import re

from harness import TARGETS, Program, contains, equal, expect, launched, main, shell, status, test, until

FORKS = f"{TARGETS}/forks"


class Forks(Program):
    def __init__(self, *words):
        super().__init__(FORKS, *words)

    def asks(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def answers(self):
        return self.process.stdout.readline()

    def makes(self, word):
        """A process is made, and ends as it should."""
        self.asks(word)
        equal(self.answers(), f"{word} 7\n")

    def is_free(self):
        until(lambda: status(self.pid)["TracerPid"] == "0", "nobody follows it")


def followed(out):
    """The child that is followed, as the note says: from its first instruction on."""
    expect("has run on" not in out, out)
    return int(re.search(r"has made process (\d+), which is followed", out)[1])


@test
def parent():
    """the usual is the parent: its child comes by the breakpoint, which stops and harms it in no way"""
    run = launched([FORKS, "fork"], "break born\nbreak ends\nrun\nbt 2\ncontinue\n")
    equal(run.code, 0, run)
    contains(run.out, "at breakpoint 2, in ends")
    contains(run.out, "fork 7\n")
    expect("at breakpoint 1" not in run.out, run)
    contains(run.out, "exited with status 7")


@test
def child():
    """with follow-fork-mode child the child is the target from its birth on, with all breakpoints"""
    run = launched([FORKS, "fork"], "set follow-fork-mode child\nbreak work\nbreak born if n == 41\ntbreak ends\nrun\nbt\np n\nfinish\n"
                                    "info breakpoints\ncontinue\n")
    equal(run.code, 0, run)
    pid = followed(run.err)
    contains(run.out, f"thread {pid} at breakpoint 2, in born")
    contains(run.out, "in by_fork")
    contains(run.out, "$1 = 41\n")
    contains(run.out, f"thread {pid} at breakpoint 1, in work")
    contains(run.out, f"process {pid} exited with status 7")
    # The parent is free, and found its child as it should have been.
    contains(run.out, "fork 7\n")


@test
def birth():
    """a step that comes to a fork ends in the child, before its first instruction"""
    with open("tests/targets/forks.c", encoding="utf-8") as file:
        line = next(number for number, line in enumerate(file, 1) if "pid = fork();" in line)
    run = launched([FORKS, "fork"], f"set follow-fork-mode child\ntbreak forks.c:{line}\nbreak born\nrun\nnext\np $rax\nbt 2\ncontinue\nbt 2\n")
    equal(run.code, 0, run)
    pid = followed(run.err)
    contains(run.out, "in _Fork")
    contains(run.out, "$1 = 0\n")
    contains(run.out, f"thread {pid} at breakpoint 2, in born")


@test
def left_behind():
    """what the parent comes to meanwhile is none of the child's stops"""
    run = launched([FORKS, "fork"], "set follow-fork-mode child\nbreak ends\nbreak born\nrun\ncontinue\n")
    equal(run.code, 0, run)
    pid = followed(run.err)
    contains(run.out, f"thread {pid} at breakpoint 2, in born")
    expect("at breakpoint 1" not in run.out, run)
    contains(run.out, f"process {pid} exited with status 7")


@test
def attached():
    """the child of an attached process is followed, and the parent is let go of unharmed"""
    with Forks() as target:
        target.asks("fork")
        equal(target.answers(), "fork 7\n")
        run = shell(target.pid, f"set follow-fork-mode child\nbreak work\nshell echo fork > /proc/{target.pid}/fd/0\ncontinue\n"
                                "p n\np answer\ninfo proc\n")
        pid = followed(run.err)
        equal(run.code, 0, run)
        contains(run.out, f"thread {pid} at breakpoint 1, in work")
        contains(run.out, "$1 = 41\n$2 = 41\n")
        equal(target.answers(), "fork 7\n")
        target.is_free()
        target.makes("spawn")


@test
def programs():
    """a child that becomes another program is followed into that: vfork, posix_spawn, system, popen"""
    for way in ("vfork", "spawn", "system", "popen"):
        run = launched([FORKS, way], "set follow-fork-mode child\ncatch syscall exit_group\nrun\ninfo proc\ncontinue\n")
        equal(run.code, 0, (way, run))
        pid = followed(run.err)
        contains(run.err, "from its program's beginning on")
        expect(re.search(r"/(da|ba)?sh\b", run.out), (way, run))
        contains(run.out, f"process {pid} exited with status 7")


@test
def modes():
    """what gdb can be told and is always so here is taken, and what is not is refused"""
    out = shell(None, "set follow-fork-mode parent\nset detach-on-fork on\nset follow-exec-mode same\nshow follow-fork-mode\n").out
    contains(out, "follow-fork-mode")
    contains(out, "parent")
    for line, reason in (("follow-fork-mode both", "parent or child"), ("detach-on-fork off", "detach-on-fork is on"),
                         ("follow-exec-mode new", "follow-exec-mode is same")):
        contains(shell(None, f"set {line}\n").err, reason)


@test
def pending():
    """breakpoints of a child find their places in the program that it becomes"""
    run = launched([FORKS, "self"], "set follow-fork-mode child\nbreak born\nrun\nbt\ncontinue\n")
    equal(run.code, 0, run)
    pid = followed(run.err)
    contains(run.out, f"thread {pid} at breakpoint 1, in born")
    contains(run.out, "in main")
    contains(run.out, f"process {pid} exited with status 7")
    contains(run.out, "self 7\n")


main()
