#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls that a program on libgort runs itself, beside Delve's into a Go program: how long the caller is kept from
# its work, what a call costs in handshakes and time, and what it costs with no ptrace at all. Figures are
# medians of alternating runs; a ratio is to the floor or the peer of the same run.
import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from bare import B, RUNS, Gaps, row, run, verdict

STOPS = 3  # of a call: where the caller is met, READY and RETURNED
SOURCE = os.path.dirname(os.path.abspath(__file__))
OUT = f"{B}/tests/bench"


def ours(target):
    code, out, err, wall = run(f"{B}/debugcall", "--host", "gort", "--thread", str(target.word(2)), "-p",
                               str(target.pid), "next_value(1)")
    return code == 0 and out.strip() == "2", wall, err


def floor(target):
    run(f"{OUT}/floor", str(target.word(2)), str(STOPS))
    return True, 0, ""


class Delve:
    """A Go program of the same kind, and Delve's script for it."""

    def __init__(self):
        self.missing = next((f"{tool} is not installed" for tool in ("go", "dlv") if not shutil.which(tool)), None)
        if self.missing:
            return
        # Delve calls only into code that is not optimised.
        done = subprocess.run(["go", "build", "-gcflags", "all=-N -l", "-o", f"{OUT}/peer_gaps", "."],
                              cwd=f"{SOURCE}/go/gaps", capture_output=True, text=True,
                              env=dict(os.environ, GO111MODULE="off"))
        if done.returncode:
            self.missing = f"its target cannot be built: {done.stderr.strip()}"
            return
        self.target = Gaps(f"{OUT}/peer_gaps")
        self.script = tempfile.NamedTemporaryFile("w", suffix=".init")
        self.script.write("call main.nextValue(1)\nexit\n")
        self.script.flush()

    def call(self, target):
        done = subprocess.run(["dlv", "attach", str(target.pid), "--allow-non-terminal-interactive=true", "--init",
                               self.script.name], input="n\n", capture_output=True, text=True, check=False)
        return "~r0: 2" in done.stdout, 0, done.stderr

    def close(self):
        if not self.missing:
            self.target.close()
            self.script.close()


def pauses(target, peer):
    print(f"attach, one call, detach; the caller spins; {RUNS} alternating runs, medians")
    kinds = {"debugcall": (target, ours), "floor": (target, floor)}
    if peer.missing:
        print(f"  Delve: {peer.missing}")
    else:
        kinds["Delve, into Go"] = (peer.target, peer.call)
    found = {name: ([], [], []) for name in kinds}
    for _ in range(RUNS):
        for name, (where, function) in kinds.items():
            # Both spin, and there may be few CPUs: only the one that is measured runs.
            for other in {each for each, _ in kinds.values()} - {where}:
                os.kill(other.pid, signal.SIGSTOP)
            answer = []
            pause = where.pause(lambda: answer.append(function(where)))
            for other in {each for each, _ in kinds.values()} - {where}:
                os.kill(other.pid, signal.SIGCONT)
            for values, value in zip(found[name], (pause, answer[0][1], answer[0][0])):
                values.append(value)
    base = statistics.median(found["debugcall"][0])
    for name, (pause, walls, right) in found.items():
        row(name, pause, walls, sum(right), RUNS, base if name != "debugcall" else None)
    noise = [target.pause(lambda: time.sleep(statistics.median(found["debugcall"][1]) / 1000)) for _ in range(RUNS)]
    print(f"  {'(longest gap with nobody there)':34} pause {statistics.median(noise):10.0f} us")
    verdict(f"pause over the floor of {STOPS} stops", base / statistics.median(found["floor"][0]), 3)


def handshakes_of(target, *args):
    """The handshakes of one command, and what it printed; None when it failed."""
    with tempfile.NamedTemporaryFile() as file:
        code, out, err, _ = run(f"{B}/debugcall", "--json", "--host", "gort", *args, "-p", str(target.pid),
                                "next_value(1)", env={"LD_PRELOAD": f"{OUT}/handshakes.so", "HANDSHAKES": file.name})
        if code:
            print(f"  debugcall FAILS: {out} {err}")
            return None
        return int(file.read()), out


def repeated(target):
    single_call = handshakes_of(target)
    if single_call:
        verdict("handshakes of a single call", single_call[0], 2)
    print("--repeat 1000; five alternating runs, medians")
    medians, floors, counts = [], [], []
    for _ in range(5):
        found = handshakes_of(target, "--repeat", "1000")
        if not found:
            return
        counts.append(found[0] / 1000)
        medians.append(float(re.search(r'"median_us":\s*([\d.]+)', found[1]).group(1)))
        floors.append(float(run(f"{OUT}/floor", "-r", "5000")[1]))
    median, single, handshakes = map(statistics.median, (medians, floors, counts))
    print(f"  median {median:.2f} us a call, {handshakes:.2f} handshakes; floor of one resume and wait {single:.2f} us")
    verdict("handshakes of a repeated call", handshakes, 4)
    verdict("per call over the floor of that many resumes", median / (single * handshakes), 3)


def in_process():
    print("no ptrace: a goroutine injects into itself; 51 alternating batches of 1,000, medians")
    code, out, err, _ = run(f"{OUT}/gort_inject")
    if code:
        print(f"  FAILS: {err}")
        return
    call, five, handshakes = map(float, out.split())
    print(f"  {call:.0f} ns a call with {handshakes:.0f} handshakes; five signals to itself {five:.0f} ns")
    verdict("a call over five signals", call / five, 2)


def main():
    with contextlib.closing(Gaps(f"{OUT}/gort_gaps", 0)) as target:
        with contextlib.closing(Delve()) as peer:
            pauses(target, peer)
        repeated(target)
    in_process()


if __name__ == "__main__":
    main()
