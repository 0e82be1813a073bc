#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Commands that have a thread go on elsewhere, that run in many places, that write files, and pages of a terminal.
#     timeout: 300 s
import json
import os
import re
import shutil
import subprocess
import tempfile

from harness import TARGETS, Program, Target, Terminal, contains, equal, expect, launched, main, objects, says, shell, skip, test
from harness.gort_server import Server
from harness.targets import Victim

PROMPT = "(debugcall) "
STEPPED = [f"{TARGETS}/stepped"]


def line_of(source, text):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../targets", source), encoding="utf-8") as file:
        return next(i for i, line in enumerate(file, 1) if text in line)


@test
def jumps():
    """jump goes on at another line, and what lies between is not run"""
    last = line_of("stepped.c", "walk 8")
    out = launched(STEPPED, f"tbreak walk\nrun\ntbreak {last}\njump {last}\np n\nset var total = 99\nfinish\nnext\np sink\n").out
    contains(out, f"in walk at tests/targets/stepped.c:{last}\n")
    contains(out, "$1 = 3\n")
    contains(out, "$2 = 99\n")
    with Target() as target:
        contains(shell(target.pid, "jump add\n").err, "no thread stands still")


@test
def returns():
    """return leaves a frame with a value, of its own type, and the frames above go on"""
    out = launched(STEPPED, "tbreak leaf\nrun\nreturn 20\nnext\np total\nfinish\n").out
    contains(out, "#0 ")
    contains(out, "in walk at ")
    contains(out, "$1 = 20\n")
    out = launched(STEPPED, "tbreak fib if n < 2\nrun\nup\nreturn 40\nbt 1\n").out
    expect(re.search(r"#0 .* in (fib|walk) at", out), out)
    run = launched(STEPPED, "tbreak jump\nrun\nreturn 5\n")
    equal(run.code, 1, run)
    contains(run.err, "void")
    with Program(f"{TARGETS}/comers", "1") as target:
        run = shell(target.pid, f"break comers.c:{line_of('comers.c', 'inlined twice')}\ncontinue\nreturn\n")
        contains(run.err, "price is inlined")


@test
def inlined():
    """functions that are inlined have numbers and names of their own"""
    with Program(f"{TARGETS}/comers", "1") as target:
        at = line_of("comers.c", "inlined twice") + 2
        said = objects(target.pid, f"break comers.c:{at}\ncontinue\nbt\nframe 1\ninfo args\nframe 0\ninfo args\nframe serve\nup\n"
                       "frame price\nframe 99\n", "--keep-going")
        frames = [record["function"] for record in said[2]["records"]]
        numbers = [record["number"] for record in said[2]["records"]]
        equal(frames[0], "price", said[2])
        expect(frames[1] in ("serve", "quote"), frames)
        equal(numbers, list(range(len(numbers))))
        equal(said[2]["records"][0].get("inlined"), True)
        equal((said[3]["records"][0]["function"], said[3]["records"][0]["number"]), (frames[1], 1))
        equal(said[3]["records"][0]["pc"], said[2]["records"][1]["pc"])
        equal([record["name"] for record in said[6]["records"]], ["order"])
        equal([record["name"] for record in said[4]["records"]], {"serve": ["order", "weight"], "quote": ["order"]}[frames[1]])
        equal(said[9]["records"][0]["number"], 0)
        contains(said[10]["records"][0]["error"]["message"], f"no frame 99: the stack has {len(frames)}")


@test
def skips():
    """step does not stay in what is skipped"""
    run = launched(STEPPED, "skip fib\nskip file nowhere.c\nskip function nothing_*\ninfo skip\ntbreak walk\nrun\nstep\nfinish\nnext\n"
                   "step\nskip delete 1\ninfo skip\nskip disable 2\ninfo skip\n")
    equal(run.code, 0, run)
    contains(run.out, "skip 1: function fib\nskip 2: file nowhere.c\n")
    contains(run.out, "skip 2: file nowhere.c, disabled\n")
    expect("in fib at" not in run.out, run)
    expect(re.search(r"in leaf at", run.out), run)
    run = launched(STEPPED, "skip leaf\ntbreak walk\nrun\nstep 3\n")
    expect("in leaf at" not in run.out and "in fib at" in run.out, run)
    contains(shell(None, "skip delete 9\n").err, "no skip '9'")


@test
def many_breakpoints():
    """rbreak sets one at each function of a pattern, as many as there can be"""
    with Program(f"{TARGETS}/comers", "1") as target:
        run = shell(target.pid, "rbreak ^(serve|note)$\ninfo breakpoints\n")
        equal(run.code, 0, run)
        contains(run.out, "breakpoint 1 at note")
        contains(run.out, "breakpoint 2 at serve")
        contains(shell(target.pid, "rbreak ^nothing_such$\n").err, "no function")
        # More than the processor has, and no more than a moment takes: each of those is a uprobe.
        run = shell(target.pid, "rbreak ^(serve|note|quote|triple|main)$\n")
        equal(run.code, 0, run)
        equal(len(re.findall(r"^breakpoint \d at ", run.out, re.M)), 5, run)
        run = shell(target.pid, "rbreak .\n")
        equal(run.code, 6, run)
        contains(run.err, "and so are the 32 beyond them")
        contains(run.err, "functions have a breakpoint")


