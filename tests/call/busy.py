#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls into a busy HTTP server on libgort, and the debugger killed during them: no request fails, the server
# lives on, and every goroutine, mask and thread is accounted for. Promises 1, 2 and 6.    timeout: 600 s
import fcntl
import os
import random
import re
import signal
import time

from harness import CAMPAIGN, Failed, debugcall, expect, finish, kill_points, killed_at, kills, main, row, start, until
from harness.http_server import HttpServer, Load

import json

KILLS = 2000 if CAMPAIGN else 200
CONNECTIONS = 50

# What is called, what comes of it, and further options.
KINDS = {
    "a result in memory": ("http_stats()", 0, ()),
    "user code": ("http_set_limit(10000)", 0, ("--host", "gort")),
    "a literal": ('http_hash("abc", 2)', 0, ("--host", "gort")),
    "a callee that parks": ("http_wait_requests(3)", 0, ()),
    "a callee that panics": ("http_route_requests(99)", 1, ("--host", "gort")),
    # Long, but it ends: its debugger may die.
    "a deadline": ('http_hash("abc", 50000000)', 5, ("--host", "gort", "--timeout", "20ms")),
}
PATIENT = ("--wait", "30s")


def labels(server):
    return sorted(label for label in server.goroutines() if label != "connection")


def again(what, look, wanted):
    """Waits until what is seen is what it was."""
    seen = []
    try:
        until(lambda: seen.append(look()) or wanted(seen[-1]), what)
    except Failed as failure:
        raise Failed(f"{failure}: first {seen[0]}, last {seen[-1]}") from None


class State:
    """What must be as before when all is over."""

    def __init__(self, server):
        self.server = server
        self.labels = labels(server)
        tasks = server.tasks()
        self.masks = {task["SigBlk"] for task in tasks}
        self.actions = {(task["SigIgn"], task["SigCgt"]) for task in tasks}

    def restored(self):
        server = self.server
        server.check()
        again("goroutines", lambda: labels(server), lambda now: not server.alive() or now == self.labels)
        again("masks", lambda: {task["SigBlk"] for task in server.tasks()}, lambda now: now <= self.masks)
        again("actions", lambda: {(task["SigIgn"], task["SigCgt"]) for task in server.tasks()},
              lambda now: now == self.actions)
        expect({task["TracerPid"] for task in server.tasks()} == {"0"}, "a thread is traced")
        server.check()


class Busy:
    """A server with its load; at the end all must be well."""

    def __init__(self, connections=CONNECTIONS, env=None):
        self.server = HttpServer(env=env)
        self.state = State(self.server)
        self.load = Load(self.server, connections) if connections else None

    def __enter__(self):
        return self.server

    def __exit__(self, kind, *_):
        with self.server:
            if self.load is None:
                if kind is None:
                    self.state.restored()
                return
            with self.load:
                if kind is not None:
                    return
                self.server.check()
                result = self.load.end()
                expect(result["failed"] == 0 and result["answered"] > 0, result)
                self.state.restored()
                self.server.quiet()


def first(run):
    return json.loads(run.out.splitlines()[0])


def call(server, kind, *more):
    expr, code, options = KINDS[kind]
    run = debugcall("--json", *PATIENT, *options, *more, "-p", server.pid, expr)
    expect(run.code == code, f"{kind}: {run}")
    return first(run)


def calls(env=None):
    with Busy(env=env) as server:
        for _ in range(5):
            for kind in KINDS:
                call(server, kind)
            # A callee that needs a goroutine is never called from a place that has none.
            expect(call(server, "a callee that parks")["host"] == "gort", "the host")


def given_up():
    """A callee that is parked at its deadline is left, hinders no request, and ends when it is cancelled."""
    with Busy() as server:
        left = set()
        while len(left) < 10:
            run = debugcall("--json", *PATIENT, "--timeout", "20ms", "-p", server.pid, "http_wait_requests(1000000000)")
            error = first(run)["error"]
            expect(run.code == 5 and error["code"] == "deadline", run)
            # Between two waits it is undone like any other.
            if "goroutine" in error:
                left.add(error["goroutine"])
        run = debugcall("--json", "-p", server.pid, "--goroutines")
        rows = [json.loads(line) for line in run.out.splitlines()]
        expect({row["goroutine"] for row in rows if row["label"] == "debug call"} == left, f"{rows} are not {left}")
        for goroutine in left:
            run = debugcall("--json", *PATIENT, "-p", server.pid, f"gort_cancel({goroutine})")
            expect(run.code == 0 and first(run)["value"] == "0", run)
        until(lambda: "debug call" not in server.goroutines(), "the callees are over")


