#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What each command of the shell says, and that none of them is upset by what it is given.
#     timeout: 300 s
import importlib.machinery
import importlib.util
import os
import re
import tempfile

from harness import Target, contains, equal, expect, main, objects, says, shell, test

HERE = os.path.dirname(os.path.abspath(__file__))


def names():
    return [record["name"] for record in objects(None, "help all\n")[0]["records"] if record["kind"] == "command"]


@test
def expressions():
    """a line that is no command is an expression; values are numbered"""
    with Target() as target:
        equal(says(target.pid, "add(1, 2)\n$1 + 1\n$$\n$ * 2\nprint\n"),
              "$1 = 3\n$2 = 4\n$3 = 3\n$4 = 6\n$5 = 6\n")
        equal(says(target.pid, "p/x 255\ncall add(3, 4)\np(5)\nprint/t 5\n"), "$1 = 0xff\n$2 = 7\n$3 = 5\n$4 = 101\n")
        equal(says(target.pid, "spins = 4\nset var spins = spins + 1\noutput spins\n"), "$1 = 4\n5")
        target.answers()


@test
def prefixes():
    """commands may be shortened; what is not one says which it may be"""
    with Target() as target:
        contains(says(target.pid, "inf thr\n"), "plain")
        contains(says(target.pid, "disas add\n"), "<add>")
        contains(shell(target.pid, "inf t\n").err, "'inf t' is not one command: ")
        contains(says(target.pid, "fr 0\nthr 1\nt a a p 1\n"), "= 1\n")
        contains(shell(target.pid, "info\n").err, "info of what?")
        contains(shell(target.pid, "backtrce\n").err, "the nearest is 'backtrace'")
        contains(shell(target.pid, "info threadss\n").err, "the nearest is 'info threads'")
        contains(shell(target.pid, "nothing_of_the_kind here\n").err, "no command 'nothing_of_the_kind'")
        # What names something of the program is an expression, whatever commands there are.
        contains(shell(target.pid, "add(\n").err, "^")


@test
def places():
    """threads, stacks and frames of a target that runs on"""
    with Target() as target:
        target.waits()
        out = says(target.pid, "info threads\nbt\nframe wait_here\nup\ninfo args\ninfo locals\nframe\ndown\n")
        for part in (str(target.pid), "in wait_here at ", "in main at ", "depth = 2", "local = 200",
                     "both = {a = 2, b = 2.5}"):
            contains(out, part)
        contains(says(target.pid, "bt 1\n"), "#0")
        expect("#1" not in says(target.pid, "bt 1\n"), "one frame")
        contains(says(target.pid, "bt -1\n"), "_start")
        contains(says(target.pid, "bt full\n"), "local = 300")
        contains(says(target.pid, "thread 1\nthread\n"), f"thread 1 ({target.pid})")
        contains(shell(target.pid, "thread 77\n").err, "no thread '77'")
        contains(shell(target.pid, "frame 100\n").err, "no frame 100")
        contains(shell(target.pid, "down\ndown\ndown\ndown\n").err, "innermost")
        target.answers()


@test
def registers():
    """registers of the chosen frame, all of one instant"""
    with Target() as target:
        target.waits()
        out = says(target.pid, "info registers\n")
        contains(out, "rip ")
        contains(out, "<read+")
        equal(len(out.splitlines()), 26)
        contains(says(target.pid, "info registers rip $rsp\n"), "rsp ")
        contains(says(target.pid, "info all-registers\n"), "xmm15")
        target.answers()


@test
def memory():
    """x and find read memory as it is"""
    with Target() as target:
        out = says(target.pid, "set var spins = 0x11223344\nx/1xw &spins\nx/2xb &spins\nx/1dg &spins\nx/1i add\n"
                   "x/s what\nfind/w &spins, +8, 0x11223344\n", "--frame", "wait_here")
        contains(out, "<spins>:\t0x11223344\n")
        contains(out, "<spins>:\t0x44\t0x33\n")
        contains(out, "<spins>:\t287454020\n")
        contains(out, "<add>:\tpushq  %rbp\n")
        contains(out, 'plain"\n')
        expect(out.endswith("<spins>\n"), out)
        contains(shell(target.pid, "x/4xw 16\n").err, "0x10")
        contains(shell(target.pid, "find &spins, +8, 0x55667788\n").err, "not found")


