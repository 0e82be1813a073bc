#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls through an agent, beside the floor of the same run (two processes that wake each other by a futex), the
# bare host and gdb; and what an agent costs a process that nobody calls. RUNS= for another count of rounds.
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

from bare import verdict
from harness import B, DEBUGCALL, TARGETS, Program

AGENT = {"LD_PRELOAD": f"{B}/libdebugcall-agent.so"}
ROUNDS = int(os.environ.get("RUNS", "5"))
CALLS = 20000
BATCH = 1000000


def out(*args):
    done = subprocess.run([str(arg) for arg in args], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, args))}: {done.stderr}")
    return done.stdout


def median(values):
    return statistics.median(values)


def stay_on(pid, cpu):
    for tid in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(tid), {cpu})


def singles(target):
    """Alternating, so that a change of the machine's load meets both; on CPUs that both are given: whether two that
    wake each other share one, and how long it takes to wake another, is most of the time."""
    with Program(f"{TARGETS}/plain") as plain:
        for name, cpu in (("one CPU", 0), ("two CPUs", max(os.sched_getaffinity(0)))):
            times = {"floor": [], "agent": [], "bare": []}
            stay_on(target.pid, cpu)
            stay_on(plain.pid, cpu)
            for _ in range(ROUNDS):
                times["floor"].append(int(out(f"{B}/tests/bench/futex_floor", CALLS, 0, cpu).split()[0]) / 1000)
                for host, pid, calls in (("agent", target.pid, CALLS), ("bare", plain.pid, CALLS // 10)):
                    p50, _, seen = out("taskset", "-c", 0, f"{B}/tests/bench/agent_calls", pid, "add(1, 2)", calls).split()
                    if seen != host:
                        sys.exit(f"host {seen}")
                    times[host].append(int(p50) / 1000)
            floor, call, bare = map(median, times.values())
            print(f"one call, request to value, {name}: p50 {call:.2f} us; bare futex round trip {floor:.2f} us; the "
                  f"bare host, thread held: {bare:.2f} us")
            verdict(f"a call over the round trip, {name}", call / floor, 1.5)


def batch(target):
    rates = []
    for host in ("agent", "bare"):
        text = out(DEBUGCALL, "-q", "--host", host, "-p", target.pid, "--repeat", BATCH, "add(1, 2)")
        rates.append(int(re.search(r"(\d+) calls/s", text).group(1)))
    print(f"a batch of {BATCH}: {rates[0]} calls/s; the bare host {rates[1]} calls/s: {rates[0] / rates[1]:.1f} times")
    verdict("calls/s of a batch", rates[0], 1000000, smaller=False)


def by_gdb(target):
    if not shutil.which("gdb"):
        print("gdb is not installed")
        return
    times = {"gdb": [], "debugcall": []}
    for _ in range(ROUNDS):
        for name, args in (("gdb", ("gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-p",
                                    target.pid, "-ex", "print add(1, 2)")),
                           ("debugcall", (DEBUGCALL, "-q", "-p", target.pid, "add(1, 2)"))):
            begun = time.monotonic()
            out(*args)
            times[name].append(1000 * (time.monotonic() - begun))
    ours, peer = median(times["debugcall"]), median(times["gdb"])
    print(f"one command: {ours:.1f} ms, gdb {peer:.1f} ms: {peer / ours:.0f} times")


def switches(pid, name):
    total = 0
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/status", encoding="utf-8") as file:
            text = file.read()
        if text.startswith(f"Name:\t{name}\n"):
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
    return total


def memory(pid):
    """kB of its own."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        text = file.read()
    return sum(int(re.search(rf"^{name}:\s+(\d+)", text, re.M).group(1)) for name in ("Private_Dirty", "Shared_Dirty"))


def idle():
    with Program(f"{TARGETS}/plain") as plain, Program(f"{TARGETS}/plain", env=AGENT) as target:
        time.sleep(1)
        before = switches(target.pid, "debugcall-agent")
        time.sleep(5)
        wakes = switches(target.pid, "debugcall-agent") - before
        at_rest = memory(target.pid) - memory(plain.pid)
        out(DEBUGCALL, "-q", "-p", target.pid, "--repeat", 100000, "add(1, 2)")
        time.sleep(2)
        after = switches(target.pid, "debugcall-agent")
        time.sleep(5)
        later = (switches(target.pid, "debugcall-agent") - after) / 5
        used = memory(target.pid) - memory(plain.pid)
    print(f"idle: {wakes / 5:.1f} wake-ups a second before the first client, {later:.1f} after; "
          f"memory {at_rest} kB, and {used} kB after a client")
    verdict("wake-ups before the first client", wakes, 0)
    verdict("wake-ups a second after it", later, 1)
    verdict("memory before, kB", at_rest, 300)
    verdict("memory after, kB", used, 2048)


def start():
    times = {"": [], AGENT["LD_PRELOAD"]: []}
    for _ in range(40 * ROUNDS):
        for preload, taken in times.items():
            begun = time.monotonic()
            subprocess.run(["/bin/true"], env=dict(os.environ, LD_PRELOAD=preload), check=True)
            taken.append(1000 * (time.monotonic() - begun))
    plain, ours = map(median, times.values())
    print(f"LD_PRELOAD adds {ours - plain:.2f} ms to true ({plain:.2f} ms without)")
    verdict("added to the start of a program, ms", ours - plain, 1)


def main():
    with Program(f"{TARGETS}/plain", env=AGENT) as target:
        singles(target)
        batch(target)
        by_gdb(target)
    idle()
    start()


if __name__ == "__main__":
    main()
