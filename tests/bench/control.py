#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Steps, stacks and conditions of a process under control, beside gdb in the same run.
#   control.py      RUNS= for another count of steps, SECONDS= for each rate
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time

B = os.path.abspath(os.environ.get("B", "build/release"))
RUNS = int(os.environ.get("RUNS", "200"))
SECONDS = int(os.environ.get("SECONDS", "3"))
SOURCE = "tests/targets/stepped.c"


def dies_with_us():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Target:
    def __init__(self, *words):
        self.process = subprocess.Popen([f"{B}/tests/targets/{words[0]}", *words[1:]], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=dies_with_us)
        self.process.stdout.readline()
        self.pid = str(self.process.pid)

    def beats(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline().split()[0])

    def rate(self, begin):
        """Rounds a second while what begin() starts is at work."""
        worker = begin(self.pid)
        time.sleep(0.3)
        before, start = self.beats(), time.monotonic()
        time.sleep(SECONDS)
        rate = (self.beats() - before) / (time.monotonic() - start)
        worker.kill()
        worker.wait()
        return rate

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def line_of(mark):
    with open(SOURCE, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if f"// {mark}\n" in line)


def measure(what, *words, n=RUNS, target="stepped"):
    with Target(*target.split()) as process:
        done = subprocess.run([f"{B}/tests/bench/control_ops", process.pid, what, str(n), *words],
                              stdout=subprocess.PIPE, text=True, check=True, preexec_fn=dies_with_us)
    return float(done.stdout)


GDB = ("gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off")
TIMED = """python
import time
def timed(n, command, before=None):
    times = []
    for _ in range(n):
        if before:
            gdb.execute(before, to_string=True)
        start = time.monotonic()
        gdb.execute(command, to_string=True)
        times.append(1e6 * (time.monotonic() - start))
    print("MEDIAN", sorted(times)[n // 2])
end"""


def gdb_measure(place, command, n=RUNS, before=None):
    with Target("stepped") as process:
        again = f", {before!r}" if before else ""
        with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
            script.write(f"break {place}\ncontinue\n{TIMED}\npython timed({n}, {command!r}{again})\n")
            script.flush()
            done = subprocess.run([*GDB, "-p", process.pid, "-x", script.name], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
                                  preexec_fn=dies_with_us)
    return next((float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("MEDIAN")), None)


def work(what):
    def begin(pid):
        worker = subprocess.Popen([f"{B}/tests/bench/control_ops", pid, what, str(SECONDS + 60)],
                                  stdout=subprocess.PIPE, preexec_fn=dies_with_us)
        worker.stdout.readline()
        return worker
    return begin


def gdb_condition(pid):
    worker = subprocess.Popen([*GDB, "-p", pid, "-ex", "break serve if $rsi == -1", "-ex", "continue"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              preexec_fn=dies_with_us)
    time.sleep(3)
    return worker


def say(name, ours, bound, peer):
    beside = f"gdb {peer:8.0f} us" if peer else ""
    print(f"  {name:44} {ours:8.0f} us   (at most {bound})  {'ok' if ours <= bound else 'NOT MET'}   {beside}")


def say_rate(name, ours, floor, whose, bound, beside):
    ratio = ours / floor
    print(f"  {name:44} {ours:8.0f}/s, {ratio:.2f} of {whose} {floor:.0f}/s  (at least {bound})  "
          f"{'ok' if ratio >= bound else 'NOT MET'}   {beside}")


def main():
    has_gdb = bool(shutil.which("gdb"))
    turns = f"stepped.c:{line_of('walk 6')}"

    def peer(*words, **others):
        return gdb_measure(*words, **others) if has_gdb else None

    print(f"control: medians of {RUNS}, rates over {SECONDS} s")
    say("step, a line", measure("step"), 2000, peer("walk", "step"))
    say("next, a line", measure("next"), 200, peer("walk", "next"))
    say("next, a line of 3,000 turns", measure("loop", turns, n=20), 200, peer(turns, "next", n=20, before="continue"))
    say("bt of 100 frames", measure("bt"), 5000, peer("bottom", "bt"))
    print(f"  {'a hit: how long the thread stands':44} {measure('at', n=2000, target='comers 1'):8.0f} us")
    with Target("comers", "1") as target:
        bare, ours = target.rate(work("bare")), target.rate(work("hold"))
        count, judged = target.rate(work("count")), target.rate(work("judged"))
        theirs = target.rate(gdb_condition) if has_gdb else None
    beside = f"gdb {theirs:.0f}/s" if theirs else ""
    say_rate("a false condition, with a stop", ours, bare, "a bare stop's", 0.7, beside)
    say_rate("the same, judged by the kernel", judged, count, "a mere count's", 0.5, beside)


if __name__ == "__main__":
    main()
