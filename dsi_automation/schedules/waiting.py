"""Sleeping until a moment, a signal or the end of a child, without asking for it again and again."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Generator
from datetime import datetime
from types import FrameType, TracebackType
from typing import Any, Self

from dsi_automation.core.clock import Clock
from dsi_automation.engine.signals import asked_to_stop


class Waiter:
    """Hears SIGTERM, SIGINT and SIGCHLD while it is entered; `asked` counts the first two. Main thread only."""

    def __init__(self) -> None:
        self.asked = 0
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before: dict[int, Any] = {}
        self._wakeup = -1

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            self._before[number] = signal.signal(number, self._hear)
        # The interpreter writes the signal's number there from its C handler: no signal is lost before a sleep.
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        os.close(self._read)
        os.close(self._write)

    def sleep(self, seconds: float) -> None:
        """Sleep that long, or until a signal."""
        select.select([self._read], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.asked += 1


@contextlib.contextmanager
def no_more_starts() -> Generator[threading.Event]:
    """Yield an event that SIGUSR1, SIGTERM or SIGINT sets: what has not begun is not to begin.

    SIGUSR1 leaves alone what has begun; the others also ask it to stop (`asked_to_stop`).
    """
    with asked_to_stop() as event:
        before = signal.getsignal(signal.SIGUSR1)
        try:
            signal.signal(signal.SIGUSR1, lambda _number, _frame: event.set())
            yield event
        finally:
            signal.signal(signal.SIGUSR1, before if before is not None else signal.SIG_DFL)


def sleep_until(clock: Clock, moment: datetime, stop: threading.Event) -> bool:
    """Wait for a moment of the wall clock, at most a minute at a time; false when asked to stop first."""
    while (left := (moment - clock.now()).total_seconds()) > 0:
        if stop.wait(min(left, 60.0)):
            return False
    return not stop.is_set()
