#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# timeout: 600 s
# VS Code, in a browser, debugs an HTTP server that is asked without end: every answer is the right one.
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

from harness import DEBUGCALL, expect, free_port, main, row, skip, status, until
from harness.http_server import HttpServer

SERVER = "build/ide/node_modules/code-server/out/node/entry.js"
SOURCE = "tests/targets/http_server.c"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Asking:
    """Requests, one after the other, each with its answer checked."""

    def __init__(self, server):
        self.port, self.answered, self.failures, self.ends = server.port, 0, [], False
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def ask(self):
        while not self.ends:
            a, b = self.answered, 7 * self.answered
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sum/{a}/{b}", timeout=300) as answer:
                    text = answer.read()
                if text != b"%d\n" % (a + b):
                    self.failures.append(text)
            except OSError as error:
                self.failures.append(error)
            self.answered += 1
            time.sleep(0.02)

    def end(self):
        self.ends = True
        self.thread.join()


def line_of(text):
    with open(SOURCE, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


def lay_out(folder, server):
    """The extension with an adapter that logs, and a project with the source and a configuration."""
    adapter = f"{folder}/adapter"
    with open(adapter, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {os.path.abspath(DEBUGCALL)} "$@" --log {folder}/log\n')
    os.chmod(adapter, 0o755)
    shutil.copytree("editors/vscode", f"{folder}/extensions/debugcall.debugcall-0.1.0")
    with open("editors/vscode/package.json", encoding="utf-8") as file:
        package = file.read().replace("@PREFIX@/bin/debugcall", adapter)
    with open(f"{folder}/extensions/debugcall.debugcall-0.1.0/package.json", "w", encoding="utf-8") as file:
        file.write(package)
    os.makedirs(f"{folder}/project/.vscode")
    os.makedirs(f"{folder}/project/{os.path.dirname(SOURCE)}")
    shutil.copy(SOURCE, f"{folder}/project/{SOURCE}")
    with open(f"{folder}/project/.vscode/launch.json", "w", encoding="utf-8") as file:
        json.dump({"version": "0.2.0", "configurations": [
            {"type": "debugcall", "request": "attach", "name": "Attach", "pid": server.pid, "callTimeout": 0,
             "cwd": "${workspaceFolder}"}]}, file)
    os.makedirs(f"{folder}/user/User")
    with open(f"{folder}/user/User/settings.json", "w", encoding="utf-8") as file:
        json.dump({"workbench.startupEditor": "none", "workbench.colorTheme": "Default Light Modern",
                   "debug.internalConsoleOptions": "openOnSessionStart", "debug.openDebug": "openOnDebugBreak",
                   "debug.toolBarLocation": "docked", "editor.minimap.enabled": False, "chat.commandCenter.enabled": False,
                   "workbench.layoutControl.enabled": False, "window.commandCenter": False,
                   "workbench.tips.enabled": False, "telemetry.telemetryLevel": "off", "update.mode": "none",
                   "extensions.autoCheckUpdates": False, "editor.accessibilitySupport": "off"}, file)


def begin_editor(folder, port):
    editor = subprocess.Popen(
        ["node", SERVER, "--auth", "none", "--bind-addr", f"127.0.0.1:{port}", "--disable-telemetry", "--disable-update-check",
         "--disable-workspace-trust", "--extensions-dir", f"{folder}/extensions", "--user-data-dir", f"{folder}/user",
         f"{folder}/project"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env=dict(os.environ, HOME=folder))

    def is_up():
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
        except OSError:
            return None
    until(is_up, "VS Code is up", 120)
    return editor


def session():
    if not os.path.exists(SERVER) or not CHROMIUM:
        skip("no code-server or no Chromium: tests/dap/ide/fetch gets them")
    pictures = os.path.abspath("build/ide/pictures")
    os.makedirs(pictures, exist_ok=True)
    # Nothing of the server's ends because a thread stands for a while.
    with tempfile.TemporaryDirectory() as folder, HttpServer(0, 600000) as server:
        lay_out(folder, server)
        asking = Asking(server)
        port = free_port()
        editor = None
        try:
            editor = begin_editor(folder, port)
            run = subprocess.run(["node", os.path.join(os.path.dirname(__file__), "vscode.js"), f"http://127.0.0.1:{port}/",
                                  f"{folder}/project", SOURCE, f"{folder}/log", pictures], env=dict(os.environ, CHROMIUM=CHROMIUM),
                                 stdout=subprocess.PIPE, text=True, check=False)
            for line in run.stdout.splitlines():
                print(f"# {line}" if line.startswith("ok") else line)
            expect(run.returncode == 0, run.stdout)
            answered = asking.answered
            until(lambda: asking.answered > answered + 10, "it serves on")
        finally:
            if editor:
                os.killpg(editor.pid, signal.SIGKILL)
                editor.wait()
            asking.end()
        server.check()
        expect(status(server.pid)["TracerPid"] == "0", "nobody traces it")
        expect(not asking.failures, asking.failures[:3])
        print(f"# {asking.answered} requests were answered, none wrongly")


row("VS Code attaches, calls, stops, steps and lets go, and no request fails", session)
main()
