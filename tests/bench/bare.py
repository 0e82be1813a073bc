#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Calls into a process that knows nothing of us, beside gdb and lldb, in alternating runs on the same
# target. Figures are medians; a ratio is to the peer or the floor of the same run.
#   bare.py [small] [repeat] [big]      all three without an argument; RUNS= for another count
import contextlib
import ctypes
import mmap
import os
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from harness import Victim

B = os.path.abspath(os.environ.get("B", "build/release"))
RUNS = int(os.environ.get("RUNS", "51"))

def dies_with_us():
    """In a child before exec: a bench that fails, or is killed, leaves nothing that spins."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)

class Gaps:
    def __init__(self, program, sleepers=4):
        handle, self.path = tempfile.mkstemp(prefix="gaps-")
        os.ftruncate(handle, 4096)
        self.page = mmap.mmap(handle, 4096)
        os.close(handle)
        self.process = subprocess.Popen([program, self.path, str(sleepers)], preexec_fn=dies_with_us)
        self.pid = self.process.pid
        while not self.word(2):
            if self.process.poll() is not None:
                sys.exit(f"{program} ended")
            time.sleep(0.001)

    def word(self, i):
        return struct.unpack_from("q", self.page, 8 * i)[0]

    def pause(self, action):
        """The longest gap in microseconds that the main thread saw while action ran."""
        struct.pack_into("q", self.page, 8, 1)
        while self.word(1):
            pass
        action()
        return self.word(0) / 1000

    def close(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.path)

def run(*args, env=None):
    start = time.monotonic()
    child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})),
                             preexec_fn=dies_with_us)
    out, err = child.communicate(timeout=300)
    return child.returncode, out, err, (time.monotonic() - start) * 1000

def peak_kib(*args):
    """Peak memory of one run, in a process of its own so that the maximum is its alone."""
    code = ("import resource,subprocess,sys\n"
            "subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    return int(subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True,
                              check=True).stdout)

def ours(target, expr="next_value(1)", wanted="2"):
    code, out, err, wall = run(f"{B}/debugcall", "--thread", str(target.word(2)), "-p", str(target.pid), expr)
    return out.strip() == wanted, wall, err

def with_pad(target):
    return ours(target, "sum_of(1, 2, 3, 4, 5, 6, 7, 8)", "36")

GDB = ["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off"]

def gdb(target, shim):
    env = {"LD_PRELOAD": f"{B}/tests/bench/xstate_shim.so"} if shim else {}
    code, out, err, wall = run(*GDB, "-p", str(target.pid), "-ex", "call (int) next_value(1)", env=env)
    return "= 2" in out, wall, err

def lldb(target):
    code, out, err, wall = run("lldb", "--batch", "-p", str(target.pid), "-o", "expression (int) next_value(1)",
                               "-o", "detach")
    return "= 2" in out, wall, err

def measure(target, kinds, runs):
    """kinds: name -> function. Returns name -> (pauses, walls, right), in alternating runs."""
    results = {name: ([], [], 0) for name in kinds}
    for _ in range(runs):
        for name, function in kinds.items():
            answer = []
            pause = target.pause(lambda: answer.append(function(target)))
            pauses, walls, right = results[name]
            pauses.append(pause)
            walls.append(answer[0][1])
            results[name] = (pauses, walls, right + answer[0][0])
    return results

def floor_once(target):
    run(f"{B}/tests/bench/floor", str(target.word(2)))
    return True, 0, ""

def row(name, pauses, walls, right, runs, base=None):
    pause, wall = statistics.median(pauses), statistics.median(walls)
    calls = f"{right} of {runs} right" if right is not None else ""
    failed = "  FAILS: not counted" if right is not None and right < runs // 2 else ""
    ratio = f"  {pause / base:8.1f} x ours" if base else ""
    print(f"  {name:34} pause {pause:10.0f} us (min {min(pauses):.0f})  whole command {wall:8.1f} ms  {calls}{ratio}{failed}")
    return pause, wall

def attach_call_detach(target, title):
    kinds = {"debugcall": ours, "debugcall, by the landing pad": with_pad}
    if shutil.which("gdb"):
        kinds["gdb, as it is"] = lambda t: gdb(t, False)
        kinds["gdb, XSTATE mended by a preload"] = lambda t: gdb(t, True)
    if shutil.which("lldb"):
        kinds["lldb"] = lldb
    print(f"{title}: attach, one call, detach; {RUNS} alternating runs, medians")
    kinds["floor"] = floor_once
    results = measure(target, kinds, RUNS)
    base = statistics.median(results["debugcall"][0])
    figures = {}
    for name, (pauses, walls, right) in results.items():
        figures[name] = row(name, pauses, walls, right if name != "floor" else None, RUNS,
                            base if not name.startswith("debugcall") else None)
    noise = [target.pause(lambda: time.sleep(statistics.median(results["debugcall"][1]) / 1000)) for _ in range(RUNS)]
    print(f"  {'(longest gap with nobody there)':34} pause {statistics.median(noise):10.0f} us")
    return figures

def verdict(text, value, bound, smaller=True):
    good = value <= bound if smaller else value >= bound
    print(f"  {'met ' if good else 'MISS'}  {text}: {value:.4g} (bound {bound:.4g})")

def peer_rate(target):
    """gdb's calls per second in one session, the other threads held (its faster setting)."""
    script = ("import gdb,time\ngdb.execute('set scheduler-locking on')\n"
              "gdb.parse_and_eval('(int) next_value(1)')\nt=time.time()\n"
              "for i in range(500): gdb.parse_and_eval('(int) next_value(1)')\n"
              "print('RATE', 500/(time.time()-t))\n")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(script)
        file.flush()
        _, out, _, _ = run(*GDB, "-p", str(target.pid), "-x", file.name,
                           env={"LD_PRELOAD": f"{B}/tests/bench/xstate_shim.so"})
    match = re.search(r"RATE ([\d.]+)", out)
    return float(match.group(1)) if match else None

