#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# A client that writes nonsense into the mailbox harms its own calls at most; a target that does so is
# refused, and harms nobody.    timeout: 300 s
import ctypes
import fcntl
import mmap
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

from harness import B, Target, contains, debugcall, equal, expect, main, row, test, until

AGENT = {"LD_PRELOAD": f"{B}/libdebugcall-agent.so"}

IN_HEADER = ("state", "bell")
IN_SLOT = ("turn", "wanted", "cancel", "request", "nr_calls", "size", "address", "serving", "tid", "outcome", "value",
           "scene", "calls")


def layout():
    """What protocol/mailbox.h says, by the compiler."""
    said = [*(f"offsetof(struct mailbox_header, {name})" for name in IN_HEADER),
            *(f"offsetof(struct mailbox_slot, {name})" for name in IN_SLOT),
            "MAILBOX_MAGIC", "MAILBOX_VERSION", "MAILBOX_SLOTS", "MAILBOX_SLOT_SIZE", "MAILBOX_HEADER_SIZE"]
    code = ('#include <stddef.h>\n#include <stdio.h>\n#include "protocol/mailbox.h"\nint main(void) {' +
            "".join(f'printf("%ld ", (long)({one}));' for one in said) + "}")
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "layout")
        subprocess.run(["gcc", "-I", ROOT, "-x", "c", "-", "-o", program], input=code, text=True, check=True)
        return map(int, subprocess.run([program], capture_output=True, text=True, check=True).stdout.split())


ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
(STATE, BELL, TURN, WANTED, CANCEL, REQUEST, NR_CALLS, BYTES, ADDRESS, SERVING, TID, OUTCOME, VALUE, SCENE, CALLS,
 MAGIC, VERSION, SLOTS, SLOT_SIZE, HEADER) = layout()
SIZE = HEADER + SLOTS * SLOT_SIZE
FREE, ASKED, RUNNING, HELD, JUDGED, ANSWERED = range(6)
SYS_FUTEX, FUTEX_WAKE = 202, 1

libc = ctypes.CDLL(None, use_errno=True)


class Box:
    def __init__(self, fd):
        self.fd = fd
        self.map = mmap.mmap(fd, SIZE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))

    def at(self, slot, field):
        return HEADER + slot * SLOT_SIZE + field

    def get(self, offset):
        return struct.unpack_from("I", self.map, offset)[0]

    def put(self, offset, value, kind="I"):
        struct.pack_into(kind, self.map, offset, value)

    def wake(self, offset):
        libc.syscall(SYS_FUTEX, ctypes.c_void_p(self.base + offset), FUTEX_WAKE, 1 << 30, None, None, 0)

    def ring(self):
        self.put(BELL, (self.get(BELL) + 1) % 2**32)
        self.wake(BELL)


def opened(target):
    def find():
        for fd in os.listdir(f"/proc/{target.pid}/fd"):
            if os.readlink(f"/proc/{target.pid}/fd/{fd}").startswith("/memfd:debugcall-agent"):
                return fd
        return None

    return Box(os.open(f"/proc/{target.pid}/fd/{until(find, 'the descriptor')}", os.O_RDWR))


def take(box, slot):
    F_OFD_SETLK = 37
    fcntl.fcntl(box.fd, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, slot, 1, 0))
    box.put(box.at(slot, WANTED), 1)
    box.ring()
    until(lambda: box.get(box.at(slot, SERVING)), "a thread serves the slot")


def works(target):
    run = debugcall("-q", "-p", target.pid, "--host", "agent", "add(1, 2)", "half(3.0)")
    equal((run.code, run.out), (0, "3\n1.5\n"), run)
    target.answers()


@test
def requests():
    """requests of nonsense are answered, and nothing else happens"""
    chance = random.Random(5)
    with Target(env=AGENT) as target:
        box = opened(target)
        take(box, 3)
        for _ in range(500):
            for field in (REQUEST, NR_CALLS, BYTES):
                box.put(box.at(3, field), chance.choice((0, 1, 2, 3, 4, 63, 64, 65, 65536, 65537, 2**31, 2**32 - 1,
                                                         chance.getrandbits(32))))
            box.put(box.at(3, ADDRESS), chance.choice((0, 1, 4096, 2**47, 2**63, 2**64 - 1, chance.getrandbits(64))), "Q")
            for i in range(0, 112, 4):
                box.put(box.at(3, CALLS + i), chance.choice((0, 16, 2**32 - 1, 65536, chance.getrandbits(32))))
            # An address that is none, or the callee could be anything.
            box.put(box.at(3, CALLS), chance.choice((0, 16, 2**63 + chance.getrandbits(40))), "Q")
            box.put(box.at(3, CALLS + 92), 1)
            box.put(box.at(3, TURN), ASKED)
            box.wake(box.at(3, TURN))
            until(lambda: box.get(box.at(3, TURN)) == ANSWERED, "the agent answers")
        works(target)


