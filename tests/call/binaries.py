#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# One small program built in every way that changes where symbols and types are found: each can be
# called, with types where they exist and by a cast where they do not.    timeout: 300 s
import os
import shutil
import subprocess
import tempfile

from harness import Program, debugcall, expect, main, row, skip

SOURCE = r"""
#include <stdio.h>
struct point { int x, y; };
struct point where = { 1, 2 };
_Thread_local int per_thread = 11;
static int hidden(int a) { return a * 3; }
__attribute__((noinline)) struct point flip(struct point p) { return (struct point){ p.y, p.x }; }
__attribute__((noinline)) double multf(float a, float b) { return a * b; }
int main(void)
{
	char c;
	printf("ready\n");
	fflush(stdout);
	while (fread(&c, 1, 1, stdin) == 1)
		where.x += hidden(c) + per_thread + flip(where).x + (int)multf(1, 2);
	return 0;
}
"""

WAYS = {
    "gcc, DWARF 5": "gcc -g -gdwarf-5",
    "gcc, DWARF 4": "gcc -g -gdwarf-4",
    "gcc -O2": "gcc -g -O2 -fno-inline",
    "clang, DWARF 5": "clang -g -gdwarf-5",
    "clang, DWARF 4": "clang -g -gdwarf-4",
    "type units": "gcc -g -fdebug-types-section",
    "compressed sections": "gcc -g -gz=zlib",
    "not position independent": "gcc -g -no-pie",
    "static": "gcc -g -static",
    "static, position independent": "gcc -g -static-pie",
    "musl": "musl-gcc -g",
    "musl, static": "musl-gcc -g -static",
    "split DWARF index": "gcc -g -ggnu-pubnames",
    "lto": "gcc -g -O1 -flto -fno-inline",
    "C++": "g++ -x c++ -g -D_Thread_local=thread_local",
}


def build(directory, command, name="small"):
    source = os.path.join(directory, "small.c")
    program = os.path.join(directory, name)
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    subprocess.run([*command.split(), "-o", program, source], check=True, capture_output=True)
    return program


def typed(pid, tls=True):
    run = debugcall("-p", pid, "flip(where)", "hidden(5)", "multf(2.5f, 2)", "flip((struct point){7, 8}).x",
                    *(["per_thread"] if tls else []))
    expect(run.code == 0, run)
    expect(run.out.splitlines() == ["{x = 2, y = 1}", "15", "5", "8"] + (["11"] if tls else []), run)


def untyped(pid):
    """Only symbols: a cast says what the debug information cannot."""
    run = debugcall("-p", pid, "(double) multf(2.5f, 2.0f)")
    expect(run.code == 0, run)
    run = debugcall("-p", pid, "((double (*)(float, float)) multf)(2.5, 2)")
    expect(run.code == 0 and run.out == "5\n", run)
    run = debugcall("-p", pid, "multf(2.5f, 2.0f)")
    expect(run.code == 6 and "cast" in run.err, run)
    run = debugcall("-p", pid, "getpid()")
    expect(run.code == 0 and run.out == f"{pid}\n", run)


def way(command):
    if not shutil.which(command.split()[0]):
        skip(f"{command.split()[0]} is not installed")
    with tempfile.TemporaryDirectory() as directory:
        with Program(build(directory, command)) as program:
            typed(program.pid)


def symbols_only():
    with tempfile.TemporaryDirectory() as directory:
        with Program(build(directory, "gcc")) as program:
            untyped(program.pid)


def dynamic_symbols_only():
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -rdynamic")
        subprocess.run(["strip", path], check=True)
        with Program(path) as program:
            untyped(program.pid)


def stripped():
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -g")
        subprocess.run(["strip", path], check=True)
        with Program(path) as program:
            run = debugcall("-p", program.pid, "getpid()")
            expect(run.code == 0 and run.out == f"{program.pid}\n", run)
            run = debugcall("-p", program.pid, "multf(1.0f, 2.0f)")
            expect(run.code == 1 and "multf" in run.err, run)


def debug_link(where):
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -g")
        os.makedirs(os.path.join(directory, where), exist_ok=True)
        debug = os.path.join(directory, where, "small.debug")
        subprocess.run(["objcopy", "--only-keep-debug", path, debug], check=True)
        subprocess.run(["strip", path], check=True)
        subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", path], check=True, cwd=directory)
        with Program(path) as program:
            typed(program.pid)


