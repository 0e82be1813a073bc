# SPDX-License-Identifier: MIT
# tests/targets/gort_server as the call tests see it, and what they ask of a call into it.
import json
import mmap
import os
import re
import struct
import subprocess
import tempfile

from . import TARGETS, Failed, debugcall, expect, kills, until

FIELDS = ["ready", "beats", "faults", "passed", "interrupts", "entered", "release", "left"]
NAMES = set(FIELDS)
RESTORED = "the target runs on, restored"
IN_CALLEE = "the thread is still in the callee and goes home by itself when it returns"


class Server:
    """tests/targets/gort_server; see there for what it verifies about itself."""

    def __init__(self, spinners=1, interrupt="", env=None):
        handle, self.path = tempfile.mkstemp(prefix="gort-")
        os.ftruncate(handle, 4096)
        self.page = mmap.mmap(handle, 4096)
        os.close(handle)
        self.process = subprocess.Popen([f"{TARGETS}/gort_server", self.path, str(spinners), interrupt],
                                        env=dict(os.environ, **(env or {})),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        until(lambda: self.ready, "server ready")

    def __getattr__(self, name):
        if name in NAMES:
            return struct.unpack_from("Q", self.page, 8 * FIELDS.index(name))[0]
        raise AttributeError(name)

    def set(self, name, value):
        struct.pack_into("Q", self.page, 8 * FIELDS.index(name), value)

    def alive(self):
        return self.process.poll() is None

    def beat(self, spins=True):
        """All goroutines go on, none of them with a wrong register."""
        beats, passed = self.beats, self.passed
        until(lambda: not self.alive() or ((not spins or self.beats >= beats + 2) and self.passed >= passed + 2),
              "next rounds")
        self.check()

    def check(self):
        if not self.alive():
            raise Failed(f"the target died, status {self.process.returncode}: "
                         f"{self.process.stderr.read().decode(errors='replace')}")
        if self.faults:
            text = self.page[8 * len(FIELDS):8 * len(FIELDS) + 200].split(b"\0")[0].decode()
            raise Failed(f"{self.faults} faults: {text}")

    def call(self, *args, **named):
        return debugcall("--json", "--host", "gort", "-p", self.pid, *args, **named)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.page.close()
        os.unlink(self.path)


def first(run):
    return json.loads(run.out.splitlines()[0])


def value(server, expr, wanted):
    run = server.call(expr)
    expect(run.code == 0, f"{expr}: {run}")
    got = first(run)
    expect(got["value"] == wanted and got["host"] == "gort", f"{expr}: {got}")


def failure(server, expr, code, words, *options, state=RESTORED):
    run = server.call(*options, expr)
    expect(run.code != 0, f"{expr}: {run}")
    error = first(run)["error"]
    expect(error["code"] == code and re.search(words, error["message"]) and error["state"] == state,
           f"{expr}: {error}")
    return error


def goroutines(server):
    """The rows of --goroutines, by id."""
    run = debugcall("--json", "-p", server.pid, "--goroutines")
    expect(run.code == 0, run)
    return {int(row["goroutine"]): row for row in map(json.loads, run.out.splitlines())}


def labelled(server, label):
    """The ids of the goroutines with a label, the oldest first."""
    return sorted(id for id, row in goroutines(server).items() if row["label"] == label)


def sweep(server, args, spins=True, between=None, rounds=3):
    """The debugger dies at each of its steps: the host goes home alone. between: what is done before that is seen."""
    def goes_on():
        if between:
            between()
        server.beat(spins=spins)

    return kills.sweep(args, goes_on, rounds=rounds)
