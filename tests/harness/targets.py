# SPDX-License-Identifier: MIT
# Programs of tests/targets that are called into: any of them, the plain one, and the victim.
import mmap
import os
import socket
import struct
import subprocess
import tempfile

from .runs import TARGETS, good
from .tap import Failed, equal, expect, until

FIELDS = ["ready", "beats", "faults", "eintr", "urgent", "entered", "release", "pokes", "aborts",
          "signals", "value"]


def status(pid, tid=None):
    fields = {}
    with open(f"/proc/{pid}/task/{tid or pid}/status", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Victim:
    """tests/targets/victim in one mode; see there for what it verifies about itself."""

    def __init__(self, mode):
        self.mode = mode
        handle, self.path = tempfile.mkstemp(prefix="victim-")
        os.ftruncate(handle, 4096)
        self.page = mmap.mmap(handle, 4096)
        os.close(handle)
        self.process = subprocess.Popen([f"{TARGETS}/victim", self.path, mode],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.tid = until(lambda: self.ready, f"victim {mode} ready")

    def __getattr__(self, name):
        if name in FIELDS:
            return struct.unpack_from("Q", self.page, 8 * FIELDS.index(name))[0]
        raise AttributeError(name)

    def set(self, name, value):
        struct.pack_into("Q", self.page, 8 * FIELDS.index(name), value)

    @property
    def fault(self):
        return self.page[8 * len(FIELDS):8 * len(FIELDS) + 200].split(b"\0")[0].decode()

    @property
    def base_mode(self):
        return self.mode.split("+")[0]

    def poke(self):
        """Ends the system call that the main thread blocks in."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def alive(self):
        return self.process.poll() is None

    def beat(self):
        """The victim finishes rounds, all of them right, so every register was given back."""
        beats, pokes = self.beats, self.pokes
        blocking = self.base_mode not in ("spin", "nanosleep", "nanosleep_rest", "futex_timed", "rseq")
        if blocking:
            self.poke()
            until(lambda: not self.alive() or self.pokes > pokes, f"{self.mode}: poked")
        until(lambda: not self.alive() or self.beats >= beats + (1 if blocking else 2),
              f"{self.mode}: next round (state {status(self.pid, self.tid)['State']})")
        self.check()

    def check(self):
        if not self.alive():
            raise Failed(f"{self.mode}: the target died, status {self.process.returncode}")
        if self.faults:
            raise Failed(f"{self.mode}: {self.faults} faults: {self.fault}")
        if self.urgent:
            raise Failed(f"{self.mode}: the program's SIGURG handler ran")
        fields = status(self.pid, self.tid)
        if fields["TracerPid"] != "0":
            raise Failed(f"{self.mode}: still traced by {fields['TracerPid']}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.page.close()
        os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# A library that goes into all of these: the same tests, over the host that it brings.
PRELOAD = {"LD_PRELOAD": os.environ["TARGET_PRELOAD"]} if "TARGET_PRELOAD" in os.environ else {}


class Program:
    """A target that prints "ready" on a line of its own."""

    def __init__(self, *args, env=None):
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **PRELOAD, **(env or {})))
        self.pid = self.process.pid
        while self.process.stdout.readline() != "ready\n":
            expect(self.process.poll() is None, f"{args[0]} ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Target(Program):
    """tests/targets/plain: reads and writes bytes; with "threads" a second thread counts."""

    def __init__(self, *args, env=None):
        super().__init__(f"{TARGETS}/plain", *args, env=env)

    def call(self, *args):
        """The values that the expressions print, without notes."""
        return good("-q", "-p", self.pid, *args).splitlines()

    def answers(self):
        """The main thread reads and writes as before."""
        self.process.stdin.write("x")
        self.process.stdin.flush()
        equal(self.process.stdout.read(1), "x", "the target's answer")

    def state(self, tid=None):
        return status(self.pid, tid)["State"][0]

    def waits(self):
        until(lambda: self.state() == "S", "the target waits")

    def threads(self):
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))

    def tracer(self, tid=None):
        return int(status(self.pid, tid)["TracerPid"])