def stopped():
    """Where there is no place for the program's own host, only what needs no goroutine is called."""
    with Busy(0) as server:
        os.kill(server.pid, signal.SIGSTOP)
        until(lambda: all(task["State"].startswith("T") for task in server.tasks()), "stopped")
        run = debugcall("--json", "-p", server.pid, "http_stats()")
        expect(run.code == 0 and first(run)["host"] == "bare", run)
        run = debugcall("--wait", "100ms", "-p", server.pid, "http_wait_requests(1)")
        expect(run.code == 6 and "may need a goroutine" in run.err, run)
        os.kill(server.pid, signal.SIGCONT)
        until(lambda: not any(task["State"].startswith("T") for task in server.tasks()), "continued")
        server.stats()


def repeated():
    with Busy() as server:
        for host in ("gort", "bare"):
            run = debugcall("--json", *PATIENT, "--host", host, "--repeat", 100, "-p", server.pid,
                            "http_set_limit(10000)")
            expect(run.code == 0 and first(run)["calls"] == 100 and first(run)["host"] == host, run)


def two_debuggers():
    """Three at once: each gets its answer, or says that another one is there."""
    with Busy() as server:
        for _ in range(10):
            runs = [start("--json", "-p", server.pid, "http_wait_requests(1)") for _ in range(3)]
            codes = [finish(run).code for run in runs]
            expect(0 in codes and set(codes) <= {0, 3, 6}, codes)


def survived(server, count):
    def goes_on():
        server.check()
        # A request of our own now and then, from a new connection.
        if count % 8 == 0:
            server.stats()

    kills.survived("killed", goes_on)


