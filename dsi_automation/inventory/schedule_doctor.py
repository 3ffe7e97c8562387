"""What `dsi doctor` says of `schedules.yml`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.schedules import FILE, load_schedules


def schedule_checks(inventory: Inventory) -> Iterator[Check]:
    """Yield what there is to say of the schedules; nothing where there is no file of them."""
    if not (inventory.home / FILE).exists():
        return
    schedules = load_schedules(inventory.home / FILE)
    off = [name for name, schedule in schedules.items() if not schedule.enabled]
    count = TN("{n} schedule", "{n} schedules", len(schedules))
    observed = T("{count}; not enabled: {names}", count=count, names=", ".join(off)) if off else count
    yield _check(FILE, "schedules", T("What runs by itself"), observed, ok=True)
    for name, schedule in schedules.items():
        title = T("Schedule {name}", name=name)
        if schedule.backup is not None and schedule.backup not in inventory.backup_plan.backups:
            hint = did_you_mean(schedule.backup, inventory.backup_plan.backups)
            wrong = T("dsi_backups has no “{backup}”. {hint}", backup=schedule.backup, hint=hint)
            yield _check(name, "backup", title, wrong, ok=False)
        if schedule.too_late_after < timedelta(minutes=5):
            short = T("too_late_after is shorter than five minutes: a machine that wakes slowly would miss it")
            yield _check(name, "too_late_after", title, short, ok=False, warning=True)


def _check(target: str, name: str, title: Text, observed: Text, *, ok: bool, warning: bool = False) -> Check:
    return Check(target, name, title, "", str(observed), ok=ok, source=FILE, warning=warning)