@test
def many_places():
    """commands in all threads and frames; the worst status counts, and what was chosen stays chosen"""
    with Target("threads") as target:
        out = says(target.pid, "thread apply all p 5\nthread apply 1 2 -q p 6\nthread\n")
        equal(len(re.findall(r"\$\d = 5\n", out)), 2, out)
        equal(len(re.findall(r"thread \d+ \(\w+\):\n", out)), 2, out)
        equal(out.count("= 6\n"), 2, out)
        contains(out, f"thread 1 ({target.pid}); calls may use another")
        run = shell(target.pid, "thread apply all p nosuch\n")
        equal(run.code, 1, run)
        equal(run.err.count("no symbol 'nosuch'"), 2, run)
        equal(shell(target.pid, "thread apply all -s p nosuch\n").code, 0)
        contains(shell(target.pid, "thread apply 77 p 1\n").err, "thread apply wants")
        contains(says(target.pid, "thread find ^read$\n"), str(target.pid))
        contains(shell(target.pid, "thread find no_such_thing\n").err, "no thread matches")
        out = says(target.pid, "frame apply 3 -q p 7\nframe apply level 1-2 p 8\nframe apply -1 p 9\n")
        equal((out.count("= 7\n"), out.count("= 8\n"), out.count("= 9\n")), (3, 2, 1), out)
        contains(out, "in _start")
        contains(shell(target.pid, "frame apply nothing\n").err, "frame apply wants")
        target.answers()
    with Server() as target:
        ids = [record["goroutine"] for record in objects(target.pid, "goroutines\n")[0]["records"] if not record.get("system")]
        contains(says(target.pid, f"goroutine {ids[0]} p 1 + 1\ngoroutine\n"), "= 2\nno goroutine is chosen\n")


@test
def cores():
    """gcore writes a core that gdb reads, and the process goes on"""
    if not shutil.which("gdb"):
        skip("gdb is not installed")
    with tempfile.TemporaryDirectory() as directory, Target("threads") as target:
        target.waits()
        core = f"{directory}/core"
        contains(says(target.pid, f"set var spins = 4711\ngcore {core}\np 1\n"), f"{core} has the process, 2 threads\n")
        done = subprocess.run(["gdb", "-nx", "-batch", "-ex", "p spins", "-ex", "p word", "-ex", "info threads", "-ex", "bt",
                               "-ex", "frame function wait_here", "-ex", "p depth", "-ex", "p local", f"{TARGETS}/plain", core],
                              capture_output=True, text=True, check=False)
        for part in ("$1 = 4711", '$2 = "before"', "wait_here (depth=1", "in main (argc=2", "$3 = 1", "$4 = 100"):
            contains(done.stdout, part)
        equal(len(re.findall(r"^[* ] \d+ +.*LWP", done.stdout, re.M)), 2, done.stdout)
        equal(os.stat(core).st_mode & 0o777, 0o600)
        contains(shell(target.pid, "gcore /no/such/place\n").err, "cannot write /no/such/place")
        target.answers()
    if "avx" in open("/proc/cpuinfo", encoding="utf-8").read().split():
        with tempfile.TemporaryDirectory() as directory, Victim("spin") as target:
            core = f"{directory}/core"
            run = says(target.pid, f"interrupt all\nthread {target.tid}\ngcore {core}\np $ymm5[7]\np $ymm15[4]\n")
            wanted = re.findall(r"\$\d = (.+)", run)
            done = subprocess.run(["gdb", "-nx", "-batch", "-ex", "p $ymm5.v8_float[7]", "-ex", "p $ymm15.v8_float[4]",
                                   f"{TARGETS}/victim", core], capture_output=True, text=True, check=False)
            equal(re.findall(r"\$\d = (.+)", done.stdout), wanted, done.stdout + done.stderr)
            expect(len(wanted) == 2 and "0" not in wanted, wanted)
    contains(launched(STEPPED, "tbreak leaf\nrun\ngcore /dev/null\n").err, "/dev/null is no file")
    expect(not os.path.isfile("/dev/null"), "it is left alone")


@test
def pipes():
    """what a command says is given to one of the system's shell"""
    with Target() as target:
        equal(says(target.pid, "pipe p 5 | cat -n\n| p 6 | tr 0-9 a-j\n"), "     1\t$1 = 5\n$b = g\n".replace("$b", "$c"))
        equal(says(target.pid, "pipe -d XX p 1|2 XX cat\n"), "$1 = 3\n")
        equal(says(target.pid, "pipe info functions | head -1 | wc -l\np 3\n"), "1\n$1 = 3\n")
        equal(shell(target.pid, "pipe p nosuch | cat\n").code, 1)
        equal(shell(target.pid, "pipe p 1 | false\n").code, 1)
        contains(shell(target.pid, "pipe p 1\n").err, "pipe wants")
        said = objects(target.pid, "pipe p 5 | cat\n")
        equal([json.dumps(each) for each in said][0].count('"value": "5"'), 1, said)


