"""Being asked to stop: the first SIGINT or SIGTERM lets the action under way finish, and be recorded."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import T

LISTEN: Final = 0.2
"""Seconds until somebody who asks to stop is told that it was heard."""


@dataclass(frozen=True, slots=True)
class _First:
    """Our own handler, known by its type where another is put around it."""

    hear: Callable[[int, FrameType | None], None]

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.hear(number, frame)


@contextmanager
def asked_to_stop() -> Generator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets; a second one does what it did before.

    No exception can then fall into the middle of a transaction. Outside the main thread signals cannot be
    caught, and the event is never set. Within another one (a chain of runs) both hear of the signal.
    """
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, found in before.items():
            signal.signal(number, found if found is not None else signal.SIG_DFL)

    def first(number: int, frame: FrameType | None) -> None:
        # In this order: a second signal within `set` would find its lock taken, by this very thread, for ever.
        restore()
        event.set()
        around = before.get(number)
        if isinstance(around, _First):
            around(number, frame)

    handler = _First(first)
    try:
        for number in before:
            signal.signal(number, handler)
        yield event
    finally:
        restore()


@contextmanager
def heard(stop: threading.Event, observer: Observer) -> Generator[None]:
    """Tell whoever asks to stop that it was heard, and what it means: what is under way may take minutes to end.

    From a thread: a signal may strike within any lock of an observer.
    """
    over = threading.Event()

    def listen() -> None:
        while not over.wait(LISTEN):
            if stop.is_set():
                text = T("Asked to stop: what is under way ends first; Ctrl-C again cuts it short.")
                observer.notify(Event("run.stopping", text))
                return

    listener = threading.Thread(target=listen, name="asked-to-stop", daemon=True)
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join()
