#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What people configure: the extension's schema beside the manual page, and the package that is installed.
import json
import re
import shutil
import subprocess
import tempfile
import zipfile

from harness import equal, expect, main, skip, test
from harness.dap import Client

with open("editors/vscode/package.json", encoding="utf-8") as file:
    PACKAGE = json.load(file)
DEBUGGER = PACKAGE["contributes"]["debuggers"][0]


@test
def attributes_are_in_the_manual():
    """every attribute of attach and launch is in the schema and in the manual page"""
    with open("debugger/debugcall-dap.5", encoding="utf-8") as file:
        page = file.read()
    attach = re.search(r"attributes of\n\.Cm attach :\n(.*?)\.El", page, re.S).group(1)
    launch = re.search(r"attributes of\n\.Cm launch\n(.*?)\.El", page, re.S).group(1)
    schema = DEBUGGER["configurationAttributes"]
    equal(set(re.findall(r"^\.It Cm (\w+)", attach, re.M)), set(schema["attach"]["properties"]))
    both = re.search(r"^\.Cm (callTimeout .*)$", launch, re.M).group(1).split(" , ") + ["token"]
    equal(set(re.findall(r"^\.It Cm (\w+)", launch, re.M)) | set(both), set(schema["launch"]["properties"]))


@test
def attributes_are_known():
    """every attribute is one that the adapter reads: a wrong type is complained of"""
    wrong = {"integer": True, "string": 7, "boolean": "x", "number": True, "object": 7, "array": 7}
    with Client() as client:
        for name, about in DEBUGGER["configurationAttributes"]["attach"]["properties"].items():
            if name == "token":  # asked for where it was set
                continue
            kinds = about.get("type", "string")
            value = wrong[kinds if isinstance(kinds, str) else kinds[0]]
            text = client.fails("attach", **{"pid": 1, name: value} if name not in ("pid", "program") else {name: value})
            expect(name in text, f"{name}: {text}")


@test
def package_is_whole():
    """the package has what it says, and the adapter's place; the same input gives the same bytes"""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a", "b"):
            subprocess.run(["editors/vscode/make-vsix", "/usr/local", f"{folder}/{name}"], check=True)
        with open(f"{folder}/a", "rb") as one, open(f"{folder}/b", "rb") as other:
            equal(one.read(), other.read())
        with zipfile.ZipFile(f"{folder}/a") as vsix:
            equal(vsix.testzip(), None)
            package = json.loads(vsix.read("extension/package.json"))
            equal(package["contributes"]["debuggers"][0]["program"], "/usr/local/bin/debugcall")
            expect("extension/extension.js" in vsix.namelist(), vsix.namelist())
            expect(b'Id="debugcall"' in vsix.read("extension.vsixmanifest"), "the manifest")


@test
def code_is_sound():
    """extension.js parses"""
    if not shutil.which("node"):
        skip("no node")
    subprocess.run(["node", "--check", "editors/vscode/extension.js"], check=True)


main()
