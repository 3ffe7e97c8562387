"""When a request is sent again: the one layer of retry there is, as a function without I/O.

Sources: learn.microsoft.com/graph/throttling, /graph/errors; RFC 9110 10.2.3 (Retry-After; Graph also sends decimals).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Final

from dsi_automation.connectors.m365.asks import Answer, Ask, Broken, Outcome
from dsi_automation.connectors.m365.errors import lost, throttled, unanswered
from dsi_automation.connectors.m365.refusals import detail_of
from dsi_automation.core.errors import DsiError

FIRST: Final = 0.5
"""Seconds before the second try after a failure of the service."""
LONGEST: Final = 30.0
FIRST_LOOK: Final = 0.2
"""Seconds before looking again for what is being spread over Microsoft's servers."""
LONGEST_LOOK: Final = 10.0
PATIENT: Final = 3
"""Tries after which a Retry-After of nearly nothing is no longer believed."""


@dataclass(frozen=True, slots=True)
class Settled:
    """It is done, or refused for good."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Again:
    """To be sent again after that many seconds."""

    wait: float


@dataclass(frozen=True, slots=True)
class Failed:
    """To be given up."""

    error: DsiError


type Verdict = Settled | Again | Failed


@dataclass(frozen=True, slots=True)
class Moment:
    """When the question is asked.

    Attributes:
        attempt: how many times it was sent again so far.
        left: seconds to the deadline.
        deadline: seconds a call may take in all.
        now: for a Retry-After that is a date.
        spread: returns a random number between 0 and its argument.
        server: whom to name.
    """

    attempt: int
    left: float
    deadline: float
    now: datetime
    spread: Callable[[float], float]
    server: str

    def backoff(self, first: float = FIRST, longest: float = LONGEST) -> float:
        """Return how long to wait: doubled each time, half of it at random."""
        whole = min(longest, first * 2.0 ** min(self.attempt, 16))
        return whole / 2 + self.spread(whole / 2)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After asks for: a number, also with decimals, or a date; None without one."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    return max(0.0, seconds) if isfinite(seconds) else None


def decide(ask: Ask, outcome: Outcome, moment: Moment) -> Verdict:
    """Return what to do about what came of a request."""
    if isinstance(outcome, Broken):
        return _broken(ask, outcome, moment)
    asked = retry_after(outcome.headers.get("retry-after"), moment.now)
    if outcome.status == 429 or (outcome.status == 503 and asked is not None):
        return _throttled(ask, asked, moment, detail_of(ask, outcome))
    if outcome.status == 401 and moment.attempt == 0:
        # A token revoked or expired meanwhile: nothing was done, and the next try has another token.
        return Again(0.0)
    if outcome.status == 424:
        # The item it depended on failed: this one was not tried.
        return _later(ask, moment, detail_of(ask, outcome), may_be_done=False)
    if "ConcurrencyViolation" in outcome.fault.code + outcome.fault.message:
        # Two changes of one object met; this one was not made.
        return _later(ask, moment, detail_of(ask, outcome), may_be_done=False)
    unreadable = outcome.ok and not outcome.readable
    if outcome.status in (500, 502, 503, 504) or unreadable:
        if ask.once:
            return Failed(lost(ask.doing, on=ask.on, server=moment.server, detail=detail_of(ask, outcome)))
        return _later(ask, moment, detail_of(ask, outcome), may_be_done=True)
    if ask.again is not None and ask.again(outcome):
        wait = moment.backoff(FIRST_LOOK, LONGEST_LOOK)
        return Again(wait) if wait <= moment.left else Settled(outcome)
    return Settled(outcome)


def _broken(ask: Ask, broken: Broken, moment: Moment) -> Verdict:
    detail: dict[str, Any] = {"call": ask.call.value, "cause": type(broken.cause).__name__}
    if broken.sent and ask.once:
        return Failed(lost(ask.doing, on=ask.on, server=moment.server, detail=detail))
    asked = retry_after(broken.retry_after, moment.now)
    if asked is not None:
        return _throttled(ask, asked, moment, detail)
    return _later(ask, moment, detail, may_be_done=broken.sent)


def _throttled(ask: Ask, asked: float | None, moment: Moment, detail: dict[str, Any]) -> Verdict:
    least = moment.backoff() if asked is None or moment.attempt >= PATIENT else 0.0
    wanted = max(asked or 0.0, least)
    if wanted > moment.left:
        seconds, deadline = wanted, moment.deadline
        return Failed(throttled(ask.doing, on=ask.on, seconds=seconds, deadline=deadline, detail=detail))
    # Those who were told the same moment do not all come back at it.
    return Again(min(moment.left, wanted + moment.spread(min(1.0, wanted / 10))))


def _later(ask: Ask, moment: Moment, detail: dict[str, Any], *, may_be_done: bool) -> Verdict:
    wait = moment.backoff()
    if wait <= moment.left:
        return Again(wait)
    if may_be_done and not ask.reads_only:
        return Failed(lost(ask.doing, on=ask.on, server=moment.server, detail=detail))
    return Failed(unanswered(ask.doing, on=ask.on, server=moment.server, detail=detail))
