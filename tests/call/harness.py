# SPDX-License-Identifier: MIT
# What the call tests share: starting victims, running debugcall at them, and TAP.
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

B = os.environ.get("B", os.path.abspath("build/release"))
DEBUGCALL = f"{B}/debugcall"
TARGETS = f"{B}/tests/targets"
KILLER = f"{B}/tests/call/killer.so"
CAMPAIGN = bool(os.environ.get("DC_CAMPAIGN"))
LIMIT = 60  # seconds until a condition that does not come is a failure

FIELDS = ["ready", "beats", "faults", "eintr", "urgent", "entered", "release", "pokes", "aborts",
          "signals", "value"]


class Failed(Exception):
    pass


def until(condition, what, limit=LIMIT):
    """Waits for a condition; a limit only turns a hang into a failure."""
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {limit} s")
        time.sleep(0.0005)


def status(pid, tid=None):
    fields = {}
    with open(f"/proc/{pid}/task/{tid or pid}/status", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields


class Victim:
    """tests/targets/victim in one mode; see there for what it verifies about itself."""

    def __init__(self, mode):
        self.mode = mode
        handle, self.path = tempfile.mkstemp(prefix="victim-")
        os.ftruncate(handle, 4096)
        self.page = mmap.mmap(handle, 4096)
        os.close(handle)
        self.process = subprocess.Popen([f"{TARGETS}/victim", self.path, mode],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.tid = until(lambda: self.ready, f"victim {mode} ready")

    def __getattr__(self, name):
        if name in FIELDS:
            return struct.unpack_from("Q", self.page, 8 * FIELDS.index(name))[0]
        raise AttributeError(name)

    def set(self, name, value):
        struct.pack_into("Q", self.page, 8 * FIELDS.index(name), value)

    @property
    def fault(self):
        return self.page[8 * len(FIELDS):8 * len(FIELDS) + 200].split(b"\0")[0].decode()

    @property
    def base_mode(self):
        return self.mode.split("+")[0]

    def poke(self):
        """Ends the system call that the main thread blocks in."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def alive(self):
        return self.process.poll() is None

    def beat(self):
        """The victim finishes rounds, all of them right, so every register was given back."""
        beats, pokes = self.beats, self.pokes
        blocking = self.base_mode not in ("spin", "nanosleep", "futex_timed", "rseq")
        if blocking:
            self.poke()
            until(lambda: not self.alive() or self.pokes > pokes, f"{self.mode}: poked")
        until(lambda: not self.alive() or self.beats >= beats + (1 if blocking else 2),
              f"{self.mode}: next round (state {status(self.pid, self.tid)['State']})")
        self.check()

    def check(self):
        if not self.alive():
            raise Failed(f"{self.mode}: the target died, status {self.process.returncode}")
        if self.faults:
            raise Failed(f"{self.mode}: {self.faults} faults: {self.fault}")
        if self.urgent:
            raise Failed(f"{self.mode}: the program's SIGURG handler ran")
        fields = status(self.pid, self.tid)
        if fields["TracerPid"] != "0":
            raise Failed(f"{self.mode}: still traced by {fields['TracerPid']}")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.page.close()
        os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Program:
    """A target that prints "ready" on a line of its own."""

    def __init__(self, *args):
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        while self.process.stdout.readline() != "ready\n":
            expect(self.process.poll() is None, f"{args[0]} ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Run:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"status {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def start(*args, env=None):
    # A sanitizer wants to be the first library, and a preload is.
    options = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")
    whole = dict(os.environ, ASAN_OPTIONS=options, **(env or {}))
    return subprocess.Popen([DEBUGCALL, *map(str, args)], env=whole, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")


def finish(process, limit=LIMIT):
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failed(f"debugcall did not end: {process.args}") from None
    return Run(process.returncode, out, err)


def debugcall(*args, env=None, limit=LIMIT):
    return finish(start(*args, env=env), limit)


def killed_at(n, *args):
    """debugcall, SIGKILLed by itself at its n-th ptrace, memory-write or wait call."""
    run = debugcall(*args, env={"LD_PRELOAD": KILLER, "DC_KILL_AT": str(n)})
    return run, run.code == -signal.SIGKILL


def kill_points(*args):
    """How many such calls an undisturbed run makes."""
    with tempfile.NamedTemporaryFile() as file:
        run = debugcall(*args, env={"LD_PRELOAD": KILLER, "DC_KILL_COUNT_FILE": file.name})
        text = file.read().decode()
        if not text:
            raise Failed(f"nothing was counted: {run}")
        return run, int(text)


def expect(condition, message):
    if not condition:
        raise Failed(str(message))


class Tap:
    """Arguments of the script choose rows: those whose name contains one of them."""

    def __init__(self):
        self.count = self.failures = 0

    def test(self, name, function, *args):
        if sys.argv[1:] and not any(part in name for part in sys.argv[1:]):
            return
        self.count += 1
        try:
            reason = function(*args)
        except Failed as failure:
            self.failures += 1
            lines = str(failure).splitlines() or ["failed"]
            print(f"not ok {self.count} - {name}: {lines[0]}")
            for line in lines[1:]:
                print(f"# {line}")
        else:
            skip = f" # SKIP {reason}" if reason else ""
            print(f"ok {self.count} - {name}{skip}")
        sys.stdout.flush()

    def end(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failures else 0)
