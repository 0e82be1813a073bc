#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The debug adapter on a program that runs: calls, looks, values, and the end of a conversation.
import json
import os
import signal
import socket
import subprocess
import tempfile

from harness import DEBUGCALL, Target, contains, equal, expect, main, skip, test, until
from harness.dap import ABILITIES, Client, framed
from harness.dap_types import CHECKER
from harness.gort_server import Server


def count(target):
    return target.call("notes")[0]


@test
def messages_are_checked():
    """the protocol's own types are there to check messages with"""
    if not CHECKER:
        skip("tests/dap/fetch could not get them")


@test
def announces():
    """only what has a handler is announced, and every handler's capability is"""
    with Client() as client:
        for name in client.capabilities:
            expect(name.startswith("support") or name in ("completionTriggerCharacters", "exceptionBreakpointFilters"),
                   name)
        for command, name in (("setVariable", "supportsSetVariable"), ("cancel", "supportsCancelRequest")):
            expect(client.capabilities[name], name)
            contains(client.fails(command) if command != "cancel" else "attach", "attach")


@test
def calls_while_running():
    """a call on a running process: its value, and never a stop"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        equal(client.value("add(20, 22)"), "42")
        equal(client.value("call add(1, 2)"), "3")
        equal(client.value("print $1 + $2"), "45")
        equal(client.value("nothing()"), "void")
        expect(not [message for message in client.unread if message.get("event") == "stopped"], client.unread)
        target.answers()
        equal(target.tracer(), 0)


@test
def hover_changes_nothing():
    """hover refuses calls and assignments, whatever the text looks like, and reads variables"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        contains(client.fails("evaluate", expression="note()", context="hover"), "calls a function")
        contains(client.fails("evaluate", expression="(notes) = 7", context="hover"), "assigns")
        contains(client.fails("evaluate", expression="notes++", context="clipboard"), "assigns")
        contains(client.fails("evaluate", expression="note()", context="something new"), "calls a function")
        equal(client.value("notes", "hover"), "0")
        equal(client.value("sizeof note()", "hover"), "4")
        equal(count(target), "0")


@test
def watches_call_when_asked():
    """a watch that calls is shown as a call, and run when it is opened"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        for _ in range(3):
            shown = client.evaluate("note()", "watch")
        equal(shown["presentationHint"], {"attributes": ["hasSideEffects"]}, "VS Code fetches by itself what is called lazy")
        equal(count(target), "0")
        children = client.children(shown["variablesReference"])
        equal([(child["name"], child["value"]) for child in children], [("value", "1")])
        equal(count(target), "1")


@test
def watches_call_always():
    """watchCalls: always"""
    with Target() as target, Client() as client:
        client.attach(target.pid, watchCalls="always")
        equal([client.value("note()", "watch") for _ in range(3)], ["1", "2", "3"])


@test
def console_may_not_call():
    """replCalls: never"""
    with Target() as target, Client() as client:
        client.attach(target.pid, replCalls="never")
        contains(client.fails("evaluate", expression="note()", context="repl"), "replCalls")
        equal(client.value("notes"), "0")


@test
def console_commands():
    """console lines that are commands give their text, and say so when they fail"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        contains(client.value("stacks"), "wait_here")
        contains(client.value("check"), "may be borrowed")
        contains(client.value("functions ^make_pair$"), "make_pair")
        contains(client.fails("evaluate", expression="functions (", context="repl"), "regular expression")
        contains(client.fails("evaluate", expression="check 1", context="repl"), "as a command")
        contains(client.fails("evaluate", expression="goroutines", context="repl"), "goroutines")
        contains(client.value("info symbol &word"), "word")
        contains(client.value("x/s word"), "before")
        contains(client.value("ptype struct pair"), "double b")
        contains(client.value("help stacks"), "stacks")
        for line in ("shell true", "attach 1", "source x"):
            client.fails("evaluate", expression=line, context="repl")
        contains(client.fails("evaluate", expression="no_such", context="repl"), "no_such")
        contains(client.fails("evaluate", expression="", context="repl"), "no expression")


