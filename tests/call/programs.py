#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Programs that are not ours can be called and go on working: interpreters with collectors and JITs, and
# servers under load.    timeout: 300 s
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from harness import CAMPAIGN, TARGETS, Failed, Nginx, debugcall, expect, free_port, kill_points, killed_at, main, row, skip, start, \
    until


class Started:
    def __init__(self, args, **options):
        self.process = subprocess.Popen(args, **options)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def alive(self):
        return self.process.poll() is None


def needs(name):
    if not shutil.which(name):
        skip(f"{name} is not installed")


def ticking(args, directory):
    """A program that appends to a file for ever; the file shows that it works on."""
    path = os.path.join(directory, "ticks")
    program = Started([arg.replace("TICKS", path) for arg in args], stdin=subprocess.PIPE,
                      stdout=subprocess.DEVNULL)

    def ticks():
        try:
            return os.path.getsize(path)
        except OSError:
            return 0

    try:
        until(ticks, f"{args[0]} runs", 120)
    except Failed:
        program.process.kill()
        raise
    return program, ticks


def works_on(program, ticks):
    """Two more ticks; a program that ticks for each line of its input gets some."""
    before = ticks()
    program.process.stdin.write(b"line\n" * 2)
    program.process.stdin.flush()
    until(lambda: not program.alive() or ticks() > before + 1, "the program works on")
    expect(program.alive(), f"the program died: {program.process.returncode}")


PYTHON = "import time\nwhile True:\n open('TICKS','a').write('x')\n sum(range(1000))\n time.sleep(0.005)"
# Its collector may run only where Ruby itself would let it: here while it waits for a line.
RUBY = "File.write('TICKS', 'x'); while STDIN.gets; Array.new(1000) { |i| i.to_s }; " \
       "File.write('TICKS', 'x', mode: 'a'); end"
NODE = "setInterval(() => { require('fs').appendFileSync('TICKS', 'x') }, 5)"
GO = """package main
import ("fmt"; "time")
var Count = 41
//go:noinline
func Add(a, b int) int { return a + b }
func main() { fmt.Println(Add(1, Count)); for { time.Sleep(time.Millisecond) } }
"""
JAVA = """public class Ticks { public static void main(String[] a) throws Exception {
  while (true) { try (var f = new java.io.FileWriter("TICKS", true)) { f.write("x"); }
    byte[][] b = new byte[100][1000]; Thread.sleep(5); } } }"""


def python():
    with tempfile.TemporaryDirectory() as directory:
        program, ticks = ticking(["/usr/bin/python3", "-c", PYTHON], directory)
        proof = os.path.join(directory, "proof")
        with program:
            for i in range(20 if CAMPAIGN else 5):
                run = debugcall("-p", program.pid, "--finally", "(void) PyGILState_Release($1)",
                                "(int) PyGILState_Ensure()",
                                f"(int) PyRun_SimpleString(\"open('{proof}','a').write('{i} ')\")")
                expect(run.code == 0 and run.out.splitlines()[1] == "0", run)
                works_on(program, ticks)
            with open(proof, encoding="utf-8") as file:
                expect(file.read().split()[:5] == ["0", "1", "2", "3", "4"], "the script did not run")