@test
def code():
    """source and machine code, and which belongs to which"""
    with Target() as target:
        target.waits()
        out = says(target.pid, "disassemble/rs add\n")
        for part in ("return a + b;", "plain.c:", "<add+1>:\t48 89 e5"):
            contains(out, part)
        expect(out.index("{") < out.index("pushq"), "the source comes before its code")
        contains(says(target.pid, "disassemble\n", "--frame", "0"), "=> ")
        contains(says(target.pid, "list add\n"), "int add(int a, int b)")
        equal(says(target.pid, "list 2,3\n", "--frame", "wait_here").count("\n"), 2)
        first = says(target.pid, "list add\nlist\n").splitlines()
        equal(len(first), 20)
        equal([int(line.split()[0]) for line in first], list(range(int(first[0].split()[0]), int(first[0].split()[0]) + 20)))
        line = re.search(r"plain\.c:(\d+) is at (0x[0-9a-f]+) <add>", says(target.pid, "info line add\n"))
        expect(line, "info line")
        equal(says(target.pid, f"info symbol {line[2]}\n"), "add + 0 in plain\n")
        contains(says(target.pid, f"info line plain.c:{line[1]}\n"), "<add")
        contains(says(target.pid, "info source\n", "--frame", "wait_here"), "plain.c")
        contains(says(target.pid, "info scope wait_here\n"), "depth (argument)\n")
        contains(shell(target.pid, "list nofile.c:3\n").err, "nofile.c")


@test
def types():
    """types by name and of expressions, with their layout"""
    with Target() as target:
        equal(says(target.pid, "whatis spins\nptype struct pair\n"),
              "type = volatile unsigned long\ntype = struct pair {\n    int a;\n    double b;\n}\n")
        contains(says(target.pid, "ptype/o struct pair\n"), "4-byte hole")
        contains(says(target.pid, "ptype enum colour\n"), "enum colour {RED, GREEN, BLUE}")
        contains(says(target.pid, "ptype make_pair\n"), "struct pair {\n    int a;\n    double b;\n} (int, double)")
        contains(says(target.pid, "info types ^pair$\n"), "struct pair\n")
        contains(says(target.pid, "info variables ^spins$\n"), "volatile unsigned long spins")
        contains(says(target.pid, "info functions ^add$\n"), "int add(int a, int b)")
        contains(shell(target.pid, "whatis no_such_thing\n").err, "no_such_thing")


@test
def process():
    """libraries, mappings, files and signals of the process"""
    with Target() as target:
        contains(says(target.pid, "info sharedlibrary\n"), "libc.so")
        contains(says(target.pid, "info mappings\n"), "[stack]")
        contains(says(target.pid, "info files\n"), "pipe:")
        contains(says(target.pid, "info signals\n"), "SIGINT")
        contains(says(target.pid, "info proc\n"), f"process: {target.pid}")


@test
def text():
    """echo and printf write what C would"""
    with Target() as target:
        equal(says(target.pid, 'printf "%d|%5.2f|%s|%c|%x|%%\\n", add(1, 2), 1.5, "a,b", 65, -1\n'),
              "3| 1.50|a,b|A|ffffffff|%\n")
        equal(says(target.pid, "echo one\\ttwo\\n\n"), "one\ttwo\n")
        contains(shell(target.pid, 'printf "%d %d\\n", 1\n').err, "more conversions")
        contains(shell(target.pid, 'printf "%d\\n", 1, 2\n').err, "more expressions")
        contains(shell(target.pid, 'printf "%n", 1\n').err, "conversions")


