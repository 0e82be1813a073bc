#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Yama forbids to trace, and an agent is called all the same by who could read the process; by nobody else.
from guest import AGENT, as_ordinary, called_by_agent, refused, setting
from harness import TARGETS, Program, main, row


def own():
    with Program(f"{TARGETS}/plain", env=AGENT) as target:
        called_by_agent(target.pid)


def roots():
    with Program(f"{TARGETS}/plain", env=AGENT) as target:
        as_ordinary(refused, target.pid)


def under(scope, function, *args):
    before = setting("kernel.yama.ptrace_scope")
    setting("kernel.yama.ptrace_scope", scope)
    try:
        function(*args)
    finally:
        setting("kernel.yama.ptrace_scope", before)


for scope_ in (1, 2):
    row(f"Yama {scope_}: an ordinary user calls through the agent of its own process", under, scope_, as_ordinary, own)
    row(f"Yama {scope_}: an ordinary user does not call through root's", under, scope_, roots)
main()
