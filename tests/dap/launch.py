#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Programs that the debug adapter launches: how they are begun, what they write, how they end.
import os
import signal

from harness import TARGETS, contains, equal, expect, main, status, test, until
from harness.dap import Client

SOURCE = os.path.abspath("tests/targets/plain.c")
with open(SOURCE, encoding="utf-8") as text:
    RETURN = next(number for number, line in enumerate(text, 1) if "return local + both.a" in line)
PLAIN = f"{TARGETS}/plain"


def launch(client, program=PLAIN, breakpoints=(), **arguments):
    """The process."""
    client.ask("launch", program=program, **arguments)
    client.event("initialized")
    pid = client.event("process")["systemProcessId"]
    if breakpoints:
        client.ask("setBreakpoints", source={"path": SOURCE}, breakpoints=[{"line": line} for line in breakpoints])
    client.ask("configurationDone")
    return pid


def output(client, category):
    """All that the program wrote."""
    end = client.event("terminated")
    expect(end is None or not end, end)
    return "".join(message["body"]["output"] for message in client.unread
                   if message.get("event") == "output" and message["body"]["category"] == category)


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@test
def runs_to_its_end():
    """arguments, environment and folder; what it writes; its exit status"""
    with Client() as client:
        launch(client, "sh", args=["-c", "echo $0 $COLOUR $HOME; pwd; echo oops >&2; exit 7", "a b"],
               env={"COLOUR": "blue", "HOME": None}, cwd="/")
        equal(client.event("exited"), {"exitCode": 7})
        equal(output(client, "stdout"), "a b blue\n/\n")
        equal("".join(message["body"]["output"] for message in client.unread
                      if message.get("event") == "output" and message["body"]["category"] == "stderr"), "oops\n")
        client.ask("disconnect")
        equal(client.ends(), 0)


@test
def breakpoint_in_main():
    """a breakpoint that is set before it begins is hit"""
    with Client() as client:
        pid = launch(client, breakpoints=[RETURN])
        stop = client.event("stopped")
        equal((stop["reason"], stop["threadId"], stop["allThreadsStopped"]), ("breakpoint", pid, True))
        frame = client.ask("stackTrace", threadId=pid)["stackFrames"][0]
        equal(frame["line"], RETURN)
        equal(client.value("add(local, 2)", frameId=frame["id"]), "102")
        client.ask("continue", threadId=pid)
        client.event("exited")


@test
def stops_at_entry():
    """stopOnEntry: at its first instruction"""
    with Client() as client:
        pid = launch(client, stopOnEntry=True)
        equal(client.event("stopped")["reason"], "entry")
        expect(client.ask("stackTrace", threadId=pid)["stackFrames"], "it has a stack")
        client.ask("continue", threadId=pid)
        client.event("exited")


@test
def becomes_another_program():
    """a program that becomes another one stands there, and the first look at it is as good as any"""
    for first in (lambda client, pid: equal(client.value("hidden + 1"), "18"),
                  lambda client, pid: equal(client.value("hidden", "hover"), "17"),
                  lambda client, pid: expect(client.ask("stackTrace", threadId=pid)["stackFrames"], "it has a stack"),
                  lambda client, pid: expect(client.ask("setFunctionBreakpoints", breakpoints=[{"name": "wait_here"}])
                                             ["breakpoints"][0]["verified"], "a breakpoint"),
                  lambda client, pid: expect(client.ask("modules")["totalModules"], "modules")):
        with Client() as client:
            pid = launch(client, "sh", args=["-c", f"exec {os.path.abspath(PLAIN)}"])
            equal(client.event("stopped")["reason"], "exec")
            first(client, pid)
            client.ask("continue", threadId=pid)


@test
def ends_by_a_signal():
    """a signal's end is told as a shell does; a fault stops it first"""
    with Client() as client:
        pid = launch(client, "sh", args=["-c", "kill -SEGV $$"])
        equal(client.event("stopped")["reason"], "exception")
        client.ask("continue", threadId=pid)
        equal(client.event("exited"), {"exitCode": 128 + signal.SIGSEGV})


@test
def terminates():
    """terminate asks it to end, and it may see to that; disconnect ends it"""
    with Client() as client:
        launch(client, "sh", args=["-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done"])
        client.event("output", output="up\n")
        client.ask("terminate")
        equal(client.event("exited"), {"exitCode": 9})
    with Client() as client:
        pid = launch(client, "sleep", args=["1000"])
        client.ask("disconnect")
        equal(client.ends(), 0)
        until(lambda: gone(pid), "it ended")


@test
def ends_with_us():
    """it ends with the adapter, however that ends; killOnExit: false has it run on"""
    for how in (lambda client: client.process.kill(), lambda client: client.input.close()):
        with Client() as client:
            pid = launch(client, "sleep", args=["1000"])
            how(client)
            client.process.wait()
            until(lambda p=pid: gone(p), "it ended")
        with Client() as client:
            pid = launch(client, "sleep", args=["1000"], killOnExit=False)
            how(client)
            client.process.wait()
            expect(not gone(pid), "it runs on")
            os.kill(pid, signal.SIGKILL)


@test
def cannot_be_run():
    """a program that is not there, or no program, says why; then another may be launched"""
    with Client() as client:
        contains(client.fails("launch", program="/no/such"), "No such file")
        contains(client.fails("launch", program="/etc/passwd"), "Permission denied")
        contains(client.fails("launch", program="sleep", cwd="/no/such"), "No such file")
        contains(client.fails("launch"), "'program'")
        contains(client.fails("launch", program="sleep", args=[1]), "'args'")
        launch(client, "true")
        equal(client.event("exited"), {"exitCode": 0})


@test
def attached_ends_on_demand():
    """disconnect with terminateDebuggee ends what we attached to, with suspendDebuggee leaves it stopped"""
    with Client() as client:
        pid = launch(client, "sleep", args=["1000"], killOnExit=False)
        client.ask("disconnect")
        equal(client.ends(), 0)
    expect(not gone(pid), "it runs on")
    with Client() as client:
        client.attach(pid)
        client.ask("disconnect", suspendDebuggee=True)
        equal(client.ends(), 0)
    until(lambda: status(pid)["State"][0] == "T", "it is stopped")
    os.kill(pid, signal.SIGCONT)
    with Client() as client:
        client.attach(pid)
        client.ask("disconnect", terminateDebuggee=True)
    until(lambda: gone(pid), "it ended")


main()
