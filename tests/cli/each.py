#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The same expression in each thread, goroutine and process; and what shells complete the command line by.
import re
import shutil
import subprocess

from harness import TARGETS, Program, Target, contains, debugcall, ends, equal, expect, good, main, skip, test


@test
def threads():
    """in every thread, in its own context"""
    with Target("threads") as target:
        tids = target.threads()
        equal(len(tids), 2)
        out = good("-q", "-p", target.pid, "--each-thread", "(int)gettid()").splitlines()
        equal(out[0::2], [f"thread {tid} (plain):" for tid in tids])
        equal(out[1::2], [str(tid) for tid in tids])
        target.answers()


@test
def failures():
    """one that fails ends none of the others, and the status is the worst"""
    with Target("threads") as target:
        run = debugcall("-p", target.pid, "--each-thread", "divide(1, (int)gettid() - %d)" % target.pid)
        equal(run.code, 1, run)
        equal(run.out.count("thread "), 2)
        contains(run.err, "SIGFPE")
        target.answers()


@test
def processes():
    """in all children of a process"""
    line = f"{TARGETS}/plain < /dev/zero > /dev/null & a=$!; {TARGETS}/plain < /dev/zero > /dev/null & b=$!; " \
           "echo ready; read line; kill $a $b"
    with Program("sh", "-c", line) as master:
        out = good("-q", "-p", master.pid, "--each-process", "(int)getpid()").splitlines()
        equal(len(out), 4)
        for heading, value in zip(out[0::2], out[1::2]):
            contains(heading, f"process {value} (")
        master.process.stdin.write("\n")
        master.process.stdin.flush()
        master.process.wait()
    contains(ends(3, "-p", "no-such-program", "--each-process", "1").err, "no process called")


@test
def contradictions():
    """what does not go together is refused"""
    for options in (["--each-thread", "--thread", "1"], ["--each-goroutine", "--goroutine", "1"], ["--each-thread", "--at", "main"]):
        contains(ends(2, "-p", "1", *options, "1").err, "--each-")
    contains(ends(2, "check", "-p", "1", "--each-thread").err, "check takes no --each-thread")
    ends(2, "--completion", "fish")


@test
def completion():
    """bash completes commands and options by what the tables have"""
    script = good("--completion", "bash")
    if not shutil.which("bash"):
        skip("bash is not installed")
    for word, wanted in (("--each-p", ["--each-process"]), ("che", ["check"]), ("--no-", ["--no-call", "--no-init", "--no-patch"])):
        lines = f"{script}\nCOMP_WORDS=(debugcall {word}); COMP_CWORD=1; _debugcall; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        done = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=True)
        equal(sorted(done.stdout.split()), wanted)
    zsh = good("--completion", "zsh")
    expect(zsh.startswith("#compdef debugcall\n"), zsh)
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n", "-c", zsh], check=True)
    for option in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", good("--help"), re.M):
        contains(zsh, f"'*--{option}[")


main()
