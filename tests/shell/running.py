#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Breakpoints and steps in the shell: what a stop says, what may be asked there, and that all run on afterwards.
#     timeout: 300 s
import json
import os
import re
import select
import tempfile
import termios

from harness import TARGETS, Program, Terminal, contains, equal, expect, launched, main, obeyed, objects, says, shell, status, test, until

PROMPT = "(debugcall) "


class Comers(Program):
    """Threads that come by serve() and note() without end."""

    def __init__(self, threads=1):
        super().__init__(f"{TARGETS}/comers", str(threads))

    def counts(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(map(int, self.process.stdout.readline().split()))

    def runs_on(self):
        before = self.counts()[0]
        until(lambda: self.counts()[0] > before + 1000, "it goes on")
        equal(self.counts()[1:], (0, 0), "faults and stray signals")
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            equal(status(self.pid, tid)["TracerPid"], "0")


@test
def stop():
    """a breakpoint stops a thread, whose frame, locals and calls are there"""
    with Comers() as target:
        out = says(target.pid, "break serve if order->number > 5\ncontinue\nbt\ninfo args\np order->number > 5\np triple(5)\n"
                   "info threads\nx/i $rip\nlist\n")
        contains(out, "breakpoint 1 at serve if order->number > 5, ")
        expect(re.search(r"thread \d+ at breakpoint 1, in serve at .*comers\.c:\d+\n>\d+ ", out), out)
        contains(out, "#0 ")
        contains(out, "in one_round")
        contains(out, "order = (const struct order *) 0x")
        contains(out, "$1 = 1\n$2 = 15\n")
        target.runs_on()


@test
def steps():
    """steps go from line to line, and finish leaves the frame"""
    with Comers() as target:
        said = objects(target.pid, "tbreak serve\ncontinue\nstepi\nfinish\nnext\nstep\nnexti\nup\ninfo breakpoints\n")
        stops = [record for each in said for record in each["records"] if record["kind"] == "stop"]
        equal([each["ok"] for each in said], [True] * 9, said)
        equal([each["reason"] for each in stops], ["breakpoint", "step", "step", "step", "step", "step"])
        equal(stops[0]["frame"]["function"], "serve")
        equal(len({each["thread"] for each in stops}), 1)
        expect(stops[1]["frame"]["pc"] != stops[0]["frame"]["pc"], stops)
        expect(stops[2]["frame"]["function"] != "serve", stops[2])
        expect(stops[3]["frame"]["line"] != stops[2]["frame"]["line"], stops)
        target.runs_on()


@test
def scripts():
    """commands at a breakpoint run at each stop, and may let the thread go on"""
    with Comers() as target:
        out = says(target.pid, 'set var $n = 0\nbreak note\ncommands\nset var $n = $n + 1\nprintf "hit %d\\n", $n\n'
                   "if $n < 150\ncontinue\nend\nend\ncontinue\necho over\\n\n")
        equal([int(n) for n in re.findall(r"hit (\d+)", out)], list(range(1, 151)))
        expect(out.endswith("over\n"), out[-200:])
        target.runs_on()


@test
def changes():
    """breakpoints are disabled, given conditions, counted and deleted"""
    with Comers() as target:
        out = says(target.pid, "break note\nbreak serve\ndisable 1\ncondition 2 order->number % 2 == 0\ncontinue\nignore 2 3\n"
                   "continue 2\ninfo breakpoints\ndelete 1\ndisplay order->number\nuntil\nadvance note\nenable\ndelete\ninfo breakpoints\n")
        # It may have stopped a thread before it was disabled.
        expect(re.search(r"breakpoint 1 at note, disabled, [01] hits?", out), out)
        contains(out, "breakpoint 2 at serve if order->number % 2 == 0")
        contains(out, "1: order->number = ")
        contains(out, "in note at ")
        contains(shell(target.pid, "delete 7\n").err, "there is no breakpoint")
        contains(shell(target.pid, "break serve\ndelete 7\n").err, "7")
        contains(shell(target.pid, "break no_such_function\n").err, "no_such_function")
        contains(shell(target.pid, "break serve if nosuch > 3\n").err, "nosuch")
        contains(shell(target.pid, "step\n").err, "no thread stands still")
        contains(shell(target.pid, "continue\n").err, "nothing would stop it")
        target.runs_on()


@test
def watches():
    """a watchpoint says what was written over what, a read one what was read; both are listed and deleted"""
    with Comers() as target:
        out = says(target.pid, "watch watched\ncontinue\ncontinue\np watched\ninfo breakpoints\ndelete 1\nrwatch verbosity\ncontinue\n"
                   "delete 2\nawatch watched if watched % 10 == 3\ncontinue\ndelete\ninfo breakpoints\n")
        expect(re.search(r"^watchpoint 1 on watched, [01] hits?\n    0x[0-9a-f]+\n", out), out)
        changes_ = re.findall(r"at watchpoint 1, in note at .*comers\.c:\d+\n  watched was (\d+), is (\d+)\n", out)
        equal(len(changes_), 2, out)
        equal(int(changes_[1][1]), int(changes_[1][0]) + 1)
        contains(out, f"$1 = {changes_[1][1]}\nwatchpoint 1 on watched, 2 hits\n")
        contains(out, "read watchpoint 2 on verbosity, ")
        contains(out, "  verbosity is 3\n")
        expect(re.search(r"at watchpoint 3, .*\n  watched (was \d+, )?is \d*3\n", out), out)
        target.runs_on()
        said = objects(target.pid, "watch watched\ncontinue\n")
        equal(said[0]["records"][0]["set_by"], "watch")
        equal([said[1]["records"][0][name] for name in ("reason", "breakpoint", "watched")], ["watchpoint", 1, "watched"])
        expect(said[1]["records"][0]["was"] != said[1]["records"][0]["is"], said)
        contains(shell(target.pid, "watch triple(3)\n").err, "no address of its own")
        contains(shell(target.pid, "watch nosuch\n").err, "nosuch")
        contains(shell(target.pid, "watch\n").err, "watch")
        out = says(target.pid, 'watch watched\ncommands\nprintf "now %d\\n", watched\nend\ncontinue\n')
        expect(re.search(r"is (\d+)\n.*now \1\n", out, re.S), out)
        target.runs_on()


@test
def watched_locals():
    """a local is watched in the chosen frame, and the watchpoint goes with it"""
    with Program(f"{TARGETS}/stepped") as target:
        said = objects(target.pid, "tbreak leaf\ncontinue\nwatch twice\ncontinue\ncontinue\ninfo breakpoints\n")
        stops = [record for each in said for record in each["records"] if record["kind"] == "stop"]
        equal([each["reason"] for each in stops], ["breakpoint", "watchpoint", "scope"], said)
        equal((stops[1]["watched"], stops[1]["is"]), ("twice", "6"))
        equal(stops[2]["frame"]["function"], "walk")
        expect(not any(record["kind"] == "breakpoint" for record in said[5]["records"]), said[5])
        contains(says(target.pid, "tbreak leaf\ncontinue\nwatch twice\ncontinue\ncontinue\n"),
                 "has left the frame of watchpoint 2, which is gone, in walk at ")


@test
def interrupts():
    """Ctrl-C stops a thread that runs; leaving lets all run on"""
    with Comers() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env={"HOME": directory, "XDG_STATE_HOME": directory}) as terminal:
        terminal.wait(PROMPT)
        terminal.say("break triple", "breakpoint 1 at triple")
        for _ in range(2):
            since = len(terminal.shown)
            terminal.type("continue\n")
            terminal.wait("continue\n", since)
            terminal.type("\x03")
            terminal.wait(PROMPT, terminal.wait("stopped (interrupt)", since))
        terminal.say("bt", "#0")
        terminal.say("p 1 + 1", "= 2")
        terminal.say("interrupt all", "stopped (interrupt)")
        terminal.type("quit\n")
        terminal.leaves(0)
        target.runs_on()


