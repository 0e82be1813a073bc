#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# --at: what is evaluated where threads come by, and that nobody is harmed by it, whatever becomes of
# the debugger.    timeout: 900 s
import json
import os
import random
import signal
import subprocess
import time

from harness import B, CAMPAIGN, TARGETS, Program, Victim, contains, debugcall, ends, equal, expect, finish, kill_points, \
    killed_at, main, skip, start, status, test, until
from harness.runs import denying

SOURCE = "tests/targets/comers.c"


class Comers(Program):
    """Threads that come by; see there for what they verify."""

    def __init__(self, threads=1, mode=""):
        super().__init__(f"{TARGETS}/comers", str(threads), mode)

    def counts(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(map(int, self.process.stdout.readline().split()))

    def threads(self):
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))

    def runs_on(self):
        """All threads go on, nothing was changed, nobody follows them."""
        before, _, _ = self.counts()
        until(lambda: self.counts()[0] > before + 1000, "it goes on")
        _, faults, signals = self.counts()
        equal((faults, signals), (0, 0), "faults and stray signals")
        for tid in self.threads():
            try:
                fields = status(self.pid, tid)
            except FileNotFoundError:
                continue
            equal(fields["TracerPid"], "0", "its tracer")
            expect(fields["State"][0] not in "Tt", fields["State"])

    def at(self, place, *args):
        run = debugcall("-q", "-p", self.pid, "--wait", "30s", "--at", place, *args)
        expect(run.code == 0, run)
        return run.out.splitlines()


