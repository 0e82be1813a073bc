#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What a C library and its headers have, in programs that say nothing of it: prototypes, data, macros. In static
# programs, beside another allocator, and where the program has such names for itself.    timeout: 300 s
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, expect, main, row, skip

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <poll.h>
#include <pwd.h>
#include <fcntl.h>
#include <errno.h>
struct rlimit limit;
time_t when = 5;
struct utsname names;
#ifdef OWN
int O_CREATED = 4;
enum { MINE = 7 } mine;
#undef SIGUSR1
int SIGUSR1 = 99;
#endif
void *keep[] = { (void *) prlimit, (void *) uname, (void *) localtime, (void *) poll, (void *) malloc, (void *) free,
		 (void *) getppid, (void *) access, (void *) strtol, (void *) setenv, (void *) getenv,
		 (void *) open, (void *) close };
int main(void) { char c; errno = EINVAL + !environ + !stdout; puts("ready"); fflush(stdout); return (int) read(0, &c, 1); }
"""
CASES = [
    ("prlimit(0, RLIMIT_NOFILE, 0, &limit)", "0"), ("uname(&names)", "0"), ("poll(0, 0, 0)", "0"),
    ("access(\"/\", R_OK)", "0"), ("access(\"/nowhere\", F_OK) == -1", "1"), ("open(\"/nowhere\", O_RDONLY | O_CLOEXEC)", "-1"),
    ("O_CREAT | O_EXCL", "192"), ("SIGTERM", "15"), ("ENOENT", "2"), ("RTLD_NOW | RTLD_GLOBAL", "258"), ("/x O_CLOEXEC", "0x80000"),
    ("localtime(&when) != 0", "1"), ("free(malloc(5))", ""), ("environ[0] != 0", "1"), ("stdout != 0", "1"),
    ("sizeof(SIGTERM)", "4"),
]
WAYS = {"gcc": "gcc -g", "static": "gcc -g -static", "musl": "musl-gcc -g", "musl, static": "musl-gcc -g -static"}


def build(directory, command):
    if not shutil.which(command.split()[0]):
        skip("the compiler is not installed")
    source, path = os.path.join(directory, "c.c"), os.path.join(directory, "c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    subprocess.run([*command.split(), "-D_GNU_SOURCE", "-w", "-o", path, source], check=True)
    return path


def check(command):
    with tempfile.TemporaryDirectory() as directory, Program(build(directory, command)) as program:
        for expression, value in CASES:
            run = debugcall("-q", "-p", program.pid, expression)
            expect(run.code == 0 and run.out == (value + "\n" if value else ""), f"{expression}: wanted {value}, got {run}")


def own():
    with tempfile.TemporaryDirectory() as directory, Program(build(directory, "gcc -g -DOWN")) as program:
        for expression, value in (("SIGUSR1", "99"), ("SIGUSR2", "12"), ("MINE", "MINE")):
            run = debugcall("-q", "-p", program.pid, expression)
            expect(run.code == 0 and run.out == value + "\n", f"{expression}: wanted {value}, got {run}")


for title, way in WAYS.items():
    row(title, check, way)
row("the program's own names come first", own)
main()
