#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Clients of an agent that are killed at any moment, over a program that is busy: it answers as before, and
# every slot is free again.    timeout: 900 s
import os
import random
import threading
import time

from harness import B, CAMPAIGN, TARGETS, Program, ends, equal, finish, main, start, test, until

AGENT = {"LD_PRELOAD": f"{B}/libdebugcall-agent.so"}
KILLS = 10000 if CAMPAIGN else 150
WORDS = (("add(1, 2)",), ("--repeat", "1000000", "add(1, 2)"), ("--timeout", "100ms", "loop_forever()"),
         ("crash_segv(1)",), ("--timeout", "100ms", "sleep_long(10)"), ("jump_inside(3)", "have_child()", "raise_usr1()"))


@test
def kills():
    """clients are killed in the middle of all kinds of calls"""
    chance = random.Random(11)
    with Program(f"{TARGETS}/agent_callees", env=AGENT) as program:
        asked = ends_ = 0
        stop = threading.Event()
        wrong = []

        def ask():
            nonlocal asked
            while not stop.is_set():
                program.process.stdin.write("line\n")
                program.process.stdin.flush()
                line = program.process.stdout.readline()
                asked += 1
                if line != "line\n":
                    wrong.append(line)
                    return

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            for _ in range(KILLS):
                client = start("-q", "-p", program.pid, *chance.choice(WORDS))
                time.sleep(chance.random() * 0.06)
                client.kill()
                ends_ += finish(client).code == -9
        finally:
            stop.set()
            thread.join()
        equal(wrong, [], f"answers, of {asked}")
        print(f"# {ends_} of {KILLS} clients were killed; {asked} answers")
        until(lambda: len(os.listdir(f"/proc/{program.pid}/task")) == 2, "the agent sleeps again")
        for _ in range(20):
            equal(ends(0, "-q", "--host", "agent", "-p", program.pid, "add(1, 2)").out, "3\n")


main()
