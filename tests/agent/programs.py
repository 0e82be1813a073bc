#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Programs that are not ours, with an agent preloaded: they do their work while they are called, and no
# thread of theirs is stopped.    timeout: 300 s
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading

from harness import B, Nginx, Program, debugcall, ends, equal, expect, free_port, main, row, skip, test, until

AGENT = {"LD_PRELOAD": f"{B}/libdebugcall-agent.so"}


def needs(name):
    if not shutil.which(name):
        skip(f"{name} is not installed")


def call(pid, *args):
    run = ends(0, "--json", "-p", pid, *args)
    answers = [json.loads(line) for line in run.out.splitlines()]
    equal([answer["host"] for answer in answers if "host" in answer], ["agent"] * len(args), run)
    return [answer["value"] for answer in answers if "value" in answer]


class Load:
    """Asks without end, from a thread of its own, and counts."""

    def __init__(self, ask):
        self.good = self.bad = 0
        self.ends = threading.Event()

        def run():
            while not self.ends.is_set():
                if ask():
                    self.good += 1
                else:
                    self.bad += 1

        self.thread = threading.Thread(target=run)

    def __enter__(self):
        self.thread.start()
        until(lambda: self.good > 10, "the server answers")
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


@test
def redis():
    """redis-server under load: no request fails"""
    needs("redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen(["redis-server", "--port", str(port), "--save", "", "--dir", directory],
                                   stdout=subprocess.DEVNULL, env=dict(os.environ, **AGENT))

        def ping():
            try:
                with socket.create_connection(("127.0.0.1", port), 20) as s:
                    s.sendall(b"PING\r\n")
                    return s.recv(100) == b"+PONG\r\n"
            except ConnectionError:
                return False

        try:
            until(ping, "redis answers")
            with Load(ping) as load:
                for _ in range(10):
                    equal(call(process.pid, "(int) getpid()", "malloc_trim(0) >= 0"), [str(process.pid), "1"])
                ends(0, "-q", "-p", process.pid, "--repeat", 100000, "(long) ustime()")
            equal(load.bad, 0, "failed requests")
        finally:
            process.kill()
            process.wait()


@test
def nginx():
    """nginx under load: its master and its worker, which it forked and whose rights it dropped"""
    needs("nginx")
    with Nginx(AGENT) as program:
        with Load(program.get) as load:
            for _ in range(5):
                for pid in (program.pid, program.worker):
                    equal(call(pid, "(int) getpid()"), [str(pid)])
        equal(load.bad, 0, "failed requests")


@test
def python():
    """python3: with its lock taken for the call, its code is run by the agent's thread"""
    source = "import threading\nprint('ready', flush=True)\nhere = threading.get_ident()\nanswer = 41\nn = 0\nwhile True: n += 1"
    with Program("/usr/bin/python3", "-c", source, env=AGENT) as program:
        values = call(program.pid, "(int) PyGILState_Ensure()",
                      '(int) PyRun_SimpleString("print(answer + 1, threading.get_ident() != here, flush=True)")',
                      "(void) PyGILState_Release($1)")
        equal(values[1], "0")
        equal(program.process.stdout.readline(), "42 True\n")
        expect(program.process.poll() is None)


SOURCE = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static volatile unsigned long rounds;
int add(int a, int b) { char *p = malloc(100); p[50] = (char)a; a = p[50]; free(p); return a + b; }
static void *work(void *arg) { for (;;) { free(malloc(100)); __atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED); } return arg; }
int main(void) { pthread_t t; pthread_create(&t, NULL, work, NULL); puts("ready"); fflush(stdout); for (;;) pause(); }
"""


def sanitized(sanitizer):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "program")
        built = subprocess.run(["gcc", "-g", f"-fsanitize={sanitizer}", "-x", "c", "-o", path, "-", "-pthread"],
                               input=SOURCE, capture_output=True, text=True, check=False)
        if built.returncode:
            skip(f"-fsanitize={sanitizer} does not build here")
        env = {**AGENT, "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        with Program(path, env=env) as program:
            for i in range(10):
                equal(call(program.pid, f"add({i}, 2)"), [str(i + 2)])
            run = debugcall("-p", program.pid, "--timeout", "5s", "add(1, 2)")
            equal(run.out, "3\n", run)
            expect(program.process.poll() is None)


@test
def exec_starts():
    """a shell with an agent starts programs that have one, and ends as it would"""
    done = subprocess.run(["/bin/sh", "-c", "for i in 1 2 3 4 5; do /bin/true; (exit 3); echo $?; done"], text=True,
                          env=dict(os.environ, **AGENT), capture_output=True, check=False, timeout=60)
    equal((done.returncode, done.stdout, done.stderr), (0, "3\n" * 5, ""))
    # Low numbers are left to the program.
    done = subprocess.run(["/bin/ls", "/proc/self/fd"], text=True, env=dict(os.environ, **AGENT), capture_output=True,
                          check=True)
    equal(sorted(map(int, done.stdout.split())), [0, 1, 2, 3, 200])


row("a program under ASan", sanitized, "address")
row("a program under TSan", sanitized, "thread")
main()
