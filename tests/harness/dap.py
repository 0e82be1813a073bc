# SPDX-License-Identifier: MIT
# A client of debugcall dap. Every message that it gets is checked: its number, and its type.
import json
import os
import queue
import socket
import subprocess
import threading

from .dap_types import CHECKER
from .runs import DEBUGCALL
from .tap import LIMIT, Failed, equal, expect

ABILITIES = {"adapterID": "debugcall", "pathFormat": "path", "linesStartAt1": True, "columnsStartAt1": True,
             "supportsVariableType": True, "supportsVariablePaging": True, "supportsProgressReporting": True,
             "supportsInvalidatedEvent": True, "supportsMemoryReferences": True, "supportsMemoryEvent": True}


def framed(message):
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Client:
    def __init__(self, *options, address=None, adapter=(DEBUGCALL, "dap"), env=None, abilities=None, initialize=True, **popen):
        """address: of an adapter that listens; else one of its own is started, with the options. Of an adapter that is
        not ours, messages are taken as they are."""
        self.process = self.socket = None
        self.checks = adapter[0] == DEBUGCALL
        if address is not None:
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            self.socket = socket.socket(family, socket.SOCK_STREAM)
            self.socket.connect(address)
            self.input = self.socket.makefile("wb")
            self.output = self.socket.makefile("rb")
        else:
            self.process = subprocess.Popen([*adapter, *options], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, env=dict(os.environ, **(env or {})), **popen)
            self.input, self.output = self.process.stdin, self.process.stdout
        self.seq = self.last = 0
        self.messages = queue.Queue()
        self.unread = []  # taken from the queue, and wanted by nobody yet
        self.answers = {}
        self.capabilities = None
        threading.Thread(target=self.read, daemon=True).start()
        if initialize:
            self.capabilities = self.ask("initialize", **(ABILITIES if abilities is None else abilities))

    def read(self):
        try:
            while True:
                length = 0
                line = self.output.readline()
                if not line:
                    break
                while line.strip():
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                    line = self.output.readline()
                self.messages.put(json.loads(self.output.read(length)))
        except (OSError, ValueError) as error:
            self.messages.put(error)
        self.messages.put(None)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.input.close()
            self.output.close()
        else:
            self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def next(self, limit=LIMIT):
        """The next message, checked; None: there will be none."""
        try:
            message = self.messages.get(timeout=limit)
        except queue.Empty:
            raise Failed(f"no message came; unread: {self.unread}") from None
        if isinstance(message, Exception):
            raise Failed(f"not a message: {message}")
        if message is None:
            return None
        if not self.checks:
            return message
        self.last += 1
        equal(message.get("seq"), self.last, "the message's number")
        if CHECKER:
            CHECKER.check(message)
        return message

    def wait(self, wanted):
        """The first message that is wanted; others are kept."""
        for i, message in enumerate(self.unread):
            if wanted(message):
                return self.unread.pop(i)
        while True:
            message = self.next()
            if message is None:
                raise Failed(f"the adapter ended; unread: {self.unread}")
            if wanted(message):
                return message
            self.unread.append(message)

    # What is sent

    def send_bytes(self, data):
        self.input.write(data)
        self.input.flush()

    def send_message(self, message):
        self.send_bytes(framed(message))

    def send(self, command, **arguments):
        """A request whose answer is not waited for; its number."""
        self.seq += 1
        self.send_message({"seq": self.seq, "type": "request", "command": command, "arguments": arguments})
        return self.seq

    def answer(self, seq):
        return self.wait(lambda message: message["type"] == "response" and message["request_seq"] == seq)

    def ask(self, command, **arguments):
        """The body of an answer that is to be good."""
        answer = self.answer(self.send(command, **arguments))
        expect(answer["success"], f"{command} {arguments}: {answer}")
        return answer.get("body")

    def fails(self, command, **arguments):
        """What is shown of an answer that is to be a failure."""
        return self.failure(self.send(command, **arguments))

    def failure(self, seq):
        answer = self.answer(seq)
        expect(not answer["success"], f"this is no failure: {answer}")
        return answer["body"]["error"]["variables"]["text"]

    def event(self, name, **members):
        """The body of the next event so named, with these members."""
        return self.wait(lambda message: message["type"] == "event" and message["event"] == name and
                         all(message.get("body", {}).get(key) == value for key, value in members.items())
                         ).get("body")

    # What is asked for often

    def attach(self, pid, **arguments):
        self.ask("attach", pid=pid, **arguments)
        self.event("initialized")
        self.ask("configurationDone")
        return self

    def evaluate(self, expression, context="repl", **arguments):
        return self.ask("evaluate", expression=expression, context=context, **arguments)

    def value(self, expression, context="repl", **arguments):
        return self.evaluate(expression, context, **arguments)["result"]

    def children(self, reference, **arguments):
        return self.ask("variables", variablesReference=reference, **arguments)["variables"]

    def ends(self):
        """The adapter ends by itself: no message is left, and the status is given."""
        while True:
            message = self.next()
            if message is None:
                break
            self.unread.append(message)
        return self.process.wait(LIMIT) if self.process else None
