#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Yama forbids to trace, and an agent is called all the same by who could read the process; by nobody else.
import json

from guest import as_ordinary, refused, setting
from harness import B, TARGETS, Program, debugcall, equal, main, row

AGENT = {"LD_PRELOAD": f"{B}/libdebugcall-agent.so"}


def answers(target):
    for expression, wanted in (("add(1, 2)", ("3", "agent")), ("hidden", ("17", "none"))):
        run = debugcall("--json", "-p", target.pid, expression)
        equal(run.code, 0, run)
        answer = json.loads(run.out.splitlines()[0])
        equal((answer["value"], answer["host"]), wanted)


def own():
    with Program(f"{TARGETS}/plain", env=AGENT) as target:
        answers(target)


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
