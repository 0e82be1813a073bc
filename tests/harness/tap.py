# SPDX-License-Identifier: MIT
# Tests and what they may say: TAP on standard output.
import os
import sys
import time
import traceback

CAMPAIGN = bool(os.environ.get("DC_CAMPAIGN"))  # the long runs
LIMIT = 60  # seconds until a condition that does not come is a failure

tests = []
count = failures = 0


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def test(function):
    """Decorates a test that main() runs; its first docstring line is its title."""
    tests.append(function)
    return function


def row(title, function, *args):
    """Runs a function as a test at once: for tables, and where the stage is set between tests."""
    global count, failures
    if sys.argv[1:] and not any(part in title for part in sys.argv[1:]):
        return
    count += 1
    try:
        function(*args)
    except Skipped as reason:
        print(f"ok {count} - {title} # SKIP {reason}")
    except Exception as error:  # pylint: disable=broad-except
        failures += 1
        lines = str(error).splitlines() or [type(error).__name__]
        print(f"not ok {count} - {title}: {lines[0]}")
        for line in lines[1:] + traceback.format_exc().splitlines():
            print(f"# {line}")
    else:
        print(f"ok {count} - {title}")
    sys.stdout.flush()


def main():
    """The last line of a script."""
    for function in tests:
        row((function.__doc__ or function.__name__.replace("_", " ")).strip().splitlines()[0], function)
    print(f"1..{count}")
    sys.exit(1 if failures else 0)


def skip(reason):
    raise Skipped(reason)


def expect(condition, message="a condition does not hold"):
    if not condition:
        raise Failed(str(message))


def equal(got, wanted, what=""):
    if got != wanted:
        raise Failed(f"{what}{': ' if what else ''}got {got!r}, wanted {wanted!r}")


def contains(text, part):
    if part not in text:
        raise Failed(f"{part!r} is not in {text!r}")


def until(condition, what, limit=LIMIT):
    """Waits for a condition; a limit only turns a hang into a failure."""
    end = time.monotonic() + limit
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {limit} s")
        time.sleep(0.0005)
