#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Whom Yama's ptrace_scope lets attach, and what those who may not are told. 3 is in forbidden/.
import subprocess

from guest import ORDINARY, as_container_root, as_ordinary, called, refused, setting
from harness import B, TARGETS, Program, debugcall, expect, main, row

TARGET = f"{TARGETS}/plain"
# What a target does before it is one.
BECOME_ORDINARY = f"os.setgid({ORDINARY}); os.setuid({ORDINARY})"
PERMIT = "ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0)"  # PR_SET_PTRACER, any


def at_own(function, *words):
    with Program(TARGET) as target:
        function(target.pid, *words)


def at_roots(*words):
    with Program(TARGET) as target:
        as_ordinary(refused, target.pid, *words)


def at_one_that(does, function, *words):
    with Program("/usr/bin/python3", "-c", f"import ctypes, os; {does}; "
                 f"os.execv('{TARGET}', ['{TARGET}'])") as target:
        function(target.pid, *words)


def looks(words):
    """Names and types need no rights over memory; a value does, and the reason is said."""
    with Program(TARGET) as target:
        for args, wanted in ((("functions", "-p", target.pid, "^add$"), "int add(int a, int b)"),
                             (("-p", target.pid, "sizeof(struct pair)"), "16")):
            run = debugcall(*args)
            expect(run.code == 0 and wanted in run.out, run)
        run = debugcall("-p", target.pid, "hidden")
        if not words:
            expect(run.code == 0 and run.out.strip() == "17", run)
            return
        expect(run.code == 3 and "the target was not touched" in run.err, run)
        for word in words:
            expect(word in run.err, f"{word!r} is not said: {run}")


def embeds():
    """The library in a program whose child is the target, as Yama 1 wants it."""
    run = subprocess.run([f"{B}/tests/call/library"], capture_output=True, text=True, check=False)
    expect(run.returncode == 0, run.stdout + run.stderr)


REMEDIES = ("run debugcall as root", "sysctl kernel.yama.ptrace_scope=0")
for scope, why in ((0, ()), (1, ("kernel.yama.ptrace_scope is 1", *REMEDIES)),
                   (2, ("kernel.yama.ptrace_scope is 2", *REMEDIES))):
    setting("kernel.yama.ptrace_scope", scope)
    own = (refused, *why) if why else (called,)
    permitted = own if scope == 2 else (called,)
    contained = (refused, "root has no CAP_SYS_PTRACE here", "--cap-add=SYS_PTRACE") if why else (called,)
    row(f"Yama {scope}: root at its own process", at_own, called)
    row(f"Yama {scope}: root at an ordinary user's", at_one_that, BECOME_ORDINARY, called)
    row(f"Yama {scope}: an ordinary user at its own process", as_ordinary, at_own, *own)
    row(f"Yama {scope}: an ordinary user at its own that permits it", as_ordinary, at_one_that, PERMIT,
             *permitted)
    row(f"Yama {scope}: an ordinary user at root's", at_roots, "user root", "run debugcall as")
    row(f"Yama {scope}: an ordinary user looks", as_ordinary, looks, why)
    row(f"Yama {scope}: root of a container at its own process", as_container_root, at_own, *contained)
    if scope == 1:
        row("Yama 1: an ordinary user's program at its child", as_ordinary, embeds)
setting("kernel.yama.ptrace_scope", 0)
main()
