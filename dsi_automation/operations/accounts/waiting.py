"""Waiting for a directory: by reading again, with a deadline, and saying what is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.tools import Look

FIRST_PAUSE: Final = 1.0
"""Seconds; most of what is waited for is there soon. Pauses grow from here to the site's `poll`."""
GROWTH: Final = 1.5
SETTLE_POLLS: Final = 3
"""Looks, a site's `poll` apart, after which what does not show in the tenant is not there."""


def wait_until(
    target: str,
    look: Look,
    observer: Observer,
    missing: Callable[[], Text | None],
    deadline: timedelta,
    *,
    late: Text,
    meaning: Callable[[], Text | None] = lambda: None,
) -> None:
    """Ask again and again what is missing, until nothing is.

    An answer that did not come is not a “no”: a tenant or a directory that is away is asked again as well.

    Args:
        missing: reads, and returns what is not there yet; None when all is.
        deadline: for how long.
        late: what to say when it is over, without the reason.
        meaning: what that means, asked for only then.

    Raises:
        UnreachableError: the deadline passed; what is missing is said.
        DsiError: `missing` says that waiting does not help.
    """
    started, pause, told = look.clock.monotonic(), FIRST_PAUSE, ""
    poll = look.tenant_settings.poll.total_seconds()
    while (lacking := patient(missing)) is not None:
        waited = look.clock.monotonic() - started
        if str(lacking) != told:
            told = str(lacking)
            data = {"waited": round(waited, 1), "deadline": deadline.total_seconds()}
            observer.notify(Event("wait", T("Waiting: {missing}.", missing=lacking), target, data=data))
        if waited >= deadline.total_seconds():
            raise UnreachableError(
                T("{late} after {span}: {missing}.", late=late, span=span(waited), missing=lacking),
                on=target,
                meaning=meaning() or T("What was done so far stays, and is not done again."),
                next_step=T("Once it is there, or its cause is away, run: dsi resume RUN."),
            )
        look.clock.sleep(min(pause, poll, deadline.total_seconds() - waited))
        pause *= GROWTH


def patient(missing: Callable[[], Text | None]) -> Text | None:
    """Return what is missing; an equipment that does not answer now is one such thing."""
    try:
        return missing()
    except DsiError as error:
        if error.retryable:
            return T("no answer ({problem})", problem=error.what)
        raise


def span(seconds: float) -> Text:
    """Return a length of time for people, in its largest unit of which there are two."""
    if seconds < 120:
        return TN("{n} second", "{n} seconds", round(seconds))
    if seconds < 7200:
        return TN("{n} minute", "{n} minutes", round(seconds / 60))
    if seconds < 172800:
        return TN("{n} hour", "{n} hours", round(seconds / 3600))
    return TN("{n} day", "{n} days", round(seconds / 86400))