def ruby():
    """The collector scans the borrowed thread's own stack, from the callee's frame up."""
    needs("ruby")
    with tempfile.TemporaryDirectory() as directory:
        program, ticks = ticking(["ruby", "-e", RUBY], directory)
        with program:
            # Without debug information: a cast says what rb_gc_start returns.
            args = ("--thread", program.pid, "-p", program.pid, "(unsigned long) rb_gc_start()")

            def waits():
                with open(f"/proc/{program.pid}/syscall", encoding="utf-8") as file:
                    return file.read().split()[0] in ("0", "7", "271")  # read, poll, ppoll

            for _ in range(20 if CAMPAIGN else 5):
                until(waits, "ruby waits for a line")
                run = debugcall("--wait", "10s", *args)
                expect(run.code == 0, run)
                works_on(program, ticks)
            until(waits, "ruby waits for a line")
            _, total = kill_points(*args)
            for n in range(1, total + 4, 1 if CAMPAIGN else max(1, total // 10)):
                until(waits, "ruby waits for a line")
                killed_at(n, *args)
                works_on(program, ticks)


def busy_interpreters():
    """In the middle of its interpreter a thread is no place to enter it anew; other callees are fine."""
    commands = [(["/usr/bin/python3", "-c", "open('TICKS','w').write('x')\nwhile True: sum(range(1000))"],
                 "(int) PyGILState_Ensure()"),
                (["ruby", "-e", "File.write('TICKS', 'x'); loop { Array.new(1000) { |i| i.to_s } }"],
                 "(unsigned long) rb_gc_start()")]
    for command, expr in commands:
        if not shutil.which(command[0]):
            continue
        with tempfile.TemporaryDirectory() as directory:
            program, _ = ticking(command, directory)
            with program:
                run = debugcall("--wait", "50ms", "-p", program.pid, "--thread", program.pid, expr)
                expect(run.code == 6 and "to which the callee belongs" in run.err, run)
                run = debugcall("--wait", "10s", "-p", program.pid, "getpid()")
                expect(run.code == 0 and run.out.strip() == str(program.pid), run)
                expect(program.alive(), f"{command[0]} died")


def node():
    needs("node")
    with tempfile.TemporaryDirectory() as directory:
        program, ticks = ticking(["node", "-e", NODE], directory)
        with program:
            for _ in range(20 if CAMPAIGN else 5):
                run = debugcall("--wait", "10s", "-p", program.pid, "getpid()")
                expect(run.code == 0 and run.out.strip() == str(program.pid), run)
                works_on(program, ticks)


def java():
    needs("java")
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "Ticks.java")
        with open(source, "w", encoding="utf-8") as file:
            file.write(JAVA.replace("TICKS", os.path.join(directory, "ticks")))
        program, ticks = ticking(["java", source], directory)
        with program:
            for _ in range(20 if CAMPAIGN else 5):
                run = debugcall("--wait", "10s", "-p", program.pid, "getpid()")
                expect(run.code == 0 and run.out.strip() == str(program.pid), run)
                works_on(program, ticks)
                # The first thread is none of the JVM's: its faults there are no exceptions, and the
                # JVM's own handler would end the process.
                run = debugcall("--wait", "10s", "-p", program.pid, "--thread", program.pid,
                                "(int) JVM_ActiveProcessorCount()")
                expect(run.code == 1 and "crashed with SIGSEGV" in run.err, run)
                works_on(program, ticks)


def go():
    """A Go function is never called as one of C's; without debug information its types are not guessed."""
    needs("go")
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "main.go")
        with open(source, "w", encoding="utf-8") as file:
            file.write(GO)
        env = dict(os.environ, GO111MODULE="off", GOCACHE=f"{directory}/cache", GOPATH=directory, HOME=directory)
        for flags in ("", "-w"):
            path = os.path.join(directory, "program" + flags)
            subprocess.run(["go", "build", f"-ldflags={flags}", "-o", path, source], env=env, check=True,
                           capture_output=True)
            with Started([path], stdout=subprocess.PIPE) as program:
                program.process.stdout.readline()
                run = debugcall("-p", program.pid, "main.Add(1, 2)")
                if flags:
                    expect(run.code == 6 and "no debug information" in run.err, run)
                else:
                    expect(run.out.strip() == "3" or run.code == 6 and "Go functions" in run.err, run)
                run = debugcall("-p", program.pid, "*(*int)(&main.Count) + 1")
                expect(run.code == 0 and run.out.strip() == "42", run)
                run = debugcall("-p", program.pid, "main.Count + 1")
                expect(run.code == 1 and "not known" in run.err if flags else run.out.strip() == "42", run)
                expect(program.alive(), "the program died")


def redis():
    needs("redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory() as directory, \
            Started(["redis-server", "--port", str(port), "--save", "", "--dir", directory],
                    stdout=subprocess.DEVNULL) as program:
        def ping():
            try:
                with socket.create_connection(("127.0.0.1", port), 20) as s:
                    s.sendall(b"PING\r\n")
                    return s.recv(100) == b"+PONG\r\n"
            except ConnectionError:
                return False

        until(ping, "redis answers")
        for _ in range(20 if CAMPAIGN else 5):
            run = debugcall("--wait", "10s", "-p", program.pid, "malloc_trim(0) >= 0", "getpid()")
            expect(run.code == 0 and run.out.split()[1] == str(program.pid), run)
            expect(ping(), "redis does not answer")


