"""When each schedule begins next, for metrics and reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from dsi_automation.schedules.occurrences import following

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit


def next_times(toolkit: Toolkit) -> Mapping[str, datetime | None]:
    """Return when each schedule of the inventory begins next, in UTC; None for one that is not enabled.

    Raises:
        UsageError: schedules.yml cannot be read.
    """
    now = toolkit.clock.now()
    found = {name: following(name, schedule, now, 1) for name, schedule in toolkit.schedules().items()}
    return {name: items[0].start if items else None for name, items in found.items()}
