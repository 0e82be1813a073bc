#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls in a real Go program, beside Delve on the same process: how long a goroutine that watches the clock is kept
# from its work, how many calls a second there are, and what one costs in an idle program. Medians of alternating
# runs; a ratio is to the peer or the floor of the same run.
#   go.py      RUNS= for another count
import contextlib
import os
import re
import statistics
import tempfile
import time

from bare import B, run, verdict
from debugcall import OUT, Delve
from harness.go import GoProgram

RUNS = int(os.environ.get("RUNS", "11"))
DELVE_CALLS = 50
EXPRESSIONS = 200


def ours(target):
    code, out, err, _ = run(f"{B}/debugcall", "-p", str(target.pid), "main.nextValue(1)")
    return code == 0 and out.strip() == "2", err


def pauses(peer):
    print(f"attach, one call, detach; {RUNS} alternating runs on the same process, built without optimisation")
    kinds = {"debugcall": ours, "Delve": lambda target: (peer.call(target)[0], "")}
    found = {name: [] for name in kinds}
    for _ in range(RUNS):
        for name, function in kinds.items():
            answer = []
            found[name].append(peer.target.pause(lambda call=function: answer.append(call(peer.target))))
            if not answer[0][0]:
                print(f"  {name} FAILS: {answer[0][1]}")
    nobody = [peer.target.pause(lambda: time.sleep(0.2)) for _ in range(RUNS)]
    for name, values in found.items():
        print(f"  {name:34} pause {statistics.median(values):10.0f} us (min {min(values):.0f})")
    print(f"  {'(nobody there)':34} pause {statistics.median(nobody):10.0f} us (min {min(nobody):.0f})")
    verdict("pause over Delve's", statistics.median(found["debugcall"]) / statistics.median(found["Delve"]), 0.01)


def delve_calls(peer, n):
    """Seconds for so many in one session; a goroutine at a bad place fails the first, and with it all: again then."""
    with tempfile.NamedTemporaryFile("w", suffix=".init") as script:
        script.write("call main.nextValue(1)\n" * n + "exit\n")
        script.flush()
        for _ in range(10):
            start = time.monotonic()
            done = run("sh", "-c", f"echo n | dlv attach {peer.target.pid} --allow-non-terminal-interactive=true "
                                   f"--init {script.name}")
            if done[1].count("~r0: 2") >= n:
                return time.monotonic() - start
    return None


def rates(peer):
    code, out, err, _ = run(f"{B}/debugcall", "--json", "--repeat", "100000", "-p", str(peer.target.pid),
                            "main.nextValue(1)")
    if code:
        print(f"  debugcall FAILS: {err}")
        return
    rate, median = (float(re.search(rf'"{name}":\s*([\d.e+]+)', out).group(1)) for name in ("calls_per_second", "median_us"))
    walls = [delve_calls(peer, n) for n in (1, 1 + DELVE_CALLS)]
    if None in walls:
        print("  Delve FAILS")
        return
    delve = DELVE_CALLS / (walls[1] - walls[0])
    print(f"calls a second in one session: debugcall {rate:.0f}, median {median:.2f} us; Delve {delve:.0f}")
    verdict("Delve's calls a second over ours", delve / rate, 1 / 500)
    turns = float(run(f"{OUT}/gort_inject")[1].split()[1]) / 5000
    print(f"a signal to itself with an empty handler: {turns:.2f} us")
    verdict("a call over a signal to itself", median / turns, 2)


def idle():
    with GoProgram("idle", tag="-bench") as target:
        walls = {1: [], 1 + EXPRESSIONS: []}
        for _ in range(RUNS):
            for n, values in walls.items():
                code, _, err, wall = run(f"{B}/debugcall", "-p", str(target.pid), *["main.Add(1, 2)"] * n)
                values.append(wall)
                if code:
                    print(f"  debugcall FAILS: {err}")
                    return
        one, more = (statistics.median(values) for values in walls.values())
        each = (more - one) / EXPRESSIONS
        print(f"an idle program: {each:.3f} ms a call in one session, {one:.1f} ms a command with one")
        verdict("ms of a call in an idle program", each, 1)


def main():
    idle()
    with contextlib.closing(Delve()) as peer:
        if peer.missing:
            print(f"  Delve: {peer.missing}")
            return
        rates(peer)
        pauses(peer)


main()
