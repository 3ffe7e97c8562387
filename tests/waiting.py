"""Waiting in tests for what another process or thread does: until it has happened, and never for a fixed time."""

import threading
import time
from datetime import UTC, datetime, timedelta

PATIENCE = 180
"""Seconds until what should have happened never will: several times what the slowest takes on a busy machine."""


def wait_for(condition, seconds=PATIENCE, every=0.02):
    """Wait until a condition holds, and return what it returned.

    Args:
        condition: called without arguments, `every` so many seconds.
        seconds: how long at most.

    Raises:
        AssertionError: it did not come to hold; says which condition, and what it returned last.
    """
    end, pause = time.monotonic() + seconds, threading.Event()
    while True:
        if found := condition():
            return found
        if time.monotonic() >= end:
            raise AssertionError(f"this did not happen within {seconds} seconds: {_named(condition)}; it is {found!r}")
        pause.wait(every)


def _named(condition):
    code = getattr(condition, "__code__", None)
    name = getattr(condition, "__qualname__", repr(condition))
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"


def soon_after(began):
    """Return a moment that is soon, and not over before what has just been done could be done three more times.

    Args:
        began: when that began, by `time.monotonic`.
    """
    return datetime.now(UTC) + timedelta(seconds=5 + 3 * (time.monotonic() - began))


def wait_until(moment):
    """Wait until a moment is past, by a second."""
    over = moment + timedelta(seconds=1)
    wait_for(lambda: datetime.now(UTC) > over, PATIENCE + (over - datetime.now(UTC)).total_seconds(), 0.1)
