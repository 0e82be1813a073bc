#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# An agent is brought into a process that was started without one, and put to sleep again; where it may
# not be it says why.
import json
import os
import shutil
import subprocess
import tempfile

from harness import B, TARGETS, Program, Target, contains, debugcall, ends, equal, expect, main, row, skip, status, test, until


def call(pid, *args):
    answer = json.loads(ends(0, "--json", "-p", pid, *args).out.splitlines()[0])
    return answer["value"], answer["host"]


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


@test
def in_and_out():
    """inject, calls that stop nothing, eject"""
    with Target() as target:
        target.waits()
        equal(call(target.pid, "add(1, 2)"), ("3", "bare"))
        contains(ends(0, "inject", "-p", target.pid).err, "an agent takes calls now")
        before = status(target.pid)["voluntary_ctxt_switches"]
        for _ in range(5):
            equal(call(target.pid, "add(1, 2)"), ("3", "agent"))
        equal(status(target.pid)["voluntary_ctxt_switches"], before)
        contains(ends(6, "inject", "-p", target.pid).err, "has an agent already")
        until(lambda: threads(target.pid) == 2, "the agent sleeps")
        contains(ends(0, "eject", "-p", target.pid).err, "sleeps for good")
        until(lambda: threads(target.pid) == 1, "its thread has ended")
        with open(f"/proc/{target.pid}/maps", encoding="utf-8") as file:
            equal("/memfd:debugcall-agent" in file.read(), False)
        equal(call(target.pid, "add(1, 2)"), ("3", "bare"))
        contains(ends(6, "--host", "agent", "-p", target.pid, "add(1, 2)").err, "agent")
        target.answers()


@test
def from_elsewhere():
    """into a process of another mount namespace, which sees no such file"""
    if os.getuid() or not shutil.which("unshare"):
        skip("needs root, and unshare")
    with tempfile.TemporaryDirectory() as directory:
        program = shutil.copy(f"{TARGETS}/plain", directory)
        os.chmod(directory, 0o755)
        # What was built lies under a file system that is hidden there.
        hidden = os.path.dirname(os.path.abspath(B))
        command = f"mount -t tmpfs none {hidden} && exec {program}"
        with Program("unshare", "-m", "sh", "-c", command) as target:
            contains(ends(0, "inject", "-p", target.pid).err, "from a memory file")
            equal(call(target.pid, "add(1, 2)"), ("3", "agent"))
            links = [os.readlink(f"/proc/{target.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{target.pid}/fd")]
            equal([link for link in links if "libdebugcall" in link], [], "descriptors left behind")


def refused(words, program, *options, env=None):
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "program.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write('#include <stdio.h>\n#include <unistd.h>\nint add(int a, int b) { return a + b; }\n'
                       'int main(void) { puts("ready"); fflush(stdout); for (;;) pause(); }\n')
        path = os.path.join(directory, "program")
        built = subprocess.run([program, "-g", "-o", path, source, *options], capture_output=True, text=True, check=False)
        if built.returncode:
            skip(f"{program} {' '.join(options)} does not build here")
        with Program(path, env=env) as target:
            run = ends(6, "inject", "-p", target.pid)
            contains(run.err, words)
            equal(call(target.pid, "add(1, 2)"), ("3", "bare"))


def static():
    refused("is statically linked", "gcc", "-static")


def static_pie():
    refused("is statically linked", "gcc", "-static-pie")


def sanitizer():
    refused("under a sanitizer", "gcc", "-fsanitize=address", env={"ASAN_OPTIONS": "detect_leaks=0"})


def musl():
    if not shutil.which("musl-gcc"):
        skip("musl-gcc is not installed")
    refused("another C library", "musl-gcc")


@test
def set_uid():
    """a program with more rights than its user has"""
    if os.getuid() or not shutil.which("setpriv"):
        skip("needs root, and setpriv")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        program = shutil.copy(f"{TARGETS}/plain", directory)
        os.chmod(program, 0o4755)
        with Program("setpriv", "--reuid=65534", "--clear-groups", program) as target:
            expect(status(target.pid)["Uid"].split()[:2] == ["65534", "0"], "the file system knows no set-uid")
            contains(ends(6, "inject", "-p", target.pid).err, "set-uid")


@test
def kept_out():
    """DEBUGCALL_AGENT=off keeps it out of a process that loads it, too"""
    with Target(env={"DEBUGCALL_AGENT": "off"}) as target:
        run = debugcall("inject", "-p", target.pid)
        equal(run.code, 6, run)
        equal(call(target.pid, "add(1, 2)"), ("3", "bare"))


row("not into a static program", static)
row("not into a static PIE", static_pie)
row("not under a sanitizer", sanitizer)
row("not beside another C library", musl)
main()
