"""Waiting for a condition, with a limit and a reason."""

import time


def eventually(condition, within=5.0, what="the condition"):
    """Calls `condition` until it returns something true, and returns that. What it raises counts as "not yet"."""
    deadline = time.monotonic() + within
    while True:
        try:
            problem, result = None, condition()
            if result:
                return result
        except (AssertionError, OSError, KeyError, IndexError) as e:
            problem = e
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {within} s") from problem
        time.sleep(0.01)