@test
def scribbles():
    """one that writes everywhere without end"""
    chance = random.Random(6)
    with Target(env=AGENT) as target:
        box = opened(target)
        take(box, 2)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            noise = bytearray(chance.randbytes(4096))
            # Addresses of callees stay none.
            for slot in range(SLOTS):
                start = box.at(slot, 0)
                box.map[start:start + SCENE] = bytes(noise[:SCENE])
            box.ring()
        for slot in range(SLOTS):
            box.put(box.at(slot, WANTED), 0)
            box.put(box.at(slot, TURN), FREE)
            box.wake(box.at(slot, TURN))
        box.ring()
        os.close(box.fd)
        target.answers()
        expect(target.process.poll() is None, "the target ended")
        until(lambda: debugcall("-q", "-p", target.pid, "--host", "agent", "add(1, 2)").out == "3\n", "calls go on")


@test
def never_answers():
    """one that takes every slot and asks nothing: others use another host"""
    with Target(env=AGENT) as target:
        box = opened(target)
        for slot in range(SLOTS):
            take(box, slot)
        run = debugcall("-p", target.pid, "--host", "agent", "add(1, 2)")
        equal(run.code, 6, run)
        contains(run.err, "are taken by others")
        equal(debugcall("-q", "-p", target.pid, "add(1, 2)").out, "3\n")
        os.close(box.fd)
        box.map = None
        works(target)


# ---- targets ------------------------------------------------------------------------------------

# The target's side, as it should not be: makes a mailbox, says ready, then answers in its own way.
LIAR = """
import ctypes, fcntl, os, random, struct, sys, time
sys.path.insert(0, {path!r})
sys.argv = ["liar", "none of them"]
how = {how!r}
SEALS, ALLOW = 1033, 2
fd = os.memfd_create("debugcall-agent", os.MFD_CLOEXEC | ALLOW)
SIZE = {size}
os.ftruncate(fd, 8192 if how == "small" else SIZE)
import mmap
box = mmap.mmap(fd, 8192 if how == "small" else SIZE)
if how != "unsealed":
    fcntl.fcntl(fd, SEALS, 1 | 2 | 4)
def put(at, value, kind="I"):
    struct.pack_into(kind, box, at, value)
put(0, 0x12345678 if how == "magic" else {magic})
put(4, 2 if how == "version" else {version})
put(8, 10**9 if how == "slots" else {slots})
put(12, {slot_size})
put({state}, 1)
chance = random.Random(7)
print("ready", flush=True)
while True:
    time.sleep(0.0005)
    if how in ("silent", "magic", "version", "slots", "small", "unsealed"):
        continue
    for slot in range({slots}):
        start = {header} + slot * {slot_size}
        wanted, = struct.unpack_from("I", box, start + {wanted})
        if not wanted:
            continue
        put(start + {tid}, os.getpid())
        put(start + {serving}, 1)
        turn, = struct.unpack_from("I", box, start)
        if turn in (1, 4):
            if how in ("noise", "held"):
                box[start + {outcome}:start + {outcome} + 208] = chance.randbytes(208)
                put(start + {outcome}, chance.randrange(10))
                box[start + {calls}:start + {calls} + 800] = chance.randbytes(800)
            put(start, 3 if how == "held" else 77 if how == "turn" else 5)
            ctypes.CDLL(None).syscall(202, ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(box)) + start),
                                      1, 1 << 30, None, None, 0)
"""


def liar(how, words):
    code = LIAR.format(path=os.path.dirname(__file__), how=how, size=SIZE, magic=MAGIC, version=VERSION, slots=SLOTS,
                       slot_size=SLOT_SIZE, header=HEADER, state=STATE, wanted=WANTED, tid=TID, serving=SERVING,
                       outcome=OUTCOME, calls=CALLS)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        equal(process.stdout.readline(), "ready\n")
        for _ in range(5):
            run = debugcall("-p", process.pid, "--host", "agent", "--timeout", "300ms", "(int) getpid()", limit=30)
            # By a signal, or a sanitizer, it would be another.
            expect(run.code in (0, 1, 4, 5, 6), run)
            if words:
                equal(run.code, 6, run)
                contains(run.err, words)
        equal(debugcall("-q", "-p", process.pid, "--host", "bare", "(int) getpid()").out, f"{process.pid}\n")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


for how_, words_ in (("magic", "it is no mailbox"), ("version", "another version"), ("slots", "its size is not what it says"),
                     ("small", "its size is another"), ("unsealed", "not sealed"), ("silent", "does not answer"),
                     ("noise", ""), ("held", ""), ("turn", "")):
    row(f"a target that lies: {how_}", liar, how_, words_)
main()
