#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Boots Debian's kernel under emulation and relays what its rows print: see the README.    timeout: 900 s
#
#   boot.py [ROW...]    the rows whose names contain one of these words, else those in $ROWS, else all
#   boot.py --shell     a shell there instead
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
B = os.path.abspath(os.environ.get("B", f"{ROOT}/build/release"))
VMLINUZ = f"{ROOT}/build/kernel/vmlinuz"
SILENCE = 200  # seconds without a word are a hang; alone on a machine the whole takes little more than 60
NEEDED = {"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "cpio": "cpio"}


def why_not():
    if os.environ.get("SAN"):
        return "instrumented programs are too slow under emulation"
    for program, package in NEEDED.items():
        if not shutil.which(program):
            return f"{package} is not installed"
    if not os.path.exists(VMLINUZ):
        return "Debian's kernel package was not to be had (tests/kernel/fetch)"
    return None


# ---- the machine's only file system ---------------------------------------------------------------

def is_program(path):
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF" and os.access(path, os.X_OK)


def place(root, source, target=None):
    target = f"{root}{target or source}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy2(source, target)


def place_libraries(root, programs):
    """What ldd names, at the path where it names it."""
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    for path in set(re.findall(r"(?:=> |^\t)(/\S+) \(0x", listed, re.M)):
        place(root, path)


def is_row(path):
    return os.path.isfile(path) and os.access(path, os.X_OK)


def rows_named(words):
    """In the order in which they run: after the forbidden ones the machine is spent."""
    rows = [f"{folder}/{name}" for folder in ("rows", "forbidden")
            for name in sorted(os.listdir(f"{ROOT}/tests/kernel/{folder}"))
            if is_row(f"{ROOT}/tests/kernel/{folder}/{name}")]
    return [row for row in rows if not words or any(word in row for word in words)]


def place_tree(root, rows):
    """The tests of the tree, everything built that can be run, Python, busybox."""
    programs = []
    for folder, _, names in os.walk(B):
        for name in names:
            path = f"{folder}/{name}"
            if not name.endswith(".o") and is_program(path):
                place(root, path, "/tree/build" + path[len(B):])
                programs.append(path)
    shutil.copytree(f"{ROOT}/tests", f"{root}/tree/tests", ignore=shutil.ignore_patterns("__pycache__"))
    with open(f"{root}/tree/rows", "w", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)

    stdlib = sysconfig.get_path("stdlib")
    shutil.copytree(stdlib, root + stdlib, ignore=shutil.ignore_patterns(
        "config-*", "test", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter"))
    python = os.path.realpath(sys.executable)
    place(root, python)
    programs += [python, *(f"{stdlib}/lib-dynload/{name}" for name in os.listdir(f"{stdlib}/lib-dynload"))]
    place_libraries(root, programs)
    if not os.path.exists(f"{root}/usr/bin/python3"):
        os.symlink(python, f"{root}/usr/bin/python3")

    place(root, shutil.which("busybox"), "/bin/busybox")
    os.symlink("busybox", f"{root}/bin/sh")
    place(root, f"{ROOT}/tests/kernel/init", "/init")
    os.makedirs(f"{root}/etc")
    with open(f"{root}/etc/passwd", "w", encoding="utf-8") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\nordinary:x:1000:1000::/tmp:/bin/sh\n")


def pack(root, image):
    """Uncompressed: reading it costs the emulation nothing, unpacking would."""
    # An ordinary user there must reach everything, whatever the umask was here.
    subprocess.run(["chmod", "-R", "a+rX,u+w", root], check=True)
    names = subprocess.run(["find", ".", "-print0"], cwd=root, stdout=subprocess.PIPE, check=True).stdout
    with open(image, "wb") as file:
        subprocess.run(["cpio", "-0", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=root, input=names,
                       stdout=file, check=True)


# ---- the machine ----------------------------------------------------------------------------------

def emulate(image, words, *options, **popen):
    """Emulation, never KVM: that is not to be had everywhere, and may be there and not work.
    The image is in its memory twice, packed and not, and has what tests beside this one have just built, too."""
    return subprocess.Popen([
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2048",
        "-kernel", VMLINUZ, "-initrd", image,
        "-append", f"console=ttyS0 quiet panic=-1 mitigations=off {words}", *options], **popen)


class Relay:
    """Makes one TAP stream of those of the rows, and a failure of what a row leaves out."""

    def __init__(self):
        self.count = self.failed = 0
        self.row = self.done = None

    def result(self, ok, name):
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}", flush=True)

    def begin(self, row):
        self.row = row.partition("/")[2].partition(".")[0] if row.startswith("rows/") else row.partition(".")[0]
        self.planned, self.seen, self.row_failed = None, 0, 0

    def end(self, status):
        if self.planned is None:
            self.result(False, f"{self.row}: no plan was printed")
        elif self.planned != self.seen:
            self.result(False, f"{self.row}: {self.planned} tests were planned, {self.seen} reported")
        if status and not self.row_failed:
            self.result(False, f"{self.row}: ended with status {status}")
        self.row = None

    def read(self, line):
        mark, _, rest = line.partition(" ")
        if mark == "@kernel":
            print(f"# Linux {rest}", flush=True)
        elif mark == "@row":
            self.begin(rest)
        elif mark == "@end":
            self.end(int(rest))
        elif mark == "@done":
            self.done = True
        elif match := re.match(r"(not )?ok\b *\d* *-? *(.*)", line):
            self.seen += 1
            self.row_failed += bool(match[1])
            self.result(not match[1], f"{self.row}: {match[2]}")
        elif match := re.match(r"1\.\.(\d+)(?: *# *SKIP *(.*))?$", line, re.I):
            self.planned = (self.planned or 0) + int(match[1])
            if match[2] is not None:
                self.result(True, f"{self.row} # SKIP {match[2]}")
        else:
            print(line if line.startswith("#") else f"# {line}", flush=True)


def run(image, console):
    relay = Relay()
    with open(console, "wb") as file:
        machine = emulate(image, "", "-serial", f"file:{console}", "-serial", "stdio",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file)
    timer = None
    try:
        while True:
            timer = threading.Timer(SILENCE, machine.kill)
            timer.start()
            line = machine.stdout.readline()
            timer.cancel()
            if not line:
                break
            relay.read(line.decode(errors="replace").rstrip("\r\n"))
        status = machine.wait()
    finally:
        timer.cancel()
        machine.kill()
    if not relay.done:
        why = f"not a word for {SILENCE} s" if status == -signal.SIGKILL else "the machine ended early"
        relay.result(False, f"{relay.row or 'boot'}: {why}")
        with open(console, encoding="utf-8", errors="replace") as file:
            for line in file.read().splitlines()[-40:]:
                print(f"# {line}")
    print(f"1..{relay.count}")
    return relay.failed


def main():
    reason = why_not()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    shell = sys.argv[1:] == ["--shell"]
    rows = rows_named([] if shell else sys.argv[1:] or os.environ.get("ROWS", "").split())
    with tempfile.TemporaryDirectory(prefix="kernel.", dir=B) as work:
        root, image = f"{work}/root", f"{work}/image"
        place_tree(root, rows)
        pack(root, image)
        if shell:
            return emulate(image, "shell", "-serial", "mon:stdio").wait()
        return 1 if run(image, f"{work}/console") else 0


sys.exit(main())
