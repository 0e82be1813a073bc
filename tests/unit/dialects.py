#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The two dialects of the tests themselves: what should fail does, and is said where.
import os
import subprocess
import sys
import tempfile

from harness import contains, equal, expect, main, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

C = """
#include "tests/harness/test.h"
#include <pthread.h>
static void *fails(void *arg) { (void)arg; equal(1 + 1, 3); return NULL; }
TEST("passes") { equal("a", "a"); equal(-1, -1); expect(true); contains("abc", "b"); until(true); }
TEST("text") { equal("a", "b"); }
TEST("thread") { pthread_t t; pthread_create(&t, NULL, fails, NULL); pthread_join(t, NULL); }
TEST("expect") { expect(1 > 2); }
TEST("contains") { contains("abc", "d"); }
TEST("crash") { *(volatile char *)8 = 1; }
TEST("exit") { exit(3); }
TEST("skipped") { skip("no %s", "luck"); }
"""

PYTHON = """
from harness import contains, equal, expect, main, row, skip, test, until
@test
def passes():
    equal("a", "a"); expect(True); contains("abc", "b"); until(lambda: True, "")
row("text", equal, "a", "b")
row("expect", expect, 1 > 2)
row("contains", contains, "abc", "d")
row("until", until, lambda: False, "never", 0)
row("crash", lambda: 1 // 0)
row("skipped", skip, "no luck")
main()
"""


def results(out):
    """title -> "ok" or "not ok"; what follows the title is for people."""
    found = {}
    for line in out.splitlines():
        if line.startswith(("ok ", "not ok ")):
            word, _, title = line.partition(" - ")
            found[title.replace(" #", ":").split(":")[0]] = word.rstrip(" 0123456789")
    return found


def fails_as_it_should(run):
    found = results(run.stdout)
    good = {"passes", "skipped"}
    expect(len(found) > 5, run)
    equal(found, {title: "ok" if title in good else "not ok" for title in found})
    contains(run.stdout, "skipped # SKIP no luck")
    contains(run.stdout, f"1..{len(found)}")
    equal(run.returncode, 1)


@test
def in_c():
    """a test in C fails where an expectation does, on any thread"""
    with tempfile.TemporaryDirectory() as directory:
        source, program = f"{directory}/fails.c", f"{directory}/fails"
        with open(source, "w", encoding="utf-8") as file:
            file.write(C)
        subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", f"-I{ROOT}", "-o", program, source, "-pthread"], check=True)
        run = subprocess.run([program], capture_output=True, text=True, check=False)
        fails_as_it_should(run)
        for said in ("fails.c:4: 1 + 1 is 2 (0x2), not 3 (0x3)", 'is "a", not "b"', "not so: 1 > 2", '"d" is not in "abc"'):
            contains(run.stdout, said)
        equal(results(subprocess.run([program, "ass", "kip"], capture_output=True, text=True, check=False).stdout),
              {"passes": "ok", "skipped": "ok"})


@test
def in_python():
    """a test in Python fails where an expectation does"""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(PYTHON)
        file.flush()
        run = subprocess.run([sys.executable, file.name], capture_output=True, text=True, check=False,
                             env=dict(os.environ, PYTHONPATH=f"{ROOT}/tests"))
    fails_as_it_should(run)
    for said in ("got 'a', wanted 'b'", "'d' is not in 'abc'", "never: not after 0 s"):
        contains(run.stdout, said)


main()
