#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The debug adapter's control of a program: breakpoints, stops, going on.
import os
import shutil
import signal

from harness import DEBUGCALL, TARGETS, Program, Target, contains, equal, expect, main, skip, test, until
from harness.dap import Client

SOURCE = os.path.abspath("tests/targets/plain.c")


def line_of(text):
    with open(SOURCE, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


ADD = line_of("return a + b;")
NOTE = line_of("return ++notes;")
SPIN = line_of("spins++;")
READ = line_of("while (read(STDIN")


def set_lines(client, *lines, path=SOURCE):
    """Breakpoints by line, or as objects."""
    asked = [{"line": line} if isinstance(line, int) else line for line in lines]
    return client.ask("setBreakpoints", source={"path": path}, breakpoints=asked)["breakpoints"]


def poke(target):
    """The main thread comes by the loop's body, and by its head again."""
    target.process.stdin.write("x")
    target.process.stdin.flush()


def names(client, thread):
    return [frame["name"] for frame in client.ask("stackTrace", threadId=thread)["stackFrames"]]


WRITE = line_of("if (write(STDOUT_FILENO")


@test
def breakpoint_while_running():
    """a breakpoint set while the program runs: verified, hit, locals, and on"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        shown, = set_lines(client, WRITE)
        expect(shown["verified"], shown)
        equal((shown["line"], shown["source"]["path"]), (WRITE, SOURCE))
        poke(target)
        stop = client.event("stopped")
        equal((stop["reason"], stop["threadId"], stop["hitBreakpointIds"]),
              ("breakpoint", target.pid, [shown["id"]]))
        frames = client.ask("stackTrace", threadId=target.pid)["stackFrames"]
        equal((frames[0]["name"], frames[0]["line"], frames[0]["source"]["path"]), ("wait_here", WRITE, SOURCE))
        equal(client.value("depth", "watch", frameId=frames[0]["id"]), "1")
        equal(client.value("depth", "hover", frameId=frames[1]["id"]), "2")
        equal(client.value("add(depth, 40)", "repl", frameId=frames[1]["id"]), "42")
        equal(client.ask("continue", threadId=target.pid), {"allThreadsContinued": True})
        contains(client.fails("evaluate", expression="depth", context="watch", frameId=frames[0]["id"]), "no frame")
        equal(target.process.stdout.read(1), "x")
        set_lines(client)
        target.answers()
        equal(target.tracer(), 0, "nothing is left to stop at, and nobody follows the program")


@test
def breakpoints_before_configuration():
    """breakpoints verify before configurationDone"""
    with Target() as target, Client() as client:
        client.ask("attach", pid=target.pid)
        client.event("initialized")
        shown = set_lines(client, WRITE, NOTE)
        expect(all(each["verified"] for each in shown), shown)
        client.ask("configurationDone")


def without_uprobes():
    """Where the kernel gives them, breakpoints are as many as anybody wants; without rights the processor has three."""
    if os.getuid():
        return DEBUGCALL, "dap"
    if not shutil.which("setpriv"):
        skip("setpriv is not installed")
    return "setpriv", "--bounding-set=-sys_admin,-perfmon", "--inh-caps=-sys_admin,-perfmon", DEBUGCALL, "dap"


@test
def what_cannot_be_set():
    """a line, a file, a function that is not there, a condition that is wrong, one breakpoint too many: each says why"""
    with Target() as target, Client(adapter=without_uprobes()) as client:
        client.attach(target.pid, noPatch=True)
        good, bad = set_lines(client, WRITE, 100000)
        expect(good["verified"] and not bad["verified"] and bad["message"], (good, bad))
        other, = set_lines(client, 1, path="/no/such/file.c")
        expect(not other["verified"] and other["message"], other)
        wrong, = set_lines(client, {"line": WRITE, "condition": "no_such == 1"})
        expect(not wrong["verified"], wrong)
        contains(wrong["message"], "no_such")
        wrong, = set_lines(client, {"line": WRITE, "hitCondition": "often"})
        contains(wrong["message"], "hit condition")
        shown, = client.ask("setFunctionBreakpoints", breakpoints=[{"name": "no_such"}])["breakpoints"]
        expect(not shown["verified"] and shown["message"], shown)
        functions = [{"name": name} for name in ("add", "note", "half", "spin", "nap")]
        shown = client.ask("setFunctionBreakpoints", breakpoints=functions)["breakpoints"]
        expect([each["verified"] for each in shown] == [True] * 3 + [False] * 2, shown)
        expect(shown[-1]["message"], shown)

        def rest():
            return client.ask("setFunctionBreakpoints", breakpoints=functions[3:])["breakpoints"]

        until(lambda: all(each["verified"] for each in rest()), "those that were in the way are gone")


PLACES = ["by_flags", "by_syscall", "by_store", "by_branch", "by_add", "by_push", "by_data", "by_lea", "by_test", "by_endbr",
          "by_lock", "by_wide_nop"]


@test
def more_than_the_processor_has():
    """a dozen breakpoints are verified, and each is hit: those that must be patched in are told of, once"""
    with Program(f"{TARGETS}/milestones", "2") as target, Client() as client:
        client.attach(target.pid)
        asked = [{"name": name} for name in PLACES]
        shown = client.ask("setFunctionBreakpoints", breakpoints=asked)["breakpoints"]
        expect(all(each["verified"] for each in shown), shown)
        contains(client.event("output", category="important")["output"], "does not survive")
        say(target, "1")
        hits = {each["id"]: 0 for each in shown}
        for _ in range(2 * len(PLACES)):
            stop = client.event("stopped")
            for number in stop["hitBreakpointIds"]:
                hits[number] += 1
            client.ask("continue", threadId=stop["threadId"], singleThread=True)
        equal(set(hits.values()), {2}, hits)
        equal(target.process.stdout.readline().split(), ["2", "0", "0"])


@test
def none_is_patched_in():
    """noPatch: what can only be patched in is not verified, and says why"""
    if os.geteuid():
        skip("the kernel gives uprobes to root only")
    with Program(f"{TARGETS}/milestones", "2") as target, Client() as client:
        client.attach(target.pid, noPatch=True)
        asked = [{"name": name} for name in PLACES]
        shown = client.ask("setFunctionBreakpoints", breakpoints=asked)["breakpoints"]
        equal([each["verified"] for each in shown], [True] * 10 + [False] * 2, shown)
        contains(shown[-1]["message"], "hardware breakpoints are in use")
        say(target, "0")
        equal(target.process.stdout.readline().split()[1:], ["0", "0"])


def say(target, line):
    target.process.stdin.write(f"{line}\n")
    target.process.stdin.flush()


@test
def library_to_come():
    """a breakpoint whose library is not there: it is found when that comes, before its code runs, and the module is told"""
    with Program(f"{TARGETS}/comers", "0") as target, Client() as client:
        client.attach(target.pid)
        shown, = client.ask("setFunctionBreakpoints", breakpoints=[{"name": "lgamma"}])["breakpoints"]
        expect(not shown["verified"] and shown["message"], shown)
        say(target, "load")
        told = client.event("breakpoint", reason="changed")["breakpoint"]
        equal((told["id"], told["verified"]), (shown["id"], True))
        expect("message" not in told, told)
        contains(client.event("module", reason="new")["module"]["name"], "libm.so")
        stop = client.event("stopped")
        equal(stop["hitBreakpointIds"], [shown["id"]])
        client.ask("continue", threadId=stop["threadId"])
        target.process.stdout.readline()


@test
def place_that_yields():
    """one that waits for its library takes no breakpoint from those that are there, and is told when it could not be set"""
    with Program(f"{TARGETS}/comers", "0") as target, Client(adapter=without_uprobes()) as client:
        client.attach(target.pid, noPatch=True)

        def ask(*names):
            return client.ask("setFunctionBreakpoints", breakpoints=[{"name": name} for name in names])["breakpoints"]

        first = ask("lgamma", "serve", "quote", "note")
        equal([each["verified"] for each in first], [False, True, True, True])
        say(target, "load")
        target.process.stdout.readline()
        names = [module["name"] for module in client.ask("modules")["modules"]]
        expect([name for name in names if name.startswith("libm.so")], names)
        client.event("module", reason="new")
        second = ask("lgamma", "serve", "quote")
        equal([each["verified"] for each in second], [True, True, True], second)
        equal([each["id"] for each in second[1:]], [each["id"] for each in first[1:3]])


@test
def place_to_come_beside_many():
    """one that waits for its library is found beside more than the processor has"""
    with Program(f"{TARGETS}/comers", "0") as target, Client() as client:
        client.attach(target.pid)
        asked = [{"name": name} for name in ("lgamma", "serve", "quote", "note", "triple")]
        shown = client.ask("setFunctionBreakpoints", breakpoints=asked)["breakpoints"]
        equal([each["verified"] for each in shown], [False, True, True, True, True])
        say(target, "load")
        equal(client.event("breakpoint", reason="changed")["breakpoint"]["id"], shown[0]["id"])
        stop = client.event("stopped")
        equal(stop["hitBreakpointIds"], [shown[0]["id"]])
        client.ask("continue", threadId=stop["threadId"])
        target.process.stdout.readline()


@test
def threads_come_and_go():
    """a thread that begins under control is told, and so is its end"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        set_lines(client, NOTE)
        client.value("$t = (unsigned long *) calloc(1UL, 8UL)")
        equal(client.value("(int) pthread_create($t, (void *) 0, (void *(*)(void *)) pause, (void *) 0)"), "0")
        begun = client.event("thread", reason="started")["threadId"]
        expect(begun != target.pid, begun)
        equal(client.value("(int) pthread_cancel(*$t)"), "0")
        client.event("thread", reason="exited", threadId=begun)


@test
def conditions():
    """a condition is of the frame; one that calls works"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        shown, = set_lines(client, {"line": WRITE, "condition": "c == 'b' && add(depth, 1) == 2"})
        expect(shown["verified"], shown)
        target.answers()
        target.process.stdin.write("b")
        target.process.stdin.flush()
        client.event("stopped", reason="breakpoint")
        equal(client.value("c", "watch", frameId=client.ask("stackTrace", threadId=target.pid)["stackFrames"][0]["id"]),
              "98 'b'")


@test
def hit_conditions():
    """hit conditions count: the third, and every second"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        set_lines(client, {"line": WRITE, "hitCondition": "3"})
        target.answers()
        target.answers()
        poke(target)
        client.event("stopped")
        client.ask("continue", threadId=target.pid)
        equal(target.process.stdout.read(1), "x")
        set_lines(client, {"line": WRITE, "hitCondition": "% 2"})
        target.answers()
        poke(target)
        client.event("stopped")
        client.ask("continue", threadId=target.pid)
        equal(target.process.stdout.read(1), "x")


@test
def log_points():
    """a log point writes and goes on"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        set_lines(client, {"line": WRITE, "logMessage": "depth is {depth}, twice {depth * 2}; {no_such}"})
        target.answers()
        text = client.event("output")
        contains(text["output"], "depth is 1, twice 2; <")
        equal(text["line"], WRITE)
        target.answers()
        expect(not [message for message in client.unread if message.get("event") == "stopped"], client.unread)


@test
def functions_and_instructions():
    """breakpoints on functions and instructions, with their reasons"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        set_lines(client, WRITE)
        poke(target)
        client.event("stopped")
        frame = client.ask("stackTrace", threadId=target.pid)["stackFrames"][0]
        set_lines(client)
        shown, = client.ask("setInstructionBreakpoints", breakpoints=[
            {"instructionReference": frame["instructionPointerReference"], "offset": 0}])["breakpoints"]
        expect(shown["verified"], shown)
        client.ask("continue", threadId=target.pid)
        target.process.stdout.read(1)
        poke(target)
        equal(client.event("stopped")["reason"], "instruction breakpoint")


@test
def unchanged_breakpoints_stay():
    """what is asked for again keeps its number and its count"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        first, = set_lines(client, {"line": WRITE, "hitCondition": "2"})
        target.answers()
        again, other = set_lines(client, {"line": WRITE, "hitCondition": "2"}, NOTE)
        equal(again["id"], first["id"])
        expect(other["verified"], other)
        poke(target)
        equal(client.event("stopped")["hitBreakpointIds"], [first["id"]])


@test
def pause():
    """pause: every thread stands, told once; continue"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        client.ask("pause", threadId=target.pid)
        stop = client.event("stopped")
        equal(stop, {"reason": "pause", "threadId": target.pid, "allThreadsStopped": True})
        expect(all(target.state(tid) == "t" for tid in target.threads()), "all stand")
        contains(names(client, target.pid), "wait_here")
        contains(names(client, target.threads()[1]), "count")
        client.ask("continue", threadId=target.pid)
        expect(not [message for message in client.unread if message.get("event") == "stopped"], client.unread)
        target.answers()
        equal(target.tracer(), 0)


@test
def pause_undoes_a_call():
    """pause while a call runs: the call is undone first"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid, callTimeout=0)
        call = client.send("evaluate", expression="spin()", context="repl")
        client.event("progressStart")
        client.ask("pause", threadId=target.pid)
        equal(client.answer(call)["message"], "cancelled")
        client.event("stopped", reason="pause")
        expect("spin" not in names(client, target.pid), "the call is undone")
        client.ask("continue", threadId=target.pid)
        target.answers()


@test
def stop_on_attach():
    """stopOnAttach"""
    with Target() as target, Client() as client:
        client.attach(target.pid, stopOnAttach=True)
        equal(client.event("stopped")["reason"], "entry")
        client.ask("continue", threadId=target.pid)
        target.answers()


@test
def not_stopped():
    """what needs a stop says that there is none"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        answer = client.answer(client.send("continue", threadId=target.pid))
        equal(answer["message"], "notStopped")
        contains(client.fails("exceptionInfo", threadId=target.pid), "does not stand")


@test
def signals():
    """a fault stops the thread before it is received, and says which"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        client.ask("setExceptionBreakpoints", filters=["faults"])
        equal(target.tracer(), 0, "a filter alone follows nobody")
        set_lines(client, NOTE)
        os.kill(target.pid, signal.SIGSEGV)
        stop = client.event("stopped")
        equal((stop["reason"], stop["threadId"]), ("exception", target.pid))
        contains(stop["text"], "SIGSEGV")
        equal(client.ask("exceptionInfo", threadId=target.pid)["exceptionId"], "SIGSEGV")
        client.ask("continue", threadId=target.pid)
        client.event("terminated")


@test
def calls_under_control():
    """a call while threads are followed, and run: its value, and no stop"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        set_lines(client, NOTE)
        equal([client.value(f"add(1, {i})") for i in range(5)], [str(1 + i) for i in range(5)])
        expect(not [message for message in client.unread if message.get("event") == "stopped"], client.unread)
        target.answers()


@test
def breakpoints_in_callees():
    """a call comes by a breakpoint, on a thread that stands and on one that runs: its value, no stop, said once"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        set_lines(client, ADD, WRITE)
        equal([client.value(f"add(1, {i})") for i in range(5)], [str(1 + i) for i in range(5)])
        said = [message["body"]["output"] for message in client.unread if message.get("event") == "output"]
        equal(len([text for text in said if "passed over" in text]), 1, said)
        expect(not [message for message in client.unread if message.get("event") == "stopped"], client.unread)
        poke(target)
        equal(client.event("stopped")["threadId"], target.pid)
        frame = client.ask("stackTrace", threadId=target.pid)["stackFrames"][0]["id"]
        equal([client.value(f"add(depth, {i})", frameId=frame) for i in range(5)], [str(1 + i) for i in range(5)])
        client.ask("continue", threadId=target.pid)
        equal(target.process.stdout.read(1), "x")
        expect(not [message for message in client.unread if message.get("event") == "stopped"], client.unread)
        poke(target)
        equal(client.event("stopped")["threadId"], target.pid)


@test
def deadline_with_breakpoint_in_callee():
    """a call that is still at it when its time is up, past a breakpoint: undone, nothing hangs"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid, callTimeout=0.3)
        set_lines(client, SPIN, WRITE)
        text = client.fails("evaluate", expression="spin()", context="repl")
        contains(text, "300 ms")
        contains(text.splitlines()[-1], "runs on, restored")
        poke(target)
        equal(client.event("stopped")["threadId"], target.pid)
        frame = client.ask("stackTrace", threadId=target.pid)["stackFrames"][0]["id"]
        text = client.fails("evaluate", expression="spin()", context="repl", frameId=frame)
        contains(text, "300 ms")
        contains(text.splitlines()[-1], "stands")
        client.ask("continue", threadId=target.pid)
        equal(target.process.stdout.read(1), "x")
        target.process.stdin.write("y")
        target.process.stdin.flush()
        equal(client.event("stopped")["threadId"], target.pid)


def ends_well(how, stage):
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        set_lines(client, WRITE)
        if stage != "armed":
            poke(target)
            client.event("stopped")
        how(client)
        client.process.wait(60)
        until(lambda: all(target.tracer(tid) == 0 for tid in target.threads()), "nobody traces")
        if stage != "armed":
            equal(target.process.stdout.read(1), "x")
        target.answers()


@test
def deaths():
    """SIGKILL of the adapter, the pipe's end, disconnect: with a breakpoint armed, or hit, the program runs on"""
    for stage in ("armed", "hit"):
        ends_well(lambda client: client.process.send_signal(signal.SIGKILL), stage)
        ends_well(lambda client: client.input.close(), stage)
        ends_well(lambda client: client.ask("disconnect"), stage)


main()
