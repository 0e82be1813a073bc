#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The stacks of 1,000 sleeping threads, beside eu-stack and gdb in the same run: wall time, stops, and how many of
# the threads live on. A third of them wait in epoll_wait and end when that gives EINTR.
#   stacks.py [THREADS]      RUNS= for another count
import ctypes
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

B = os.path.abspath(os.environ.get("B", "build/release"))
RUNS = int(os.environ.get("RUNS", "7"))
NO_BPF = ("setpriv", "--bounding-set=-bpf,-sys_admin,-perfmon")


def dies_with_us():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Sleepers:
    def __init__(self, number):
        self.number = number
        self.process = subprocess.Popen([f"{B}/tests/targets/sleepers", str(number)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=dies_with_us)
        self.pid = self.process.pid
        self.process.stdout.readline()
        while not self.asleep():
            time.sleep(0.05)

    def asleep(self):
        """All but the one that asks us sleep in what they are made for."""
        states = []
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{tid}/stat", encoding="utf-8") as file:
                states.append(file.read().rpartition(")")[2].split()[0])
        return set(states) == {"S"}

    def lost(self):
        time.sleep(0.2)  # for those whose wait has ended to end too
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return self.number - int(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()


def run(*args):
    start = time.monotonic()
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return 1000 * (time.monotonic() - start), done.stdout


def ours(prefix):
    def look(pid):
        wall, out = run(*prefix, f"{B}/debugcall", "--json", "stacks", "-p", str(pid))
        summary = json.loads(out.splitlines()[0])
        return wall, summary["threads"] - summary["unread"] - summary["incomplete"], summary["stopped"]
    return look


def eu_stack(pid):
    wall, out = run("eu-stack", "-p", str(pid))
    found = out.count("\nTID ")
    return wall, found, found


def gdb(pid):
    wall, out = run("gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-p", str(pid), "-ex",
                    "thread apply all bt")
    found = out.count("\nThread ")
    return wall, found, found


def main():
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    ways = {"debugcall stacks": (ours(()), RUNS)}
    if os.geteuid() == 0:
        ways["debugcall stacks, no BPF"] = (ours(NO_BPF), RUNS)
    if shutil.which("eu-stack"):
        ways["eu-stack"] = (eu_stack, 3)
    if shutil.which("gdb"):
        ways["gdb"] = (gdb, 3)
    print(f"stacks of {number} sleeping threads; medians of {RUNS} runs, 3 of the peers', each on a fresh target")
    walls = {name: [] for name in ways}
    worst = {}
    for turn in range(RUNS):
        for name, (look, runs) in ways.items():
            if turn >= runs:
                continue
            target = Sleepers(number)
            wall, found, stops = look(target.pid)
            walls[name].append(wall)
            worst[name] = max(worst.get(name, (0, 0, 0)), (target.lost(), stops, found))
            target.close()
    for name, times in walls.items():
        lost, stops, found = worst[name]
        print(f"  {name:26} {statistics.median(times):8.0f} ms   {found} whole stacks, {stops} stops, "
              f"{lost} threads ended by EINTR")
    bad = worst["debugcall stacks"][:2] != (0, 0)
    print(f"  stops and EINTRs: {sum(worst['debugcall stacks'][:2])}  (at most 0)  {'NOT MET' if bad else 'ok'}")
    if "eu-stack" in walls:
        ratio = statistics.median(walls["debugcall stacks"]) / statistics.median(walls["eu-stack"])
        print(f"  wall time over eu-stack's: {ratio:.3f}  (at most 0.1)  {'ok' if ratio <= 0.1 else 'NOT MET'}")
    print("  stacks of moving threads with a known truth: build/release/tests/unit/dump, 100,000 with DC_CAMPAIGN=1")


if __name__ == "__main__":
    main()