@test
def ends():
    """a target that ends while it is waited for is said to have ended"""
    with Comers() as target:
        run = shell(target.pid, f"break serve\ncontinue\nshell kill -9 {target.pid}\ncontinue\necho alive\\n\n", "--keep-going")
        equal(run.code, 4, run)
        # As an event, or by whoever touches a thread before it is told.
        expect(f"process {target.pid} ended" in run.err or "the target has ended" in run.err, run)
        contains(run.out, "alive")


def is_gone(pid):
    return not os.path.exists(f"/proc/{pid}")


@test
def launches():
    """a program that is launched stops at main, is run again with its breakpoints, and is killed in the end"""
    run = launched([f"{TARGETS}/stepped"], "break leaf if n == 3\ncommands\nbt 2\nend\nstart\nnext\ncontinue\np fib(5)\nrun\n"
                   "info breakpoints\n", "--keep-going")
    expect(re.search(r"breakpoint 2, in main at .*stepped\.c:\d+\n", run.out), run)
    equal(len(re.findall(r"at breakpoint 1, in leaf at ", run.out)), 2, run)
    equal(len(re.findall(r"#1 .* in walk at ", run.out)), 2, run)
    contains(run.out, "$1 = 5\n")
    contains(run.out, "breakpoint 1 at leaf if n == 3, 1 hit\n")
    said = [json.loads(line) for line in launched([f"{TARGETS}/stepped"], "start\ninfo proc\n", "--json").out.splitlines()]
    pid = said[0]["records"][0]["thread"]
    equal(said[0]["records"][0]["frame"]["function"], "main")
    expect(is_gone(pid), pid)


