#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The shell at a real terminal: editing, completion, interrupts, history, and the terminal afterwards.
#     timeout: 300 s
import os
import signal
import stat
import subprocess
import tempfile
import termios
import time

from harness import DEBUGCALL, Target, Terminal, contains, equal, expect, main, test, until

PROMPT = "(debugcall) "


def home(directory):
    return {"XDG_STATE_HOME": directory, "XDG_CONFIG_HOME": directory, "HOME": directory}


@test
def lines():
    """lines are edited, values numbered, Enter repeats what looks on and no call"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env=home(directory)) as terminal:
        terminal.wait(PROMPT)
        terminal.say("add(1, 2)", "$1 = 3")
        terminal.say("add(1, 3\x01\x06\x06\x06\x05)", "$2 = 4")
        terminal.say("x/1xw &spins", "<spins>:")
        terminal.say("", "<spins+4>:")
        terminal.say("add(2, 2)", "$3 = 4")
        since = len(terminal.shown)
        terminal.say("", PROMPT, "")
        expect("$4" not in terminal.shown[since:], "Enter repeats no call")
        terminal.type("\x04")
        terminal.leaves(0)
        contains(terminal.shown, f"process {target.pid} runs on")
        target.answers()


@test
def completion():
    """the Tab key completes commands, names, members and registers"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, "--frame", "wait_here", env=home(directory)) as terminal:
        target.waits()
        terminal.wait(PROMPT)
        for typed, shown in (("inf\tthr\t", "info threads"), ("p wait_h\t", "p wait_here"), ("p both.\t\t", "b"),
                             ("p $eflag\t", "p $eflags"), ("set lists\t", "set listsize"), ("help backt\t", "help backtrace"),
                             (f"source {directory}/no\t", f"source {directory}/no")):
            since = len(terminal.shown)
            terminal.type(typed)
            terminal.wait(shown, since)
            terminal.type("\x03")
            terminal.wait("^C", since)
            terminal.wait(PROMPT, since)
        equal(target.tracer(), 0)


@test
def interrupts():
    """Ctrl-C gives up the line, and during a call cancels it; the shell goes on"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env=home(directory)) as terminal:
        terminal.wait(PROMPT)
        for _ in range(2):
            since = len(terminal.shown)
            terminal.type("add(1,\x03")
            terminal.wait(PROMPT, terminal.wait("^C", since))
            terminal.say("add(1, 2)", " = 3")
            since = len(terminal.shown)
            terminal.type("spin()\n")
            terminal.wait("spin()\n", since)
            until(lambda: target.tracer() or target.state() == "R", "the callee runs")
            terminal.type("\x03")
            terminal.wait(PROMPT, terminal.wait("spin was cancelled", since))
            terminal.say("add(2, 2)", " = 4")
        since = len(terminal.shown)
        terminal.type("while 1\nadd(0, 0)\nend\n")
        terminal.wait("$9 = 0", since)
        terminal.type("\x03")
        terminal.wait(PROMPT, since)
        terminal.say("add(5, 5)", " = 10")
        since = len(terminal.shown)
        terminal.type("define f\necho no\n\x03")
        terminal.wait(PROMPT, terminal.wait("^C", since))
        terminal.say("add(5, 6)", " = 11")
        terminal.type("quit\n")
        terminal.leaves(0)
        target.answers()


@test
def interrupts_the_next_key():
    """Ctrl-C behind a key throws that key away in the terminal, and is heard all the same"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env=home(directory)) as terminal:
        terminal.wait(PROMPT)
        for i in range(300):
            since = len(terminal.shown)
            terminal.type("a")
            # At every moment between the key's arrival and its reading.
            end = time.monotonic_ns() + i * 500
            while time.monotonic_ns() < end:
                pass
            terminal.type("\x03")
            terminal.wait(PROMPT, terminal.wait("^C", since))
        terminal.say("add(5, 5)", " = 10")


