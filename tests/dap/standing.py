#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The debug adapter at a thread that stands: steps, scopes, registers, memory, code, sources, completion.
import base64
import os

from harness import Target, contains, equal, expect, main, test
from harness.dap import Client

SOURCE = os.path.abspath("tests/targets/plain.c")


def line_of(text):
    with open(SOURCE, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


READ = line_of("while (read(STDIN_FILENO")
WRITE = line_of("if (write(STDOUT_FILENO")
ADD = line_of("return a + b;")


class Standing:
    """The plain target at its write(), in wait_here(1)."""

    def __init__(self, *args, line=WRITE, **arguments):
        self.target = Target(*args)
        self.client = Client()
        self.client.attach(self.target.pid, **arguments)
        self.client.ask("setBreakpoints", source={"path": SOURCE}, breakpoints=[{"line": line}])
        self.target.process.stdin.write("x")
        self.target.process.stdin.flush()
        self.client.event("stopped")
        self.client.ask("setBreakpoints", source={"path": SOURCE}, breakpoints=[])

    def __enter__(self):
        return self.target, self.client

    def __exit__(self, *_):
        self.client.close()
        self.target.__exit__()


def frames(client, target):
    return client.ask("stackTrace", threadId=target.pid)["stackFrames"]


def top(client, target):
    return frames(client, target)[0]


def step(client, target, command, **arguments):
    client.ask(command, threadId=target.pid, **arguments)
    stop = client.event("stopped")
    equal((stop["reason"], stop["threadId"]), ("step", target.pid))
    return top(client, target)


def scope(client, frame, name):
    scopes = client.ask("scopes", frameId=frame["id"])["scopes"]
    return next(scope for scope in scopes if scope["name"] == name)["variablesReference"]


@test
def steps_lines():
    """next goes to the next line, stepOut to the caller; the program is as it was"""
    with Standing() as (target, client):
        equal(step(client, target, "next")["line"], READ)
        target.process.stdin.write("y")
        target.process.stdin.flush()
        equal(step(client, target, "next")["line"], WRITE)
        client.ask("continue", threadId=target.pid)
        equal(target.process.stdout.read(2), "xy")
        target.answers()
        equal(target.tracer(), 0)


@test
def steps_out():
    """stepOut says what the function gave"""
    with Standing() as (target, client):
        client.ask("stepOut", threadId=target.pid)
        equal(target.process.stdout.read(1), "x")
        target.process.stdin.close()  # which it waits for the end of
        equal(client.event("stopped")["description"], "Value returned is $1 = 102")


@test
def steps_instructions():
    """granularity: one instruction"""
    with Standing() as (target, client):
        before = top(client, target)["instructionPointerReference"]
        after = step(client, target, "next", granularity="instruction")["instructionPointerReference"]
        expect(int(before, 16) < int(after, 16) <= int(before, 16) + 15, f"{before} {after}")
        step(client, target, "stepIn", granularity="instruction")
        client.ask("continue", threadId=target.pid)
        target.process.stdout.read(1)
        target.answers()


@test
def steps_want_a_stop():
    """a thread that runs is not stepped"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        for command in ("next", "stepIn", "stepOut"):
            equal(client.answer(client.send(command, threadId=target.pid))["message"], "notStopped")


@test
def scopes_of_frames():
    """arguments, locals and registers of each frame; locals are set"""
    with Standing() as (target, client):
        stack = frames(client, target)
        for frame, depth in zip(stack, ("1", "2", "3")):
            arguments = {each["name"]: each for each in client.children(scope(client, frame, "Arguments"))}
            equal(arguments["depth"]["value"], depth)
            expect(arguments["what"]["type"].startswith("const char *"), arguments)
            local = {each["name"]: each for each in client.children(scope(client, frame, "Locals"))}
            equal(local["local"]["value"], f"{depth}00")
            both = {each["name"]: each["value"] for each in client.children(local["both"]["variablesReference"])}
            equal(both, {"a": depth, "b": f"{depth}.5"})
        reference = scope(client, stack[0], "Locals")
        equal(client.ask("setVariable", variablesReference=reference, name="local", value="7")["value"], "7")
        equal(client.value("local", "watch", frameId=stack[0]["id"]), "7")
        local = next(each for each in client.children(reference) if each["name"] == "both")
        equal(client.ask("setVariable", variablesReference=local["variablesReference"], name="a",
                         value="add(20, 1)")["value"], "21")
        registers = {each["name"]: each["value"] for each in client.children(scope(client, stack[0], "Registers"))}
        expect("rip" in registers and "rsp" in registers, registers)
        vectors = client.children(scope(client, stack[0], "Vector registers"))
        expect(any(each["name"].startswith("xmm") for each in vectors), [each["name"] for each in vectors])
        client.ask("continue", threadId=target.pid)
        contains(client.fails("scopes", frameId=stack[0]["id"]), "no frame")
        contains(client.fails("variables", variablesReference=reference), "any more")


@test
def watches_once_per_stop():
    """watchCalls: once-per-stop runs a call once while the thread stands"""
    with Standing(watchCalls="once-per-stop") as (target, client):
        frame = top(client, target)["id"]
        equal([client.value("note()", "watch", frameId=frame) for _ in range(3)], ["1"] * 3)
        equal(client.value("notes", "watch", frameId=frame), "1")
        frame = step(client, target, "next")["id"]
        equal([client.value("note()", "watch", frameId=frame) for _ in range(2)], ["2"] * 2)
        expect(client.evaluate("note()", "watch")["variablesReference"], "no frame, no stop")


@test
def opened_watches_run_once():
    """a watch that calls and is left open runs once while the thread stands"""
    with Standing() as (target, client):
        frame = top(client, target)["id"]
        for _ in range(3):
            shown = client.evaluate("note()", "watch", frameId=frame)
            equal([each["value"] for each in client.children(shown["variablesReference"])], ["1"])
        frame = step(client, target, "next")["id"]
        shown = client.evaluate("note()", "watch", frameId=frame)
        equal([each["value"] for each in client.children(shown["variablesReference"])], ["2"])


@test
def memory():
    """memory is read, written, and partly unreadable"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        word = client.evaluate("word", "watch")["memoryReference"]
        read = client.ask("readMemory", memoryReference=word, count=7)
        equal((read["address"], base64.b64decode(read["data"])), (word, b"before\0"))
        equal(base64.b64decode(client.ask("readMemory", memoryReference=word, offset=2, count=2)["data"]), b"fo")
        equal(client.ask("readMemory", memoryReference=word, count=0)["data"], "")
        equal(client.ask("writeMemory", memoryReference=word, offset=1,
                         data=base64.b64encode(b"E\0").decode())["bytesWritten"], 2)
        client.event("memory", count=2)
        equal(target.call("word"), ['"bE\\000ore", \'\\000\' <repeats 25 times>'])
        nothing = client.ask("readMemory", memoryReference="0x10", count=16)
        equal((nothing["data"], nothing["unreadableBytes"]), ("", 16))
        contains(client.fails("writeMemory", memoryReference="0x10", data="AAAA"), "0x10")
        contains(client.fails("writeMemory", memoryReference=word, data="A"), "base64")
        contains(client.fails("writeMemory", memoryReference=word, data="A=A="), "base64")
        contains(client.fails("readMemory", memoryReference="word", count=1), "no address")
        contains(client.fails("readMemory", memoryReference="", count=1), "no address")
        contains(client.fails("readMemory", memoryReference=word), "'count'")


@test
def code():
    """disassembly: exact counts, offsets before and behind, lines, and nothing at no address"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        addr = client.evaluate("&wait_here", "watch")["memoryReference"]
        middle = client.ask("disassemble", memoryReference=addr, instructionCount=8)["instructions"]
        equal((len(middle), middle[0]["address"]), (8, addr))
        equal(middle[0]["location"]["path"], SOURCE)
        sixth = middle[5]["address"]
        before = client.ask("disassemble", memoryReference=sixth, instructionOffset=-5, instructionCount=8,
                            resolveSymbols=True)["instructions"]
        equal([each["address"] for each in before], [each["address"] for each in middle])
        equal(before[0]["symbol"], "wait_here")
        behind = client.ask("disassemble", memoryReference=addr, instructionOffset=5, instructionCount=1)["instructions"]
        equal(behind[0]["address"], sixth)
        for offset, wanted in ((-200, 400), (-50, 100), (0, 50)):
            equal(len(client.ask("disassemble", memoryReference=addr, instructionOffset=offset,
                                 instructionCount=wanted)["instructions"]), wanted)
        nothing = client.ask("disassemble", memoryReference="0x10", instructionCount=3)["instructions"]
        equal([each["presentationHint"] for each in nothing], ["invalid"] * 3)
        contains(client.fails("disassemble", memoryReference="", instructionCount=1), "no address")
        contains(client.fails("disassemble", memoryReference=addr, instructionCount=1 << 30), "at most")


@test
def modules():
    """modules, in pages"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        all_of_them = client.ask("modules")
        names = [module["name"] for module in all_of_them["modules"]]
        expect(any(name.startswith("libc.so") for name in names) and "plain" in names, names)
        page = client.ask("modules", startModule=1, moduleCount=1)
        equal(([module["name"] for module in page["modules"]], page["totalModules"]), (names[1:2], len(names)))


@test
def sources():
    """the text of a source, and where a breakpoint may be in it"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        contains(client.ask("source", source={"path": SOURCE}, sourceReference=0)["content"], "int add(int a, int b)")
        contains(client.fails("source", source={"path": "/no/such"}, sourceReference=0), "/no/such")
        places = client.ask("breakpointLocations", source={"path": SOURCE}, line=ADD - 3, endLine=ADD)["breakpoints"]
        equal([place["line"] for place in places], [ADD])
        equal(client.ask("breakpointLocations", source={"path": SOURCE}, line=1)["breakpoints"], [])


@test
def completions():
    """names, locals and members, at the cursor; nothing is run or stopped"""
    with Standing() as (target, client):
        def complete(text, column=None, **arguments):
            found = client.ask("completions", text=text, column=column or len(text) + 1, **arguments)["targets"]
            return {each["label"]: each for each in found}
        found = complete("1 + next_col")
        equal((found["next_colour"]["start"], found["next_colour"]["length"]), (5, 8))
        expect("make_pair" in complete("make_p()", 7), "the brackets that the console closes")
        expect({"low", "high", "pair"} <= set(complete("parts.")), complete("parts."))
        equal(set(complete("parts.pair->")), {"a", "b"})
        frame = top(client, target)["id"]
        expect("depth" in complete("dep", frameId=frame), "of the frame")
        equal(set(complete("1 + both.", frameId=frame)), {"a", "b"})
        equal(complete("no_such_thing"), {})


main()
