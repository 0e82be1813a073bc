#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 300 s
# The debug adapter is killed at steps of its work, drawn by lot, while it calls, arms, holds, steps: the program runs on.
import os
import random

from harness import CAMPAIGN, KILLER, Failed, Target, equal, expect, main, row, until
from harness.dap import Client

SOURCE = os.path.abspath("tests/targets/plain.c")
with open(SOURCE, encoding="utf-8") as text:
    WRITE = next(number for number, line in enumerate(text, 1) if "if (write(STDOUT_FILENO" in line)


class Gone(Exception):
    pass


class Mortal(Client):
    def next(self, limit=60):
        message = super().next(limit)
        if message is None:
            raise Gone
        return message

    def send_bytes(self, data):
        try:
            super().send_bytes(data)
        except BrokenPipeError:
            raise Gone from None


def session(client, target):
    """A bit of everything; gives the bytes that the program will write."""
    client.attach(target.pid)
    client.evaluate("add(20, 22)")
    client.ask("setBreakpoints", source={"path": SOURCE}, breakpoints=[{"line": WRITE, "condition": "depth == 1"}])
    target.process.stdin.write("x")
    target.process.stdin.flush()
    client.event("stopped")
    frame = client.ask("stackTrace", threadId=target.pid)["stackFrames"][0]["id"]
    client.evaluate("add(depth, 1)", frameId=frame)
    data = client.ask("dataBreakpointInfo", name="local", frameId=frame)["dataId"]
    client.ask("setDataBreakpoints", breakpoints=[{"dataId": data}])
    client.ask("next", threadId=target.pid)
    client.event("stopped")
    client.ask("continue", threadId=target.pid)
    client.ask("pause", threadId=target.pid)
    client.event("stopped")
    client.ask("continue", threadId=target.pid)
    client.evaluate("set_word(\"fuzz\")")
    client.ask("disconnect")


def killed(n):
    """True: it was, before the end."""
    with Target("threads") as target:
        with Mortal(env={"LD_PRELOAD": KILLER, "DC_KILL_AT": str(n),
                         "ASAN_OPTIONS": "verify_asan_link_order=0"}, initialize=False) as client:
            try:
                client.ask("initialize", adapterID="debugcall")
                session(client, target)
                gone = False
            except Gone:
                gone = True
        poked = target.process.stdin.write("y")
        target.process.stdin.flush()
        seen = target.process.stdout.read(1)
        if seen == "x":
            seen = target.process.stdout.read(1)
        equal((poked, seen), (1, "y"), f"killed at {n}: the answer")
        until(lambda: all(target.tracer(tid) == 0 for tid in target.threads()), f"killed at {n}: nobody traces")
        expect(all(target.state(tid) in "SR" for tid in target.threads()), f"killed at {n}: all run")
        return gone


def last_step():
    """How many such steps a whole session has, about: none is killed behind it."""
    n = 64
    while killed(n):
        n *= 2
        if n > 1 << 20:
            raise Failed("a session has no end")
    return n


def sweep():
    last = last_step()
    lot = random.Random(14)
    kills = 0
    for _ in range(1000 if CAMPAIGN else 50):
        kills += killed(lot.randrange(1, last))
    expect(kills, f"none was killed of {last}")
    print(f"# {kills} kills, 0 dead")


row("kills at steps drawn by lot harm nobody", sweep)
main()
