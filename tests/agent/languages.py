#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The manual's recipes for runtimes of other languages, with an agent preloaded: no thread is stopped for them, and
# the program works on.
import os
import shutil
import subprocess
import tempfile

from harness import B, debugcall, equal, expect, main, row, skip, until

PYTHON = """
import threading
answer = 41
def compute():
    while True:
        sum(range(1000))
threading.Thread(target=compute, daemon=True).start()
while True:
    with open("ticks", "a") as file:
        file.write("x")
    sum(range(1000))
"""
RUBY = """
require "fiddle"
$answer = 41
$poll = Fiddle::Function.new(Fiddle.dlopen(nil)["debugcall_poll"], [], Fiddle::TYPE_INT, need_gvl: true)
loop { $poll.call; File.write("ticks", "x", mode: "a"); sleep 0.005 }
"""
NODE = "setInterval(() => { require('fs').appendFileSync('ticks', 'x') }, 5)"
JAVA = """
public class Ticks {
    static void write(String file, String text, boolean append) throws Exception {
        try (var writer = new java.io.FileWriter(file, append)) {
            writer.write(text);
        }
    }
    public static void main(String[] arguments) throws Exception {
        for (;;) {
            write("ticks", "x", true);
            write("proof", System.getProperty("answer", "none"), false);
            Thread.sleep(5);
        }
    }
}
"""
JNI_DETACH, JNI_ATTACH_DAEMON, JNI_FIND_CLASS, JNI_METHOD, JNI_CALL_OBJECT, JNI_TEXT = 5, 7, 6, 113, 116, 167


class Running:
    """A program in its folder that appends to the file "ticks" for ever."""

    def __init__(self, name, *args):
        if not shutil.which(name):
            skip(f"{name} is not installed")
        self.folder = tempfile.TemporaryDirectory()
        self.output = open(self.file("output"), "w", encoding="utf-8")
        self.process = None
        self.args = [name, *args]
        with open(self.file("Ticks.java"), "w", encoding="utf-8") as file:
            file.write(JAVA)

    def file(self, name):
        return os.path.join(self.folder.name, name)

    def read(self, name):
        if not os.path.exists(self.file(name)):
            return ""
        with open(self.file(name), encoding="utf-8") as file:
            return file.read()

    def __enter__(self):
        self.process = subprocess.Popen(self.args, cwd=self.folder.name, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output,
                                        env=dict(os.environ, LD_PRELOAD=f"{B}/libdebugcall-agent.so"))
        self.pid = self.process.pid
        self.works_on()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.output.close()
        self.folder.cleanup()

    def works_on(self):
        before = len(self.read("ticks"))

        def ticks():
            expect(self.process.poll() is None, f"it ended: {self.read('output')}")
            return len(self.read("ticks")) > before

        until(ticks, f"{self.args[0]} works on: {self.read('output')}", 100)

    def calls(self, *args):
        run = debugcall("--json", "-p", self.pid, *args)
        equal(run.code, 0, run)
        expect('"host":"agent"' in run.out and '"host":"bare"' not in run.out, run)
        self.works_on()
        return run


def python():
    with Running("/usr/bin/python3", "-c", PYTHON) as program:
        for i in range(3):
            program.calls("--finally", "(void) PyGILState_Release($1)", "(int) PyGILState_Ensure()",
                          f"(int) PyRun_SimpleString(\"print(answer + {i}, file=open('proof', 'w'))\")")
            until(lambda want=str(41 + i): program.read("proof").strip() == want, "the code ran")


def ruby():
    with Running("ruby", "-e", RUBY) as program:
        here = "--thread", program.pid, "--host", "agent", "--wait", "60s"
        for i in range(3):
            program.calls(*here, "(unsigned long) rb_eval_string_protect("
                          f"\"File.write('proof', ($answer + {i}).to_s)\", (int *) 0)")
            equal(program.read("proof"), str(41 + i))
        program.calls(*here, "(unsigned long) rb_eval_string_protect(\"no_such + 1\", (int *) 0)")


def node():
    with Running("node", "--inspect-port=0", "-e", NODE) as program:
        run = program.calls("(int) uv_loop_alive((void *) uv_default_loop())", "kill(getpid(), 10)")
        expect('"value":"1"' in run.out, run)
        until(lambda: "Debugger listening" in program.read("output"), "the inspector is open")
        program.works_on()


def java():
    with Running("java", "Ticks.java") as program:
        for i in range(2):
            program.calls(
                "--pass", "SEGV",
                "--finally", f"((int (*)(void *)) (*(void ***) $vm[0])[{JNI_DETACH}])($vm[0])",
                "$vm = (void **) calloc(3UL, 8UL)", "(int) JNI_GetCreatedJavaVMs($vm, 1, (int *) &$vm[1])",
                f"((int (*)(void *, void **, void *)) (*(void ***) $vm[0])[{JNI_ATTACH_DAEMON}])($vm[0], &$vm[2], 0)",
                "$env = $vm[2]", "$jni = *(void ***) $env",
                f"$class = ((void *(*)(void *, char *)) $jni[{JNI_FIND_CLASS}])($env, \"java/lang/System\")",
                f"$method = ((void *(*)(void *, void *, char *, char *)) $jni[{JNI_METHOD}])($env, $class, \"setProperty\", "
                "\"(Ljava/lang/String;Ljava/lang/String;)Ljava/lang/String;\")",
                "$args = (void **) calloc(2UL, 8UL)",
                f"$args[0] = ((void *(*)(void *, char *)) $jni[{JNI_TEXT}])($env, \"answer\")",
                f"$args[1] = ((void *(*)(void *, char *)) $jni[{JNI_TEXT}])($env, \"{42 + i}\")",
                f"((void *(*)(void *, void *, void *, void **)) $jni[{JNI_CALL_OBJECT}])($env, $class, $method, $args)")
            until(lambda want=str(42 + i): program.read("proof") == want, "the machine has the property")


row("python3: its lock is taken for the call, whatever its threads do", python)
row("ruby: a thread that offers itself runs code; an exception ends nothing", ruby)
row("node: libuv's functions, and the inspector", node)
row("java: the agent's thread becomes one of the machine's, and leaves it again", java)
main()
