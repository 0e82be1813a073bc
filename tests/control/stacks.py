#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# stacks: every thread's stack while all of them run on, beside what eu-stack finds with its stops.
import json
import os
import shutil
import signal
import subprocess
import tempfile

from harness import TARGETS, Program, contains, debugcall, equal, expect, main, row, skip, status, test, until
from harness.http_server import HttpServer
from harness.runs import denying

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
NO_BPF = ("setpriv", "--bounding-set=-bpf,-sys_admin,-perfmon")
# Runs what follows with bpf() and perf_event_open() denied by a seccomp filter.
DENIED = denying(321, 298)
ROOT = os.geteuid() == 0


def tids(pid):
    return sorted(map(int, os.listdir(f"/proc/{pid}/task")))


def all_are(pid, state):
    return all(status(pid, tid)["State"][0] == state for tid in tids(pid))


def asleep(pid):
    return all_are(pid, "S")


class Sleeper:
    """A program that is ready once it has so many threads, all asleep."""

    def __init__(self, *args, threads=1, directory=None, **kwargs):
        self.directory = directory  # goes away with it
        self.name = os.path.basename(args[0])[:15]
        self.threads = threads
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, **kwargs)
        self.pid = self.process.pid
        until(self.is_ready, f"{self.name} sleeps")

    def is_ready(self):
        expect(self.process.poll() is None, f"{self.name} ended")
        # Until it is the program, it is our child that is still to become it.
        return (os.path.basename(os.readlink(f"/proc/{self.pid}/exe")) ==
                os.path.basename(os.path.realpath(shutil.which(self.process.args[0]))) and
                len(tids(self.pid)) >= self.threads and asleep(self.pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        if self.directory:
            shutil.rmtree(self.directory)


def stacks(pid, *options, prefix=()):
    """By thread: the record of its stack."""
    run = debugcall("stacks", "--json", "--ungrouped", "-p", pid, *options, prefix=prefix)
    expect(run.code == 0, run)
    records = [json.loads(line) for line in run.out.splitlines()]
    return records[0], {record["threads"][0]["thread"]: record for record in records[1:]}


def pcs(record):
    """Of real frames; an inlined one shares its caller's."""
    return [int(frame["pc"], 16) for frame in record["frames"] if not frame.get("inlined")]


def eu_stacks(pid):
    run = subprocess.run(["eu-stack", "-p", str(pid)], capture_output=True, text=True, check=False)
    found, thread = {}, None
    for line in run.stdout.splitlines():
        if line.startswith("TID"):
            thread = int(line.split()[1].rstrip(":"))
            found[thread] = []
        elif line.startswith("#"):
            found[thread].append(int(line.split()[1], 16))
    return found


def compare(pid, way, prefix=(), restless=False):
    if not shutil.which("eu-stack"):
        skip("no eu-stack")
    if not ROOT:
        skip("only root may use BPF, or give it up")
    until(lambda: asleep(pid), "all threads sleep")
    # One that wakes by itself now and then must stand still for two looks.
    if restless:
        os.kill(pid, signal.SIGSTOP)
        until(lambda: all_are(pid, "T"), "all threads stand")
    summary, ours = stacks(pid, prefix=prefix)
    expect(summary["stopped"] == 0 and summary["threads"] == len(tids(pid)), summary)
    ours.pop(None, None)  # goroutines
    theirs = eu_stacks(pid)
    expect(set(ours) == set(theirs), f"threads {sorted(ours)}, theirs {sorted(theirs)}")
    for thread, record in ours.items():
        expect(record["threads"][0]["how"] == way, f"not read by {way}: {record}")
        expect(record["complete"], f"incomplete: {record}")
        expect(pcs(record) == theirs[thread], f"thread {thread}: {record}\ntheirs: "
               f"{list(map(hex, theirs[thread]))}")


def on(name, way, prefix=()):
    if name in ("redis-server", "nginx") and not shutil.which(name):
        skip(f"no {name}")
    with PROGRAMS[name]() as target:
        compare(target.pid, way, prefix, name in ("redis-server", "a server on libgort"))


PYTHON = """
import threading, time
for i in range(5):
    threading.Thread(target=time.sleep, args=(1000,)).start()
time.sleep(1000)
"""


def redis():
    directory = tempfile.mkdtemp(prefix="redis-")
    return Sleeper("redis-server", "--port", "0", "--unixsocket", f"{directory}/socket", "--save", "",
                   "--dir", directory, threads=5, directory=directory)


def nginx():
    directory = tempfile.mkdtemp(prefix="nginx-")
    with open(f"{directory}/conf", "w", encoding="utf-8") as file:
        file.write(f"daemon off; master_process off; pid {directory}/pid; error_log stderr;\n"
                   "events {}\n"
                   f"http {{ access_log off; server {{ listen unix:{directory}/socket; }} }}\n")
    return Sleeper("nginx", "-p", directory, "-c", f"{directory}/conf", directory=directory)


PROGRAMS = {
    "sleep": lambda: Sleeper("sleep", "1000"),
    "bash": lambda: Sleeper("/bin/bash", "-c", "read line"),
    "cat": lambda: Sleeper("cat"),
    "python3 with threads": lambda: Sleeper("/usr/bin/python3", "-c", PYTHON, threads=6),
    "perl": lambda: Sleeper("perl", "-e", "sleep 1000"),
    "redis-server": redis,
    "nginx": nginx,
    "a threaded server": lambda: Sleeper(f"{TARGETS}/server", threads=3),
    "a server on libgort": HttpServer,
}


def sleepers(number):
    return Program(f"{TARGETS}/sleepers", str(number))


def left(target):
    target.process.stdin.write("?\n")
    target.process.stdin.flush()
    return int(target.process.stdout.readline())


for title in PROGRAMS:
    row(f"{title}: by BPF, as eu-stack has it", on, title, "bpf")
    row(f"{title}: by /proc and its code, as eu-stack has it", on, title, "proc", NO_BPF)


def is_right(ours, theirs):
    """What is known of a stack is its beginning, and all of it where it is called complete."""
    return ours["complete"] and pcs(ours) == theirs or \
        not ours["complete"] and ours["why"] and pcs(ours) == theirs[:len(pcs(ours))]


@test
def unknown_registers():
    """what needs a register that /proc does not tell is called incomplete; nobody's wait ends"""
    if not ROOT or not shutil.which("eu-stack"):
        skip("needs root and eu-stack")
    with sleepers(60) as target:
        until(lambda: asleep(target.pid), "all threads sleep")
        summary, ours = stacks(target.pid, prefix=NO_BPF)
        equal(left(target), 60, "threads that are left")
        incomplete = [record for record in ours.values() if not record["complete"]]
        equal({record["wait"] for record in incomplete}, {"epoll_wait"})
        contains(incomplete[0]["why"], "--stop would end its epoll_wait with EINTR")
        # Others were stopped for it, because their waits go on.
        stopped = [record for record in ours.values() if record["threads"][0]["how"] == "stop"]
        equal((len(stopped), {record["wait"] for record in stopped}), (summary["stopped"], {"poll", "futex"}))
        until(lambda: asleep(target.pid), "all threads sleep")
        theirs = eu_stacks(target.pid)
        expect(all(is_right(ours[thread], theirs[thread]) for thread in ours), (ours, theirs))


@test
def stop_for_it():
    """--stop gives every stack, counts the stops, and ends no wait that has no time limit"""
    if not ROOT:
        skip("only root may give up BPF")
    with sleepers(60) as target:
        until(lambda: asleep(target.pid), "all threads sleep")
        summary, ours = stacks(target.pid, "--stop", prefix=NO_BPF)
        expect(all(record["complete"] for record in ours.values()), ours)
        epoll = [record for record in ours.values() if record["wait"] == "epoll_wait"]
        equal((len(ours), summary["incomplete"]), (61, 0))
        expect(epoll and summary["stopped"] >= len(epoll), summary)
        until(lambda: asleep(target.pid), "all threads sleep again")
        equal(left(target), 60, "threads that are left")


@test
def nobody_is_stopped():
    """1,000 sleepers: no stop, no EINTR, groups and folded lines that hold them all"""
    with sleepers(1000) as target:
        until(lambda: asleep(target.pid), "all threads sleep")
        run = debugcall("stacks", "-p", target.pid)
        expect(run.code == 0, run)
        if ROOT:
            contains(run.out, "1001 threads, 1001 read without a stop, 0 stopped, 0 incomplete")
            contains(run.out, f", held by {target.pid}\n")
        folded = debugcall("stacks", "--folded", "-p", target.pid).out.splitlines()
        equal(sum(int(line.rpartition(" ")[2]) for line in folded), 1001, "threads in folded lines")
        expect(any(";thread;" in line and line.split(" ")[0].endswith(";epoll_wait") for line in folded), folded)
        groups = [json.loads(line) for line in debugcall("--json", "stacks", "-p", target.pid).out.splitlines()]
        equal(sum(len(group["threads"]) for group in groups[1:]), 1001, "threads in groups")
        expect(len(groups) < 30, f"{len(groups)} groups")
        equal(left(target), 1000, "threads that are left")


@test
def only_some():
    """a regular expression, or --thread, chooses threads"""
    with Sleeper("/usr/bin/python3", "-c", PYTHON, threads=6) as target:
        thread = tids(target.pid)[2]
        equal(list(stacks(target.pid, "--thread", thread)[1]), [thread])
        equal(len(stacks(target.pid, "^pyth")[1]), 6)
        equal(len(stacks(target.pid, "^no such")[1]), 0)
        equal(debugcall("stacks", "-p", target.pid, "(").code, 2)
        equal(debugcall("check", "--folded", "-p", target.pid).code, 2)


@test
def running():
    """a thread that computes is sampled; where the kernel takes no samples, it is said"""
    with Program("/usr/bin/python3", "-c", "print('ready', flush=True)\nwhile True: pass") as target:
        def sampled():
            record, = stacks(target.pid)[1].values()
            return record["threads"][0]["how"] == "perf" and record
        record = until(sampled, "a sample")
        expect(record["complete"] and record["wait"] is None and len(record["frames"]) > 5, record)

        def denied():
            record, = stacks(target.pid, prefix=DENIED)[1].values()
            return not record["frames"] and record
        contains(until(denied, "no sample")["why"], "the kernel takes no samples for us")


@test
def ordinary_user():
    """an ordinary user looks at programs of his own, and is told why not at others"""
    if not ROOT:
        skip("only root may become another")
    run = debugcall("--version", prefix=NOBODY)
    if run.code:
        skip("what was built cannot be reached by others")
    with Sleeper("sleep", "1000") as target:
        run = debugcall("stacks", "-p", target.pid, prefix=NOBODY)
        equal(run.code, 3)
        contains(run.err, "root")
    with Sleeper("sleep", "1000", user=65534, group=65534, extra_groups=()) as target:
        summary, ours = stacks(target.pid, prefix=NOBODY)
        equal((summary["threads"], summary["stopped"], summary["incomplete"]), (1, 0, 0))
        equal(ours[target.pid]["threads"][0]["how"], "proc")
        contains(debugcall("stacks", "-p", target.pid, prefix=NOBODY).err, "note: registers come from /proc: ")


@test
def goroutines():
    """a program on libgort: which goroutine a thread runs, and the stacks of those that are parked"""
    with HttpServer() as server:
        run = debugcall("--json", "stacks", "-p", server.pid)
        expect(run.code == 0, run)
        groups = [json.loads(line) for line in run.out.splitlines()][1:]
        parked = {group["threads"][0]["name"]: group for group in groups if group["threads"][0]["thread"] is None}
        acceptor = parked["acceptor"]
        equal((acceptor["wait"], acceptor["complete"], acceptor["threads"][0]["how"]), ("IO wait", True, "memory"))
        functions = [frame["function"] for frame in acceptor["frames"]]
        equal([name for name in functions if name in ("gort_accept_until", "accept_all", "gort__entry")],
              ["gort_accept_until", "accept_all", "gort__entry"])
        contains(debugcall("stacks", "-p", server.pid, "^acceptor").out, "1 goroutine: acceptor (")


@test
def made_at_run_time():
    """code that a compiler at run time made has the names of its perf map, or is said to have none"""
    if not shutil.which("node"):
        skip("no node")
    code = ("function inner(a) { Atomics.wait(a, 0, 0) }\nfunction outer(a) { inner(a) }\n"
            "console.log('ready'); outer(new Int32Array(new SharedArrayBuffer(8)))")
    quiet = ["--no-logfile-per-isolate", "--logfile=/dev/null", "--interpreted-frames-native-stack"]
    for options in (["--perf-basic-prof", *quiet], quiet):
        with Program("node", *options, "-e", code) as target:
            until(lambda: asleep(target.pid), "all threads sleep")
            record = stacks(target.pid)[1][target.pid]
            if options != quiet:
                os.unlink(f"/tmp/perf-{target.pid}.map")
            # Such frames are found by their frame pointers, which is a guess, and called that.
            expect(not record["complete"] and "frame pointer" in record["why"], record)
            guessed = [frame for frame in record["frames"] if frame.get("guessed")]
            names = [frame["function"] for frame in guessed]
            if options != quiet:
                inner = next(i for i, name in enumerate(names) if name and name.startswith("JS:~inner"))
                expect(names[inner + 1].startswith("JS:~outer"), names)
            else:
                expect(any(frame["module"] is None and frame["function"] is None for frame in guessed), guessed)
                contains(debugcall("stacks", "-p", target.pid).out, "code made at run time")


@test
def without_bpf():
    """a seccomp filter that denies bpf: the next way is taken, and said"""
    with Sleeper("sleep", "1000") as target:
        _, ours = stacks(target.pid, prefix=DENIED)
        expect(ours[target.pid]["complete"] and ours[target.pid]["threads"][0]["how"] == "proc", ours)


@test
def traced():
    """a process that another debugger holds can be looked at all the same"""
    with Sleeper("sleep", "1000") as target, \
            subprocess.Popen(["strace", "-p", str(target.pid)], stderr=subprocess.PIPE) as strace:
        try:
            until(lambda: status(target.pid)["TracerPid"] != "0", "it is traced")
            until(lambda: asleep(target.pid), "it sleeps")
            _, ours = stacks(target.pid)
        finally:
            strace.kill()
        equal(ours[target.pid]["wait"] in ("clock_nanosleep", "restart_syscall"), True)


@test
def deep():
    """a stack of many kilobytes is walked as it stands"""
    # Through C at each level, which takes frames of the interpreter's own.
    code = "import time\ndef f(n): list(map(f, [n - 1])) if n else time.sleep(1000)\nf(40)"
    with Sleeper("/usr/bin/python3", "-c", code) as target:
        for prefix in ((), DENIED):
            record, = stacks(target.pid, prefix=prefix)[1].values()
            expect(len(record["frames"]) > 150 and record["complete"], f"{len(record['frames'])}: {record['why']}")


@test
def killed():
    """a target that is killed under it: what was seen of it, or that it has ended"""
    codes = set()
    for delay in range(8):
        with sleepers(300) as target:
            killer = subprocess.Popen(["/bin/sh", "-c", f"sleep 0.0{delay}; kill -9 {target.pid}"])
            run = debugcall("stacks", "-p", target.pid)
            codes.add(run.code)
            expect(run.code in (0, 3, 4) and (run.out or run.err), run)
            expect(run.code == 0 or not run.out, run)
            killer.wait()
            target.process.wait()
            equal(target.process.returncode, -signal.SIGKILL)


@test
def becomes_another():
    """a target that becomes another program under it: never the names of one for the code of the other"""
    shell = 'exec /usr/bin/python3 -c "$PYTHON"'
    python = "import os; os.execv('/bin/bash', ['bash', '-c', os.environ['SHELL_CODE']])"
    with subprocess.Popen(["/bin/bash", "-c", shell],
                          env=dict(os.environ, SHELL_CODE=shell, PYTHON=python)) as target:
        try:
            for _ in range(30):
                run = debugcall("stacks", "-p", target.pid)
                expect(run.code in (0, 3, 4), run)
                lines = run.out.splitlines()[1:]
                modules = {line.split()[-1] for line in lines if line.startswith("  #")}
                expect(not ("bash" in modules and "python3.11" in modules), run)
                expect(target.poll() is None, "the target ended")
        finally:
            target.kill()


main()