def rate_of(pid, tid, n, expr):
    """Calls per second and the median of a call in microseconds."""
    _, out, err, _ = run(f"{B}/debugcall", "--json", "--thread", str(tid), "--repeat", str(n), "-p", str(pid), expr)
    rate = re.search(r'"(?:calls_per_second|per_second)":\s*([\d.]+)', out)
    median = re.search(r'"median_us":\s*([\d.]+)', out)
    if not rate or not median:
        sys.exit(f"debugcall FAILS: {out} {err}")
    return float(rate.group(1)), float(median.group(1))

def repeated(target):
    print("--repeat 2000000 beside gdb's 500 calls in one session; five alternating runs, medians")
    rates, peers, floors = [], [], []
    for _ in range(5):
        rates.append(rate_of(target.pid, target.word(2), 2000000, "next_value(1)")[0])
        peer = peer_rate(target) if shutil.which("gdb") else None
        if peer:
            peers.append(peer)
        floors.append(float(run(f"{B}/tests/bench/floor", "-r", "5000")[1]))
    floor = statistics.median(floors)
    print(f"  debugcall {statistics.median(rates):10.0f} calls/s; floor of one resume and wait {floor:.2f} us")
    if peers:
        print(f"  gdb (mended) {statistics.median(peers):7.0f} calls/s")
        verdict("calls/s over gdb's", statistics.median(rates) / statistics.median(peers), 20, False)
    verdict("calls/s", statistics.median(rates), 1e6, False)
    # Where a filter forbids what the loop needs, each call is a resume.
    with Victim("spin+no_madvise") as filtered:
        medians, floors = [], []
        for _ in range(5):
            medians.append(rate_of(filtered.pid, filtered.tid, 5000, "add(1, 2)")[1])
            floors.append(float(run(f"{B}/tests/bench/floor", "-r", "5000")[1]))
    print(f"  where each call is a resume: median {statistics.median(medians):.2f} us")
    verdict("per call over the floor", statistics.median(medians) / statistics.median(floors), 1.5)

def big_program():
    """A program with some 100 MB of DWARF, built once."""
    program = f"{B}/tests/bench/big"
    if not os.path.exists(program):
        with tempfile.TemporaryDirectory() as directory:
            build_big_program(directory, program + ".new")
        os.rename(program + ".new", program)
    return program

