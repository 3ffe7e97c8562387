"""Waiting in tests for what another process or thread does: until it has happened, and never for a fixed time."""

import threading
import time


def wait_for(condition, seconds=30, every=0.02):
    """Wait until a condition holds, and return what it returned.

    Args:
        condition: called without arguments, `every` so many seconds.
        seconds: how long at most; a loaded machine needs several times what a quiet one does.

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
