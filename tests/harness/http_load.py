# SPDX-License-Identifier: MIT
# A load of requests to tests/targets/http_server, all of whose answers are checked:
#   http_load.py PORT CONNECTIONS     until its input ends; prints "ready" and last a line of JSON
import json
import random
import select
import socket
import sys


class Client:
    """One connection with a few requests under way at a time, each with an answer of its own."""

    DEPTH = 4

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = b""
        self.wanted = []
        self.answered = 0

    def ask(self):
        requests = b""
        for _ in range(random.randint(1, self.DEPTH)):
            a, b = random.randrange(10**9), random.randrange(10**9)
            kind = random.randrange(8)
            if kind == 0:
                size = random.randrange(3000)
                requests += b"GET /bytes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % size
                self.wanted.append((b"abcdefghijklmnopqrstuvwxyz" * 200)[:size])
            elif kind == 1:
                body = b"%d" % a * random.randrange(1, 200)
                requests += b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                self.wanted.append(body)
            else:
                requests += b"GET /sum/%d/%d HTTP/1.1\r\nHost: x\r\n\r\n" % (a, b)
                self.wanted.append(b"%d\n" % (a + b))
        self.socket.sendall(requests)

    def take(self):
        """What has come; raises ValueError for anything but the right answers."""
        data = self.socket.recv(65536)
        if not data:
            raise ValueError("the server closed the connection")
        self.input += data
        while self.wanted:
            head, found, rest = self.input.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 200 OK\r\n"):
                raise ValueError(f"the answer is {head}")
            size = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
            if len(rest) < size:
                return
            wanted = self.wanted.pop(0)
            if rest[:size] != wanted:
                raise ValueError(f"{rest[:size]} instead of {wanted}")
            self.input = rest[size:]
            self.answered += 1
        if self.input:
            raise ValueError(f"nobody asked for {self.input}")


def load(port, connections):
    clients = {}
    poll = select.epoll()
    for _ in range(connections):
        client = Client(port)
        clients[client.socket.fileno()] = client
        poll.register(client.socket, select.EPOLLIN)
        client.ask()
    poll.register(0, select.EPOLLIN)
    failures = []
    is_ready = is_ending = False
    answered = 0
    while clients and not (is_ending and not any(client.wanted for client in clients.values())):
        events = poll.poll(60)
        if not events:
            failures += [f"{len(client.wanted)} answers did not come within 60 s"
                         for client in clients.values() if client.wanted]
            break
        for fd, _ in events:
            if fd == 0:
                is_ending = True
                poll.unregister(0)
                continue
            client = clients[fd]
            try:
                client.take()
                if not client.wanted and not is_ending:
                    client.ask()
            except (OSError, ValueError) as error:
                failures.append(str(error))
                poll.unregister(fd)
                answered += clients.pop(fd).answered
        if not is_ready and all(client.answered for client in clients.values()):
            is_ready = True
            print("ready", flush=True)
    answered += sum(client.answered for client in clients.values())
    print(json.dumps({"answered": answered, "failed": len(failures), "first": failures[:1]}), flush=True)


if __name__ == "__main__":
    load(int(sys.argv[1]), int(sys.argv[2]))
