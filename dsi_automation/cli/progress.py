"""Progress on standard error: a live picture on a terminal, plain lines elsewhere, nothing for quick work."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Self

from dsi_automation.cli.clean import clean
from dsi_automation.cli.estimate import Estimate, sentence
from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.events import Event
from dsi_automation.core.text import TN, T

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

PATIENCE: Final = 2.0
"""Seconds during which nothing is shown: most work is over by then."""
SHOWN: Final = 12
"""Lines of the live picture; a fleet of hundreds must not push the screen away."""
FLEET: Final = 20
"""Targets beyond which a log is told each tenth part only, not each target."""
TENTHS: Final = 10
FINISHED: Final = ("done", "failed", "ended", "progress")
"""Last parts of the kinds of events after which a target is not being worked on."""


@dataclass
class Picture:
    """What is going on, target by target, as the events tell it.

    Attributes:
        now: the targets not finished yet, and what is being done to each.
        latest: the last sentence told.
        estimate: how long what is counted still takes.
    """

    now: dict[str, str] = field(default_factory=dict)
    done: int | None = None
    total: int | None = None
    latest: str = ""
    estimate: Estimate = field(default_factory=Estimate)

    def take(self, event: Event, at: float = 0.0) -> None:
        """Change the picture by one event, told at a moment in monotonic seconds."""
        self.latest = clean(event.text)
        if event.done is not None:
            self.done, self.total = event.done, event.total
            # Targets take alike long; the steps of one piece of work do not.
            if event.total is not None and event.kind.endswith(".progress"):
                self.estimate.take(event.kind.partition(".")[0], event.done, event.total, at)
        if event.target is None:
            return
        target = clean(event.target)
        self.now.pop(target, None)
        if event.kind.rpartition(".")[2] not in FINISHED:
            self.now[target] = self.latest

    def is_detail(self, event: Event) -> bool:
        """Tell whether an event is about one target of so many that a log would drown in them; a failure never is."""
        of_many = self.total is not None and self.total > FLEET
        return of_many and event.target is not None and not event.kind.endswith((".progress", ".failed"))

    def left(self, at: float) -> str:
        """Return how long it still takes, as a sentence; empty where nobody can tell."""
        seconds = self.estimate.left(at)
        return "" if seconds is None else clean(sentence(seconds))

    def lines(self, at: float = 0.0) -> list[str]:
        """Return the picture: how far and how long still, then who is being worked on, latest last."""
        head = self.latest
        if self.done is not None and self.total:
            left = self.left(at)
            head = f"{self.done}/{self.total}  {head}{f'  ({left})' if left else ''}"
        active = [f"  {target}  {text}" for target, text in islice(self.now.items(), SHOWN)]
        hidden = len(self.now) - SHOWN
        if hidden > 0:
            active.append("  " + clean(TN("and {n} other target", "and {n} other targets", hidden)))
        return [head, *active]


def of_a_fleet(event: Event) -> bool:
    """Tell whether an event is one of so many that each by itself tells nothing."""
    return event.kind.endswith(".progress") and event.total is not None and event.total > FLEET


def worth_a_line(event: Event) -> bool:
    """Tell whether an event has a line of its own where there is no terminal; of a fleet, each tenth part has one."""
    if event.kind.endswith(".started"):
        return False
    if not of_a_fleet(event) or event.total is None or event.done is None:
        return True
    return event.done * TENTHS // event.total > (event.done - 1) * TENTHS // event.total


class Progress:
    """An observer for the terminal; safe to call from any thread."""

    def __init__(
        self,
        targets: Sequence[str] = (),
        *,
        stream: IO[str] | None = None,
        quiet: bool = False,
        patience: float = PATIENCE,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is shown before `patience` seconds have passed.

        Args:
            targets: those that will be looked at, to show which of them keep everybody waiting.
            stream: where it is shown; standard error by default.
            quiet: show nothing at all.
            patience: seconds during which nothing is shown.
            clock: by default the machine's.
        """
        self._clock = clock or SystemClock()
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._lock = threading.Lock()
        waiting = clean(T("waiting for its answer"))
        self._picture = Picture({clean(target): waiting for target in targets})
        self._lines: list[str] = []
        self._last: Event | None = None
        self._showing = False
        self._closed = False
        self._live: Live | None = None
        self._timer = threading.Timer(patience, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if not self._quiet:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Show nothing any more; may be called twice."""
        self._timer.cancel()
        with self._lock:
            self._showing, self._closed = False, True
            live, self._live = self._live, None
        if live is not None:
            live.stop()

    def notify(self, event: Event) -> None:
        """Take note of an event; never raises for the sake of the screen."""
        with self._lock:
            self._last = event
            now = self._clock.monotonic()
            self._picture.take(event, now)
            self._lines = self._picture.lines(now)
            if self._showing and self._live is None and worth_a_line(event) and not self._picture.is_detail(event):
                self._say(event)

    def _begin(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._showing = True
            if self._stream.isatty():
                self._live = self._start_live()
            elif self._last is not None:
                self._say(self._last)

    def _say(self, event: Event) -> None:
        count = f"[{event.done}/{event.total}] " if event.done is not None and event.total else ""
        left = self._picture.left(self._clock.monotonic()) if count else ""
        text = clean(event.text)
        if event.target and not of_a_fleet(event):
            text = str(T("{target}: {text}", target=clean(event.target), text=text))
        self._print(f"{count}{text}{f' ({left})' if left else ''}")

    def _print(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads any more; the work goes on.
            self._showing = False

    def _start_live(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
        live = Live(console=console, transient=True, refresh_per_second=5, get_renderable=self._drawn)
        live.start()
        return live

    def _drawn(self) -> RenderableType:
        from rich.text import Text as RichText

        # Called by rich's own thread, which never waits for our lock: where it is held, the last picture stays.
        if self._lock.acquire(blocking=False):
            try:
                self._lines = self._picture.lines(self._clock.monotonic())
            finally:
                self._lock.release()
        return RichText("\n".join(self._lines), overflow="ellipsis", no_wrap=True)
