#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Processes that cannot be attached to: status 3, the cause, the remedy, and the target untouched;
# check says the same without trying.
import ctypes
import os
import signal
import struct
import subprocess

from tap import DEBUGCALL, Skip, Target, contains, debugcall, ends, equal, main, test, until

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, pid):
    if libc.ptrace(request, pid, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def refused(pid, *parts):
    done = ends(3, "-p", pid, "1 + getpid()")
    for part in parts:
        contains(done.err, part)
    equal(done.err.splitlines()[-1], "the target was not touched")
    equal(done.out, "")


@test
def traced():
    """a process that somebody traces: who"""
    with Target() as target:
        ptrace(PTRACE_SEIZE, target.pid)
        refused(target.pid, "traced", str(os.getpid()))
        done = ends(6, "check", "-p", target.pid)
        contains(done.out, str(os.getpid()))
        ptrace(PTRACE_INTERRUPT, target.pid)
        os.waitpid(target.pid, 0x40000000)
        ptrace(PTRACE_DETACH, target.pid)
        equal(target.call("add(1, 2)"), ["3"])
        target.answers()


@test
def zombie():
    """a zombie"""
    child = os.fork()
    if not child:
        os._exit(0)

    def state():
        with open(f"/proc/{child}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]

    until(lambda: state() == "Z", "the child is a zombie")
    refused(child, "zombie")
    os.waitpid(child, 0)


@test
def foreign():
    """another user's process: whose"""
    nobody = 65534
    with Target() as target:
        try:
            done = subprocess.run([DEBUGCALL, "-p", str(target.pid), "1 + getpid()"], text=True,
                                  capture_output=True, user=nobody, group=nobody, extra_groups=[],
                                  timeout=60)
        except PermissionError as error:
            raise Skip("the build cannot be run by another user, or this one is not root") from error
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "root")
        equal(done.stderr.splitlines()[-1], "the target was not touched")


@test
def kernel_thread():
    """a kernel thread"""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[6]) & 0x00200000:
            refused(entry, "kernel thread")
            return
    raise Skip("no kernel thread is visible in this PID namespace")


@test
def thirty_two_bits(tmp="/tmp/debugcall-test-i386"):
    """a 32-bit program"""
    # mov $29,%eax (pause); int $0x80; jmp .-7
    code = bytes.fromhex("b81d000000cd80ebf7")
    base, size = 0x8048000, 52 + 32 + len(code)
    header = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + 84, 52, 0, 0,
                                                       52, 32, 1, 0, 0, 0)
    header += struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 5, 4096)
    path = f"{tmp}-{os.getpid()}"
    with open(path, "wb") as file:
        file.write(header + code)
    os.chmod(path, 0o755)
    try:
        process = subprocess.Popen([path])
    except OSError as error:
        os.unlink(path)
        raise Skip(f"32-bit programs do not run here: {error.strerror}") from error
    try:
        refused(process.pid, "32-bit")
    finally:
        process.kill()
        process.wait()
        os.unlink(path)


@test
def ended_between():
    """a process that ends while the debugger looks at it"""
    for _ in range(20):
        with Target() as target:
            debugger = subprocess.Popen([DEBUGCALL, "-p", str(target.pid), "add(1, 2)"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            target.signal(signal.SIGKILL)
            out, err = debugger.communicate(timeout=60)
            if debugger.returncode not in (0, 3, 4):
                raise AssertionError(f"status {debugger.returncode}, {out!r}, {err!r}")
            if debugger.returncode:
                contains(err, "error: ")


@test
def by_name():
    """a process by its name; none and several are refused"""
    name = f"dc{os.getpid()}x"
    link = f"/tmp/{name}"
    os.symlink(os.path.abspath(os.path.join(os.path.dirname(DEBUGCALL), "tests/targets/plain")), link)
    try:
        with Target(link):
            equal(debugcall("-q", "-p", name, "add(20, 22)").out, "42\n")
            with Target(link) as second:
                done = ends(3, "-p", name, "1")
                contains(done.err, str(second.pid))
    finally:
        os.unlink(link)


main()
