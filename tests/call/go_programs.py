#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Servers in Go as Debian has them, stripped and linked with C: what they are is told, functions of theirs are called,
# and they serve on. Their packages are fetched and unpacked, never installed; a campaign alone does.    timeout: 900 s
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness import CAMPAIGN, debugcall, equal, expect, free_port, main, row, skip, until

FOLDER = tempfile.mkdtemp(prefix="go-programs-")
# With a type that is said, and what comes of it: (None: anything).
CALLS = (('(func(string) (int, error))(strconv.Atoi)("42")', "(42, error nil)"),
         ('(func(string, string) int)(strings.Index)("chicken", "ken")', "4"),
         ('(func(string) string)(strings.ToUpper)("go")', '"GO"'),
         ('(func(string, string, string, int) string)(strings.Replace)("oink", "k", "ky", -1)', '"oinky"'),
         ('(func(int64, int) string)(strconv.FormatInt)(-255, 16)', '"-ff"'),
         ('(func(string) string)(strconv.Quote)("a\\tb")', r'"\"a\\tb\""'),
         ("(func(float64) float64)(math.log2)(8)", "3"),
         ("(func())(runtime.GC)()", ""),
         ('(func(string, int) error)(syscall.Access)("/nowhere", 0)', None),
         ('(func(string) string)(os.Getenv)("DC_GO_PROGRAM")', '"here"'))


def unpacked(package, path):
    """The program in the package, where that can be had."""
    folder = f"{FOLDER}/{package}"
    if not os.path.exists(folder):
        os.mkdir(folder)
        run = subprocess.run(["apt-get", "download", package], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, timeout=120, check=False)
        files = [name for name in os.listdir(folder) if name.endswith(".deb")]
        if run.returncode or not files:
            skip(f"the package {package} cannot be had: {(run.stdout.splitlines() or ['?'])[-1]}")
        subprocess.run(["dpkg-deb", "-x", files[0], "."], cwd=folder, check=True)
    program = f"{folder}/{path}"
    expect(os.path.exists(program), f"{package} has no {path}")
    return program


def write(name, text):
    path = f"{FOLDER}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def node_exporter(port):
    return [unpacked("prometheus-node-exporter", "usr/bin/prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}"], "/metrics"


def prometheus(port):
    config = write("prometheus.yml", "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: self\n  static_configs:\n"
                                     f"  - targets: ['127.0.0.1:{port}']\n")
    return [unpacked("prometheus", "usr/bin/prometheus"), f"--config.file={config}", f"--storage.tsdb.path={FOLDER}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}"], "/-/healthy"


def registry(port):
    config = write("registry.yml", f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {FOLDER}/registry\n"
                                   f"http:\n  addr: 127.0.0.1:{port}\n")
    return [unpacked("docker-registry", "usr/bin/docker-registry"), "serve", config], "/v2/"


def caddy(port):
    config = write("Caddyfile", f"{{\n admin off\n}}\nhttp://127.0.0.1:{port} {{\n respond \"hello\"\n}}\n")
    return [unpacked("caddy", "usr/bin/caddy"), "run", "--adapter", "caddyfile", "--config", config], "/"


def etcd(port):
    peers = free_port()
    return [unpacked("etcd-server", "usr/bin/etcd"), "--data-dir", f"{FOLDER}/etcd", "--listen-client-urls",
            f"http://127.0.0.1:{port}", "--advertise-client-urls", f"http://127.0.0.1:{port}", "--listen-peer-urls",
            f"http://127.0.0.1:{peers}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}", "--initial-cluster",
            f"default=http://127.0.0.1:{peers}"], "/health"


def syncthing(port):
    return [unpacked("syncthing", "usr/bin/syncthing"), "serve", "--no-browser", "--no-restart", f"--home={FOLDER}/syncthing",
            f"--gui-address=127.0.0.1:{port}"], "/"


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def program(command):
    port = free_port()
    args, path = command(port)
    with open(f"{FOLDER}/log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  env=dict(os.environ, HOME=FOLDER, XDG_DATA_HOME=FOLDER, DC_GO_PROGRAM="here"))
    try:
        until(lambda: server.poll() is not None or answers(f"http://127.0.0.1:{port}{path}"), "it answers", 120)
        with open(f"{FOLDER}/log", encoding="utf-8") as log:
            expect(server.poll() is None, f"it ended: {log.read()}")
        serves(server, f"http://127.0.0.1:{port}{path}")
    finally:
        server.kill()
        server.wait()


def serves(server, url):
    checked = debugcall("check", "-p", server.pid)
    expect(checked.code == 0 and re.search(r"^note: .*: go1\.\d+\.\d+, without debug information", checked.err, re.M), checked)
    listed = debugcall("-p", server.pid, "--goroutines")
    expect(listed.code == 0 and re.search(r"^1 .* main\.main|^1 ", listed.out, re.M) and
           re.search(r"^\d+ +IO wait .* at \S+\.go:\d+$", listed.out, re.M), listed)
    stacks = debugcall("stacks", "-p", server.pid)
    expect(stacks.code == 0 and re.search(r"^  #\d+ +main\.main ", stacks.out, re.M), stacks)
    done = 0
    for call, value in CALLS:
        run = debugcall("--wait", "30s", "--timeout", "60s", "-p", server.pid, call)
        if "linker leaves out" in run.err:
            continue
        expect(run.code == 0 and not run.err, f"{call}: {run}")
        if value is not None:
            equal(run.out.strip(), value, call)
        done += 1
        expect(answers(url), f"it serves after {call}")
    expect(done >= 5, f"only {done} of the functions are in it")
    run = debugcall("--wait", "30s", "--timeout", "60s", "--repeat", 1000, "-p", server.pid,
                    '(func(string, string) int)(strings.Index)("chicken", "ken")')
    expect(run.code == 0, run)
    expect(answers(url), "it serves after all")


if not CAMPAIGN:
    row("servers in Go of Debian's", skip, "a campaign alone fetches their packages (DC_CAMPAIGN=1)")
elif not shutil.which("apt-get"):
    row("servers in Go of Debian's", skip, "there is no apt-get")
else:
    for each in (node_exporter, prometheus, registry, caddy, etcd, syncthing):
        row(each.__name__, program, each)
try:
    main()
finally:
    shutil.rmtree(FOLDER, ignore_errors=True)