@test
def catches():
    """catch stops at system calls, signals, forks and what else has no place"""
    program = ["/bin/sh", "-c", "trap 'echo got' USR1; kill -USR1 $$; /bin/true; echo end"]
    run = launched(program, "catch syscall write\ntcatch fork\ncatch vfork\ncatch signal USR1\ninfo breakpoints\nrun\ncontinue\n"
                   "continue\ndelete 1\ncontinue\nsave breakpoints /dev/stdout\n", "--keep-going")
    contains(run.out, "catchpoint 1 of syscall write, 0 hits\n")
    contains(run.out, "catchpoint 4 of signal USR1, 0 hits\n")
    expect(re.search(r"thread \d+ caught SIGUSR1 \(User defined signal 1\), in ", run.out), run)
    expect(re.search(r"before system call 1 \(write\), in ", run.out), run)
    expect(re.search(r"behind system call 1 \(write\), which gave 4, in ", run.out), run)
    expect(re.search(r"has made process \d+ by v?fork, in ", run.out), run)
    contains(shell(None, "catch\n").err, "catch wants")
    contains(launched(program, "catch nothing\n").err, "catch wants syscall, signal")
    contains(launched(program, "catch syscall nosuchcall\n").err, "nosuchcall")


@test
def pending():
    """a callee that comes to a breakpoint stands there; continue goes on with the call, abandon undoes it"""
    run = launched(STEPPED, "tbreak walk\nrun\nbreak leaf\np walk(5)\nbt 2\np n\ninfo calls\ndelete\ncontinue\ninfo calls\n"
                   "p n\nbreak leaf\np walk(6)\nabandon\np n\ninfo calls\nabandon\n", "--keep-going")
    expect(re.search(r"at breakpoint 2, in leaf at .*\n>.*\n.*#0 .* in leaf .*\n.*#1 .* in walk", run.out), run)
    contains(run.out, "= 5\ncall 1 on thread ")
    contains(run.out, ": walk(5)\n")
    expect(re.search(r"\$\d = 15\d\d\n\$\d = 3\n", run.out), run)
    equal(run.err.count("no call is pending"), 3, run)
    equal(len(re.findall(r"^\$\d+ = 3$", run.out, re.M)), 2, run)


@test
def locking():
    """whether others run with one that goes on is a setting, and steps end under each"""
    with Program(f"{TARGETS}/comers", "2") as target:
        for how in ("on", "step", "off"):
            out = says(target.pid, f"set stop-all on\nset scheduler-locking {how}\ntbreak serve\ncontinue\nnext\nnext\n")
            equal(out.count("stopped (step)"), 2, out)
        contains(shell(target.pid, "set scheduler-locking maybe\n").err, "scheduler-locking wants")
        contains(says(target.pid, "set scheduler-locking replay\nshow scheduler-locking\n"), "off")


@test
def pages():
    """long output stops at each page: Enter goes on, c shows all, q no more"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env={"HOME": directory, "XDG_STATE_HOME": directory}, size=(10, 80)) as terminal:
        terminal.wait(PROMPT)
        since = len(terminal.shown)
        terminal.type("help all\n")
        since = terminal.wait("-- more", since)
        expect("Threads and frames" not in terminal.shown[:since], terminal.shown)
        terminal.type("\n")
        since = terminal.wait("-- more", since)
        terminal.type("q")
        since = terminal.wait(PROMPT, since)
        expect("apropos WORD" not in terminal.shown, terminal.shown)
        terminal.type("help all\n")
        since = terminal.wait("-- more", since)
        terminal.type("c")
        since = terminal.wait(PROMPT, terminal.wait("apropos WORD", since))
        terminal.say("set pagination off", "")
        terminal.say("help all", "apropos WORD")
        expect("-- more" not in terminal.shown[since:], terminal.shown[since:])
        terminal.say("p 1 + 1", "= 2")


@test
def progress():
    """what takes long says so, and Ctrl-C cancels it"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env={"HOME": directory, "XDG_STATE_HOME": directory}) as terminal:
        terminal.wait(PROMPT)
        since = len(terminal.shown)
        terminal.type("set timeout 0\n")
        since = terminal.wait(PROMPT, since)
        terminal.type("nap(1000)\n")
        since = terminal.wait("evaluate: ", since)
        since = terminal.wait("s (Ctrl-C cancels)", since)
        terminal.type("\x03")
        since = terminal.wait("cancel", since)
        terminal.wait(PROMPT, since)
        terminal.say("p 1 + 1", "= 2")
        target.answers()


main()
