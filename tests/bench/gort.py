#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# libgort beside Go and Boost.Fiber. All peers of a row are measured in turn, ROUNDS times, and each figure is
# the median of its own rounds; the ratio is to the best peer of the same run (below 1 is better than it). Bounds
# are ratios too, to Go and to the floor, which gort_floor.c measures in the same rounds: they hold on any machine.
# A peer that is not installed is said to be missing; one that fails is not counted.
#
#   tests/bench/gort.py [-r ROUNDS] [ROW...]       rows by the name in the first column
import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

B = os.path.abspath(os.environ.get("B", "build/release"))
OUT = os.path.join(B, "tests/bench")
SOURCE = os.path.dirname(os.path.abspath(__file__))
MICRO = os.path.join(OUT, "gort_micro")
FLOOR = os.path.join(OUT, "gort_floor")
ECHO = os.path.join(OUT, "gort_echo")
MEMORY_KIB = 7 << 20  # a million goroutines, with room
ECHO_BUSY = 0.9  # of its CPU, when nobody else wants it


def build(name, command, tool, cwd=SOURCE):
    """The program, or why there is none."""
    path = os.path.join(OUT, name)
    if not shutil.which(tool):
        return None, f"{tool} is not installed"
    done = subprocess.run([*command, path] if command[-1] == "-o" else [*command, "-o", path, "."],
                          cwd=cwd, capture_output=True, text=True,
                          env=dict(os.environ, GO111MODULE="off"))
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return None, f"cannot be built: {last}"
    return path, None


def peers():
    found, missing = {}, {}
    for name, command, tool, cwd in (
            ("go", ["go", "build"], "go", SOURCE + "/go/micro"),
            ("go-echo", ["go", "build"], "go", SOURCE + "/go/echo"),
            ("go-callback", ["go", "build"], "go", SOURCE + "/go/callback"),
            ("boost", ["g++", "-O2", "-std=c++17", "gort_fiber.cc", "-pthread",
                       "-Wl,--no-as-needed", "-lboost_fiber", "-lboost_context", "-o"], "g++", SOURCE)):
        found[name], missing[name] = build("peer_" + name, command, tool, cwd)
    return found, missing


