"""One event loop for the life of the process, in a thread of its own; any thread may have it run something.

The SDK's client belongs to the loop it was first used on: a second loop ends in `Event loop is closed`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any


class Loop:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="m365", daemon=True)
        self._thread.start()

    def run[Result](self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have the loop do some work and wait for it; given up together with the thread that waits."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            # An interrupted command must not leave requests behind that would still be sent.
            future.cancel()
            raise


def process_loop() -> Loop:
    """Return the loop of this process: a forked child has none of its parent's threads and gets its own."""
    with _making:
        return _loop_of(os.getpid())


_making = threading.Lock()


@cache
def _loop_of(_pid: int) -> Loop:
    return Loop()