@test
def exits():
    """how a launched program ends is said; it reads none of the shell's lines, and can be run with other words"""
    run = launched(["/bin/sh", "-c", "cat; exit 7"], 'run\nrun -c "exit 8"\nrun -c \'kill -9 $$\'\necho never\\n\n')
    equal(run.code, 4, run)
    equal(re.sub(r"\d+ exited", "N exited", run.out), "process N exited with status 7\nprocess N exited with status 8\n")
    expect(re.search(r"process \d+ ended by SIGKILL", run.err), run)
    run = launched(["/no/such/program"], "run\n")
    equal(run.code, 3, run)
    contains(run.err, "/no/such/program cannot be run: No such file")
    contains(shell(None, "run\n").err, "which program? (file PROGRAM)")
    contains(says(None, 'file /bin/sh -c "exit 3"\nrun\n'), "exited with status 3\n")
    contains(shell(None, "file /bin/true\nrun | cat\n").err, "quote | &")
    contains(says(None, f"file {TARGETS}/stepped\nstart\nkill\necho left\\n\n"), "left\n")


@test
def terminals():
    """tty gives a program a terminal of its own: its session, what it reads and writes, but for redirections"""
    master, slave = os.openpty()
    name = os.ttyname(slave)
    script = 'read line; echo "got $line"; ps -o tty=,sess=,pid= -p $$; echo elsewhere >&2; test -t 1 && echo at it'
    with tempfile.TemporaryDirectory() as directory:
        os.write(master, b"a line\n")
        run = launched(["/bin/sh", "-c", script], f"tty {name}\nshow inferior-tty\nargs -c '{script}' 2> {directory}/err\nrun\n")
        equal(run.code, 0, run)
        contains(run.out, name)
        expect("got a line" not in run.out, run)
        shown = ""
        while "at it" not in shown:
            expect(select.select([master], [], [], 0)[0], (shown, run))
            shown += os.read(master, 1 << 16).decode()
        for part in ("got a line", "at it", os.path.relpath(name, "/dev")):
            contains(shown, part)
        equal(*re.search(r" (\d+) +(\d+)\r", shown).groups(), shown)
        with open(f"{directory}/err", encoding="utf-8") as file:
            equal(file.read(), "elsewhere\n")
    for file in (master, slave):
        os.close(file)
    contains(launched(["/bin/true"], "tty /no/such\nrun\n").err, "cannot open /no/such: No such file")
    contains(launched(["/bin/true"], "tty /dev/null\nrun\n").err, "/dev/null is no terminal")


@test
def beginnings():
    """words, environment, directory and files of a launched program are those that were said"""
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/in put", "w", encoding="utf-8") as file:
            file.write("what is read\n")
        script = 'cat; echo "$#:$1:$2" >&2; echo "$A-$B"; pwd'
        out = says(None, f"file /bin/sh\nargs -c '{script}' sh 'a  b' c\\ d < '{directory}/in put' > {directory}/out 2>&1\n"
                   f"env A=one two\nset environment B = 3\ncwd {directory}\nshow cwd\nshow args\nenv\nrun\n")
        contains(out, directory)
        contains(out, "'a  b'")
        contains(out, "A=one two\nB=3\n")
        with open(f"{directory}/out", encoding="utf-8") as file:
            equal(file.read(), f"what is read\n2:a  b:c d\none two-3\n{os.path.realpath(directory)}\n")
        says(None, f"file /bin/echo\nrun one > {directory}/out\nrun two >> {directory}/out\nunset environment PATH\n")
        with open(f"{directory}/out", encoding="utf-8") as file:
            equal(file.read(), "one\ntwo\n")
        contains(shell(None, f"file /bin/cat\nrun < {directory}/none\n").err, "No such file")
    # What is said behind the program's name is what run begins, though one stands ready.
    contains(launched(["/bin/echo", "one"], "args two\nrun\n").out, "two\n")
    contains(launched(["/bin/sh", "-c", "echo $A"], "env A=three\nrun\n").out, "three\n")
    run = launched(["/bin/echo", "a b", "<", "$HOME"], "show args\nrun\n")
    contains(run.out, "'a b' '<' '$HOME'")
    contains(run.out, "a b < $HOME\n")
    # Lines that come as options leave standard input to the program.
    run = obeyed("mine\n", "--batch", "-ex", "run", "--", "/bin/cat")
    contains(run.out, "mine\n")
    contains(launched([f"{TARGETS}/stepped"], "starti\nbt 1\n").out, "ld-linux")