@test
def interrupts_no_page():
    """what is said of an interrupt waits for nobody, though it is behind the end of the page"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env=home(directory)) as terminal:
        terminal.wait(PROMPT)
        terminal.type("define fill\necho " + 21 * "row\\n" + "\nspin()\nend\n")
        terminal.wait(PROMPT, terminal.wait("end\n"))
        since = len(terminal.shown)
        terminal.type("fill\n")
        terminal.wait(21 * "row\n", since)
        until(lambda: target.tracer() or target.state() == "R", "the callee runs")
        terminal.type("\x03")
        terminal.wait(PROMPT, terminal.wait("spin was cancelled", since))
        expect("-- more" not in terminal.shown[since:], terminal.shown[since:])


@test
def history():
    """lines are kept for their owner only, each once, and come back"""
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        for _ in range(2):
            with Terminal("-p", target.pid, env=home(directory)) as terminal:
                terminal.wait(PROMPT)
                terminal.say("add(7, 7)", "= 14")
                terminal.say("output 5", "5")
                terminal.say("add(7, 7)", "= 14")
                terminal.type("\x10\x10\n")
                terminal.wait("output 5\n5", terminal.shown.rindex("14"))
                terminal.type("quit 5\n")
                terminal.leaves(5)
        path = os.path.join(directory, "debugcall/history")
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with Terminal("-p", target.pid, env=home(directory)) as terminal:
            terminal.wait(PROMPT)
            since = len(terminal.shown)
            terminal.say("history", "history")
            for line in ("add(7, 7)", "output 5", "quit 5"):
                equal(terminal.shown[since:].count(f"  {line}\n"), 1, line)


@test
def no_history_of_scripts():
    """what is piped in is not kept"""
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        subprocess.run([DEBUGCALL, "-p", str(target.pid)], input="add(1, 2)\n", text=True, check=True,
                       env=dict(os.environ, **home(directory)), stdout=subprocess.DEVNULL)
        equal(os.listdir(directory), [])


@test
def restored():
    """the terminal is as it was, however the shell ends"""
    for how in ("\x04", "quit\n", signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT):
        with Target() as target, tempfile.TemporaryDirectory() as directory, \
                Terminal("-p", target.pid, env=home(directory)) as terminal:
            before = terminal.modes()
            terminal.wait(PROMPT)
            until(lambda: not terminal.modes() & termios.ICANON, "a line is edited")  # pylint: disable=cell-var-from-loop
            if isinstance(how, str):
                terminal.type(how)
            else:
                os.kill(terminal.pid, how)
            code = terminal.end()
            equal(terminal.modes(), before, f"{how!r}")
            if how in (signal.SIGSEGV, signal.SIGABRT):
                equal(code, -how)
            elif not isinstance(how, str):
                equal(code, 128 + how)
            target.answers()


@test
def init_files():
    """a person's init file is read, a project's only as it was trusted"""
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        project, where = os.path.join(directory, "project"), os.getcwd()
        os.mkdir(project)
        os.mkdir(os.path.join(directory, "debugcall"))
        own, theirs = os.path.join(directory, "debugcall/init"), os.path.join(project, ".debugcall")

        def write(path, text):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

        def shown(*options):
            os.chdir(project)
            try:
                with Terminal("-p", target.pid, *options, env=home(directory)) as terminal:
                    terminal.wait(PROMPT)
                    terminal.say("add(1, 1)", "= 2")
                    return terminal.shown
            finally:
                os.chdir(where)

        write(own, "echo own\\n\nnosuch\n")
        write(theirs, "echo theirs\\n\n")
        text = shown()
        contains(text, "own\n")
        contains(text, f"{own}:2: error: ")
        contains(text, ".debugcall is not read")
        expect("theirs\n" not in text, text)
        equal(subprocess.run([DEBUGCALL, "trust", theirs], env=dict(os.environ, **home(directory)), check=False).returncode, 0)
        contains(shown(), "theirs\n")
        expect("own\n" not in shown("--no-init"), "--no-init")
        write(theirs, "echo changed\\n\n")
        expect("changed\n" not in shown(), "a file that has changed is not trusted")
        os.chmod(own, 0o666)
        contains(shown(), "init is not read: it may be written by others")


@test
def resize():
    """a line is drawn anew when the terminal changes its width"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env=home(directory)) as terminal:
        terminal.wait(PROMPT)
        text = "add(1, 2) + " * 6 + "0"
        terminal.type(text)
        terminal.wait(text[-20:])
        since = len(terminal.raw)
        terminal.resize(24, 40)
        until(lambda: terminal.take(0.1) and len(terminal.raw) > since, "something is drawn")
        terminal.say("", "$1 = 18")


@test
def pasted():
    """several lines that are pasted at once are as many commands"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env=home(directory)) as terminal:
        terminal.wait(PROMPT)
        terminal.type("\x1b[200~add(1, 1)\nadd(1, 2)\nadd(1, 3)\n\x1b[201~\n")
        terminal.wait("$3 = 4")
        terminal.wait(PROMPT, terminal.shown.index("$3 = 4"))


@test
def pauses():
    """Ctrl-Z pauses the shell and no target; it goes on with the line"""
    with Target() as target, tempfile.TemporaryDirectory() as directory, \
            Terminal("-p", target.pid, env=home(directory)) as terminal:
        terminal.wait(PROMPT)
        terminal.type("\x1a")
        until(lambda: open(f"/proc/{terminal.pid}/stat", encoding="utf-8").read().split()[2] == "T", "it is paused")
        expect(target.state() != "T", "the target runs")
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.say("add(1, 2)", "$1 = 3")


@test
def colours():
    """NO_COLOR and --color never leave the text alone"""
    with Target() as target, tempfile.TemporaryDirectory() as directory:
        for env, options, wanted in (({}, [], True), ({"NO_COLOR": "1"}, [], False), ({}, ["--color", "never"], False),
                                     ({"NO_COLOR": "1"}, ["--color", "always"], True)):
            with Terminal("-p", target.pid, *options, env=dict(home(directory), **env)) as terminal:
                terminal.wait(PROMPT)
                terminal.say("add(1, 2)", "$1 = 3")
                equal("\x1b[36m$1\x1b[m" in terminal.raw, wanted, f"{env} {options}")


main()
