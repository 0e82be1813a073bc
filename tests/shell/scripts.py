#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Lines from files, options and pipes: their order, their failures and statuses, what they define.
#     timeout: 300 s
import json
import os
import random
import tempfile

from harness import Target, contains, debugcall, equal, expect, main, objects, says, shell, test


def file_of(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@test
def order():
    """-ex and -x run in the order in which they are given"""
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        path = file_of(directory, "a.dbg", "# a comment\n\necho two\\n\n")
        run = debugcall("-p", target.pid, "-ex", "echo one\\n", "-x", path, "-ex", "echo three\\n")
        equal((run.code, run.out), (0, "one\ntwo\nthree\n"), run)


@test
def failures():
    """the first failure ends a script with its place and status"""
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        path = file_of(directory, "bad.dbg", "echo one\\n\nadd(1, nosuch)\necho two\\n\n")
        run = debugcall("-p", target.pid, "-x", path, "-ex", "echo three\\n")
        equal((run.code, run.out), (1, "one\n"), run)
        contains(run.err.splitlines()[0], f"{path}:2: error: ")
        run = debugcall("-p", target.pid, "--keep-going", "-x", path)
        equal((run.code, run.out), (1, "one\ntwo\n"), run)
        run = debugcall("-p", target.pid, "--keep-going", "-ex", "echo one\\n", "-ex", "add(1, nosuch)", "-ex", "echo two\\n")
        equal((run.code, run.out), (1, "one\ntwo\n"), run)
        equal(debugcall("-p", target.pid, "-ex", "source " + path).code, 1)
        contains(shell(target.pid, "echo x\\n\ncrash()\necho y\\n\n").err, "stdin:2: error: ")
        equal(debugcall("-p", target.pid, "-x", os.path.join(directory, "none")).code, 2)
        equal(shell(target.pid, "quit 7\n").code, 7)
        equal(debugcall("-p", target.pid, "-ex", "quit 3", "-ex", "echo no\\n").out, "")
        target.answers()


@test
def statuses():
    """a script's status says what went wrong"""
    with Target() as target:
        equal(shell(target.pid, "add(\n").code, 1)
        equal(shell(target.pid, "thread\nthread a b c\n").code, 2)
        equal(shell(target.pid, "set timeout 50ms\nnap(9)\n").code, 5)
        equal(shell(target.pid, "set may-call-functions off\nadd(1, 2)\n").code, 6)
        target.process.kill()
        target.process.wait()
        equal(shell(target.pid, "add(1, 2)\n").code, 3)


@test
def blocks():
    """conditions, loops and definitions, within one another"""
    with Target() as target:
        equal(says(target.pid, """
set var $i = 0
while $i < 5
    set var $i = $i + 1
    if $i == 2
        loop_continue
    end
    if $i == 4
        loop_break
    else
        printf "%d\\n", $i
    end
end
define twice
    if $argc == 2
        printf "%d\\n", 2 * add($arg0, $arg1)
    else
        echo two words\\n
    end
end
document twice
Twice the sum.
end
twice 3 4
twice
help twice
alias dbl = twice
dbl 1 1
"""), "1\n3\n14\ntwo words\ntwice [WORD...]\n  Twice the sum.\n4\n")
        contains(shell(target.pid, "if 1\necho x\\n\n").err, "if, begun in line 1, has no end")
        contains(shell(target.pid, "define f\nf\nend\nf\n").err, "commands within another")
        contains(shell(target.pid, "define while\nend\n").err, "cannot be")


@test
def files_that_read_themselves():
    """a file that reads itself comes to an end"""
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "loop.dbg")
        file_of(directory, "loop.dbg", f"source {path}\n")
        contains(debugcall("-p", target.pid, "-x", path).err, "commands within another")


@test
def continued():
    """a backslash joins lines; carriage returns are no part of them"""
    with Target() as target:
        equal(says(target.pid, "print add(1, \\\n  2)\r\nprint 5\r\n"), "$1 = 3\n$2 = 5\n")


@test
def as_json():
    """one object a command, with its line, its status and its records"""
    with Target() as target:
        said = objects(target.pid, "add(1, 2)\ninfo threads\nnosuch + 1\necho x\\n\n", "--keep-going")
        equal([each["command"] for each in said], ["add(1, 2)", "info threads", "nosuch + 1", "echo x\\n"])
        equal([each["ok"] for each in said], [True, True, False, True])
        equal([each["status"] for each in said], [0, 0, 1, 0])
        equal(said[0]["records"][0]["value"], "3")
        equal(said[0]["records"][0]["number"], 1)
        equal(said[1]["records"][0]["thread"], target.pid)
        equal(said[2]["records"][0]["error"]["code"], "unknown-name")
        equal({each["schema"] for each in said}, {1})
        run = shell(target.pid, "while 1\nadd(1, 2)\nloop_break\nend\nif 0\nelse\nadd(3, 4)\nend\n", "--json")
        equal([json.loads(line)["records"][0]["value"] for line in run.out.splitlines() if '"result"' in line], ["3", "7"])


@test
def no_text():
    """random bytes as a script fail, and nothing else happens"""
    source = random.Random(7)
    with Target() as target:
        for _ in range(60):
            size = source.choice((1, 20, 300, 5000))
            run = shell(target.pid, source.randbytes(size), "--keep-going")
            expect(0 <= run.code <= 6, run)
        # Lines of the shell's own words, in any order.
        words = [b"if", b"while", b"end", b"else", b"define", b"x", b"info", b"print", b"1", b"0", b"add(1,2)", b"set", b"'", b"\"",
                 b"list", b"$", b"%s", b",", b"frame", b"help", b"alias", b"=", b"document", b"output", b"/x", b"thread"]
        for _ in range(60):
            text = b"\n".join(b" ".join(source.choices(words, k=source.randint(1, 4)))
                              for _ in range(12)).replace(b"while 1", b"while 0")
            run = shell(target.pid, text.replace(b"while", b"if"), "--keep-going")
            expect(0 <= run.code <= 6, run)
        target.answers()


@test
def target_ends():
    """a target that ends under any command: the shell lives, and the status says so"""
    for line in ("add(1, 2)", "info threads", "bt", "info registers", "x/4xw &spins", "disassemble add", "info locals", "check",
                 "info mappings", "info proc", "print spins", "frame", "list", "thread 1"):
        with Target() as target:
            run = shell(target.pid, f"add(1, 1)\nshell kill -9 {target.pid}; while test -e /proc/{target.pid}/exe; do :; done\n"
                        f"{line}\necho alive\\n\n", "--keep-going", "-q")
            contains(run.out, "alive")
            expect(run.code in (0, 1, 3, 4, 6), f"{line}: {run}")


main()
