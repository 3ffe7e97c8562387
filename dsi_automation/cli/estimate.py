"""How long work still takes, from how fast it went: said only once that is known, and never down to the second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from dsi_automation.core.text import T, Text

FIRST_SECONDS: Final = 5.0
"""Work younger than this is told no end: it may be over before the sentence is read."""
FIRST_UNITS: Final = 3
"""So many units must be done before their pace says anything about the others."""
WINDOW: Final = 20
"""Moments at which units were finished, the latest: they weigh more than all, so that throttling shows soon."""
RECENT_WEIGHT: Final = 0.6
PATIENCE: Final = 4.0
"""How many times longer than ever the next unit may keep us waiting before nothing is promised any more."""
SMOOTHING: Final = 0.3
"""Weight of a new estimate against the one before: numbers that jump are not believed."""


@dataclass
class Estimate:
    """Seconds left of a piece of work whose units are counted.

    A new piece of work (another kind, another total, a count that falls) begins a new estimate. Moments are monotonic
    seconds, handed in.
    """

    kind: str = ""
    done: int = 0
    total: int = 0
    _start: tuple[float, int] | None = None
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _end: float | None = None

    def take(self, kind: str, done: int, total: int, at: float) -> None:
        """Note that `done` of `total` units are finished at a moment."""
        if (kind, total) != (self.kind, self.total) or done < self.done or self._start is None:
            self.kind, self.total, self.done = kind, total, done
            self._start, self._end = (at, done), None
            self._marks.clear()
            return
        if done > self.done:
            # What ends within a second is one mark: rows that waited for the same thing end together.
            if self._marks and int(self._marks[-1][0]) == int(at):
                self._marks.pop()
            self._marks.append((at, done))
            self.done = done
        pace = self._pace()
        if pace is not None:
            fresh = self._last() + pace * (total - done)
            self._end = fresh if self._end is None else self._end + SMOOTHING * (fresh - self._end)

    def left(self, at: float) -> float | None:
        """Return the seconds left at a moment; None where nobody can tell.

        That is at the beginning, at the end, and while the next unit takes so much longer than the others did that
        their pace no longer says anything: something is being waited for.
        """
        if self._start is None or self._end is None or self.done >= self.total or at - self._start[0] < FIRST_SECONDS:
            return None
        pace = self._pace() or 0.0
        if at - self._last() > max(PATIENCE * max(pace, self._longest_silence()), FIRST_SECONDS):
            return None
        return max(self._end - at, pace)

    def _last(self) -> float:
        """Return when the latest unit was finished, or the work began."""
        return [self._start or (0.0, 0), *self._marks][-1][0]

    def _pace(self) -> float | None:
        """Return seconds per unit: of all of them, and more of the latest ones."""
        if self._start is None or self.done - self._start[1] < FIRST_UNITS:
            return None
        at, done = self._marks[-1]
        overall = (at - self._start[0]) / (done - self._start[1])
        oldest, before = self._marks[0] if len(self._marks) == WINDOW else self._start
        recent = (at - oldest) / (done - before)
        return RECENT_WEIGHT * recent + (1 - RECENT_WEIGHT) * overall

    def _longest_silence(self) -> float:
        moments = [self._start[0] if self._start else 0.0, *(moment for moment, _ in self._marks)]
        return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)


def sentence(seconds: float) -> Text:
    """Return how long that is, as people say it."""
    if seconds < 50:
        return T("less than a minute left")
    minutes = round(seconds / 60)
    if minutes < 10:
        return T("about {n} min left", n=max(1, minutes))
    if minutes < 60:
        return T("about {n} min left", n=5 * round(minutes / 5))
    hours, rest = divmod(10 * round(minutes / 10), 60)
    if not rest:
        return T("about {hours} h left", hours=hours)
    return T("about {hours} h {minutes} min left", hours=hours, minutes=rest)
