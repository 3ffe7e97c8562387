"""Stopping a play between two actions, not in the middle of one.

Ansible's worker tells its process group to die at the first signal. While the engine carries out a plan, its own
handler takes the first one: the action under way is finished and recorded, and the run can be resumed. Further
signals then change nothing; only SIGKILL does, and for that there is the journal.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from dsi_automation.core.events import Event, Observer

STOPS: Final = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal this process gets when its parent dies."""


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Have the kernel send a signal to this process when its parent dies, be it by SIGKILL; 0 for none. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


@contextmanager
def stopped_between_actions(observer: Observer) -> Generator[Observer]:
    """Yield an observer to run the engine with.

    Before the engine has begun to look, a signal does what it did before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield observer
        return
    engaged = _Engaged(observer)
    before: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in STOPS}

    def stop(number: int, frame: FrameType | None) -> None:
        # The engine puts this handler back once it has taken a signal itself.
        if not engaged.engine_listens and callable(before[signal.Signals(number)]):
            before[signal.Signals(number)](number, frame)

    for number in STOPS:
        signal.signal(number, stop)
    end_with_parent()
    try:
        yield engaged
    finally:
        end_with_parent(0)
        for number, handler in before.items():
            with contextlib.suppress(TypeError):
                signal.signal(number, handler)


class _Engaged:
    """Notes when the engine has begun, and passes everything on."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.engine_listens = False

    def notify(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind == "look.started":
            self.engine_listens = True
        self._observer.notify(event)
