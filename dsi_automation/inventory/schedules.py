"""`schedules.yml` read and checked; an inventory without one has no schedules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dsi_automation.inventory.schedule_model import Schedule, SchedulesFile
from dsi_automation.inventory.yamlfile import read_yaml

FILE: Final = "schedules.yml"


def load_schedules(path: Path) -> Mapping[str, Schedule]:
    """Return the schedules by name, each with its time zone; none where there is no file.

    Raises:
        UsageError: it cannot be read. InventoryError: with everything that is wrong in it.
    """
    if not path.exists():
        return {}
    content = read_yaml(path).validate(SchedulesFile)
    return {
        name: schedule.model_copy(update={"time_zone": schedule.time_zone or content.time_zone})
        for name, schedule in content.schedules.items()
    }


def rhythm(schedules: Mapping[str, Schedule]) -> dict[str, tuple[str, ...]]:
    """Return when each backup is made by itself: the enabled schedules that name it, as `cron time_zone`."""
    found: dict[str, tuple[str, ...]] = {}
    for schedule in schedules.values():
        if schedule.backup is not None and schedule.enabled:
            found[schedule.backup] = (*found.get(schedule.backup, ()), f"{schedule.cron} {schedule.time_zone}")
    return found
