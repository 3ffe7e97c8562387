"""A lab of a benchmark's own, beside others, on a network that no other has."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager

from dsi_automation.core.errors import UsageError
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import BENCHMARKING


@contextmanager
def lab(start: Callable[[Lab], object]) -> Generator[Lab]:
    """Start a lab as `start` does, and take it down."""
    found = _started(start)
    try:
        yield found
    finally:
        found.down()


def _started(start: Callable[[Lab], object]) -> Lab:
    refused: UsageError | None = None
    for network in list(BENCHMARKING.subnets(new_prefix=20))[::-1]:
        # Another benchmark beside this one has a lab of its own.
        found = Lab.open(f"bench{os.getpid() % 100000}", str(network))
        try:
            start(found)
        except UsageError as error:
            found.down()
            refused = error
        except BaseException:
            found.down()
            raise
        else:
            return found
    raise RuntimeError(str(refused))
