#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# check and functions: they run nothing and stop nothing (promise 11).
import json
import os
import re
import subprocess

from harness import DEBUGCALL, Target, contains, ends, equal, good, main, test


@test
def check():
    """check lists the threads, their states and the hosts"""
    with Target("threads") as target:
        target.waits()
        main_thread, counter = target.threads()
        out = good("check", "-p", target.pid)
        contains(out.splitlines()[0], f"plain, process {target.pid}; hosts: bare")
        rows = {int(line.split()[0]): line for line in out.splitlines()[1:3]}
        contains(rows[main_thread], "read (system call 0)")
        contains(rows[main_thread], "may be borrowed")
        contains(rows[counter], "running: decided at the stop")
        contains(out, "2 of 2 threads may be borrowed")
        only = good("check", "-p", target.pid, "--thread", counter)
        contains(only, "1 of 1 threads")
        contains(good("check", "-p", counter), "1 of 1 threads")
        ends(3, "check", "-p", target.pid, "--thread", "1")


@test
def check_json():
    """check --json says the same"""
    with Target() as target:
        target.waits()
        said = json.loads(good("--json", "check", "-p", target.pid))
        equal((said["schema"], said["pid"], said["program"], said["hosts"]),
              (1, target.pid, "plain", ["bare"]))
        thread, = said["threads"]
        contains(thread.pop("state"), "read (system call 0)")
        equal(thread, {"thread": target.pid, "name": "plain", "borrowable": True, "reason": None})


@test
def functions():
    """functions prints names, prototypes and modules"""
    with Target() as target:
        lines = good("functions", "-p", target.pid, "^(add|make_pair|wait_here)$").splitlines()
        equal([re.sub(r"\s+", " ", line) for line in lines],
              ["add int add(int a, int b) [plain]",
               "make_pair struct pair make_pair(int a, double b) [plain]",
               "wait_here int wait_here(int depth, const char *what) [plain]"])
        said = json.loads(good("--json", "functions", "-p", target.pid, "^add$"))
        equal((said["name"], said["prototype"], said["module"]),
              ("add", "int add(int a, int b)", "plain"))
        contains(good("functions", "-p", target.pid, "^malloc_trim$"), "malloc_trim")
        names = [line.split()[0] for line in good("functions", "-p", target.pid).splitlines()]
        equal(names, sorted(names, key=lambda name: name.encode()))
        contains(ends(2, "functions", "-p", target.pid, "(").err, "regular expression")
        nothing = ends(0, "functions", "-p", target.pid, "^no_such$")
        equal((nothing.out, nothing.err), ("", "note: no function that can be called matches\n"))


@test
def head():
    """a reader that leaves early is no error"""
    with Target() as target:
        listing = subprocess.Popen([DEBUGCALL, "functions", "-p", str(target.pid)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        listing.stdout.read(1)
        listing.stdout.close()
        err = listing.stderr.read()
        equal((listing.wait(60), err), (0, b""))


@test
def nothing_is_traced():
    """looking makes no ptrace system call"""
    # The leak checker traces its own process, which strace has taken.
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    with Target() as target:
        pid = str(target.pid)
        for args in (["check", "-p", pid], ["functions", "-p", pid], ["-p", pid, "pairs", "add"]):
            done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=ptrace", DEBUGCALL, *args],
                                  capture_output=True, text=True, timeout=60, env=env)
            equal((done.returncode, done.stderr), (0, ""), args[0])


main()
