#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The HTTP server on libgort does what HTTP/1.1 asks of it, whatever is sent to it, and leaks nothing under
# 1,000 connections.    timeout: 300 s
import os
import re
import resource
import shutil
import signal
import socket
import subprocess

from harness import CAMPAIGN, expect, main, row, skip, until
from harness.http_server import HttpServer

CONNECTIONS = 1000
HOST = b"Host: x\r\n"


def answers(data, heads=()):
    """[(status, body)] of a whole stream of answers; heads: the indices of those without a body."""
    found = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        expect(end, f"cut short: {head}")
        code = int(re.match(rb"HTTP/1\.1 (\d{3}) [^\r]", head).group(1))
        if code == 100:
            found.append((code, b""))
            continue
        size = int(re.search(rb"\r\nContent-Length: (\d+)(\r\n|$)", head).group(1))
        if len(found) in heads:
            size = 0
        expect(len(data) >= size, f"cut short: {data}")
        found.append((code, data[:size]))
        data = data[size:]
    return found


def exchange(server, *pieces, half_close=True):
    """Sends and reads until the server closes."""
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        data = b""
        while True:
            got = connection.recv(65536)
            if not got:
                return data
            data += got


def get(path, *fields, version=b"1.1", method=b"GET"):
    return b"%s %s HTTP/%s\r\n%s%s\r\n" % (method, path, version, HOST, b"".join(f + b"\r\n" for f in fields))


GREETING = (200, b"hello, world\n")
GOOD = [
    ("a greeting", get(b"/"), [GREETING]),
    ("a sum", get(b"/sum/19/23"), [(200, b"42\n")]),
    ("a query", get(b"/sum/19/23?x=y"), [(200, b"42\n")]),
    ("the whole address", get(b"http://x/sum/1/2"), [(200, b"3\n")]),
    ("pipelined", get(b"/sum/1/2") + get(b"/") + get(b"/sum/3/4"), [(200, b"3\n"), GREETING, (200, b"7\n")]),
    ("1,000 at once", get(b"/sum/1/2") * 1000, [(200, b"3\n")] * 1000),
    ("an empty line before", b"\r\n\r\n" + get(b"/"), [GREETING]),
    ("no space behind the colon", b"GET / HTTP/1.1\r\nHost:x\r\nA:\r\n\r\n", [GREETING]),
    ("close", get(b"/", b"Connection: close") + get(b"/"), [GREETING]),
    ("close in a list", get(b"/", b"Connection: te, CLOSE") + get(b"/"), [GREETING]),
    ("HTTP/1.0", b"GET / HTTP/1.0\r\n\r\n" + get(b"/"), [GREETING]),
    ("HTTP/1.0 kept alive", get(b"/", b"Connection: keep-alive", version=b"1.0") + get(b"/"), [GREETING, GREETING]),
    ("HTTP/1.9", get(b"/", version=b"1.9"), [GREETING]),
    ("a body", get(b"/echo", b"Content-Length: 5", method=b"POST") + b"hello" + get(b"/"),
     [(200, b"hello"), GREETING]),
    ("an empty body", get(b"/echo", b"Content-Length: 0", method=b"POST"), [(200, b"")]),
    ("the same length twice", get(b"/echo", b"Content-Length: 2", b"content-length: 2", method=b"POST") + b"ab",
     [(200, b"ab")]),
    ("the largest body", get(b"/echo", b"Content-Length: 65536", method=b"POST") + b"x" * 65536, [(200, b"x" * 65536)]),
    ("a body where none is used", get(b"/", b"Content-Length: 5") + b"hello" + get(b"/"), [GREETING, GREETING]),
    ("many bytes", get(b"/bytes/1000000"), [(200, (b"abcdefghijklmnopqrstuvwxyz" * 40000)[:1000000])]),
    ("the largest head", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * (8192 - 32) + b"\r\n\r\n", [GREETING]),
    ("not found, and on", get(b"/nothing") + get(b"/"), [(404, b"404 Not Found\n"), GREETING]),
    ("no number", get(b"/sum/a/b"), [(404, b"404 Not Found\n")]),
    ("too many bytes", get(b"/bytes/99999999999999999999"), [(404, b"404 Not Found\n")]),
    ("not allowed, and on", get(b"/", method=b"DELETE") + get(b"/"), [(405, b"405 Method Not Allowed\n"), GREETING]),
    ("a reader of /echo", get(b"/echo"), [(405, b"405 Method Not Allowed\n")]),
    ("no such method, and on", get(b"/", method=b"FETCH") + get(b"/"), [(501, b"501 Not Implemented\n"), GREETING]),
    ("nothing", b"", []),
]