def nginx():
    needs("nginx")
    with Nginx() as program:
        for _ in range(20 if CAMPAIGN else 5):
            for pid in (program.pid, program.worker):
                run = debugcall("--wait", "10s", "-p", pid, "getpid()")
                expect(run.code == 0 and run.out.strip() == str(pid), run)
            expect(program.get(), "nginx does not answer")
        # With a connection that is kept alive it waits for a time. No call ends that.
        with socket.create_connection(("127.0.0.1", program.port)) as kept:
            kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            kept.recv(1000)
            for _ in range(50):
                run = start("--wait", "30s", "-p", program.worker, "getpid()")
                until(lambda: program.get() and run.poll() is not None, "a call at its return")
                out, err = run.communicate()
                expect(run.returncode == 0 and out.strip() == str(program.worker), (run.returncode, out, err))
        with open(program.log, encoding="utf-8") as log:
            ended = [line for line in log if "Interrupted" in line]
        expect(not ended, f"{len(ended)} waits were ended: {ended[:1]}")


def translated(program):
    """A program whose code is translated is named, by a call and by check; nothing is run in it."""
    with tempfile.TemporaryDirectory() as directory:
        if program == "valgrind":
            needs("valgrind")
            command = ["valgrind", "-q", "--tool=none", f"{TARGETS}/plain"]
        else:
            command = [shutil.copy(f"{TARGETS}/plain", f"{directory}/{program}")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as target:
            try:
                target.stdout.readline()
                for what in ("check", "-p", target.pid), ("-p", target.pid, "add(1, 2)"):
                    run = debugcall(*what)
                    expect(run.code == 6 and "translates its code" in run.out + run.err, run)
                target.stdin.write(b"x")
                target.stdin.flush()
                expect(target.stdout.read(1) == b"x", "it does not answer")
            finally:
                target.kill()


def busy_python():
    """The manual's recipe: where an interpreter that never waits is stuck."""
    code = "import sys\ndef stuck(n):\n    while n:\n        n += 1\nprint('ready', flush=True)\nstuck(1)"
    with tempfile.TemporaryDirectory() as directory, \
         subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as target:
        try:
            target.stdout.readline()
            run = debugcall("-q", "--force", "-p", target.pid,
                            f'$fd = (int)open("{directory}/stack", 0101, 0600)',
                            "(char *)_Py_DumpTracebackThreads($fd, (void *)0, (void *)0)", "(int)close($fd)")
            if "no symbol" in run.err:
                skip("this python3 does not export it")
            expect(run.code == 0, run)
            with open(f"{directory}/stack", encoding="utf-8") as stack:
                text = stack.read()
            expect("in stuck" in text and 'File "<string>"' in text, text)
            # And code of ours, run by the interpreter where it sees fit.
            run = debugcall("-q", "--force", "-p", target.pid,
                            f'(int)Py_AddPendingCall(PyRun_SimpleString, "open(\\"{directory}/ran\\", \\"w\\")'
                            '.write(sys._getframe().f_back.f_code.co_name + \\".\\")")')
            expect(run.code == 0 and run.out == "0\n", run)
            until(lambda: said(f"{directory}/ran") == "stuck.", "the code ran")
            ticks = cpu_time(target.pid)
            until(lambda: cpu_time(target.pid) > ticks, "it computes on")
        finally:
            target.kill()


def said(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def cpu_time(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rsplit(")", 1)[1].split()[11])


def sleep():
    """The simplest process there is, stripped and without a symbol of its own."""
    with Started(["sleep", "600"]) as program:
        # Before it sleeps it may not have its libraries.
        until(lambda: os.path.exists(f"/proc/{program.pid}/syscall") and
              open(f"/proc/{program.pid}/syscall", encoding="utf-8").read().startswith("230 "), "it sleeps")
        run = debugcall("-p", program.pid, "getpid()", 'strlen("abc")')
        expect(run.code == 0 and run.out.split() == [str(program.pid), "3"], run)
        expect(program.alive(), "sleep ended")


def shell():
    """A shell that waits for a child goes on waiting for it."""
    with Started(["sh", "-c", "sleep 600; exit 3"], stderr=subprocess.DEVNULL) as program:
        def child():
            with open(f"/proc/{program.pid}/task/{program.pid}/children", encoding="utf-8") as file:
                return [int(pid) for pid in file.read().split()]

        until(child, "the shell has a child")
        run = debugcall("-p", program.pid, "getpid()")
        expect(run.code == 0 and run.out.strip() == str(program.pid), run)
        os.kill(child()[0], signal.SIGTERM)
        expect(program.process.wait(60) == 3, "the shell's exit status")


for test in (python, ruby, busy_interpreters, node, java, go, redis, nginx, sleep, shell):
    row(test.__name__, test)
for name in "valgrind", "qemu-aarch64", "qemu-x86_64-static":
    row(f"code that is translated: {name}", translated, name)
row("a busy python3", busy_python)
main()
