#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# A process that cannot be called whatever the rights: refused at once, untouched.
import os
import struct
import subprocess

from harness import contains, ends, equal, main, skip, test


@test
def thirty_two_bits():
    """a 32-bit program"""
    # mov $29,%eax (pause); int $0x80; jmp .-7
    code = bytes.fromhex("b81d000000cd80ebf7")
    base, size = 0x8048000, 52 + 32 + len(code)
    header = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + 84, 52, 0, 0,
                                                       52, 32, 1, 0, 0, 0)
    header += struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 5, 4096)
    path = f"/tmp/debugcall-i386-{os.getpid()}"
    with open(path, "wb") as file:
        file.write(header + code)
    os.chmod(path, 0o755)
    try:
        process = subprocess.Popen([path])
    except OSError as error:
        os.unlink(path)
        skip(f"32-bit programs do not run here: {error.strerror}")
    try:
        done = ends(3, "-p", process.pid, "1 + getpid()")
        contains(done.err, "32-bit")
        equal(done.err.splitlines()[-1], "the target was not touched")
    finally:
        process.kill()
        process.wait()
        os.unlink(path)


main()
