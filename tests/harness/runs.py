# SPDX-License-Identifier: MIT
# Runs of debugcall, and of debuggers that are killed at a chosen step.
import os
import signal
import subprocess
import tempfile

from .tap import LIMIT, Failed

B = os.environ.get("B", os.path.abspath("build/release"))
DEBUGCALL = f"{B}/debugcall"
TARGETS = f"{B}/tests/targets"
KILLER = f"{B}/tests/call/killer.so"
# What is linked with the runtime wants what the runtime was built with.
SANITIZER = [f"-fsanitize={os.environ['SAN']}"] if os.environ.get("SAN") else []


def denying(*numbers):
    """A prefix: what follows runs with these system calls denied by a seccomp filter, with EPERM."""
    last = len(numbers) - 1
    tests = [(0x15, last - i, int(i == last), number) for i, number in enumerate(numbers)]
    return ("/usr/bin/python3", "-c", f"""
import ctypes, os, struct, sys
codes = [(0x20, 0, 0, 0), *{tests}, (6, 0, 0, 0x50001), (6, 0, 0, 0x7fff0000)]
filter = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *code) for code in codes))
program = struct.pack("HxxxxxxP", len(codes), ctypes.addressof(filter))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
""")


class Run:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"status {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def start(*args, env=None, prefix=()):
    """prefix: a command that debugcall is run by."""
    # A sanitizer wants to be the first library, and a preload is.
    options = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")
    whole = dict(os.environ, ASAN_OPTIONS=options, **(env or {}))
    return subprocess.Popen([*prefix, DEBUGCALL, *map(str, args)], env=whole, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")


def finish(process, limit=LIMIT):
    try:
        out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failed(f"debugcall did not end: {process.args}") from None
    return Run(process.returncode, out, err)


def debugcall(*args, env=None, limit=LIMIT, prefix=()):
    return finish(start(*args, env=env, prefix=prefix), limit)


def killed_at(n, *args, later=0):
    """debugcall, SIGKILLed by itself at its n-th ptrace, memory-write or wait call, or so many ns after that."""
    run = debugcall(*args, env={"LD_PRELOAD": KILLER, "DC_KILL_AT": str(n), "DC_KILL_LATER": str(later)})
    return run, run.code == -signal.SIGKILL


def kill_points(*args):
    """How many such calls an undisturbed run makes."""
    with tempfile.NamedTemporaryFile() as file:
        run = debugcall(*args, env={"LD_PRELOAD": KILLER, "DC_KILL_COUNT_FILE": file.name})
        text = file.read().decode()
        if not text:
            raise Failed(f"nothing was counted: {run}")
        return run, int(text)


def ends(code, *args):
    """A run that must end with this status."""
    run = debugcall(*args)
    if run.code != code:
        raise Failed(f"{' '.join(map(str, args))}: wanted status {code}: {run}")
    return run


def good(*args):
    """A run that must succeed; its output."""
    return ends(0, *args).out
