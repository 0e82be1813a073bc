#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# followChildren: a session for each process that the target makes, which stands where it begins until its client has
# said what it is to stop at.
#     timeout: 300 s
import os
import signal

from harness import CAMPAIGN, TARGETS, Program, contains, equal, main, status, test, until
from harness.dap import ABILITIES, Client

FORKS = f"{TARGETS}/forks"
ABLE = dict(ABILITIES, supportsStartDebuggingRequest=True)


def asked(client):
    """The configuration of the child that the client is to begin a session for."""
    request = client.wait(lambda message: message["type"] == "request" and message["command"] == "startDebugging")
    equal(request["arguments"]["request"], "attach")
    return request, request["arguments"]["configuration"]


def agree(client, request, good=True):
    client.seq += 1
    client.send_message({"seq": client.seq, "type": "response", "request_seq": request["seq"], "command": "startDebugging",
                         "success": good})


def begin(child, configuration, *functions):
    """A session of its own, with breakpoints, as a client begins it."""
    child.ask("attach", **configuration)
    child.event("initialized")
    child.ask("setFunctionBreakpoints", breakpoints=[{"name": name} for name in functions])
    child.ask("configurationDone")


class Forks(Program):
    def __init__(self):
        super().__init__(FORKS)

    def asks(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def answers(self):
        return self.process.stdout.readline()


@test
def fork():
    """a child by fork comes by its session's breakpoints from its first instruction on; the parent's are not the child's"""
    with Forks() as target, Client(abilities=ABLE) as client:
        client.attach(target.pid, followChildren=True)
        target.asks("fork")
        request, configuration = asked(client)
        agree(client, request)
        pid = configuration["pid"]
        equal(status(pid)["TracerPid"], "0")
        with Client(abilities=ABLE) as child:
            begin(child, configuration, "born", "work")
            equal(child.event("stopped")["threadId"], pid)
            frames = child.ask("stackTrace", threadId=pid)["stackFrames"]
            equal([frame["name"] for frame in frames[:2]], ["born", "by_fork"])
            equal(child.value("n", "watch", frameId=frames[0]["id"]), "41")
            child.ask("continue", threadId=pid)
            child.event("stopped")
            child.ask("disconnect")
            equal(target.answers(), "fork 7\n")


@test
def programs():
    """one by vfork, as of posix_spawn and system, begins with its program; breakpoints find their places there"""
    with Forks() as target, Client(abilities=ABLE) as client:
        client.attach(target.pid, followChildren=True)
        target.asks("self")
        _, configuration = asked(client)
        pid = configuration["pid"]
        with Client(abilities=ABLE) as child:
            begin(child, configuration, "born")
            equal(child.event("stopped")["threadId"], pid)
            equal(child.ask("stackTrace", threadId=pid)["stackFrames"][0]["name"], "born")
            child.ask("continue", threadId=pid)
            child.event("terminated")
        equal(target.answers(), "self 7\n")
        for way in ("vfork", "spawn", "system", "popen"):
            target.asks(way)
            _, configuration = asked(client)
            contains(os.readlink(f"/proc/{configuration['pid']}/exe"), "sh")
            with Client(abilities=ABLE) as child:
                begin(child, configuration)
                child.event("terminated")
            equal(target.answers(), f"{way} 7\n")


@test
def stands():
    """stopOnAttach shows where it begins"""
    with Forks() as target, Client(abilities=ABLE) as client:
        client.attach(target.pid, followChildren=True)
        target.asks("fork")
        _, configuration = asked(client)
        with Client(abilities=ABLE) as child:
            begin(child, dict(configuration, stopOnAttach=True))
            stop = child.event("stopped")
            equal((stop["reason"], stop["threadId"]), ("entry", configuration["pid"]))
            frame = child.ask("stackTrace", threadId=stop["threadId"])["stackFrames"][0]
            contains(frame["name"], "Fork")
            equal(child.value("$rax", "watch", frameId=frame["id"]), "0")
            child.ask("disconnect")
        equal(target.answers(), "fork 7\n")


@test
def refused():
    """a child that the client begins no session for goes on at once, and so does one whose adapter is killed, by itself"""
    with Forks() as target, Client(abilities=ABLE) as client:
        client.attach(target.pid, followChildren=True)
        target.asks("fork")
        request, _ = asked(client)
        agree(client, request, good=False)
        equal(target.answers(), "fork 7\n")
        target.asks("fork")
        _, configuration = asked(client)
        client.process.kill()
        until(lambda: status(target.pid)["TracerPid"] == "0", "the parent is free")
        # Asleep, not stopped: whoever waits for it need only wait.
        until(lambda: status(configuration["pid"])["State"][0] == "S", "it sleeps")
        if CAMPAIGN:
            equal(target.answers(), "fork 7\n")
        else:
            os.kill(configuration["pid"], signal.SIGKILL)
            equal(target.answers(), "fork 1009\n")


main()
