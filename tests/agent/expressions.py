#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# The expressions of tests/call over this host: everything that is called there is called through an agent,
# but for what needs a thread of the program.    timeout: 300 s
import os
import sys

from harness import B

HERE = os.path.dirname(os.path.abspath(__file__))

os.environ["TARGET_PRELOAD"] = f"{B}/libdebugcall-agent.so"
os.execv(sys.executable, [sys.executable, f"{HERE}/../call/expressions.py", *sys.argv[1:]])
