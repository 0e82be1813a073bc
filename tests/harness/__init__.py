# SPDX-License-Identifier: MIT
# The one dialect of the tests in Python; tests/harness/test.h is the same for C, in the same words. A whole test:
#
#   #!/usr/bin/python3
#   # SPDX-License-Identifier: MIT
#   # What it proves.
#   from harness import Target, equal, main, test
#
#   @test
#   def adds():
#       """a call gives its value"""
#       with Target() as target:
#           equal(target.call("add(1, 2)"), ["3"])
#
#   main()
#
# Each folder of tests has a link "harness", so that a script runs by itself. Arguments choose tests by a part of
# their titles.
from . import kills
from .nginx import Nginx
from .runs import B, DEBUGCALL, KILLER, SANITIZER, TARGETS, debugcall, ends, finish, good, kill_points, killed_at, start
from .shell import Terminal, launched, obeyed, objects, says, shell
from .tap import CAMPAIGN, LIMIT, Failed, contains, equal, expect, main, row, skip, test, until
from .targets import Program, Target, Victim, free_port, status

__all__ = ["B", "CAMPAIGN", "DEBUGCALL", "KILLER", "LIMIT", "Nginx", "SANITIZER", "TARGETS", "Failed", "Program", "Target", "Terminal",
           "Victim", "contains", "debugcall", "ends", "equal", "expect", "finish", "free_port", "good", "kill_points", "killed_at", "kills",
           "launched", "main", "obeyed", "objects", "row", "says", "shell", "skip", "start", "status", "test", "until"]