def at_every_step(kind, connections, wanted):
    """Killed at its n-th step, for all n, until there were as many kills as wanted."""
    expr, code, options = KINDS[kind]
    with Busy(connections) as server:
        args = (*PATIENT, *options, "-p", server.pid, expr)
        run, total = kill_points(*args)
        expect(run.code == code, run)
        steps = list(range(1, total + 1))
        done = tries = 0
        while done < wanted:
            # Evenly over the whole call first.
            n = steps[tries * len(steps) // wanted % len(steps)] if wanted < len(steps) else steps[tries % len(steps)]
            _, killed = killed_at(n, *args)
            tries += 1
            expect(tries <= 4 * wanted + 10, f"only {done} of {tries} runs were killed")
            if killed:
                done += 1
                survived(server, done)
        call(server, kind)


def at_random(wanted, env=None):
    """Killed from outside at any instant, whatever it does then."""
    with Busy(env=env) as server:
        done = tries = 0
        spans = []
        for kind in KINDS:
            begin = time.monotonic()
            call(server, kind)
            spans.append(time.monotonic() - begin)
        span = sorted(spans)[len(spans) // 2]
        while done < wanted:
            expr, _, options = KINDS[random.choice(list(KINDS))]
            run = start(*PATIENT, *options, "-p", server.pid, expr)
            time.sleep(random.uniform(0, span))
            run.kill()
            tries += 1
            expect(tries <= 10 * wanted, f"only {done} of {tries} runs were killed")
            if finish(run).code == -signal.SIGKILL:
                done += 1
                survived(server, done)
        for kind in KINDS:
            call(server, kind)




def idle(wanted):
    """Nothing to do but connections that say nothing: calls begin on a thread that sleeps."""
    kinds = [kind for kind in KINDS if kind != "a callee that parks"]
    with Busy(0) as server:
        waiting = [server.connect() for _ in range(20)]
        until(lambda: server.goroutines().count("connection") == 20, "20 connections")
        for kind in kinds:
            expr, code, options = KINDS[kind]
            args = (*PATIENT, *options, "-p", server.pid, expr)
            run, total = kill_points(*args)
            expect(run.code == code, run)
            for i in range(wanted // len(kinds)):
                _, killed = killed_at(1 + i * total // (wanted // len(kinds)) % total, *args)
                if killed:
                    survived(server, i)
            call(server, kind)
        for connection in waiting:
            connection.close()


def parked_alone(wanted):
    """Killed while its callee is parked, on a server that does nothing else: a request ends the wait."""
    with Busy(0) as server:
        done = tries = 0
        while done < wanted:
            run = start(*PATIENT, "-p", server.pid, "http_wait_requests(1)")
            until(lambda: run.poll() is not None or any(task["TracerPid"] != "0" and task["State"].startswith("S")
                                                        for task in server.tasks()), "a thread sleeps in the callee")
            expect(run.poll() is None, f"debugcall ended early: {run.poll()}")
            run.kill()
            finish(run)
            tries += 1
            expect(tries <= 4 * wanted, f"only {done} of {tries} callees were parked")
            done += "debug call" in server.goroutines()
            server.stats()
            until(lambda: not server.alive() or "debug call" not in server.goroutines(), "the callee is over")
            survived(server, 1)


def fill(path, but):
    """A pipe to which nobody can write more than a few bytes any more; how many bytes that took."""
    pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        return os.write(pipe, b"x" * (fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) - but))
    finally:
        os.close(pipe)


def writes_to_stderr(pid):
    """A thread waits in write, writev or pwritev2 to descriptor 2."""
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/syscall", encoding="utf-8") as file:
                words = file.read().split()
        except OSError:
            continue
        if words[:1] in (["1"], ["20"], ["328"]) and words[1] == "0x2":
            return True
    return False


def freezing():
    """A fatal panic is under way, and its report waits because nobody reads what came before it."""
    # gort_go of a function that panics where nobody catches it.
    spawn = "gort_go((void (*)(void *)) http_route_requests, (void *) 99)"
    exprs = (("http_stats()", ()), ("http_wait_requests(1)", ("--wait", "100ms")),
             ("http_set_limit(1)", ("--host", "gort", "--wait", "100ms")))
    with HttpServer() as server:
        clients = [server.connect() for _ in range(500)]
        until(lambda: server.goroutines().count("connection") == len(clients), "500 goroutines")
        # The panic itself is told before the others stop.
        before = fill(f"/proc/{server.pid}/fd/2", 200)
        run = debugcall(*PATIENT, "-p", server.pid, spawn)
        expect(run.code in (0, 4, 5, 6), run)
        until(lambda: writes_to_stderr(server.pid), "the report")
        for expr, options in exprs:
            run = debugcall(*options, "-p", server.pid, expr)
            expect(run.code in (0, 6) and server.alive(), run)
        # Now it is read, and more debuggers come while the process ends.
        late = [start(*options, "-p", server.pid, expr) for expr, options in exprs]
        report = server.process.stderr.read()[before:]
        server.process.wait()
        expect(server.process.returncode == 2, server.process.returncode)
        expect(report.startswith("panic: no route 99"), report[:200])
        expect(sum(map(int, re.findall(r"^(\d+) goroutines stand here", report, re.M))) >= len(clients), report)
        for each in late:
            expect(finish(each).code in (0, 3, 4, 6), each.args)
        for client in clients:
            client.close()


row("calls of every kind, no request fails", calls)
row("without preemption by signals", calls, {"GORTDEBUG": "asyncpreemptoff=1"})
row("parked at the deadline", given_up)
row("no place for a goroutine", stopped)
row("repeated", repeated)
row("three debuggers at once", two_debuggers)
row("a process that is freezing", freezing)
for each in KINDS:
    row(f"killed at its steps: {each}", at_every_step, each, CONNECTIONS, KILLS // 10)
row("killed at its steps, idle", idle, KILLS // 10)
row("killed while the callee is parked", parked_alone, KILLS // 40)
row("killed at random instants", at_random, KILLS // 4)
row("killed at random instants, without preemption by signals", at_random, KILLS // 20,
         {"GORTDEBUG": "asyncpreemptoff=1"})
main()
