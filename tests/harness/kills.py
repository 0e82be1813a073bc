# SPDX-License-Identifier: MIT
# Debuggers that are killed, and what becomes of their targets. How many died is said at the end of the script, in
# a line that tests/run adds up.
import atexit
import os
import random

from .runs import kill_points, killed_at
from .tap import CAMPAIGN, Failed

kills = dead = 0
# DC_SEED=n has the same moments again.
seed = int(os.environ.get("DC_SEED", random.SystemRandom().randrange(1 << 30)))
moments = random.Random(seed)

LATER_NS = 100_000  # longer than any step of a call takes, but for the callee


def survived(what, check):
    """One debugger was killed. check: the target minds nothing."""
    global kills, dead
    kills += 1
    try:
        check()
    except Exception as reason:
        dead += 1
        raise Failed(f"{what} (DC_SEED={seed}): {reason}") from reason


def sweep(args, check, few=0, rounds=1):
    """The debugger dies at each of its steps, or at about so few of them; in further rounds, at a random moment
    behind each. Gives the run that nobody disturbed."""
    run, total = kill_points(*args)
    step = max(1, total // few) if few and not CAMPAIGN else 1
    check()
    for turn in range(rounds if CAMPAIGN else 1):
        for n in range(1, total + 8, step):
            later = moments.randrange(1, LATER_NS) if turn else 0
            _, killed = killed_at(n, *args, later=later)
            if killed:
                survived(f"killed {later} ns behind call {n} of {total}", check)
            else:
                check()
    return run


@atexit.register
def tell():
    if kills:
        print(f"# {kills} kills, {dead} dead", flush=True)
