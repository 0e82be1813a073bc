#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Whom Yama's ptrace_scope lets attach, and what those who may not are told. 3 is in forbidden/.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from guest import TARGETS, Program, Tap, as_ordinary, called, refused, setting  # noqa: E402


def at_own(function, *args):
    with Program(f"{TARGETS}/plain") as target:
        function(target.pid, *args)


def at_roots(*words):
    with Program(f"{TARGETS}/plain") as target:
        as_ordinary(refused, target.pid, *words)


tap = Tap()
for scope, words in ((0, None), (1, ("kernel.yama.ptrace_scope is 1", "run debugcall as root")),
                     (2, ("kernel.yama.ptrace_scope is 2", "run debugcall as root"))):
    setting("kernel.yama.ptrace_scope", scope)
    tap.test(f"Yama {scope}: root at its own process", at_own, called)
    if words:
        tap.test(f"Yama {scope}: an ordinary user at its own process", as_ordinary, at_own, refused, *words)
    else:
        tap.test(f"Yama {scope}: an ordinary user at its own process", as_ordinary, at_own, called)
    tap.test(f"Yama {scope}: an ordinary user at root's", at_roots, "user root", "run debugcall as")
setting("kernel.yama.ptrace_scope", 0)
tap.end()