# After these nobody knows where the next request begins: one answer, and the end.
BAD = [
    ("garbage", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ("bytes of zero", b"\0" * 100 + b"\r\n\r\n", 400),
    ("no version", b"GET /\r\n\r\n", 400),
    ("no target", b"GET HTTP/1.1\r\n\r\n", 400),
    ("two spaces", b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a target that is no path", get(b"x"), 400),
    ("HTTP/2.0", get(b"/", version=b"2.0"), 505),
    ("HTTP/x", get(b"/", version=b"x"), 400),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two hosts", get(b"/", b"Host: y"), 400),
    ("a space before the colon", get(b"/", b"A : b"), 400),
    ("a field without a name", get(b"/", b": b"), 400),
    ("no colon", get(b"/", b"A"), 400),
    ("a line that goes on", get(b"/", b"A: b", b" c"), 400),
    ("a lone LF", b"GET / HTTP/1.1\nHost: x\n\n", 400),
    ("a lone LF at the end", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\n\r\n", 400),
    ("a CR within", get(b"/", b"A: b\rc"), 400),
    ("a NUL within", get(b"/", b"A: b\0c"), 400),
    ("two lengths", get(b"/echo", b"Content-Length: 2", b"Content-Length: 3", method=b"POST") + b"abc", 400),
    ("a list of lengths", get(b"/echo", b"Content-Length: 2, 2", method=b"POST") + b"ab", 400),
    ("a negative length", get(b"/echo", b"Content-Length: -1", method=b"POST"), 400),
    ("a length with a sign", get(b"/echo", b"Content-Length: +1", method=b"POST") + b"a", 400),
    ("an empty length", get(b"/echo", b"Content-Length:", method=b"POST"), 400),
    ("a body beyond the limit", get(b"/echo", b"Content-Length: 65537", method=b"POST") + b"x" * 65537, 413),
    ("a length beyond all numbers", get(b"/echo", b"Content-Length: 18446744073709551617", method=b"POST") + b"x", 413),
    ("chunked", get(b"/echo", b"Transfer-Encoding: chunked", method=b"POST") + b"0\r\n\r\n", 501),
    ("chunked with a length", get(b"/echo", b"Transfer-Encoding: chunked", b"Content-Length: 5", method=b"POST")
     + b"0\r\n\r\n", 400),
    ("an expectation", get(b"/", b"Expect: more"), 417),
    ("a long target", get(b"/" + b"x" * 9000), 414),
    ("a long field", get(b"/", b"A: " + b"x" * 9000), 431),
    ("many fields", get(b"/", *[b"A: b"] * 2000), 431),
    ("half a request line", b"GET / HT", 400),
    ("half a head", b"GET / HTTP/1.1\r\nHost", 400),
    ("half a body", get(b"/echo", b"Content-Length: 10", method=b"POST") + b"hello", 400),
]


def all_good():
    with HttpServer() as server:
        for name, request, wanted in GOOD:
            for cut in (0, 1, len(request) // 2, max(0, len(request) - 1)):
                got = answers(exchange(server, request[:cut], request[cut:]))
                expect(got == wanted, f"{name}, cut at {cut}: {got} instead of {wanted}")
        server.quiet()


def all_bad():
    with HttpServer() as server:
        for name, request, code in BAD:
            for before in (b"", get(b"/sum/1/2")):
                got = answers(exchange(server, before, request))
                wanted = [200, code] if before else [code]
                expect([each[0] for each in got] == wanted, f"{name}: {got} instead of {wanted}")
        expect(server.stats()["errors"] == 2 * len(BAD), server.stats())
        server.quiet()


def heads():
    with HttpServer() as server:
        data = exchange(server, get(b"/bytes/1000", method=b"HEAD") + get(b"/", b"Connection: close"))
        expect(b"Content-Length: 1000\r\n" in data, data)
        got = answers(data, heads=(0,))
        expect(got == [(200, b""), GREETING], got)
        data = exchange(server, get(b"/", method=b"PUT"))
        expect(b"\r\nAllow: GET, HEAD\r\n" in data, data)
        date = re.search(rb"\r\nDate: (\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT)\r\n", data)
        expect(date, data)


def expects():
    """The body is asked for before it is sent."""
    with HttpServer() as server, server.connect() as connection:
        connection.sendall(get(b"/echo", b"Expect: 100-continue", b"Content-Length: 5", method=b"POST"))
        got = connection.recv(1000)
        expect(got == b"HTTP/1.1 100 Continue\r\n\r\n", got)
        connection.sendall(b"hello")
        connection.shutdown(socket.SHUT_WR)
        got = answers(connection.makefile("rb").read())
        expect(got == [(200, b"hello")], got)


def slow():
    """One byte at a time is a request as well."""
    with HttpServer() as server:
        request = get(b"/echo", b"Content-Length: 5", method=b"POST") + b"hello" + get(b"/")
        got = answers(exchange(server, *[request[i:i + 1] for i in range(len(request))]))
        expect(got == [(200, b"hello"), GREETING], got)
        server.quiet()


def late():
    """What does not come in time is told so; who says nothing is let go without a word."""
    with HttpServer(0, 200) as server:
        for request, wanted in ((b"", []), (b"GET / HT", [408]), (b"GET / HTTP/1.1\r\nHost: x\r\n", [408]),
                                (get(b"/"), [200]),
                                (get(b"/echo", b"Content-Length: 5", method=b"POST") + b"hel", [408])):
            got = [each[0] for each in answers(exchange(server, request, half_close=False))]
            expect(got == wanted, f"{request}: {got}")
        server.quiet()
        expect(server.stats()["timeouts"] == 3, server.stats())


def unread():
    """Who does not take the answers is not waited for."""
    with HttpServer(0, 200) as server:
        with server.connect() as connection:
            connection.sendall(get(b"/bytes/1048576") * 20)
            connection.recv(1)
            until(lambda: server.sockets() == 1, "the server gives up")
            expect(server.stats()["timeouts"] == 1, server.stats())
        server.quiet()


def gone():
    """Clients that vanish at any point, with and without a reset."""
    request = get(b"/sum/1/2") + get(b"/bytes/100000") + get(b"/sleep/20") + get(b"/")
    with HttpServer() as server:
        for cut in range(0, len(request) + 1, 3):
            connection = server.connect()
            connection.sendall(request[:cut])
            if cut % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        server.quiet()
        expect(answers(exchange(server, get(b"/"))) == [GREETING], "it serves on")


def stops():
    """SIGTERM: those who wait are let go, requests under way are answered, and the process ends."""
    with HttpServer() as server:
        with server.connect() as idle, server.connect() as busy, server.connect() as half:
            busy.sendall(get(b"/sleep/200"))
            half.sendall(get(b"/echo", b"Content-Length: 5", method=b"POST") + b"he")
            until(lambda: server.stats()["bytes_in"] > 100 and server.goroutines().count("connection") == 3,
                  "both requests arrived")
            os.kill(server.pid, signal.SIGTERM)
            expect(idle.recv(100) == b"", "the idle connection is closed")
            half.sendall(b"llo")
            for connection, body in ((busy, b"slept\n"), (half, b"hello")):
                data = connection.makefile("rb").read()
                expect(answers(data) == [(200, body)] and b"\r\nConnection: close\r\n" in data, data)
        until(lambda: not server.alive(), "the server ended")
        expect(server.process.returncode == 0, server.process.returncode)


def hammer(server, wrk, connections):
    run = subprocess.run([wrk, "-t1", f"-c{connections}", "-d1s", "--timeout", "30s",
                          f"http://127.0.0.1:{server.port}/bytes/5000"], capture_output=True, text=True, check=False)
    expect(run.returncode == 0 and "errors" not in run.stdout and "Non-2xx" not in run.stdout, run.stdout + run.stderr)
    server.quiet()
    stats = dict(server.stats(), rss=server.rss())
    print("# " + ", ".join(f"{name} {stats[name]}" for name in
                           ("accepted", "requests", "goroutines", "threads", "stack_bytes", "rss")))
    return stats


STACK = 128 << 10  # with its guard
KEPT = 2048  # free stacks that each P may hold for itself
ARENA = 64 << 20


def crowd(procs):
    """1,000 connections, again and again: no error, and all is given back."""
    wrk = shutil.which("wrk")
    if not wrk:
        skip("wrk is not installed")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * CONNECTIONS:
        skip(f"a process may have only {hard} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3 * CONNECTIONS), hard))
    with HttpServer(env={"GORTMAXPROCS": str(procs)}) as server:
        # Twice as many at first, so that whichever stacks the later ones get were in use before.
        hammer(server, wrk, 2 * CONNECTIONS)
        second = hammer(server, wrk, CONNECTIONS)
        for _ in range(30 if CAMPAIGN else 4):
            last = hammer(server, wrk, CONNECTIONS)
        expect(last["errors"] == 0 and last["timeouts"] == 0, last)
    accepted = last["accepted"] - second["accepted"]
    expect(accepted >= 4 * CONNECTIONS, accepted)
    expect(last["goroutines"] == second["goroutines"], "goroutines are left")
    most = (2 * CONNECTIONS + procs * KEPT) * STACK + ARENA
    expect(last["stack_bytes"] <= most, f"{last['stack_bytes']} bytes of stacks, at most {most}")
    # With more than one P it is chance which stacks are used, until each P has all that it may hold.
    if procs == 1:
        expect(last["stack_bytes"] == second["stack_bytes"], "stacks are left")
        # A leak of 256 bytes a connection would show.
        expect(last["rss"] - second["rss"] < accepted // 4, f"{last['rss'] - second['rss']} KiB more memory")


row("requests", all_good)
row("requests that are none", all_bad)
row("HEAD, Allow, Date", heads)
row("100-continue", expects)
row("a byte at a time", slow)
row("timeouts", late)
row("answers that are not read", unread)
row("clients that vanish", gone)
row("SIGTERM", stops)
for each in (1, 4):
    row(f"{CONNECTIONS} connections, {each} Ps", crowd, each)
main()
