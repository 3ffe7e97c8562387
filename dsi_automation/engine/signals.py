"""Being asked to stop: the first SIGINT or SIGTERM lets the action under way finish, and be recorded."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def asked_to_stop() -> Generator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets; a second one does what it did before.

    No exception can then fall into the middle of a transaction. Outside the main thread signals cannot be
    caught, and the event is never set.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def first(_number: int, _frame: FrameType | None) -> None:
        # In this order: a second signal within `set` would find its lock taken, by this very thread, for ever.
        restore()
        event.set()

    try:
        for number in before:
            signal.signal(number, first)
        yield event
    finally:
        restore()
