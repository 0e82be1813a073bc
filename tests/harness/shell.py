# SPDX-License-Identifier: MIT
# Lines given to debugcall's shell: from standard input, from files, and at a terminal of its own.
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from .runs import DEBUGCALL, Run
from .tap import LIMIT, Failed, equal

SEQUENCES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\].*?\x07|[()=>].?)")


def shell(pid, text, *options, cwd=None):
    """The lines as standard input: a Run. pid None: no target."""
    target = [] if pid is None else ["-p", str(pid)]
    script = ["-x", "-"] if pid is None else []
    return obeyed(text, *target, *options, *script, cwd=cwd)


def launched(program, text, *options):
    """The lines as standard input of a shell that launches the program, a list of words."""
    return obeyed(text, *options, "--", *program)


def obeyed(text, *words, cwd=None):
    text = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([os.path.abspath(DEBUGCALL), *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=LIMIT, check=False, cwd=cwd)
    return Run(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def says(pid, text, *options):
    """The output of lines that must all succeed."""
    run = shell(pid, text, *options)
    if run.code:
        raise Failed(f"{text}: {run}")
    return run.out


def objects(pid, text, *options):
    """What the lines say under --json."""
    return [json.loads(line) for line in shell(pid, text, "--json", *options).out.splitlines()]


def printed(pid, exprs):
    """With each its record, a value's or an error's, by one shell."""
    said = objects(pid, "".join(f"print {expr}\n" for expr in exprs), "--keep-going", "--no-init")
    records = [one for line in said for one in line.get("records", []) if one["kind"] in ("result", "error")]
    if len(records) != len(exprs):
        raise Failed(f"{len(records)} records of {len(exprs)}: {said[-1:]}")
    return zip(exprs, records)


class Terminal:
    """debugcall at a terminal; what it shows is kept without colours and other sequences."""

    def __init__(self, *options, env=None, size=(24, 80)):
        self.shown = ""
        self.raw = ""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            whole = dict(os.environ, TERM="xterm-256color", **(env or {}))
            os.execve(DEBUGCALL, [DEBUGCALL, *map(str, options)], whole)
        self.resize(*size, tell=False)
        self.status = None

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            os.kill(self.pid, signal.SIGWINCH)

    def modes(self):
        return termios.tcgetattr(self.fd)[3]

    def take(self, seconds):
        """False: there is no more to read, ever."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return False
        self.raw += data.decode(errors="replace")
        self.shown = SEQUENCES.sub("", self.raw).replace("\r", "")
        return bool(data)

    def wait(self, text, since=0):
        """Until the text is shown behind a place: the place behind it."""
        end = time.monotonic() + LIMIT
        while (at := self.shown.find(text, since)) < 0:
            if not self.take(1) or time.monotonic() > end:
                raise Failed(f"{text!r} is not shown: {self.shown[since:]!r}")
        return at + len(text)

    def type(self, text):
        os.write(self.fd, text.encode())

    def say(self, line, answer, prompt="(debugcall) "):
        """A line, and what must come of it, up to the next prompt."""
        since = len(self.shown)
        self.type(line + "\n")
        since = self.wait(answer, since)
        self.wait(prompt, since)

    def end(self):
        """The status, once it has left."""
        end = time.monotonic() + LIMIT
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise Failed(f"it does not leave: {self.shown!r}")
            else:
                self.take(0.1)
        while self.take(0):
            if not select.select([self.fd], [], [], 0)[0]:
                break
        return self.status

    def leaves(self, status):
        equal(self.end(), status, self.shown)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
