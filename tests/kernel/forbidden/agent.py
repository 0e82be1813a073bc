#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Yama's ptrace_scope 3: where nobody attaches to anything, an agent is called by who could read the process.
from guest import AGENT, as_ordinary, called_by_agent, refused
from harness import TARGETS, Program, main, row


def own():
    with Program(f"{TARGETS}/plain", env=AGENT) as target:
        called_by_agent(target.pid)


def roots():
    with Program(f"{TARGETS}/plain", env=AGENT) as target:
        as_ordinary(refused, target.pid)


row("Yama 3: root calls through the agent of its own process", own)
row("Yama 3: an ordinary user calls through the agent of its own process", as_ordinary, own)
row("Yama 3: an ordinary user does not call through root's", roots)
main()
