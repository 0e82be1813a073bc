#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Attach failures name cause and remedy, and end with the promised status; check says the same before.
import os
import signal
import subprocess
import time

from harness import CAMPAIGN, TARGETS, Program, Victim, debugcall, expect, main, row, skip, start, status, until


def no_process():
    child = subprocess.Popen(["true"])
    child.wait()
    run = debugcall("-p", child.pid, "1")
    expect(run.code == 3 and "no process" in run.err.lower(), run)
    run = debugcall("-p", "no-program-has-this-name", "1")
    expect(run.code == 3 and run.err, run)


def zombie():
    child = subprocess.Popen(["true"])
    until(lambda: status(child.pid)["State"].startswith("Z"), "zombie")
    run = debugcall("-p", child.pid, "getpid()")
    expect(run.code == 3 and "zombie" in run.err, run)
    child.wait()


def kernel_thread():
    run = debugcall("-p", 2, "getpid()")
    if not os.path.exists("/proc/2/exe") and "kthreadd" not in open("/proc/2/comm").read():
        skip("no kernel thread is visible here")
    expect(run.code == 3 and "kernel thread" in run.err, run)


def traced():
    """The only thread is another debugger's, or the one that was asked for."""
    for mode in "spin+alone", "spin":
        traced_in(mode)


def traced_in(mode):
    with Victim(mode) as victim:
        tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-p", str(victim.pid)])
        try:
            until(lambda: status(victim.pid)["TracerPid"] == str(tracer.pid), "strace attached")
            calls = ("--thread", victim.tid, "-p", victim.pid, "add(1,2)"), ("check", "-p", victim.pid)
            for args in calls:
                run = debugcall(*args)
                text = run.err + run.out
                expect(run.code in (3, 6) and str(tracer.pid) in text and "strace" in text, run)
            run = debugcall("-q", "-p", victim.pid, "add(1,2)")
            # A thread that nobody holds will do.
            expect(run.code == (3 if "alone" in mode else 0), run)
        finally:
            tracer.send_signal(signal.SIGTERM)
            tracer.wait(60)
        victim.beat()


def at_once():
    """Twenty debuggers of one process, of one thread even: each waits for its turn."""
    with Victim("spin") as victim:
        for options in (), ("--thread", victim.tid):
            runs = [start("-q", "--wait", "60s", *options, "-p", victim.pid, f"add({n}, 1)") for n in range(20)]
            for n, run in enumerate(runs):
                out, err = run.communicate(timeout=120)
                expect(run.returncode == 0 and out == f"{n + 1}\n", (run.returncode, out, err))
        victim.beat()


def not_ours():
    """As an unprivileged user, at root's process."""
    if os.geteuid():
        skip("needs root to become another user")
    with Victim("spin") as victim:
        run = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                              f"{os.environ.get('B', 'build/release')}/debugcall", "-p", str(victim.pid),
                              "add(1,2)"], capture_output=True, text=True, check=False)
        if "ermission denied" in run.stderr and "user" not in run.stderr:
            skip("the build tree is not readable to other users")
        expect(run.returncode == 3 and "user" in run.stderr, run)
        victim.beat()


def ends_between_steps():
    """A process that ends at any moment gives a clear end, never a hang or a crash."""
    for n in range(2000 if CAMPAIGN else 40):
        child = subprocess.Popen([f"{TARGETS}/callfuncs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        run = start("-p", child.pid, "--wait", "200ms", "add(1,2)")
        time.sleep(n % 40 * 0.0005 + n // 40 * 0.00001)  # the moment is the parameter of the test, not a wait
        child.kill()
        child.wait()
        out, err = run.communicate(timeout=60)
        expect(run.returncode in (0, 3, 4), (run.returncode, out, err))
        child.stdin.close()
        child.stdout.close()


def by_name_and_thread():
    with Program(f"{TARGETS}/fgets") as program:
        run = debugcall("-p", "fgets", "add(1,2)")
        expect(run.code == 0 and run.out == "3\n", run)
        with Program(f"{TARGETS}/fgets") as second:
            run = debugcall("-p", "fgets", "add(1,2)")
            expect(run.code in (2, 3) and str(program.pid) in run.err and str(second.pid) in run.err, run)
    with Victim("spin") as victim:
        others = [int(t) for t in os.listdir(f"/proc/{victim.pid}/task") if int(t) != victim.tid]
        run = debugcall("--json", "-p", others[0], "add(1,2)")
        expect(run.code == 0 and f'"thread":{others[0]}' in run.out.replace(" ", ""), run)
        victim.beat()


def two_debuggers():
    with Victim("spin") as victim:
        first = start("--thread", victim.tid, "-p", victim.pid, "slow(1)")
        until(lambda: victim.entered, "the first is in its call")
        run = debugcall("--thread", victim.tid, "--wait", "200ms", "-p", victim.pid, "add(1,2)")
        expect(run.code == 3 and str(first.pid) in run.err, run)
        victim.set("release", 1)
        out, err = first.communicate(timeout=60)
        expect(first.returncode == 0 and out == "1\n", (out, err))
        victim.beat()


def usage():
    for args in ((), ("-p",), ("-p", "1"), ("--nonsense", "-p", "1", "1"), ("--timeout", "soon", "-p", "1", "1"),
                 ("-p", "0", "1"), ("-p", "-5", "1"), ("--repeat", "x", "-p", "1", "1"), ("frobnicate",)):
        run = debugcall(*args)
        expect(run.code in (2, 3) and run.err and not run.out, f"{args}: {run}")


def other_namespace():
    """A process in its own PID and mount namespace."""
    if os.geteuid():
        skip("needs root for a namespace")
    child = subprocess.Popen(["unshare", "--pid", "--fork", "--mount", "--mount-proc",
                              f"{TARGETS}/fgets"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = child.stdout.readline()
        if line != "ready\n":
            skip("no namespace can be made here")
        with open(f"/proc/{child.pid}/task/{child.pid}/children", encoding="utf-8") as file:
            pid = int(file.read().split()[0])
        run = debugcall("-p", pid, "add(1,2)", "getpid()")
        expect(run.code == 0 and run.out.split() == ["3", "1"], run)
    finally:
        child.stdin.close()
        child.kill()
        child.wait()
        child.stdout.close()


for test in (no_process, zombie, kernel_thread, traced, at_once, not_ours, ends_between_steps, by_name_and_thread,
             two_debuggers, usage, other_namespace):
    row(test.__name__.replace("_", " "), test)
main()
