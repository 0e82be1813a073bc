#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# stacks: every thread's stack while all of them run on, beside what eu-stack finds with its stops.
import json
import os
import shutil
import subprocess

from harness import TARGETS, debugcall, expect, main, row, skip, status, until


def tids(pid):
    return sorted(map(int, os.listdir(f"/proc/{pid}/task")))


def asleep(pid):
    return all(status(pid, tid)["State"][0] == "S" for tid in tids(pid))


class Sleeper:
    """A program that is ready once it has so many threads, all asleep."""

    def __init__(self, *args, threads=1, **kwargs):
        self.name = os.path.basename(args[0])[:15]
        self.threads = threads
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, **kwargs)
        self.pid = self.process.pid
        until(self.is_ready, f"{self.name} sleeps")

    def is_ready(self):
        expect(self.process.poll() is None, f"{self.name} ended")
        # Until it is the program, it is our child that is still to become it.
        return (os.path.basename(os.readlink(f"/proc/{self.pid}/exe")) ==
                os.path.basename(os.path.realpath(shutil.which(self.process.args[0]))) and
                len(tids(self.pid)) >= self.threads and asleep(self.pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


def stacks(pid, *options, prefix=()):
    """By thread: the record of its stack."""
    run = debugcall("stacks", "--json", "--ungrouped", "-p", pid, *options, prefix=prefix)
    expect(run.code == 0, run)
    records = [json.loads(line) for line in run.out.splitlines()]
    return records[0], {record["threads"][0]["thread"]: record for record in records[1:]}


def pcs(record):
    """Of real frames; an inlined one shares its caller's."""
    return [int(frame["pc"], 16) for frame in record["frames"] if not frame.get("inlined")]


def eu_stacks(pid):
    run = subprocess.run(["eu-stack", "-p", str(pid)], capture_output=True, text=True, check=False)
    found, thread = {}, None
    for line in run.stdout.splitlines():
        if line.startswith("TID"):
            thread = int(line.split()[1].rstrip(":"))
            found[thread] = []
        elif line.startswith("#"):
            found[thread].append(int(line.split()[1], 16))
    return found


def compare(pid, way, prefix=()):
    if not shutil.which("eu-stack"):
        skip("no eu-stack")
    until(lambda: asleep(pid), "all threads sleep")
    summary, ours = stacks(pid, prefix=prefix)
    expect(summary["stopped"] == 0 and summary["threads"] == len(tids(pid)), summary)
    theirs = eu_stacks(pid)
    expect(set(ours) == set(theirs), f"threads {sorted(ours)}, theirs {sorted(theirs)}")
    for thread, record in ours.items():
        expect(record["threads"][0]["how"] == way, f"not read by {way}: {record}")
        expect(record["complete"], f"incomplete: {record}")
        expect(pcs(record) == theirs[thread], f"thread {thread}: {record}\ntheirs: "
               f"{list(map(hex, theirs[thread]))}")


def on(program, way, prefix=()):
    with program() as target:
        compare(target.pid, way, prefix)


PYTHON = """
import threading, time
for i in range(5):
    threading.Thread(target=time.sleep, args=(1000,)).start()
time.sleep(1000)
"""
PROGRAMS = {
    "sleep": lambda: Sleeper("sleep", "1000"),
    "bash": lambda: Sleeper("/bin/bash", "-c", "read line"),
    "python3 with threads": lambda: Sleeper("/usr/bin/python3", "-c", PYTHON, threads=6),
    "a threaded server": lambda: Sleeper(f"{TARGETS}/server", threads=3),
}


for name, program in PROGRAMS.items():
    row(f"{name}: by BPF, as eu-stack has it", on, program, "bpf")
main()