def line_of(text):
    with open(SOURCE, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if text in line:
                return number
    raise AssertionError(text)


@test
def locals_and_calls():
    """locals of the frame, and calls, at a function"""
    with Comers() as target:
        values = target.at("serve", "weight", "order->thread", "order->customer", "triple((int)weight)")
        equal(values[:2], ["7", "0"])
        contains(values[2], '"even"')
        equal(values[3], "21")
        target.runs_on()


@test
def lines():
    """a line, with what is computed there"""
    with Comers() as target:
        values = target.at(f"comers.c:{line_of('watched = value')}", "value >= 0", "value == watched")
        equal(values[0], "1" if values[0] != "true" else "true")
        target.runs_on()


@test
def addresses():
    """an address, with its registers"""
    with Comers() as target:
        addr = target.at("note", "/x (long)$rip")[0]
        again = target.at(f"*{addr}", "/x (long)$rip", "value >= 0")
        equal(again[0], addr)
        target.runs_on()


@test
def conditions():
    """false hits go on, the true one is met, with calls in the condition"""
    with Comers(4) as target:
        equal(target.at("serve", "--if", "order->thread == 2 && order->number % 10 == 3", "order->thread",
                        "order->number % 10"), ["2", "3"])
        equal(target.at("serve", "--if", "triple(order->thread) == 9", "order->thread"), ["3"])
        target.runs_on()


@test
def counts():
    """so many hits, in order"""
    with Comers() as target:
        values = target.at("note", "--count", "5", "value")
        equal(len(values), 5)
        numbers = list(map(int, values))
        equal(numbers, sorted(set(numbers)))
        target.runs_on()


@test
def inlined():
    """all inlined copies of a function"""
    with Comers() as target:
        run = debugcall("--json", "-p", target.pid, "--wait", "30s", "--at", "price", "--count", "8", "order->thread")
        expect(run.code == 0, run)
        hits = [json.loads(line) for line in run.out.splitlines() if '"hit"' in line.split(":")[0] or '"number"' in line]
        equal({hit["where"]["function"] for hit in hits}, {"serve", "quote"})
        target.runs_on()


@test
def one_thread():
    """only the thread that is named"""
    with Comers(3) as target:
        tid = target.threads()[2]
        run = debugcall("-p", target.pid, "--thread", tid, "--wait", "30s", "--at", "serve", "order->thread")
        expect(run.code == 0, run)
        equal(run.out, "1\n")
        contains(run.err, f"thread {tid} ")
        target.runs_on()


@test
def young_threads():
    """a thread that did not exist yet"""
    with Comers(2, "short") as target:
        for _ in range(5):
            equal(target.at("serve", "--if", "order->number == 0", "order->number"), ["0"])
        target.runs_on()


@test
def notices():
    """threads that block all signals, and a program that handles what others ignore"""
    for mode in ("blocked", "caught"):
        with Comers(2, mode) as target:
            equal(target.at("serve", "--if", "order->thread == 1", "weight"), ["7"])
            target.runs_on()


@test
def deaf():
    """a thread that blocks all signals when it was armed already is heard all the same"""
    with Comers(1) as target:
        run = start("-q", "-p", target.pid, "--at", "serve", "--count", "0", "blocked")
        equal(run.stdout.readline(), "0\n")
        target.process.stdin.write("block\n")
        target.process.stdin.flush()
        until(lambda: run.stdout.readline() == "1\n", "a hit of a thread that blocks all")
        run.send_signal(signal.SIGINT)
        equal(finish(run).code, 130)
        target.process.stdout.readline()
        target.runs_on()


@test
def nobody_comes():
    """the time to wait is over"""
    with Comers() as target:
        run = ends(5, "-p", target.pid, "--wait", "300ms", "--at", "main", "argc")
        contains(run.err, "no thread came by main within 0.3 s")
        target.runs_on()


@test
def wrong():
    """what cannot be is said before anybody waits"""
    with Comers() as target:
        contains(ends(1, "-p", target.pid, "--at", "no_such_place", "1").err, "no_such_place")
        contains(ends(1, "-p", target.pid, "--at", "serve", "nosuchlocal").err, "nosuchlocal")
        contains(ends(1, "-p", target.pid, "--at", "comers.c:99999", "1").err, "99999")
        contains(ends(2, "-p", target.pid, "--if", "1", "1").err, "--at")
        contains(ends(6, "-p", target.pid, "--all-stop", "--at", "serve", "1").err, "--all-stop")
        target.runs_on()


@test
def ends_meanwhile():
    """the target exits, or becomes another program, while somebody waits"""
    for word in ("exit", "exec"):
        with Comers() as target:
            run = start("-p", target.pid, "--at", "main", "1")
            until(lambda: run.poll() is not None or status(target.pid)["TracerPid"] != "0", "followed")
            target.process.stdin.write(word + "\n")
            target.process.stdin.flush()
            equal(finish(run).code, 4, word)


@test
def interrupted():
    """SIGINT ends the wait, and lets go"""
    with Comers(2) as target:
        run = start("-p", target.pid, "--at", "main", "1")
        until(lambda: run.poll() is not None or status(target.pid)["TracerPid"] != "0", "followed")
        run.send_signal(signal.SIGINT)
        equal(finish(run).code, 130)
        target.runs_on()


# Runs what follows with perf_event_open() denied by a seccomp filter.
NO_PERF = denying(298)


@test
def no_perf_events():
    """where the kernel has no breakpoint for us one is patched in, which is said; or none is"""
    def run(*args):
        return subprocess.run([*NO_PERF, f"{B}/debugcall", "-p", str(target.pid), "--wait", "30s", *args],
                              capture_output=True, text=True, check=False)

    with Comers(2) as target:
        done = run("--at", "serve", "--count", "5", "weight", "triple((int)weight)")
        equal(done.returncode, 0, done)
        equal(done.stdout.split(), ["7", "21"] * 5)
        equal(done.stderr.count("does not survive"), 1, done.stderr)
        target.runs_on()
        done = run("--no-patch", "--at", "serve", "weight")
        equal(done.returncode, 6, done)
        contains(done.stderr, "the kernel allows us no breakpoint")
        contains(done.stderr, "could only be patched")
        target.runs_on()


@test
def killed():
    """promise 1: SIGKILL at any moment, with breakpoints armed, hit and evaluated at"""
    kills = 10000 if CAMPAIGN else 200
    done = 0
    random.seed(1)
    with Comers(3) as target:
        while done < kills:
            run = start("-q", "-p", target.pid, "--at", "serve", "--count", "0",
                        *random.choice((["weight"], ["triple(3)"], ["--if", "order->number % 3", "weight"],
                                        ["--if", "order->number % 100 == 99", "weight"])))
            until(lambda: run.poll() is not None or run.stdout.readline(), "the first hit")
            # A moment of no meaning: the sweep is over moments.
            time.sleep(random.random() * 0.003)
            run.kill()
            run.communicate()
            equal(run.returncode, -signal.SIGKILL)
            done += 1
            if done % 10 == 0:
                target.runs_on()
        target.runs_on()
    print(f"# {done} kills, 0 dead")


@test
def killed_in_control():
    """promise 1: SIGKILL with breakpoints, watchpoints, steps of every kind and pending calls in progress"""
    kills = 1000 if CAMPAIGN else 10
    random.seed(2)
    ways = ("step", "next", "stepi", "watch", "break", "all", "call")
    for what in ways:
        with Comers(3) as target:
            for n in range(kills):
                debugger = subprocess.Popen([f"{B}/tests/control/driver", str(target.pid), what],
                                            stdout=subprocess.PIPE, text=True)
                equal(debugger.stdout.readline(), "at work\n", what)
                # A moment of no meaning: the sweep is over moments.
                time.sleep(random.random() * 0.003)
                debugger.kill()
                equal(debugger.wait(), -signal.SIGKILL)
                debugger.stdout.close()
                if n % 10 == 9:
                    target.runs_on()
            target.runs_on()
    print(f"# {len(ways) * kills} kills, 0 dead")


class Milestones(Program):
    """Threads that come by many places; see there for what they verify."""

    def __init__(self, threads):
        super().__init__(f"{TARGETS}/milestones", str(threads))

    def counts(self, line=""):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return tuple(map(int, self.process.stdout.readline().split()))

    def runs_on(self):
        """All threads go on, nothing was changed."""
        before, _, _ = self.counts()
        until(lambda: self.counts()[0] > before + 1000, "it goes on")
        equal(self.counts()[1:], (0, 0), "faults and stray signals")
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            fields = status(self.pid, tid)
            equal(fields["TracerPid"], "0", "its tracer")
            expect(fields["State"][0] not in "Tt", fields["State"])
            equal(int(fields["SigPnd"], 16), 0, "what is pending")


@test
def killed_with_many_places():
    """promise 1: SIGKILL with eight breakpoints hit without end by four threads"""
    kills = 1000 if CAMPAIGN else 20
    if os.geteuid():
        skip("the kernel gives uprobes to root only")
    random.seed(3)
    with Milestones(4) as target:
        target.counts("0")
        for n in range(kills):
            debugger = subprocess.Popen([f"{B}/tests/control/driver", str(target.pid), "places"],
                                        stdout=subprocess.PIPE, text=True)
            equal(debugger.stdout.readline(), "at work\n")
            # A moment of no meaning: the sweep is over moments.
            time.sleep(random.random() * 0.003)
            debugger.kill()
            equal(debugger.wait(), -signal.SIGKILL)
            debugger.stdout.close()
            if n % 10 == 9:
                target.runs_on()
        target.runs_on()
    print(f"# {kills} kills, 0 dead")


@test
def killed_at_each_call():
    """promise 1: killed at each of its calls to the kernel, over a target that verifies its registers"""
    with Victim("spin") as victim:
        args = ("-q", "-p", victim.pid, "--wait", "30s", "--at", "round_spin", "add(1,2)")
        run, total = kill_points(*args)
        expect(run.code == 0 and run.out == "3\n", run)
        victim.beat()
        for n in range(1, total + 8, 1 if CAMPAIGN else max(1, total // 60)):
            killed_at(n, *args)
            victim.beat()


main()