def build_id():
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -g -Wl,--build-id=sha1")
        note = subprocess.run(["readelf", "-n", path], check=True, capture_output=True, text=True).stdout
        number = note.split("Build ID:")[1].split()[0]
        folder = f"/usr/lib/debug/.build-id/{number[:2]}"
        debug = f"{folder}/{number[2:]}.debug"
        if os.geteuid():
            skip("needs root to place a debug file")
        os.makedirs(folder, exist_ok=True)
        try:
            subprocess.run(["objcopy", "--only-keep-debug", path, debug], check=True)
            subprocess.run(["strip", path], check=True)
            with Program(path) as program:
                typed(program.pid)
        finally:
            os.unlink(debug)
            try:
                os.rmdir(folder)
            except OSError:
                pass


def deleted():
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -g")
        with Program(path) as program:
            os.unlink(path)
            typed(program.pid)


def replaced():
    """Another program under the same name must not lend its symbols."""
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -g")
        other = build(directory, "gcc -g -O2 -DOTHER -fno-inline -falign-functions=256", "other")
        with Program(path) as program:
            os.rename(other, path)
            typed(program.pid)


def mapped_again():
    """A part of the program that is mapped a second time is no module; nothing is said of it."""
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -g")
        again = os.path.join(directory, "again.c")
        with open(again, "w", encoding="utf-8") as file:
            file.write("#include <fcntl.h>\n#include <sys/mman.h>\n"
                       "__attribute__((constructor)) static void again(void) {"
                       " mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, open(\"/proc/self/exe\", O_RDONLY), 4096); }")
        library = os.path.join(directory, "again.so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, again], check=True)
        with Program("env", f"LD_PRELOAD={library}", path) as program:
            with open(f"/proc/{program.pid}/maps", encoding="utf-8") as maps:
                expect(sum(path in line and " 00001000 " in line for line in maps) == 2, "mapped twice")
            run = debugcall("functions", "-p", program.pid, "^(hidden|flip)$")
            expect(run.code == 0 and len(run.out.splitlines()) == 2 and not run.err, run)
            typed(program.pid)


def truncated():
    """A debug file cut short is said so; nothing crashes, and symbols still work."""
    with tempfile.TemporaryDirectory() as directory:
        path = build(directory, "gcc -g")
        debug = os.path.join(directory, "small.debug")
        subprocess.run(["objcopy", "--only-keep-debug", path, debug], check=True)
        subprocess.run(["strip", "-g", path], check=True)
        subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", path], check=True, cwd=directory)
        with open(debug, "r+b") as file:
            file.truncate(os.path.getsize(debug) // 2)
        with Program(path) as program:
            run = debugcall("-p", program.pid, "(double) multf(2.5f, 2.0f)")
            expect(run.code == 0, run)


def mini_debug(damage=False):
    """A stripped program with its symbols packed into .gnu_debugdata, as some distributions have them."""
    if not shutil.which("xz"):
        skip("xz is not installed")
    with tempfile.TemporaryDirectory() as directory:
        program = build(directory, "gcc -fno-inline")
        symbols = os.path.join(directory, "mini")
        subprocess.run(["objcopy", "--strip-debug", "--only-keep-debug", program, symbols], check=True)
        subprocess.run(["xz", symbols], check=True)
        if damage:
            with open(f"{symbols}.xz", "r+b") as file:
                file.seek(os.path.getsize(f"{symbols}.xz") // 2)
                file.write(b"damaged")
        subprocess.run(["strip", program], check=True)
        subprocess.run(["objcopy", "--add-section", f".gnu_debugdata={symbols}.xz", program], check=True)
        with Program(program) as target:
            run = debugcall("-p", target.pid, "(int) hidden(5)")
            if damage:
                expect(run.code == 1 and "no symbol" in run.err, run)
            else:
                expect(run.code == 0 and run.out == "15\n", run)
                untyped(target.pid)


for name, line in WAYS.items():
    row(name, way, line)
row("symbols without debug information", symbols_only)
row("dynamic symbols only", dynamic_symbols_only)
row("stripped", stripped)
row("a debug file beside the program", debug_link, ".")
row("a debug file in .debug", debug_link, ".debug")
row("a debug file by build-id", build_id)
row("deleted", deleted)
row("replaced", replaced)
row("a part of the program mapped again", mapped_again)
row("symbols packed into a stripped program", mini_debug)
row("symbols packed into a stripped program, damaged", mini_debug, True)
row("a truncated debug file", truncated)
main()
