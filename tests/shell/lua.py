#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Scripts in Lua: values, calls, errors, stops, and the scripts that are useful as they are.
#     timeout: 300 s
import os
import re
import signal
import tempfile

from harness import TARGETS, Program, Target, contains, debugcall, equal, expect, finish, main, start, test, until

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")


def run(pid, text, *options, code=0):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "script.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = debugcall("-p", pid, *options, "-x", path)
    expect(done.code == code, done)
    return done


@test
def values():
    """numbers are numbers, structs have fields, pointers point"""
    with Target() as target:
        out = run(target.pid, """
print(target.call("add", 1, 2), target.call("half", 3.0), target.eval("(char)65"))
local pair = target.call("make_pair", 4, 0.25)
print(pair.a, pair.b, #pair, pair, target.type(pair))
print(target.eval("BLUE"), target.eval("1 == 1"), target.eval("(void)0"))
local spins = target.eval("&spins")
target.eval("spins = 7")
print(spins[0], string.unpack("<I8", target.read(spins, 8)), target.address(spins) == target.address(target.eval("&spins")))
print(target.string(target.eval('(const char *)"a text"')))
print(target.call("strlen", "four"), target.pid())
print(#target.threads(), target.threads()[1].id, target.stacks()[1].frames[1].func ~= nil)
""").out.splitlines()
        equal(out[0], "3\t1.5\t65")
        equal(out[1], "4\t0.25\t2\t{a = 4, b = 0.25}\tstruct pair")
        equal(out[2], "2\t1\tnil")
        expect(out[3].startswith("7\t7\t") and out[3].endswith("\ttrue"), out[3])
        equal(out[4:6], ["a text", f"4\t{target.pid}"])
        equal(out[6], f"1\t{target.pid}\ttrue")
        target.answers()


@test
def borrowed():
    """calls of one function of Lua's share a thread, and it is back whatever becomes of the function"""
    with Target() as target:
        done = run(target.pid, """
local sum, more = target.borrow(function(n, more)
    local sum = 0
    for i = 1, n do sum = target.call("add", sum, i) end
    return sum, more + target.eval("add(1, 1)")
end, 100, 5)
print(sum, more)
print(pcall(target.borrow, function() target.call("add", 1, 2); error("gave up", 0) end))
print(pcall(target.borrow, function() target.call("crash") end))
print(pcall(target.borrow, 7))
print(target.call("add", 20, 22))
""").out.splitlines()
        equal(done[:2], ["5050\t7", "false\tgave up"])
        contains(done[2], "crash")
        contains(done[3], "function expected")
        equal(done[4], "42")
        target.answers()


@test
def errors():
    """errors are Lua's, with code and state; those that nobody catches have their place and a status"""
    with Target() as target:
        equal(run(target.pid, """
local ok, err = pcall(target.call, "crash")
print(ok, err.code, err.state, tostring(err) == err.message)
ok, err = pcall(function() return target.call("make_pair", 1, 1).nothing end)
print(ok, err.message)
""").out, "false\tcrashed\tthe target runs on, restored\ttrue\nfalse\tthere is no member 'nothing' in struct pair\n")
        contains(run(target.pid, "\n\ntarget.eval('nosuch + 1')\n", code=1).err, "script.lua:3: error: no symbol 'nosuch'")
        contains(run(target.pid, "local x = nil + 1\n", code=1).err, "script.lua:1: error: attempt")
        contains(run(target.pid, "this is no Lua\n", code=1).err, "script.lua:1: error: ")
        contains(run(target.pid, "target.call('add', {}, 2)\n", code=2).err, "no number, text or pointer")
        equal(run(target.pid, "target.eval('nap(9)')\n", "--timeout", "50ms", code=5).out, "")
        target.answers()


@test
def options():
    """lines of Lua and files share their globals, and stand among other commands"""
    with Target() as target:
        done = debugcall("-p", target.pid, "-ex", "lua n = 20", "-ex", "echo one\\n", "-ex", "lua print(n + target.call('add', 1, 1))",
                         "-ex", "lua print(target.command('output 5'))")
        equal((done.code, done.out), (0, "one\n22\n50\n"), done)


@test
def stops():
    """a breakpoint's function sees the frame, and may keep the thread there"""
    with Program(f"{TARGETS}/comers", "1") as target:
        out = run(target.pid, """
local n = 0
local number = target.breakpoint("serve", function(stop)
	n = n + 1
	assert(target.eval("order->number") > 0)
	return n == 50
end)
local stop = target.run(60)
print(n, stop.frame.func, stop.breakpoint == number, target.frames(stop.thread)[1].func)
target.delete(number)
target.continue(stop.thread)
print(target.run(0))
""").out
        contains(out, "50\tserve\ttrue\t")
        contains(out, "nil\n")
        contains(run(target.pid, 'target.breakpoint("serve", function() while true do end end)\ntarget.run(60)\n', code=2).err,
                 "did not end in time")


@test
def interrupted():
    """Ctrl-C ends a script that computes, and one that calls"""
    with Target() as target:
        for text in ("print('runs')\nwhile true do end\n", "print('runs')\npcall(target.call, 'spin')\nwhile true do end\n"):
            with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
                file.write(text)
                file.flush()
                process = start("-p", target.pid, "-x", file.name)
                equal(process.stdout.readline(), "runs\n")
                if "spin" in text:
                    until(lambda: target.state() == "R", "the callee runs")
                process.send_signal(signal.SIGINT)
                equal(finish(process).code, 130)
        target.answers()


@test
def escapes():
    """print shows no control characters of the target"""
    with Target() as target:
        out = run(target.pid, """print(target.string(target.eval('(const char *)"\\\\033[31mred"')))""").out
        equal(out, "?[31mred\n")


@test
def scripts():
    """the scripts that come along do what they say"""
    with Target() as target:
        def script(name, *lua, pid=target.pid):
            options = [word for text in lua for word in ("-ex", "lua " + text)]
            done = debugcall("-q", "-p", pid, *options, "-x", os.path.join(SCRIPTS, name))
            expect(done.code == 0, f"{name}: {done}")
            return done.out

        contains(script("chart.lua", "expr, seconds, step = 'add(2, 3)', 0.3, 0.1"), "5 ####")
        contains(script("loglevel.lua", "variable, level, seconds = 'spins', 4, 0.1"), "-> 4\nspins: back to ")
        contains(script("malloc.lua"), "from system")
        contains(script("leak.lua", "seconds = 0.1"), "bytes in use")
        contains(script("threads.lua"), "read")
        contains(script("profile.lua", "rounds = 2"), "stacks of threads that ran")
        contains(script("environment.lua"), "PATH=")
        contains(script("flush.lua"), "fflush: 0")
        with Program(f"{TARGETS}/callfuncs") as lists:
            equal(script("list.lua", "head, link = '&g_head', 'next'", pid=lists.pid).splitlines()[-1], "2 members")
        with Program(f"{TARGETS}/comers", "1") as comers:
            children = f"{TARGETS}/plain < /dev/zero > /dev/null & child=$!; echo ready; read line; kill $child"
            with Program("sh", "-c", children) as master:
                lines = script("workers.lua", "expr = '(int)getpid()'", pid=master.pid).splitlines()
                equal([len(set(line.split())) for line in lines], [1], lines)
                master.process.stdin.write("\n")
                master.process.stdin.flush()
                master.process.wait()
            expect(re.search(r"[1-9]\d* calls of note", script("callers.lua", "place, seconds = 'note', 1", pid=comers.pid)), "callers")


main()