@test
def settings():
    """set changes what show tells, and what calls do"""
    with Target() as target:
        contains(says(target.pid, "set listsize 3\nshow listsize\n"), "3")
        equal(says(target.pid, "set listsize 3\nlist add\n").count("\n"), 3)
        equal(shell(target.pid, "set may-call-functions off\nadd(1, 2)\n").code, 6)
        equal(shell(target.pid, "set timeout 50ms\nnap(20)\n").code, 5)
        contains(shell(target.pid, "set timeout soon\n").err, "duration")
        contains(shell(target.pid, "set nonsense 3\n").err, "no setting")
        target.answers()


@test
def looks_stop_nothing():
    """completion and listings stop no thread"""
    with Target() as target:
        target.waits()
        trace = shell(target.pid, "complete p wait_\ncomplete info s\ncomplete p both.\ninfo functions add\nptype struct pair\n"
                      "list add\ndisassemble add\ninfo scope main\ninfo threads\ncomplete thread %s\n" % str(target.pid)[0], "--trace", "target",
                      "--frame", "wait_here")
        equal(trace.code, 0, trace.err)
        expect("is interrupted" not in trace.err, trace.err)
        contains(trace.out, "p wait_here\n")
        contains(trace.out, "info symbol\n")
        contains(trace.out, "p both.b\n")
        contains(trace.out, f"thread {target.pid}\n")


@test
def escapes():
    """no text of a target commands the terminal"""
    with Target() as target:
        says(target.pid, '(int)prctl(15, "\\033]0;evil\\a")\n')
        out = says(target.pid, "info threads\nstacks\ncheck\n")
        expect("\x1b" not in out, repr(out))
        contains(out, "?]0;evil?")
        out = says(target.pid, 'set var $s = "\\033[31mred"\nprintf "%s\\n", "\\033[31mred"\np "\\033[31mred"\n')
        expect("\x1b" not in out, repr(out))


@test
def bad_input():
    """every command with operands that are missing, too many, huge, or nonsense"""
    words = ["", " 1 2 3 4 5 6 7 8 9", " " + "9" * 100000, " \x1b[2J\xff\x01", " (((((", " \"unfinished", " -1", " ,", " *", " /",
             "/zzzz 1", "/99999999999x 0", " = = ="]
    endless = {("while", " -1")}  # runs for as long as it is told to
    # Some of them write files.
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        for name in names():
            # attach 1 and the like would be good input, kill is; the system's shell runs whatever it is given.
            if name in ("shell", "quit", "attach", "kill"):
                continue
            lines = "".join(f"{name}{word}\nend\necho alive {i}\\n\n" for i, word in enumerate(words)
                            if (name, word) not in endless)
            run = shell(target.pid, lines.encode("latin-1"), "--keep-going", "--timeout", "500ms", "--wait", "200ms", cwd=directory)
            expect(run.code in (0, 1, 2, 3, 4, 5, 6), f"{name}: status {run.code}: {run.err[-300:]}")
            equal([i for i, word in enumerate(words) if f"alive {i}\n" not in run.out and (name, word) not in endless], [], name)
        target.answers()


@test
def attaching():
    """the shell changes its target, and is there without one"""
    with Target() as one, Target() as two:
        out = says(one.pid, f"detach\nattach {two.pid}\np (int)getpid()\n")
        contains(out, f"= {two.pid}\n")
        equal(shell(one.pid, "detach\nadd(1, 2)\n").code, 2)
        contains(shell(one.pid, "detach\ninfo threads\n").err, "there is no process")
        equal(shell(one.pid, "attach 2147483646\n").code, 3)
        one.answers()
        two.answers()


@test
def help_of_all():
    """help tells each command, and the manual page has what the table has"""
    for name in names():
        contains(says(None, f"help {name}\n"), name)
    contains(says(None, "apropos memory\n"), "find")
    loader = importlib.machinery.SourceFileLoader("manual", os.path.join(HERE, "manual"))
    spec = importlib.util.spec_from_loader("manual", loader)
    manual = importlib.util.module_from_spec(spec)
    loader.exec_module(manual)
    with open(manual.PAGE, encoding="utf-8") as file:
        page = file.read()
    expect(page == manual.replaced(page), "run tests/shell/manual")


main()
