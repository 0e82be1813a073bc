#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What people type into gdb without thinking, word for word: each does here what it does there.
#     timeout: 300 s
import os
import re
import tempfile

from harness import TARGETS, Target, equal, expect, launched, main, shell, test

# Lines, and what their output matches; several lines end with the one that is meant.
LAUNCHED = [
    ("b leaf", r"breakpoint 1 at leaf"),
    ("tb main", r"temporary breakpoint 2 at main"),
    ("r", r"in main at .*stepped\.c"),
    ("n", r"stepped\.c:\d+"),
    ("c", r"at breakpoint 1, in leaf at .*stepped\.c"),
    ("bt", r"#0 .* in leaf .*\n.*#1 .* in walk .*\n.*#2 .* in main"),
    ("bt 1", r"#0 .* in leaf .*\n1 more|#0 .* in leaf .*\n"),
    ("bt full", r"twice = "),
    ("where", r"#2 .* in main"),
    ("i s", r"#2 .* in main"),
    ("p n", r"\$1 = 3\n"),
    ("p/x n", r"\$2 = 0x3\n"),
    ("p $", r"\$3 = 3\n|\$3 = 0x3\n"),
    ("p &sink", r"\(volatile int \*\) 0x[0-9a-f]+ <sink>"),
    ("p sizeof(int)", r"= 4\n"),
    ("p fib(10)", r"= 55\n"),
    ("call fib(5)", r"= 5\n"),
    ("i args", r"n = 3\n"),
    ("i locals", r"twice = "),
    ("i r rip", r"rip .*0x[0-9a-f]+ <leaf\+\d+>"),
    ("p $rip", r"<leaf\+\d+>"),
    ("x/i $pc", r"<leaf\+\d+>:\t"),
    ("x/4xw $sp", r"(\t0x[0-9a-f]{8}){4}"),
    ("x/2i $pc", r"(?s)<leaf\+\d+>:.*<leaf\+\d+>:"),
    ("up", r"#1 .* in walk"),
    ("i locals", r"total = "),
    ("down", r"#0 .* in leaf"),
    ("f 1", r"#1 .* in walk"),
    ("f 0", r"#0 .* in leaf"),
    ("s", r"stepped\.c:\d+"),
    ("fin", r"in walk at"),
    ("set var total = 40", r"^$"),
    ("p total", r"= 40\n"),
    ("watch sink", r"watchpoint 3 on sink"),
    ("i b", r"breakpoint 1 at leaf"),
    ("dis 1", r"^$"),
    ("c", r"sink (was|is) "),
    ("d 3", r"^$"),
    ("en 1", r"^$"),
    ("cond 1 n == 3", r"^$"),
    ("ignore 1 1", r"^$"),
    ("i b", r"if n == 3"),
    ("disp n", None),
    ("c", r"at breakpoint 1, in leaf"),
    ("display n", r"1: n = 3\n"),
    ("si", r"1: n = 3\n"),
    ("ni", r"in leaf"),
    ("undisplay 1", r"^$"),
    ("u", r"stepped\.c:\d+"),
    ("l leaf", r"static int leaf\(int n\)"),
    ("l", r"\d+ "),
    ("l 1,3", r"SPDX"),
    ("i line leaf", r"is at 0x"),
    ("i sym leaf", r"leaf \+ 0"),
    ("i source", r"stepped\.c"),
    ("i threads", r"\* 1 "),
    ("t 1", r"thread 1 "),
    ("t a a bt 1", r"thread \d+ .*:\n.*#0 "),
    ("thread apply all -q p 1", r"= 1\n"),
    ("frame apply all -q p 2", r"(= 2\n.*){2}"),
    ("ptype fib", r"int \(int\)"),
    ("whatis sink", r"volatile int"),
    ("i func ^fib$", r"int fib\(int n\)"),
    ("i var ^sink$", r"volatile int sink"),
    ("i sharedlibrary", r"libc\.so"),
    ("i sig SIGINT", None),
    ("i signals", r"SIGINT"),
    ("handle SIGUSR1 nostop noprint pass", r"SIGUSR1 +nostop +noprint +pass"),
    ("i proc", r"process: \d+"),
    ("i proc mappings", r"\[stack\]"),
    ("disas leaf", r"<leaf>:"),
    ("disassemble /s leaf", r"int twice"),
    ("adv walk", r"in walk at"),
    ("until", r"stepped\.c"),
    ("jump walk", None),
    ("set confirm off", r"^$"),
    ("set pagination off", r"^$"),
    ("set width 0", r"^$"),
    ("set listsize 5", r"^$"),
    ("show version", None),
    ("p $_exitcode", None),
    ("set $n = 5", r"^$"),
    ("p $n + 1", r"= 6\n"),
    ('printf "%d %s\\n", 5, "five"', r"5 five\n"),
    ("echo hello\\n", r"hello\n"),
    ("output 5", r"5"),
    ("shell echo from the shell", r"from the shell\n"),
    ("!echo again", r"again\n"),
    ("pipe i func fib | grep -c fib", r"\d+\n"),
    ("apropos breakpoint", r"break"),
    ("help step", r"step"),
    ("info display", r"^$"),
    ("k", r"^$"),
]


def parts(run):
    """What each line of a script has said, between the marks around it."""
    return re.split(r"\n-- \d+\n", run.out)[1:]


def transcript(rows, run_with):
    rows = [row for row in rows if row[1] is not None]
    lines = "".join(f"echo \\n-- {i}\\n\n{line}\n" for i, (line, _) in enumerate(rows))
    run = run_with(lines)
    said = parts(run)
    equal(len(said), len(rows), run)
    bad = [f"{line}: {text!r} is not {pattern!r}" for (line, pattern), text in zip(rows, said)
           if not re.search(pattern, text)]
    equal(bad, [], run.err)
    equal(run.code, 0, f"{run.err[-500:]}\n{run.out[-500:]}")
    expect(len(rows) >= 50, "fifty of them")


@test
def launched_ones():
    """the commonest idioms of a session with a program of one's own"""
    transcript(LAUNCHED, lambda lines: launched([f"{TARGETS}/stepped"], lines, "--keep-going"))


@test
def files():
    """source, save, gcore and logging write and read files as gdb's do"""
    with tempfile.TemporaryDirectory() as directory, Target() as target:
        run = shell(target.pid, f"b add if a == 7\nb half\ndis 2\ncommands 1\np a\nend\nsave breakpoints {directory}/saved\n"
                    f"set logging file {directory}/log\nset logging on\np 1 + 1\nset logging off\np 5\n")
        equal(run.code, 0, run.err)
        with open(f"{directory}/saved", encoding="utf-8") as file:
            equal(file.read(), "break add if a == 7\ncommands\np a\nend\nbreak half\ndisable $bpnum\n")
        with open(f"{directory}/log", encoding="utf-8") as file:
            text = file.read()
        expect("$1 = 2\n" in text and "= 5" not in text, text)
        run = shell(target.pid, f"source {directory}/saved\ninfo breakpoints\n")
        expect(re.search(r"breakpoint 1 at add if a == 7, .*(?s:.*)breakpoint 2 at half, disabled", run.out), run)
        equal(os.path.exists(f"{directory}/none"), False)
        target.answers()


main()
