# SPDX-License-Identifier: MIT
# tests/targets/http_server as a target, and a load of requests whose answers are all checked.
import json
import os
import socket
import subprocess
import sys

from . import TARGETS, Failed, debugcall, expect, status, until


class HttpServer:
    def __init__(self, *args, env=None):
        self.process = subprocess.Popen([f"{TARGETS}/http_server", *map(str, args or ("0",))],
                                        env=dict(os.environ, **(env or {})), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        self.port = int(self.process.stdout.readline())

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def stats(self):
        """Its counters, the connection that asks not counted."""
        with self.connect() as connection:
            connection.sendall(b"GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
        expect(head.startswith(b"HTTP/1.1 200"), head)
        stats = {name: int(value) for name, value in map(str.split, body.decode().splitlines())}
        stats["open"] -= 1
        stats["goroutines"] -= 1
        return stats

    def sockets(self):
        """How many the program has; the runtime's own descriptors are no sockets."""
        count = 0
        for fd in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                count += os.readlink(f"/proc/{self.pid}/fd/{fd}").startswith("socket:")
            except FileNotFoundError:
                pass
        return count

    def goroutines(self):
        """The labels of all goroutines."""
        run = debugcall("--json", "-p", self.pid, "--goroutines")
        expect(run.code == 0, run)
        return [json.loads(line)["label"] or "" for line in run.out.splitlines()]

    def tasks(self):
        """The status of every thread that there is."""
        found = []
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            try:
                found.append(status(self.pid, tid))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def rss(self):
        return int(status(self.pid)["VmRSS"].split()[0])

    def quiet(self):
        """All connections are over, and nothing of them is left."""
        until(lambda: not self.alive() or self.sockets() == 1, f"only the listener's socket is left of {self.sockets()}")
        self.check()
        until(lambda: self.goroutines().count("connection") == 0, "no goroutine of a connection is left")

    def alive(self):
        return self.process.poll() is None

    def check(self):
        if not self.alive():
            raise Failed(f"the server died, status {self.process.returncode}: {self.process.stderr.read()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Load:
    """The checking load, in a process of its own."""

    def __init__(self, server, connections):
        self.process = subprocess.Popen([sys.executable, f"{os.path.dirname(__file__)}/http_load.py", str(server.port), str(connections)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        expect(self.process.stdout.readline() == "ready\n", "the load did not begin")

    def end(self):
        """What became of the requests; all those under way are waited for."""
        self.process.stdin.close()
        line = self.process.stdout.readline()
        self.process.wait()
        self.process.stdout.close()
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
