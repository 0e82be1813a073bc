# SPDX-License-Identifier: MIT
# Real Go programs: built from tests/targets/go_*.go where there is a toolchain.
import os
import re
import shutil
import subprocess

from .runs import B, debugcall
from .tap import Failed, equal, expect, skip
from .targets import Program, status

SOURCES = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "targets")


def toolchains():
    """Those of this machine, the one that is found by its name first."""
    found = [shutil.which("go")] if shutil.which("go") else []
    for folder in sorted(os.listdir("/usr/lib")):
        path = f"/usr/lib/{folder}/bin/go"
        if folder.startswith("go-") and os.path.exists(path) and os.path.realpath(found[0] if found else "") != \
                os.path.realpath(path):
            found.append(path)
    return found


def build(name, *flags, go=None, tag="", **env):
    """The program, built anew when its source is newer."""
    go = go or (toolchains() or [None])[0]
    if not go:
        skip("there is no Go toolchain (package golang)")
    source = f"{SOURCES}/{name}.go"
    program = f"{os.path.abspath(B)}/tests/targets/{name}{tag}"
    if os.path.exists(program) and os.path.getmtime(program) >= os.path.getmtime(source):
        return program
    os.makedirs(os.path.dirname(program), exist_ok=True)
    whole = {**os.environ, "GOCACHE": f"{os.path.abspath(B)}/go", "GOFLAGS": "-mod=mod", "GO111MODULE": "off", "GOPROXY": "off",
             "CGO_ENABLED": "0", **env}
    run = subprocess.run([go, "build", *flags, "-o", f"{program}.new", source], env=whole, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if run.returncode:
        raise Failed(f"go build {name}: {run.stdout}")
    os.rename(f"{program}.new", program)
    return program


class GoProgram(Program):
    """tests/targets/go_calls, or another such source, in one of its modes; see there for what it verifies about itself."""

    def __init__(self, mode, *flags, go=None, tag="", env=None, build_env=None, path=None, source="go_calls"):
        super().__init__(path or build(source, *flags, go=go, tag=tag, **(build_env or {})), mode, env=env)
        self.mode = mode
        self.counted = self.deferred = self.trapped = 0

    def beat(self):
        """It collects its garbage, finishes rounds, and says what it has counted."""
        expect(self.process.poll() is None, f"{self.mode}: the target died, status {self.process.returncode}")
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        words = line.split()
        expect(words and words[0] == "well", f"{self.mode}: {line}{self.process.poll()}")
        self.counted, self.deferred, self.trapped = map(int, words[1:])
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            equal(status(self.pid, tid)["TracerPid"], "0", "still traced")

    def calls(self, *args, code=0):
        # A machine on which others work is not in a hurry.
        run = debugcall("--wait", "30s", "--timeout", "60s", *args[:-1], "-p", self.pid, args[-1])
        expect(run.code == code, run)
        return (run.out + run.err).strip()

    def is_disarmed(self):
        """Nothing of ours is hooked any more."""
        run = debugcall("-p", self.pid, "runtime.testSigtrap == nil")
        expect(run.code == 0, run)
        return run.out.strip() == "true"

    def pads(self):
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as file:
            return len(re.findall(r"r-xp 00000000 00:00 0 +(?:\[anon:debugcall go pad\])?$", file.read(), re.M))
