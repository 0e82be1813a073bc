#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Yama's ptrace_scope 3: nobody attaches, root neither; the reason and the only remedy are said.
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from guest import TARGETS, Program, Tap, as_ordinary, refused  # noqa: E402


def at_own(*words):
    with Program(f"{TARGETS}/plain") as target:
        refused(target.pid, *words)


def at_roots(*words):
    with Program(f"{TARGETS}/plain") as target:
        as_ordinary(refused, target.pid, *words)


WORDS = ("kernel.yama.ptrace_scope is 3", "until the next boot", "/etc/sysctl.d")
tap = Tap()
tap.test("Yama 3: root at its own process", at_own, *WORDS)
tap.test("Yama 3: an ordinary user at its own process", as_ordinary, at_own, *WORDS)
tap.test("Yama 3: an ordinary user at root's", at_roots)
tap.end()
