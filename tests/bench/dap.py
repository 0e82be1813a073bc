#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What an editor waits for, by the adapters of debugcall and lldb in the same run: attaching, a stack of 100 frames, an
# array of 10,000 in pages, locals, a call, steps, with 150 threads beside.
#   dap.py      RUNS= for another count
import os
import shutil
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dap"))
from harness import DEBUGCALL, TARGETS, Failed, Program  # noqa: E402
from harness.dap import ABILITIES, Client  # noqa: E402

RUNS = int(os.environ.get("RUNS", "7"))
SOURCE = os.path.abspath("tests/targets/deep.c")
with open(SOURCE, encoding="utf-8") as text:
    HERE = next(number for number, line in enumerate(text, 1) if "// here" in line)
NAMES = ("lldb-dap-19", "lldb-dap", "lldb-vscode-14", "lldb-vscode")
LLDB = next(filter(None, map(shutil.which, NAMES)), None)


class Session:
    """Milliseconds of each thing, by name; what is asked for often is a median."""

    def __init__(self, adapter):
        self.ours = adapter[0] == DEBUGCALL
        self.found = {}
        with Program(f"{TARGETS}/deep") as target, Client(adapter=adapter, initialize=False) as client:
            self.target, self.client = target, client
            client.checks = False  # which takes time, and of ours alone
            client.ask("initialize", **ABILITIES)
            self.timed("attach, a breakpoint, configurationDone", self.attach)
            thread = self.timed("until a hit is told", self.hit)
            self.timed("150 threads", lambda: client.ask("threads"), 5)
            frames = self.timed("a stack of 100 frames", lambda: client.ask("stackTrace", threadId=thread, startFrame=0,
                                                                             levels=100)["stackFrames"], 5)
            self.frame = frames[0]["id"]
            self.timed("arguments and locals", self.locals, 5)
            for name in ("numbers", "rows"):
                self.timed(f"10,000 {name} in pages of 100", lambda name=name: self.pages(name))
            self.timed("a call", self.call, 5)
            self.timed("a step", lambda: self.step(thread), 3)
            client.ask("continue", threadId=thread)
            client.ask("disconnect", terminateDebuggee=False)

    def timed(self, name, function, times=1):
        took = []
        for _ in range(times):
            start = time.monotonic()
            result = function()
            took.append(1000 * (time.monotonic() - start))
        self.found[name] = statistics.median(took)
        return result

    def attach(self):
        asked = self.client.send("attach", pid=self.target.pid, stopOnEntry=False)
        self.client.event("initialized")
        self.client.ask("setBreakpoints", source={"path": SOURCE}, breakpoints=[{"line": HERE}])
        self.client.ask("configurationDone")
        self.client.answer(asked)

    def stopped(self):
        return self.client.event("stopped")["threadId"]

    def hit(self):
        self.target.process.stdin.write("x")
        self.target.process.stdin.flush()
        return self.stopped()

    def locals(self):
        for scope in self.client.ask("scopes", frameId=self.frame)["scopes"]:
            if not scope["expensive"]:
                self.client.ask("variables", variablesReference=scope["variablesReference"])

    def evaluate(self, text):
        # lldb's console takes commands.
        return self.client.ask("evaluate", expression=text, frameId=self.frame, context="repl" if self.ours else "watch")

    def pages(self, name):
        reference = self.evaluate(name)["variablesReference"]
        for start in range(0, 10000, 100):
            page = self.client.ask("variables", variablesReference=reference, filter="indexed", start=start, count=100)
            assert len(page["variables"]) == 100, page

    def call(self):
        value = self.evaluate("add(20, 22)")
        assert value["result"] == "42", value

    def step(self, thread):
        self.client.ask("next", threadId=thread)
        self.stopped()


def main():
    ours, theirs = [], []
    # In turns, so that what else the machine does falls on both.
    for _ in range(RUNS):
        ours.append(Session((DEBUGCALL, "dap")).found)
        try:
            theirs += [Session((LLDB,)).found] if LLDB else []
        except Failed as failure:
            print(f"# {os.path.basename(LLDB)}: {str(failure)[:100]}")
    print(f"{'median of ' + str(RUNS):42} {'debugcall':>13} {os.path.basename(LLDB or 'no lldb'):>17} {'ratio':>8}")
    for name in ours[0]:
        here = statistics.median(run[name] for run in ours)
        line = f"{name:42} {here:10.2f} ms"
        if theirs:
            there = statistics.median(run[name] for run in theirs)
            line += f" {there:14.2f} ms {there / here:7.1f}x"
        print(line)


main()
