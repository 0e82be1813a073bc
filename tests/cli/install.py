#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# make install: what it puts where, and that somebody else's program can be built on it.
#     timeout: 300 s
import os
import re
import shutil
import subprocess
import tempfile

from harness import DEBUGCALL, Program, Target, contains, equal, good, main, skip, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

SOURCE = r"""
#include <debugcall.h>
#include <stdio.h>
#include <stdlib.h>

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
	return 0;
}
"""


def run(*args, env=None):
    done = subprocess.run(args, cwd=ROOT, env=dict(os.environ, **(env or {})), capture_output=True, text=True,
                          check=False)
    equal(done.returncode, 0, f"{' '.join(args)}: {done.stdout}{done.stderr}")
    return done.stdout


def installed(directory):
    run("make", "--no-print-directory", "install-debugcall", f"DESTDIR={directory}", "PREFIX=/usr",
        f"SAN={os.environ.get('SAN', '')}")
    return os.path.join(directory, "usr")


@test
def files():
    """program, libraries, header, manual page and pkg-config file"""
    with tempfile.TemporaryDirectory() as directory:
        usr = installed(directory)
        for name in ("bin/debugcall", "lib/libdebugcall.a", "lib/libdebugcall.so", "include/debugcall.h",
                     "share/man/man1/debugcall.1", "lib/pkgconfig/debugcall.pc"):
            equal(os.path.isfile(os.path.join(usr, name)), True, name)
        run(os.path.join(usr, "bin/debugcall"), "--version")


@test
def agent():
    """a program is built with the agent by pkg-config, and is called through it"""
    if not shutil.which("pkg-config"):
        skip("pkg-config is not installed")
    with tempfile.TemporaryDirectory() as directory:
        run("make", "--no-print-directory", "install-agent", f"DESTDIR={directory}", "PREFIX=/usr",
            f"SAN={os.environ.get('SAN', '')}")
        usr = os.path.join(directory, "usr")
        source, program = os.path.join(directory, "user.c"), os.path.join(directory, "user")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <debugcall_agent.h>\n#include <stdio.h>\n#include <unistd.h>\n"
                       "int is_open(void) { return debugcall_agent_is_open(); }\n"
                       'int main(void) { puts("ready"); fflush(stdout); for (;;) pause(); }\n')
        found = {"PKG_CONFIG_PATH": f"{usr}/lib/pkgconfig", "PKG_CONFIG_SYSROOT_DIR": directory}
        flags = run("pkg-config", "--cflags", "--libs", "debugcall-agent", env=found).split()
        run("cc", "-g", "-o", program, source, f"-I{usr}/include", f"-L{usr}/lib", *flags)
        names = run("nm", "-D", "--defined-only", f"{usr}/lib/libdebugcall-agent.so").split()
        equal(sorted(names[2::3]), ["__longjmp_chk", "_longjmp", "debugcall_agent_is_open", "debugcall_poll", "longjmp", "siglongjmp"])
        with Program(program, env={"LD_LIBRARY_PATH": f"{usr}/lib"}) as target:
            contains(good("--json", "-p", target.pid, "is_open()"), '"value":"1","type":"int","host":"agent"')


@test
def exports():
    """the shared library exports dc_* alone"""
    with tempfile.TemporaryDirectory() as directory:
        library = os.path.join(installed(directory), "lib/libdebugcall.so")
        names = [line.split()[-1].split("@")[0]
                 for line in run("nm", "-D", "--defined-only", library).splitlines()]
        names = [name for name in names if name != "DEBUGCALL_1"]
        equal([name for name in names if not name.startswith("dc_")], [])
        equal("dc_evaluate" in names and "dc_open" in names, True, names)
        contains(run("readelf", "-dW", library), "libdebugcall.so.0")


@test
def built_on():
    """a program built with pkg-config on the shared library makes a call"""
    if os.environ.get("SAN"):
        skip("the library wants the sanitizer's own linking")
    if not shutil.which("pkg-config"):
        skip("pkg-config is not installed")
    with tempfile.TemporaryDirectory() as directory, Target() as target:
        usr = installed(directory)
        source, program = os.path.join(directory, "user.c"), os.path.join(directory, "user")
        with open(source, "w", encoding="utf-8") as file:
            file.write(SOURCE)
        found = {"PKG_CONFIG_PATH": f"{usr}/lib/pkgconfig", "PKG_CONFIG_SYSROOT_DIR": directory}
        flags = run("pkg-config", "--cflags", "--libs", "debugcall", env=found).split()
        run("cc", "-o", program, source, f"-I{usr}/include", f"-L{usr}/lib", *flags)
        equal(run(program, str(target.pid), env={"LD_LIBRARY_PATH": f"{usr}/lib"}), "3\n")
        contains(run("readelf", "-dW", program), "libdebugcall.so.0")


def items(page, macro):
    """What the manual page describes: the .It lines that begin with the macro."""
    return re.findall(rf"^\.It ({macro} .*)$", page, re.M)


def as_item(row):
    """A row of --help as the manual page would have it."""
    words = re.split(r"\s{2,}", row.strip())[0].split()
    item = []
    for word in words:
        if word.startswith("-"):
            item.append(f"Fl {word.rstrip(',')[1:]}" + " ," * word.endswith(","))
        elif not item:
            item.append(f"Cm {word}")
        else:
            item.append(("Op " if word.startswith("[") else "") + "Ar " + word.strip("[]").replace("...", " ..."))
    return " ".join(item)


@test
def manual():
    """the manual page has the commands and options of --help, and is well-formed"""
    with open(os.path.join(ROOT, "debugger/debugcall.1"), encoding="utf-8") as file:
        page = file.read()
    said = run(DEBUGCALL, "--help")
    commands, options = (part.split("\n\n")[0].splitlines()
                         for part in re.split(r"\nCommands:\n|\nOptions:\n", said)[1:])
    equal(items(page, "Cm"), [as_item(row) for row in commands])
    equal(items(page, "Fl"), [as_item(row) for row in options])
    if shutil.which("mandoc"):
        run("mandoc", "-T", "lint", "-W", "error", "debugger/debugcall.1")
    elif shutil.which("groff"):
        done = subprocess.run(["groff", "-mdoc", "-ww", "-z", "debugger/debugcall.1"], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        equal(done.stderr, "")
    else:
        skip("neither mandoc nor groff is installed")


main()