@test
def values_open():
    """members, elements in pages, what pointers point to; formats; names that evaluate again"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        shown = client.evaluate("parts", "watch")
        parts = {child["name"]: child for child in client.children(shown["variablesReference"])}
        equal(parts["high"]["value"], "-2")
        equal(client.value(parts["high"]["evaluateName"], "watch"), "-2")
        rows = client.children(parts["rows"]["variablesReference"])
        equal([row["name"] for row in rows], ["[0]", "[1]"])
        row = rows[1]
        equal(row["indexedVariables"], 3)
        page = client.children(row["variablesReference"], filter="indexed", start=1, count=1)
        equal([(each["name"], each["value"]) for each in page], [("[1]", "5")])
        equal(client.children(row["variablesReference"], filter="named"), [])
        pair = client.children(parts["pair"]["variablesReference"])
        equal([(each["name"], each["value"]) for each in pair], [("a", "3"), ("b", "4.5")])
        nowhere = client.children(parts["nowhere"]["variablesReference"])
        contains(nowhere[0]["value"], "error")
        equal(client.value("hidden", "watch", format={"hex": True}), "0x11")
        contains(client.fails("variables", variablesReference=12345678), "any more")
        contains(client.fails("variables", variablesReference=row["variablesReference"], start=-1), "from 0")


@test
def sets():
    """variables and expressions are set; what cannot be says why"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        shown = client.evaluate("parts", "watch")
        equal(client.ask("setVariable", variablesReference=shown["variablesReference"], name="high",
                         value="-7")["value"], "-7")
        equal(target.call("parts.high"), ["-7"])
        equal(client.ask("setExpression", expression="hidden", value="add(40, 2)")["value"], "42")
        equal(target.call("hidden"), ["42"])
        contains(client.fails("setVariable", variablesReference=shown["variablesReference"], name="lower",
                              value="1"), "lower")
        contains(client.fails("setExpression", expression="add(1, 2)", value="1"), "an object in the target")
        contains(client.fails("setExpression", expression="hidden", value="no_such"), "no_such")


@test
def stacks_of_running_threads():
    """threads and their stacks while all run on; frames give locals"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid)
        threads = client.ask("threads")["threads"]
        equal([thread["id"] for thread in threads], target.threads())
        target.waits()
        trace = client.ask("stackTrace", threadId=target.pid)
        names = [frame["name"] for frame in trace["stackFrames"]]
        equal([name for name in names if name in ("wait_here", "main")], ["wait_here"] * 3 + ["main"])
        page = client.ask("stackTrace", threadId=target.pid, startFrame=1, levels=2)
        equal([frame["name"] for frame in page["stackFrames"]], names[1:3])
        equal(page["totalFrames"], len(names))
        frames = [frame["id"] for frame in trace["stackFrames"] if frame["name"] == "wait_here"]
        equal([client.value("depth", "watch", frameId=frame) for frame in frames], ["1", "2", "3"])
        contains(client.fails("stackTrace", threadId=1), "thread")
        contains(client.fails("evaluate", expression="depth", context="watch", frameId=999999), "no frame")
        target.answers()


@test
def failures_say_the_state():
    """a crash, a deadline: contained, and the last line is the target's state"""
    with Target() as target, Client() as client:
        client.attach(target.pid, callTimeout=0.2)
        text = client.fails("evaluate", expression="crash()", context="repl")
        contains(text, "SIGSEGV")
        contains(text.splitlines()[-1], "runs on")
        text = client.fails("evaluate", expression="spin()", context="repl")
        contains(text, "200 ms")
        contains(text.splitlines()[-1], "runs on")
        target.answers()


@test
def slow_calls_are_told_and_cancelled():
    """a slow call: progress, other requests answered, cancelled by its number, and undone"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid, callTimeout=0)
        call = client.send("evaluate", expression="spin()", context="repl")
        progress = client.event("progressStart")
        expect(progress["cancellable"] and progress["requestId"] == call, progress)
        equal(len(client.ask("threads")["threads"]), 2)
        client.ask("cancel", requestId=call)
        answer = client.answer(call)
        equal((answer["success"], answer["message"]), (False, "cancelled"))
        client.event("progressEnd", progressId=progress["progressId"])
        target.answers()
        equal(client.value("add(1, 1)"), "2")


@test
def cancelled_by_progress():
    """the toast's cancel; one for what has ended, or never was, is harmless"""
    with Target() as target, Client() as client:
        client.attach(target.pid, callTimeout=0)
        call = client.send("evaluate", expression="spin()", context="repl")
        waiting = client.send("evaluate", expression="note()", context="repl")
        progress = client.event("progressStart", requestId=call)["progressId"]
        client.ask("cancel", requestId=waiting)
        equal(client.answer(waiting)["message"], "cancelled")
        client.ask("cancel", progressId=progress)
        equal(client.answer(call)["message"], "cancelled")
        client.ask("cancel", progressId=progress)
        client.ask("cancel", progressId="nobody's")
        client.ask("cancel", requestId=4711)
        client.ask("cancel")
        equal(count(target), "0")


