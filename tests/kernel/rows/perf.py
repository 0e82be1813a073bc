#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Who may have a breakpoint that the kernel owns, and thus survives its debugger, under each value of
# perf_event_paranoid; calls need none, and do not mind.
import ctypes
import os
import struct

from guest import as_ordinary, called, libc, refused, setting
from harness import TARGETS, Program, debugcall, expect, main, row

PERF_EVENT_OPEN = 298
TYPE_BREAKPOINT, EXECUTE = 5, 4
EXCLUDE_KERNEL, EXCLUDE_HYPERVISOR = 1 << 5, 1 << 6


def breakpoint_at(pid, address):
    """A descriptor, or the negative errno."""
    attributes = struct.pack("=IIQQQQQIIQQ", TYPE_BREAKPOINT, 72, 0, 1, 0, 0,
                             EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR, 0, EXECUTE, address, 8)
    fd = libc.syscall(PERF_EVENT_OPEN, attributes, pid, -1, -1, 0)
    return fd if fd >= 0 else -ctypes.get_errno()


def text_of(pid):
    """An address of the program's own code."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return int(next(line for line in maps if " r-xp " in line).partition("-")[0], 16)


def address_of(pid, name):
    run = debugcall("-p", pid, f"/x (unsigned long) {name}")
    expect(run.code == 0, run)
    return int(run.out, 16)


def hits():
    """A call goes through a breakpoint on its callee, is right, and the kernel counts the hit."""
    with Program(f"{TARGETS}/plain") as target:
        fd = breakpoint_at(target.pid, address_of(target.pid, "add"))
        expect(fd >= 0, os.strerror(-fd))
        called(target.pid)
        count, = struct.unpack("Q", os.read(fd, 8))
        os.close(fd)
        expect(count == 1, f"{count} hits")
        called(target.pid)


def asks(attach, wanted=None):
    """The kernel gives a breakpoint, or refuses it so; that says nothing about attaching."""
    with Program(f"{TARGETS}/plain") as target:
        attach(target.pid)
        fd = breakpoint_at(target.pid, text_of(target.pid))
        got = os.strerror(-fd) if fd < 0 else None
        expect(got == wanted, f"perf_event_open: {got or 'granted'}")
        if fd >= 0:
            os.close(fd)


default = setting("kernel.perf_event_paranoid")
row("perf_event_paranoid is 3 where nobody changed it", lambda: expect(default == 3, default))
for paranoid in (-1, 0, 1, 2, 3, 4):
    setting("kernel.perf_event_paranoid", paranoid)
    row(f"perf_event_paranoid {paranoid}: root", asks, called)
    why = "Permission denied" if paranoid > 2 else None
    row(f"perf_event_paranoid {paranoid}: an ordinary user", as_ordinary, asks, called, why)
setting("kernel.perf_event_paranoid", default)
row("a call through a breakpoint on its callee", hits)
setting("kernel.perf_event_paranoid", 2)
for scope in (1, 2):
    setting("kernel.yama.ptrace_scope", scope)
    row(f"perf_event_paranoid 2, Yama {scope}: no attach, but a breakpoint", as_ordinary, asks, refused)
setting("kernel.yama.ptrace_scope", 0)
setting("kernel.perf_event_paranoid", default)
main()