@test
def handles():
    """signals stop, are told, and are passed on, as handle says"""
    program = ["/bin/sh", "-c", "trap 'echo got' USR1; kill -USR1 $$; kill -USR1 $$; echo end"]
    run = launched(program, "handle USR1 stop\nrun\ncontinue\nhandle USR1 nostop print nopass\nsignal 0\n")
    equal(run.code, 0, run)
    equal(len(re.findall(r"at SIGUSR1 \(User defined signal 1\), ", run.out)), 2, run)
    equal(run.out.count("got"), 1, run)
    run = launched(program, "handle USR1 nostop print nopass\nrun\n")
    equal(len(re.findall(r"at SIGUSR1 ", run.out)), 2, run)
    expect("got" not in run.out, run)
    contains(run.out, "exited with status 0")
    run = launched(program, "handle usr1 nopass\nhandle\nrun\n")
    expect("got" not in run.out and "end" in run.out, run)
    contains(run.out, "SIGSEGV")
    contains(shell(None, "handle KILL pass\n").err, "nobody handles SIGKILL")
    contains(shell(None, "handle NOPE stop\n").err, "no signal 'NOPE'")


@test
def launched_at_a_terminal():
    """a person is asked before a launched program is killed, and Ctrl-C stops it"""
    with tempfile.TemporaryDirectory() as directory, \
            Terminal("--", f"{TARGETS}/stepped", env={"HOME": directory, "XDG_STATE_HOME": directory}) as terminal:
        terminal.wait(PROMPT)
        contains(terminal.shown, "stands before its first instruction")
        terminal.say("start", "in main at")
        pid = int(re.search(r"thread (\d+) at breakpoint", terminal.shown)[1])
        since = len(terminal.shown)
        terminal.type("continue\n")
        terminal.wait("ready", since)
        terminal.type("\x03")
        terminal.wait(PROMPT, terminal.wait("at SIGINT (Interrupt)", since))
        terminal.say("quit", "Go on? (y or n) ", "")
        terminal.say("n", "", PROMPT)
        expect(not is_gone(pid), pid)
        since = len(terminal.shown)
        terminal.type("\x04")
        terminal.wait("Go on? (y or n) ", since)
        terminal.say("n", "", PROMPT)
        terminal.say("quit", "Go on? (y or n) ", "")
        terminal.type("y\n")
        terminal.leaves(0)
        expect(is_gone(pid), pid)


@test
def reads_the_terminal():
    """a launched program reads what is typed, in modes of its own, and the shell has the terminal back at a stop"""
    script = "stty -echo; read line; stty echo; echo read $line; kill -USR1 $$; echo go on; read line; echo then $line"
    with tempfile.TemporaryDirectory() as directory, \
            Terminal("--", "/bin/sh", "-c", script, env={"HOME": directory, "XDG_STATE_HOME": directory}) as terminal:
        terminal.wait(PROMPT)
        terminal.say("handle USR1 stop print nopass", "SIGUSR1")
        since = len(terminal.shown)
        terminal.type("run\n")
        terminal.wait("run\n", since)
        until(lambda: not terminal.modes() & termios.ECHO, "the program has its modes")
        terminal.type("hidden\n")
        since = terminal.wait("read hidden\n", since)
        terminal.wait(PROMPT, terminal.wait("at SIGUSR1", since))
        terminal.say("p 1 + 1", "= 2")
        terminal.type("continue\n")
        since = terminal.wait("go on\n", since)
        terminal.type("more\n")
        terminal.wait(PROMPT, terminal.wait("exited with status 0", terminal.wait("then more\n", since)))
        terminal.type("quit\n")
        terminal.leaves(0)


main()
