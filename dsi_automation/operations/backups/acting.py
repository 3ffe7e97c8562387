"""How backup operations act: bounded tries with growing waits, progress in words, checks that fail in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from dsi_automation.connectors.backups.port import Progress
from dsi_automation.connectors.ssh.errors import ProgramTimeoutError
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, GateClosedError, StoppedError, StorageError, UnreachableError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.backup_model import Retry
from dsi_automation.operations.backups.facts import amount
from dsi_automation.operations.tools import Hands

SLICE: Final = 1.0
"""Seconds after which a wait looks whether it is still wanted."""
TOLD_EVERY: Final = 5.0
"""Seconds between two words about the same piece of work."""


class Told(Protocol):
    """Is told how each try ended; `error` is None for the good one, `wait` the seconds before the next."""

    def __call__(self, number: int, error: DsiError | None, seconds: float, wait: float) -> None:
        """Take note of one try."""
        ...


def untold(number: int, error: DsiError | None, seconds: float, wait: float) -> None:
    """Take no note of a try."""


def waits(retry: Retry) -> tuple[float, ...]:
    """Return how long is waited after each try but the last, seconds."""
    longest, first = retry.longest.total_seconds(), retry.wait.total_seconds()
    return tuple(min(longest, first * retry.factor**index) for index in range(retry.tries - 1))


def with_tries[T_](
    target: str,
    retry: Retry,
    work: Callable[[], T_],
    hands: Hands,
    observer: Observer,
    told: Told = untold,
) -> T_:
    """Do `work`, again after a wait when it failed in a way that can pass, and return what it returns.

    Raises:
        UnreachableError: the last try failed too, or a program had all its time and did not end.
        StoppedError: the run was asked to stop during a wait.
        DsiError: it failed in another way, which is not tried again.
    """
    clock, pauses = hands.look.clock, (*waits(retry), None)
    for number, pause in enumerate(pauses, start=1):
        began = clock.monotonic()
        try:
            done = work()
        except (GateClosedError, StoppedError, StorageError):
            raise  # about the run or its record, and not about the backup
        except UnreachableError as error:
            if isinstance(error, ProgramTimeoutError):  # it had all its time: as much again would end as it did
                told(number, error, clock.monotonic() - began, 0.0)
                raise
            told(number, error, clock.monotonic() - began, pause or 0.0)
            if pause is None:
                raise _given_up(target, retry, error) from error
            _wait(target, pause, number + 1, error, hands, observer)
        except DsiError as error:
            told(number, error, clock.monotonic() - began, 0.0)
            raise
        else:
            told(number, None, clock.monotonic() - began, 0.0)
            return done
    raise AssertionError(pauses)  # the last try returned or raised


def _wait(target: str, seconds: float, number: int, error: DsiError, hands: Hands, observer: Observer) -> None:
    clock = hands.look.clock
    text = T("{problem} Try {number} follows in {seconds:.0f} s.", problem=error.what, number=number, seconds=seconds)
    observer.notify(Event("try.wait", text, target=target))
    until = clock.monotonic() + seconds
    left = seconds
    while left > 0:
        if hands.interrupted:
            raise StoppedError(
                T("The run was asked to stop between two tries on {target}.", target=target),
                on=target,
                meaning=error.what,
                next_step=T("Finish it: dsi resume {run}", run=hands.run),
            )
        clock.sleep(min(SLICE, left))
        # A clock of tests may move its hands by the sleep alone: the shorter of the two counts.
        left = min(left - SLICE, until - clock.monotonic())


def _given_up(target: str, retry: Retry, error: UnreachableError) -> DsiError:
    if retry.tries == 1:
        return error
    return UnreachableError(
        T("Every one of the {n} tries failed; the last: {problem}", n=retry.tries, problem=error.what),
        on=target,
        meaning=error.meaning,
        next_step=error.next_step or T("See to it, then start it again: dsi backup run {name}", name=target),
        detail=error.detail,
    )


@dataclass(slots=True)
class Teller:
    """Tells an observer how far the work on one backup is, not more often than anybody can read.

    Attributes:
        target: the backup that is worked on.
    """

    target: str
    observer: Observer
    clock: Clock
    _words: str = ""
    _at: float = field(default=float("-inf"))

    def __call__(self, text: Text, done: int | None, total: int | None) -> None:
        """Tell how much of how much is done, bytes."""
        now, words = self.clock.monotonic(), text.template
        finished = done is not None and done == total
        if words == self._words and now - self._at < TOLD_EVERY and not finished:
            return
        self._words, self._at = words, now
        # Bytes are told in words: the observer's own counts are of targets.
        # At the start a scan has found part of the whole only: nothing of it is a share of anything.
        if done and total:
            text = T("{text} {done} of {total}", text=text, done=amount(done), total=amount(total))
        data = {"bytes_done": done, "bytes_total": total}
        self.observer.notify(Event("backup.wait", text, target=self.target, data=data))


def progress(target: str, hands: Hands, observer: Observer) -> Progress:
    """Return whom an engine tells how far it is with a backup."""
    return Teller(target, observer, hands.look.clock)


def passed(checks: Sequence[Check]) -> bool:
    """Tell whether checks prove something: there are some, and none of them failed."""
    return bool(checks) and not wrong(checks)


def wrong(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Return the checks that failed; a warning does not."""
    return tuple(check for check in checks if not check.ok and not check.warning)


def failures(checks: Sequence[Check]) -> list[Json]:
    """Return a sentence for each check that failed, as the record keeps it."""
    if not checks:
        return [str(T("Nothing was compared."))]
    return [str(sentence(check)) for check in wrong(checks)]


def sentence(check: Check) -> Text:
    """Return what a check found, in one sentence."""
    return T(
        "{title}: expected {expected}, found {observed} ({source}).",
        title=check.title,
        expected=check.expected,
        observed=check.observed,
        source=check.source,
    )


def how_many_failed(checks: Sequence[Check]) -> Text:
    """Return how many of the comparisons failed."""
    return TN("{n} comparison failed.", "{n} comparisons failed.", len(wrong(checks)))
