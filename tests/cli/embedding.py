#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# libdebugcall.a in somebody else's program: no name is taken but what debugcall.h declares, in C and in C++.
#     timeout: 300 s
import os
import re
import subprocess
import tempfile

from harness import Target, equal, main, skip, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.path.join(ROOT, os.environ.get("B", "build/release"))
HEADER = os.path.join(ROOT, "debugger/debugcall.h")

# Every name is a function of the program's own that ends it: a call of ours that lands there is seen.
SOURCE = r"""
#include "debugger/debugcall.h"
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif
#define MINE(name) void name(void) { fputs(#name "\n", stderr); abort(); }
%s
#ifdef __cplusplus
}
#endif

int main(int argc, char **argv)
{
	struct dc_options options;
	struct dc_session *session;
	char *text = NULL;

	dc_options_init(&options);
	options.pid = argc > 1 ? atoi(argv[1]) : 0;

	struct dc_error *err = dc_open(&options, &session);

	if (!err)
		err = dc_print(session, "add(1, 2)", &text);
	puts(err ? err->message : text);
	dc_close(session);
	return 0;
}
"""


def run(*args):
    done = subprocess.run(args, cwd=ROOT, capture_output=True, text=True, check=False)
    equal(done.returncode, 0, f"{' '.join(args)}: {done.stdout}{done.stderr}")
    return done.stdout


def defined(*archives):
    """The global names of archives; what the compiler makes itself is not a name of ours."""
    rows = (line.split() for archive in archives for line in run("nm", "-g", "--defined-only", archive).splitlines())
    return {row[-1] for row in rows if len(row) == 3 and re.fullmatch(r"[A-Za-z]\w*", row[-1])}


def declared():
    with open(HEADER, encoding="utf-8") as file:
        return set(re.findall(r"\b(dc_\w+)\(", file.read()))


def libraries():
    """What debugcall.pc says that a static link needs."""
    with open(os.path.join(ROOT, "debugger/build.mk"), encoding="utf-8") as file:
        return re.search(r"^DEBUGGER_LIBS := (.*)$", file.read(), re.M).group(1).split()


def embeds(language, compiler):
    if os.environ.get("SAN"):
        skip("the library wants the sanitizer's own linking")
    names = sorted(defined(f"{B}/internal.a") - declared())
    equal(len(names) > 400, True, f"only {len(names)} internal names")
    with tempfile.TemporaryDirectory() as directory, Target() as target:
        source, program = f"{directory}/user.{language}", f"{directory}/user"
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE % "\n".join(f"MINE({name})" for name in names))
        # gcc warns of names that are built-in functions elsewhere; they are the program's all the same.
        run(compiler, "-w", "-I.", "-o", program, source, f"{B}/libdebugcall.a", *libraries())
        equal(run(program, str(target.pid)), "3\n")


@test
def exports():
    """the archive defines what debugcall.h declares and nothing else"""
    equal(sorted(defined(f"{B}/libdebugcall.a") ^ declared()), [])


@test
def embeds_c():
    """a C program has a function of each internal name, and calls"""
    embeds("c", "gcc")


@test
def embeds_cxx():
    """so has a C++ program"""
    embeds("cc", "g++")


@test
def header():
    """debugcall.h compiles by itself, with every warning, as C11 and as C++"""
    with tempfile.TemporaryDirectory() as directory:
        for compiler, dialect, suffix in (("gcc", "c11", "c"), ("g++", "c++11", "cc"), ("g++", "c++20", "cc")):
            source = f"{directory}/header.{suffix}"
            with open(source, "w", encoding="utf-8") as file:
                file.write('#include "debugger/debugcall.h"\n#include "debugger/debugcall.h"\n')
            run(compiler, f"-std={dialect}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I.", "-fsyntax-only", source)


main()
