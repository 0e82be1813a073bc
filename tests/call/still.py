#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Promises 1, 2 and 5: all the writable memory of a target that changes nothing by itself is the same around a call
# and around each kill of the debugger, but below the borrowed stack pointer's red zone and where the kernel writes for
# the thread (its rseq area).    timeout: 600 s
import subprocess

from harness import CAMPAIGN, TARGETS, Failed, debugcall, expect, kills, main, row, status, until

RED_ZONE = 128
MODES = ["spin", "read", "futex", "poll", "nanosleep", "epoll_wait", "sigtimedwait"]
# The ways into a callee, and back: what each prints.
SHAPES = {
    "chain": (["add(1, 2)"], "3"),
    "chain, vectors": (["scale(5.0, 0.5f)"], "2.5"),
    "chain, memory": (["make_large(4).a[9]"], "13"),
    "pad": (["sum_many(1, 2, 3, 4, 5, 6, 7, 8, 1.5, 2.5)"], "40"),
    "pad, literal": (['length("hello")'], "5"),
    "pad, literal dropped": (["--drop-literals", 'length("hello")'], "5"),
    "both": (["add(1, 2)", 'length("hello")', "add(3, 4)", "make_large(4).a[9]"], "3\n5\n7\n13"),
    "loop": (["--repeat", "2000", "add(1, 2)"], None),
}


class Still:
    """tests/targets/still in one mode, and its memory as it was."""

    def __init__(self, mode):
        self.mode = mode
        self.process = subprocess.Popen([f"{TARGETS}/still", mode], stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.sp, self.rseq, self.rseq_size = map(int, self.process.stdout.readline().split())
        expect(self.process.stdout.readline() == "ready\n", f"{mode}: ready")
        self.rest()
        self.wait = self.place()
        self.before = self.writable()
        self.bytes = self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def mappings(self):
        """start, end, rights, path"""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as file:
            for line in file:
                fields = line.split(maxsplit=5)
                start, end = (int(word, 16) for word in fields[0].split("-"))
                yield start, end, fields[1], fields[5].strip() if len(fields) > 5 else ""

    def writable(self):
        return [(start, end) for start, end, rights, _ in self.mappings() if "w" in rights]

    def read(self):
        """What was mapped at first, and is."""
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            found = []
            for start, end in self.before:
                memory.seek(start)
                found.append(memory.read(end - start))
            return found

    def place(self):
        """Stack pointer and PC: the call's number and arguments differ once the kernel has begun it again."""
        with open(f"/proc/{self.pid}/syscall", encoding="utf-8") as file:
            return file.read().split()[-2:]

    def alive(self):
        expect(self.process.poll() is None, f"{self.mode}: the target died, status {self.process.returncode}")
        return True

    def rest(self):
        """It is where it was: asleep in its wait, or nobody's."""
        state = "R" if self.mode == "spin" else "S"
        until(lambda: self.alive() and status(self.pid)["TracerPid"] == "0" and status(self.pid)["State"][0] == state,
              f"{self.mode}: at rest")

    def may_differ(self, address):
        stack = next((start, end) for start, end in self.before if start <= self.sp < end)
        return (stack[0] <= address < self.sp - RED_ZONE or
                self.rseq <= address < self.rseq + self.rseq_size)

    def unchanged(self):
        self.rest()
        if self.mode != "spin":
            until(lambda: self.alive() and self.place() == self.wait, f"{self.mode}: in its wait")
        for (start, end), was, now in zip(self.before, self.bytes, self.read()):
            if was == now:
                continue
            expect(len(was) == len(now), f"{self.mode}: {start:#x} to {end:#x} is not mapped any more")
            wrong = [start + i for i in range(len(was)) if was[i] != now[i] and not self.may_differ(start + i)]
            if wrong:
                raise Failed(f"{self.mode}: {len(wrong)} bytes changed, the first at {wrong[0]:#x} (stack pointer "
                             f"{self.sp:#x}, mapping {start:#x} to {end:#x})")


def still(mode, shape):
    args, wanted = SHAPES[shape]
    with Still(mode) as target:
        run = debugcall("-q", "-p", target.pid, *args)
        expect(run.code == 0 and wanted in (None, run.out.strip()), run)
        target.unchanged()
        if CAMPAIGN or (mode in ("spin", "read", "nanosleep") and shape in ("chain", "pad, literal", "both")):
            kills.sweep(("-p", target.pid, *args), target.unchanged, few=12, rounds=2)
        run = debugcall("-q", "-p", target.pid, *args)
        expect(run.code == 0 and wanted in (None, run.out.strip()), f"after all kills: {run}")
        target.unchanged()


def pads_are_gone():
    """A call that nobody disturbs leaves no mapping, but for its literals, by name."""
    with Still("read") as target:
        before = list(target.mappings())
        for shape, (args, _) in SHAPES.items():
            run = debugcall("-p", target.pid, *args)
            expect(run.code == 0, f"{shape}: {run}")
            new = [mapping for mapping in target.mappings() if mapping not in before and mapping[3] != "[stack]"]
            names = {path for *_, path in new}
            expect(names <= {"[anon:debugcall literals]", ""}, f"{shape}: {new}")
            expect(all(rights == "rw-p" for _, _, rights, _ in new), f"{shape}: {new}")
            if "literal" not in shape and shape != "both":
                expect(not new, f"{shape}: {new}")
            before = list(target.mappings())


row("mappings", pads_are_gone)
for m in MODES:
    for s in SHAPES:
        row(f"all writable memory: {s}, {m}", still, m, s)
main()