@test
def disconnect_undoes():
    """disconnect while a call runs: it is undone, what waits never begins, and the program runs on"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid, callTimeout=0)
        call = client.send("evaluate", expression="spin()", context="repl")
        waiting = client.send("evaluate", expression="note()", context="repl")
        client.event("progressStart", requestId=call)
        client.ask("disconnect", terminateDebuggee=False)
        equal([client.answer(seq)["message"] for seq in (call, waiting)], ["cancelled"] * 2)
        equal(client.ends(), 0)
        target.answers()
        equal(target.tracer(), 0)
        equal(count(target), "0")


@test
def end_of_input_undoes():
    """the pipe's end while a call runs: the same, and status 0"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid, callTimeout=0)
        client.send("evaluate", expression="spin()", context="repl")
        client.event("progressStart")
        client.input.close()
        equal(client.ends(), 0)
        target.answers()
        equal(target.tracer(), 0)


@test
def reader_that_is_gone():
    """a client that reads no more: the adapter ends, and the program runs on"""
    requests = (("initialize", {"adapterID": "x", "supportsProgressReporting": True}), ("attach", {"callTimeout": 0}),
                ("evaluate", {"expression": "spin()", "context": "repl"}))
    with Target("threads") as target:
        with subprocess.Popen([DEBUGCALL, "dap"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as adapter:
            for command, arguments in requests:
                arguments = dict(arguments, pid=target.pid) if command == "attach" else arguments
                adapter.stdin.write(framed({"seq": 1, "type": "request", "command": command, "arguments": arguments}))
            seen = b""
            while b"progressStart" not in seen:
                seen += adapter.stdout.read(65536)
            adapter.stdout.close()
            adapter.stdin.write(framed({"seq": 2, "type": "request", "command": "threads"}))
            adapter.wait(60)
        target.answers()
        equal(target.tracer(), 0)


@test
def survives_kills():
    """SIGKILL of the adapter while a call runs: the thread goes home"""
    with Target("threads") as target, Client() as client:
        client.attach(target.pid, callTimeout=0)
        spins = int(target.call("spins")[0])
        client.send("evaluate", expression="nap(1)", context="repl")
        client.event("progressStart")
        client.process.send_signal(signal.SIGKILL)
        client.process.wait()
        until(lambda: target.tracer() == 0, "nobody traces")
        target.answers()
        equal(int(target.call("spins")[0]), spins)


@test
def bad_messages():
    """what is no JSON, or no request, is answered, and the conversation goes on"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        for body in (b"{", b"", b"\xff\xfe", b"[1, 2", b'{"seq": 1, "type": "request", "command": "x\\u0000"}'):
            client.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            contains(client.answer(0)["message"], "no JSON")
        for message in ([], {}, "text", {"type": "event"}, {"type": "request", "seq": 7},
                        {"type": "request", "seq": "7", "command": "threads"},
                        {"type": "request", "seq": 7, "command": 1},
                        {"type": "request", "seq": 7, "command": "threads", "arguments": [1]}):
            client.send_message(message)
            answer = client.wait(lambda message: message["type"] == "response")
            expect(not answer["success"], answer)
        client.send_message({"type": "response", "seq": 9, "request_seq": 1, "success": True, "command": "x"})
        contains(client.fails("evaluate", context="repl"), "'expression'")
        contains(client.fails("evaluate", expression=7), "a string")
        contains(client.fails("stackTrace", threadId="1"), "an integer")
        contains(client.fails("no such request"), "unknown request")
        equal(client.value("add(1, 2)"), "3")


@test
def habits_of_clients():
    """seq 0, unknown keys, null arguments, headers after the first"""
    with Target() as target, Client(initialize=False) as client:
        body = json.dumps({"seq": 0, "type": "request", "command": "initialize", "__sessionId": "x",
                           "arguments": {"adapterID": "debugcall", "clientId": "neovim", "unheard_of": [1]}}).encode()
        client.send_bytes(b"Content-Length: %d\r\nContent-Type: application/json\r\n\r\n%s" % (len(body), body))
        expect(client.answer(0)["success"])
        client.attach(str(target.pid), name="the configuration's own", type="debugcall", request="attach")
        client.send_message({"seq": 77, "type": "request", "command": "threads", "arguments": None})
        expect(client.answer(77)["success"])
        equal(client.value("add(1, 2)", None), "3")


@test
def order_matters():
    """what comes too early, or twice, is refused with the reason"""
    with Target() as target, Client(initialize=False) as client:
        contains(client.fails("attach", pid=target.pid), "initialize")
        contains(client.fails("initialize", pathFormat="uri"), "pathFormat")
        client.ask("initialize", **ABILITIES)
        contains(client.fails("initialize", **ABILITIES), "once")
        contains(client.fails("threads"), "attach")
        contains(client.fails("attach"), "'pid'")
        contains(client.fails("attach", pid=target.pid, watchCalls="sometimes"), "once-per-stop")
        contains(client.fails("attach", pid=target.pid, callTimeout="soon"), "length of time")
        contains(client.fails("attach", pid=target.pid, host="nobody"), "nobody")
        contains(client.fails("attach", pid=target.pid, sourceMap=[["a"]]), "sourceMap")
        contains(client.fails("attach", pid=2 ** 22 + 1), "process")
        client.attach(target.pid)
        contains(client.fails("attach", pid=target.pid), "already")


@test
def target_ends():
    """the program's end is told, and what comes then fails for it"""
    with Target() as target, Client() as client:
        client.attach(target.pid)
        target.process.kill()
        target.process.wait()
        client.event("terminated")
        contains(client.fails("evaluate", expression="add(1, 2)", context="repl"), "ended")
        client.ask("disconnect")
        equal(client.ends(), 0)


@test
def source_map():
    """sourceMap tells where files are"""
    with Target() as target, Client() as client:
        client.attach(target.pid, sourceMap={"tests/targets": "/elsewhere"})
        target.waits()
        frames = client.ask("stackTrace", threadId=target.pid)["stackFrames"]
        equal({frame["source"]["path"] for frame in frames if "source" in frame}, {"/elsewhere/plain.c"})


@test
def log():
    """--log has both directions"""
    with tempfile.NamedTemporaryFile() as file:
        with Client("--log", file.name) as client:
            client.ask("disconnect")
            equal(client.ends(), 0)
        text = file.read().decode()
        contains(text, '<- {"seq": 1, "type": "request", "command": "initialize"')
        contains(text, '-> {"type":"response"')


class Listener:
    def __init__(self, *options):
        self.process = subprocess.Popen([DEBUGCALL, "dap", "--listen", *options], stderr=subprocess.PIPE, text=True)
        self.line = self.process.stderr.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@test
def unix_socket():
    """--listen unix:PATH: mode 0600, conversations beside each other, bad framing ends one alone"""
    with tempfile.TemporaryDirectory() as directory, Target() as target:
        path = f"{directory}/socket"
        with Listener(f"unix:{path}") as listener:
            contains(listener.line, path)
            equal(os.stat(path).st_mode & 0o777, 0o600)
            with Client(address=path) as one, Client(address=path) as other:
                one.attach(target.pid)
                other.attach(target.pid)
                equal((one.value("add(1, 2)"), other.value("add(3, 4)")), ("3", "7"))
                one.send_bytes(b"GET / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789")
                one.ends()
                equal(other.value("add(5, 6)"), "11")


@test
def tcp_socket():
    """--listen PORT: on loopback, with the token that it told"""
    with Target() as target, Listener("0", "--token", "sesame") as listener:
        port = int(listener.line.partition("127.0.0.1:")[2].partition(",")[0])
        contains(listener.line, "sesame")
        with Client(address=("127.0.0.1", port)) as client:
            contains(client.fails("attach", pid=target.pid), "token")
            contains(client.fails("attach", pid=target.pid, token="simsalabim"), "token")
            contains(client.fails("threads"), "attach")
            client.attach(target.pid, token="sesame")
            equal(client.value("add(1, 2)"), "3")
        with socket.create_connection(("127.0.0.1", port)) as browser:
            browser.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
            browser.settimeout(60)
            equal(browser.recv(1), b"")


@test
def other_users():
    """another user's connection is closed"""
    if os.geteuid() != 0:
        skip("only root may be two users")
    with Listener("0", "--token", "sesame") as listener:
        port = listener.line.partition("127.0.0.1:")[2].partition(",")[0]
        run = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c",
                              "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); "
                              "print(s.recv(1))", port], capture_output=True, text=True, timeout=60, check=False)
        equal(run.stdout, "b''\n", run.stderr)


@test
def usage():
    """the command line"""
    def run(*args):
        done = subprocess.run([DEBUGCALL, "dap", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr
    equal(run(), (0, ""))
    equal(run("--help")[0], 0)
    equal(run("--no-such")[0], 2)
    equal(run("word")[0], 2)
    equal(run("--listen", "0.0.0.0:1")[0], 2)
    equal(run("--listen", "unix:/nowhere/at/all")[0], 1)


@test
def goroutines():
    """goroutines are threads, with what they wait for, and have stacks"""
    with Server() as server, Client() as client:
        client.attach(server.pid)
        threads = client.ask("threads")["threads"]
        parked = [thread for thread in threads if "waiting" in thread["name"]]
        expect(parked, threads)
        frames = client.ask("stackTrace", threadId=parked[0]["id"])["stackFrames"]
        expect(frames, "a parked goroutine has a stack")
        server.beat()


main()