def run(command, env, timeout=180):
    """The numbers a program prints, or None."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              env=dict(os.environ, **env))
    except (OSError, subprocess.TimeoutExpired):
        return None
    try:
        numbers = [float(x) for x in done.stdout.split()]
    except ValueError:
        return None
    return numbers if done.returncode == 0 and numbers else None


def procs(n):
    return {"GORTMAXPROCS": str(n), "GOMAXPROCS": str(n)}


def pin(cpu, command):
    return ["taskset", "-c", str(cpu), *command]


def cpu_seconds(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total * 1e-9


def echo(server, n=50, seconds=1):
    """Requests per second of a server on the first CPU, asked from the last; and how much of its CPU it had."""
    child = subprocess.Popen(pin(0, server), stdout=subprocess.PIPE, text=True,
                             env=dict(os.environ, **procs(1)))
    try:
        port = child.stdout.readline().strip()
        if not port:
            return None
        begin, used = time.monotonic(), cpu_seconds(child.pid)
        rate = run(pin((os.cpu_count() or 1) - 1, [ECHO, "client", port, str(n), str(seconds)]), {})
        used = (cpu_seconds(child.pid) - used) / (time.monotonic() - begin)
        return (rate[0], used) if rate else None
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()


def instructions(bench, per, low=20000, high=60000):
    """Instructions of one operation: the difference of two lengths, so that the start does not count,
    on the thread that has most: under Valgrind sysmon looks much more often than in life."""
    counts = []
    for n in (low, high):
        with tempfile.TemporaryDirectory() as out:
            try:
                subprocess.run(["valgrind", "--tool=callgrind", "--separate-threads=yes",
                                f"--callgrind-out-file={out}/count", MICRO, bench, str(n)],
                               capture_output=True, timeout=180, check=True,
                               env=dict(os.environ, **procs(1)))
            except (OSError, subprocess.SubprocessError):
                return None
            threads = []
            for name in os.listdir(out):
                with open(f"{out}/{name}", encoding="utf-8", errors="replace") as file:
                    threads += [int(x) for x in re.findall(r"^(?:totals|summary): (\d+)", file.read(), re.M)]
            counts.append(max(threads, default=0))
    return (counts[1] - counts[0]) / (high - low) / per


class Row:
    """One line of the table. go, floors: at most so many times Go's figure, the floor's; most: at most so much.
    The floor is of one thread: rows that two share, or that enter the kernel, have no bound by it.
    which: the number that counts, of several that a program prints."""

    def __init__(self, name, title, unit, p, bench=None, which=0, scale=1.0, of=("go", "boost"), args=(),
                 rounds=None, program="go", go=1.0, floors=None, most=None):
        self.name, self.title, self.unit, self.p = name, title, unit, p
        self.bench, self.which, self.scale = bench or name, which, scale
        self.of, self.args, self.rounds, self.program = of, args, rounds, program
        self.go, self.floors, self.most = go, floors, most

    def bounds(self, figures):
        """What each bound comes to here, by its name."""
        found = {}
        if self.go and figures.get("go"):
            found[f"{self.go:g} Go"] = self.go * figures["go"]
        if self.floors and figures.get("floor"):
            found[f"{self.floors:g} floors"] = self.floors * figures["floor"]
        if self.most:
            found[f"{self.most:,}"] = self.most
        return found


ROWS = [
    Row("yield", "yield between two, P=1", "ns", 1, floors=1),
    Row("spawn", "spawn and exit, P=1", "ns", 1, floors=3.5),
    Row("spawn2", "spawn and exit, P=2", "ns", 2, "spawn", of=("go",), go=0.6),
    Row("trip", "unbuffered round trip, P=1", "ns", 1, floors=8),
    Row("mpmc", "MPMC 4x4 cap 128, per item, P=1", "ns", 1, floors=1.5),
    Row("mpmc2", "MPMC 4x4 cap 128, per item, P=2", "ns", 2, "mpmc", of=("go",), go=0.9),
    # Pages, which are as large on every machine.
    Row("memory", "1,000,000 parked, RSS + page tables", "B", 2, of=("go",), args=("1000000",), rounds=1,
        go=None, most=4450),
    Row("late50", "100,000 sleepers, lateness p50", "us", 2, "sleepers", 0, 1e-3, rounds=3),
    Row("late99", "100,000 sleepers, lateness p99", "us", 2, "sleepers", 1, 1e-3, rounds=3),
    Row("preempt", "others run beside a loop, P=1, p50", "ms", 1, of=("go",), scale=1e-6),
    Row("handoff", "P given away from a raw read, p50", "us", 1, of=("go",), scale=1e-3),
    Row("panic", "panic and catch", "ns", 1, of=("go",)),
    Row("stops", "stop the world, idle, p50", "us", 2, of=("go",), scale=1e-3),
    Row("stops-busy", "stop the world, two loops, p50", "us", 2, of=("go",), scale=1e-3),
    Row("all-threads", "one system call on 12 threads, p50", "us", 2, of=("go",), scale=1e-3),
    Row("callback1", "callback from a thread, first, p50", "us", 2, "callback", 0, 1e-3, of=("go",),
        program="go-callback", go=0.85),
    Row("callback", "callback from a thread, later", "ns", 2, "callback", 1, of=("go",), program="go-callback",
        floors=5),
    Row("profile", "100,000 goroutines, PCs grouped, p50", "ms", 2, of=("go",), scale=1e-6, rounds=1),
    Row("traces", "100,000 goroutines as text, p50", "ms", 2, of=("go",), scale=1e-6, rounds=1),
]


def measure(row, found, rounds):
    commands = {"gort": [MICRO, row.bench, *row.args]}
    for peer in row.of:
        path = found[row.program if peer == "go" else peer]
        if path:
            commands[peer] = [path, row.bench, *row.args]
    samples = {name: [] for name in (*commands, "floor")}
    for _ in range(row.rounds or rounds):
        for name, command in commands.items():
            numbers = run(command, procs(row.p))
            if numbers and len(numbers) > row.which:
                samples[name].append(numbers[row.which] * row.scale)
        floor = run([FLOOR], {}) if row.floors else None
        if floor:
            samples["floor"].append(floor[0] * row.scale)
    return {name: statistics.median(s) if s else None for name, s in samples.items()}


def number(value):
    if value is None:
        return "fails"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def line(title, unit, gort, go, boost, ratio, floors, bounds, verdict):
    print(f"{title:<37} {unit:>6} {gort:>9} {go:>9} {boost:>9} {ratio:>7} {floors:>7} {bounds:>19}  {verdict}",
          flush=True)


def show(row, figures):
    gort, floor = figures["gort"], figures.pop("floor")
    best = min((v for k, v in figures.items() if k != "gort" and v is not None), default=None)
    cell = {peer: number(figures[peer]) if peer in figures else "-" for peer in ("go", "boost")}
    ratio = f"{gort / best:.2f}" if gort is not None and best else "-"
    floors = f"{gort / floor:.2f}" if gort is not None and floor else "-"
    bounds = row.bounds({**figures, "floor": floor})
    verdict = ""
    if gort is None:
        verdict = "FAILS"
    elif bounds:
        verdict = "met" if all(gort <= bound for bound in bounds.values()) else "missed"
    line(row.title, row.unit, number(gort), cell["go"], cell["boost"], ratio, floors, ", ".join(bounds), verdict)


def show_echo(found, rounds):
    samples = {"bare": [], "gort": [], "go": []}
    commands = {"bare": [ECHO, "bare"], "gort": [ECHO, "gort"]}
    if found["go-echo"]:
        commands["go"] = [found["go-echo"]]
    disturbed = 0
    while len(samples["bare"]) < rounds:
        rate = {name: echo(command) for name, command in commands.items()}
        # All of them keep a CPU busy: a round in which one had less of it compares something else.
        if disturbed < 2 * rounds and min((value[1] for value in rate.values() if value), default=0) < ECHO_BUSY:
            disturbed += 1
            continue
        for name, value in rate.items():
            samples[name].append(value[0] / rate["bare"][0] if value and rate["bare"] else None)
    shares = {name: [share for share in s if share] for name, s in samples.items()}
    share = {name: statistics.median(s) if s else None for name, s in shares.items()}
    if disturbed:
        print(f"{disturbed} rounds did not count: something else had the CPU")
    ratio = f"{share['gort'] / share['go']:.2f}" if share["gort"] and share["go"] else "-"
    line("TCP echo, 50 connections, of bare epoll", "share", number(share["gort"]),
         number(share["go"]) if "go" in commands else "-", "-", ratio, "-", "at least 0.95",
         "FAILS" if not share["gort"] else "met" if share["gort"] >= 0.95 else "missed")


def show_instructions():
    for title, bench, per in (("yield: instructions, callgrind", "yield", 4),
                              ("round trip: instructions, callgrind", "trip", 1.1)):
        value = instructions(bench, per) if shutil.which("valgrind") else None
        text = number(value) if value else ("fails" if shutil.which("valgrind") else "no tool")
        line(title, "count", text, "-", "-", "-", "-", "-", "")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("-r", type=int, default=int(os.environ.get("ROUNDS", "5")), dest="rounds")
    options.add_argument("rows", nargs="*")
    args = options.parse_args()
    found, missing = peers()
    for name, why in missing.items():
        if why:
            print(f"peer {name}: {why}")
    line("work", "unit", "gort", "Go", "Boost", "ratio", "floors", "at most", "")
    with open("/proc/meminfo", encoding="ascii") as file:
        available = int(re.search(r"MemAvailable:\s+(\d+)", file.read()).group(1))
    for row in ROWS:
        if args.rows and row.name not in args.rows:
            continue
        if row.name == "memory" and available < MEMORY_KIB:
            line(row.title, row.unit, "-", "-", "-", "-", "-", "-",
                 f"skipped: {available >> 20} GB of memory")
            continue
        show(row, measure(row, found, args.rounds))
    if not args.rows or "echo" in args.rows:
        show_echo(found, args.rounds)
    if not args.rows or "instructions" in args.rows:
        show_instructions()
    return 0


sys.exit(main())
