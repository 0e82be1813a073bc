#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Debian packages: they are built without an error of lintian's, install into a clean bookworm, and work there.
#     timeout: 1800 s
import glob
import os
import shutil
import subprocess
import tempfile

from harness import CAMPAIGN, contains, equal, main, skip, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAMES = ["debugcall", "libdebugcall-dev", "libdebugcall0", "libgort-dev", "libgort0"]

PROGRAM = """
#include <gort.h>
#include <debugcall.h>
#include <stdio.h>
#include <unistd.h>

int add(int a, int b) { return a + b; }
int main(void) { puts(DC_VERSION); fflush(stdout); for (;;) pause(); }
"""


def run(*args, **kwargs):
    done = subprocess.run(args, capture_output=True, text=True, check=False, **kwargs)
    equal(done.returncode, 0, f"{' '.join(args)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def built():
    run("make", "--no-print-directory", "deb", cwd=ROOT)
    found = sorted(glob.glob(f"{ROOT}/build/deb/*.deb"))
    equal([os.path.basename(path).split("_")[0] for path in found if "dbgsym" not in path], NAMES)
    return [path for path in found if "dbgsym" not in path]


def mirror():
    """Where this machine's own packages come from; none: there is no network for them."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"],
                          capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        site, _, release = line.partition(" ")
        if release == "bookworm" and "debian" in site:
            return site
    return None


class Bookworm:
    def __init__(self, directory):
        self.root = directory
        self.mounted = False

    def __enter__(self):
        site = mirror()
        if not site:
            skip("this machine has no mirror of bookworm")
        done = subprocess.run(["debootstrap", "--variant=minbase", "--include=gcc,libc6-dev,pkg-config,procps", "bookworm", self.root,
                               site], capture_output=True, text=True, check=False)
        if done.returncode:
            skip(f"debootstrap: {done.stdout[-300:]}")
        run("mount", "-t", "proc", "proc", f"{self.root}/proc")
        self.mounted = True
        for name in ("sources.list",):
            shutil.copy(f"/etc/apt/{name}", f"{self.root}/etc/apt/{name}") if os.path.exists(f"/etc/apt/{name}") else None
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", f"{self.root}/proc"], check=False)

    def run(self, *args):
        return run("chroot", self.root, *args, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                                                    "LC_ALL": "C"})


@test
def packages():
    """the packages are built, installed into a clean bookworm, and do the main job there"""
    if not CAMPAIGN:
        skip("packages are built by make campaign")
    if os.geteuid() or not shutil.which("debootstrap"):
        skip("debootstrap, as root, is wanted for a clean bookworm")
    files = built()
    with tempfile.TemporaryDirectory() as directory, Bookworm(directory) as bookworm:
        for path in files:
            shutil.copy(path, f"{directory}/root/")
        bookworm.run("sh", "-c", "apt-get update -q && apt-get install -qy --no-install-recommends /root/*.deb")
        with open(f"{directory}/root/user.c", "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        bookworm.run("sh", "-c", "gcc -g -o /root/user /root/user.c $(pkg-config --cflags --libs gort debugcall)")
        out = bookworm.run("sh", "-c", "/root/user > /root/said & pid=$!; until [ -s /root/said ]; do sleep 0.05; done; "
                           "debugcall -p $pid 'add(1, 2)'; echo 'p add(3, 4)' | debugcall -p $pid; debugcall inject -p $pid; "
                           "debugcall --json -p $pid 'add(5, 6)'; kill $pid")
        for part in ("3\n", "$1 = 7\n", '"value":"11"', '"host":"agent"'):
            contains(out, part)
        contains(bookworm.run("debugcall", "--version"), "debugcall 0.1.0")
        bookworm.run("test", "-s", "/usr/share/man/man1/debugcall.1.gz")
        bookworm.run("sh", "-c", "dpkg --purge $(dpkg-query -W -f '${Package}\\n' | grep -E 'debugcall|libgort')")


main()
