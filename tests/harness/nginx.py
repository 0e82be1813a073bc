# SPDX-License-Identifier: MIT
# nginx with one worker, answering "fine" on a port of its own.
import os
import signal
import subprocess
import tempfile
import urllib.request

from .tap import until
from .targets import free_port


class Nginx:
    def __init__(self, env=None):
        self.port = free_port()
        self.directory = tempfile.TemporaryDirectory()
        os.chmod(self.directory.name, 0o755)
        self.log = os.path.join(self.directory.name, "log")
        conf = os.path.join(self.directory.name, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(f"daemon off; worker_processes 1; pid {self.directory.name}/pid; error_log {self.log} info;\n"
                       "events {}\nhttp { access_log off; server { "
                       f"listen 127.0.0.1:{self.port}; location / {{ return 200 'fine'; }} }} }}\n")
        self.process = subprocess.Popen(["nginx", "-c", conf, "-p", self.directory.name], stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, **(env or {})))
        self.pid = self.process.pid
        try:
            until(self.get, "nginx answers")
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="utf-8") as file:
                self.worker = int(file.read().split()[0])
        except BaseException:
            self.end()
            raise

    def get(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=20) as answer:
                return answer.read() == b"fine"
        except OSError:
            return False

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
