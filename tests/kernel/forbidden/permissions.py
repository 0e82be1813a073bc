#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Yama's ptrace_scope 3: nobody attaches, root neither; the reason and the only remedy are said.
from guest import as_ordinary, refused
from harness import TARGETS, Program, main, row


def at_own(*words):
    with Program(f"{TARGETS}/plain") as target:
        refused(target.pid, *words)


def at_roots(*words):
    with Program(f"{TARGETS}/plain") as target:
        as_ordinary(refused, target.pid, *words)


WORDS = ("kernel.yama.ptrace_scope is 3", "until the next boot", "/etc/sysctl.d")
row("Yama 3: root at its own process", at_own, *WORDS)
row("Yama 3: an ordinary user at its own process", as_ordinary, at_own, *WORDS)
row("Yama 3: an ordinary user at root's", at_roots)
main()