def build_big_program(directory, program):
    source = os.path.join(directory, "big.c")
    with open(f"{os.path.dirname(os.path.abspath(__file__))}/gaps.c", encoding="utf-8") as file:
        text = file.read()
    units = []
    for unit in range(40):
        path = os.path.join(directory, f"unit{unit}.c")
        with open(path, "w", encoding="utf-8") as file:
            for i in range(3000):
                members = "".join(f"int field_with_a_long_name_{unit}_{i}_{m}; " for m in range(12))
                file.write(f"struct structure_of_unit_{unit}_number_{i} {{ {members} }};\n"
                           f"int function_of_unit_{unit}_number_{i}(struct structure_of_unit_{unit}_number_{i} *p)"
                           f" {{ int local_sum = 0; local_sum += p->field_with_a_long_name_{unit}_{i}_0;"
                           f" return local_sum; }}\n")
        units.append(path)
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    for i in range(0, len(units), 2):
        procs = [subprocess.Popen(["gcc", "-g", "-O0", "-c", u, "-o", u + ".o"]) for u in units[i:i + 2]]
        for p in procs:
            p.wait()
    subprocess.run(["gcc", "-g", "-O2", "-D_GNU_SOURCE", "-o", program, source, *[u + ".o" for u in units],
                    "-pthread"], check=True)

def asleep(target):
    """Medians of how long a thread in pause() is away, by the clocks of those who stop it: ours, the floor's."""
    tid = next(int(task) for task in os.listdir(f"/proc/{target.pid}/task") if int(task) != target.word(2))
    away, floors = [], []
    for _ in range(RUNS):
        _, out, err, _ = run(f"{B}/debugcall", "--json", "--thread", str(tid), "-p", str(target.pid), "next_value(1)")
        told = re.search(r'"pause_us":\s*([\d.]+)', out)
        if not told:
            sys.exit(f"debugcall FAILS: {out} {err}")
        away.append(float(told.group(1)))
        floors.append(float(run(f"{B}/tests/bench/floor", str(tid))[1]))
    return statistics.median(away), statistics.median(floors)

def small(target):
    figures = attach_call_detach(target, "small target")
    mine, pad, floor = (figures[name] for name in ("debugcall", "debugcall, by the landing pad", "floor"))
    away, floor_asleep = asleep(target)
    print(f"  a thread that sleeps: away {away:.0f} us by our clock, floor {floor_asleep:.0f} us by its own")
    peer = figures.get("gdb, XSTATE mended by a preload")
    if peer:
        verdict("pause over gdb's", mine[0] / peer[0], 1 / 1000)
        verdict("pause of a sleeping thread over gdb's", away / peer[0], 1 / 1000)
        verdict("pause by the pad over gdb's", pad[0] / peer[0], 1 / 500)
        verdict("whole command over gdb's", mine[1] / peer[1], 1 / 10)
    verdict("pause over the floor", mine[0] / floor[0], 3)
    verdict("pause of a sleeping thread over the floor", away / floor_asleep, 3)
    verdict("pause by the pad over the floor", pad[0] / floor[0], 4.5)
    peak = peak_kib(f"{B}/debugcall", "-p", str(target.pid), "next_value(1)")
    verdict("peak memory, MB", peak / 1024, 32)

def big(target):
    program = big_program()
    print(f"a program of {os.path.getsize(program) / 1e6:.0f} MB beside the small one; {RUNS} alternating runs, medians")
    with contextlib.closing(Gaps(program)) as large:
        beside(target, large)

def beside(target, large):
    results = {"on the small target": ([], [], 0), "on the large one": ([], [], 0)}
    for _ in range(RUNS):
        for name, gaps in zip(results, (target, large)):
            answer = []
            # Each has the machine to itself.
            os.kill((large if gaps is target else target).pid, signal.SIGSTOP)
            os.kill(gaps.pid, signal.SIGCONT)
            pause = gaps.pause(lambda: answer.append(ours(gaps)))
            pauses, walls, right = results[name]
            results[name] = (pauses + [pause], walls + [answer[0][1]], right + answer[0][0])
    os.kill(target.pid, signal.SIGSTOP)
    os.kill(large.pid, signal.SIGCONT)
    figures = [row("debugcall " + name, *result, RUNS) for name, result in results.items()]
    if shutil.which("gdb"):
        peers = [large.pause(lambda: gdb(large, True)) for _ in range(3)]
        print(f"  gdb (mended) on the large one, 3 runs: pause {statistics.median(peers):.0f} us")
    verdict("pause over that on the small target", figures[1][0] / figures[0][0], 1.5)

def main():
    parts = {"small": small, "repeat": repeated, "big": big}
    chosen = sys.argv[1:] or list(parts)
    if not set(chosen) <= set(parts):
        sys.exit(f"bare.py [{'] ['.join(parts)}]")
    for name in chosen:
        with contextlib.closing(Gaps(f"{B}/tests/bench/gaps")) as target:
            parts[name](target)


if __name__ == "__main__":
    main()
