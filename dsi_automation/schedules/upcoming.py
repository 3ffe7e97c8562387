"""When each schedule begins next, for metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from dsi_automation.schedules.occurrences import occurrences

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit


def next_times(toolkit: Toolkit, settled: Mapping[str, datetime]) -> Mapping[str, datetime | None]:
    """Return when each schedule of the inventory begins next, in UTC; None for one that is not enabled, or never does.

    Args:
        settled: until when the record knows what became of each; a moment that passed and that it does not know of is
            the next one still, so that a scheduler that does not run is noticed.

    Raises:
        UsageError: schedules.yml cannot be read.
    """
    now = toolkit.clock.now()
    found: dict[str, datetime | None] = {}
    for name, schedule in toolkit.schedules().items():
        first = next(occurrences(name, schedule, settled.get(name, now)), None) if schedule.enabled else None
        found[name] = None if first is None else first.start
    return found
