#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# A unit knows its language: what is written in one whose calls are not C's is refused by its name, through
# C and C++ programs that have some of it. C in the same program is called as ever.
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, expect, main, row, skip

MAIN = """
#include <stdio.h>
#include <unistd.h>
int from_c(int a) { return a + 1; }
int main(void)
{
	char c;

	puts("ready");
	fflush(stdout);
	return (int)read(0, &c, 1) + from_c(1) - 2;
}
"""
FORTRAN = """
integer function add(a, b)
  integer :: a, b
  add = a + b
end function
"""
RUST = """
#![crate_type = "staticlib"]
pub mod inner { #[inline(never)] pub fn mangled(a: i32) -> i32 { a + 2 } }
#[no_mangle] pub extern "C" fn exported(a: i32) -> i32 { inner::mangled(a) + 3 }
#[used] static KEEP: fn(i32) -> i32 = inner::mangled;
"""


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def program(directory, compiler, source, text, *command):
    """A C program with a part that another compiler made."""
    if not shutil.which(compiler):
        skip(f"{compiler} is not installed")
    part = os.path.join(directory, "part.o")
    subprocess.run([compiler, *command, "-o", part, write(directory, source, text)], check=True,
                   cwd=directory, stdout=subprocess.DEVNULL)
    whole = os.path.join(directory, "whole")
    subprocess.run(["gcc", "-g", "-o", whole, write(directory, "main.c", MAIN), "-Wl,--whole-archive", part,
                    "-Wl,--no-whole-archive"], check=True)
    return whole


def refused(compiler, source, text, command, calls, *words):
    with tempfile.TemporaryDirectory() as directory:
        path = program(directory, compiler, source, text, *command)
        with Program(path) as target:
            for call in calls:
                run = debugcall("-p", target.pid, call)
                expect(run.code == 6 and not run.out, f"{call}: {run}")
                for word in words:
                    expect(word in run.err, f"{call}: '{word}' wanted: {run}")
            run = debugcall("-q", "-p", target.pid, "from_c(4)")
            expect(run.code == 0 and run.out == "5\n", run)
            run = debugcall("functions", "-p", target.pid, "^(add_|from_c)$")
            expect("from_c" in run.out and "add_" not in run.out, run)


def rust():
    with tempfile.TemporaryDirectory() as directory:
        path = program(directory, "rustc", "part.rs", RUST, "-g", "-C", "panic=abort")
        with Program(path) as target:
            run = debugcall("-q", "-p", target.pid, "exported(4)")
            expect(run.code == 0 and run.out == "9\n", run)
            run = debugcall("-p", target.pid, "part::inner::mangled(4)")
            expect(run.code == 6 and "a Rust function" in run.err, run)


row("Fortran", refused, "gfortran", "part.f90", FORTRAN, ["-g", "-c"], ["add_(1, 2)", "add_(&1, &2)"],
    "a Fortran function")
row("Rust, but for what it exports to C", rust)
main()
