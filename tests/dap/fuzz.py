#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 300 s
# Mutated messages: the debug adapter answers or ends, and never crashes; SAN=address,undefined has it looked at closely.
import json
import os
import random
import subprocess

from harness import CAMPAIGN, DEBUGCALL, Target, contains, equal, expect, main, row

SOURCE = os.path.abspath("tests/targets/plain.c")
ROUNDS, MESSAGES = (10000, 1000) if CAMPAIGN else (20, 150)
# What make campaign builds beside: a minute of it.
SANITIZED, SANITIZED_ROUNDS = "build/address-undefined/debugcall", 50


def seeds(pid):
    source = {"path": SOURCE}
    return [
        ("initialize", {"adapterID": "x", "linesStartAt1": True, "supportsProgressReporting": True}),
        ("attach", {"pid": pid, "callTimeout": 0.05, "sourceMap": {"a": "b"}, "watchCalls": "always"}),
        ("configurationDone", {}), ("threads", {}), ("loadedSources", {}), ("modules", {"startModule": 0}),
        ("setBreakpoints", {"source": source, "breakpoints": [{"line": 20, "condition": "1", "hitCondition": "> 2"}]}),
        ("setFunctionBreakpoints", {"breakpoints": [{"name": "note", "logMessage": "a {notes} b"}]}),
        ("setInstructionBreakpoints", {"breakpoints": [{"instructionReference": "0x1000", "offset": -5}]}),
        ("setExceptionBreakpoints", {"filters": ["faults"], "filterOptions": [{"filterId": "throw"}]}),
        ("stackTrace", {"threadId": pid, "startFrame": 0, "levels": 20}), ("scopes", {"frameId": 1}),
        ("variables", {"variablesReference": 1, "start": 0, "count": 10, "filter": "indexed", "format": {"hex": True}}),
        ("evaluate", {"expression": "add(1, 2)", "context": "repl", "frameId": 1}),
        ("evaluate", {"expression": "parts", "context": "hover"}), ("evaluate", {"expression": "pairs", "context": "watch"}),
        ("evaluate", {"expression": "check", "context": "repl"}),
        ("setVariable", {"variablesReference": 1, "name": "x", "value": "1"}),
        ("setExpression", {"expression": "notes", "value": "1"}), ("pause", {"threadId": pid}),
        ("continue", {"threadId": pid, "singleThread": True}), ("next", {"threadId": pid, "granularity": "line"}),
        ("stepIn", {"threadId": pid}), ("stepOut", {"threadId": pid}), ("exceptionInfo", {"threadId": pid}),
        ("dataBreakpointInfo", {"name": "notes", "asAddress": False, "bytes": 4}), ("restart", {"arguments": {}}),
        ("setDataBreakpoints", {"breakpoints": [{"dataId": "0 notes", "accessType": "readWrite", "condition": "1"}]}),
        ("gotoTargets", {"source": source, "line": 60}), ("goto", {"threadId": pid, "targetId": 1}),
        ("stepInTargets", {"frameId": 1}), ("stepIn", {"threadId": pid, "targetId": 2}),
        ("readMemory", {"memoryReference": "0x1000", "offset": -1, "count": 100}),
        ("disassemble", {"memoryReference": "0x1000", "instructionOffset": -5, "instructionCount": 10}),
        ("completions", {"text": "parts.", "column": 7}), ("source", {"source": source, "sourceReference": 0}),
        ("breakpointLocations", {"source": source, "line": 1, "endLine": 40}), ("cancel", {"requestId": 3}),
    ]


VALUES = [None, True, 0, -1, 1 << 31, 1 << 62, 0.5, "", "x" * 5000, "\u0001é\U0001f600", [], {}, [[]], "0x", "((((", "{"]


def mutate_value(lot, value):
    if isinstance(value, dict) and value and lot.random() < 0.8:
        key = lot.choice(list(value))
        changed = dict(value)
        if lot.random() < 0.2:
            del changed[key]
        else:
            changed[key] = mutate_value(lot, value[key])
        return changed
    if isinstance(value, list) and value and lot.random() < 0.8:
        changed = list(value)
        i = lot.randrange(len(changed))
        changed[i] = mutate_value(lot, changed[i])
        return changed * lot.choice([1, 1, 1, 30])
    if isinstance(value, str) and value and lot.random() < 0.5:
        i = lot.randrange(len(value))
        return value[:i] + lot.choice("()[]{}.*&-+=\"'0x$") + value[i + lot.randrange(2):]
    if isinstance(value, int) and lot.random() < 0.5:
        return value + lot.choice([-1, 1, 100, -100])
    return lot.choice(VALUES)


def mutated(lot, message):
    if lot.random() < 0.4:
        message = mutate_value(lot, message)
    body = bytearray(json.dumps(message).encode())
    if lot.random() < 0.15 and body:
        for _ in range(lot.randrange(1, 4)):
            body[lot.randrange(len(body))] = lot.randrange(256)
    return bytes(body)


def a_round(target, number, adapter):
    lot = random.Random(number)
    known = seeds(target.pid)
    data = b""
    for seq in range(1, MESSAGES):
        command, arguments = known[seq - 1] if seq < 4 else lot.choice(known)
        message = {"seq": seq, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode() if seq < 4 or command == "attach" else mutated(lot, message)
        data += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    if lot.random() < 0.2:
        data += bytes(lot.randrange(256) for _ in range(50))
    run = subprocess.run([adapter, "dap"], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240,
                         check=False)
    text = run.stderr.decode(errors="replace")
    expect(run.returncode in (0, 2), f"round {number}: status {run.returncode}: {text}")
    expect("Sanitizer" not in text and "runtime error" not in text, f"round {number}: {text}")
    contains(run.stdout.decode(errors="replace"), '"command":"initialize","success":true')


def rounds(adapter, count):
    with Target("threads") as target:
        for number in range(count):
            a_round(target, number, adapter)
            expect(target.process.poll() is None, f"round {number}: the target ended")
        target.answers()
        equal(target.tracer(), 0)


row("mutated messages crash nobody", rounds, DEBUGCALL, ROUNDS)
if CAMPAIGN:
    row("mutated messages find nothing that sanitizers see", rounds, SANITIZED, SANITIZED_ROUNDS)
main()
