"""Media: where each is, since when, what it holds, and how old what is off site is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from dsi_automation.engine.media_custody import overdue
from dsi_automation.engine.model import MediumState
from dsi_automation.metrics.spec import Part, Sheet, gauge, info

if TYPE_CHECKING:
    from dsi_automation.metrics.view import View

STATES: Final = tuple(state.value for state in MediumState)
OFF_SITE: Final = frozenset({MediumState.VAULT, MediumState.RETRIEVE_REQUESTED})
"""Stored away, with a receipt: what is with a courier is nowhere yet."""

INFO = info("dsi_medium_info", "A medium of a rotation.", "medium", "rotation", "kind")
STATE = gauge("dsi_medium_state", "1 for where a medium is by the record of custody.", "medium", "rotation", "state")
SINCE = gauge("dsi_medium_state_since_timestamp_seconds", "Since when; absent for a medium that never moved.", "medium")
OVERDUE = gauge("dsi_medium_overdue", "1 for a medium that is under way for longer than the plan allows.", "medium")
SETS = gauge("dsi_medium_sets", "Sets that a medium holds.", "medium")
NEWEST = gauge(
    "dsi_medium_newest_set_timestamp_seconds", "When the newest set on a medium was recorded; 0 for none.", "medium"
)
COPIED = gauge(
    "dsi_backup_last_copy_timestamp_seconds",
    "When a copy of a set on a medium was last read back, and held; 0 for never.",
    "backup",
)
AWAY = gauge(
    "dsi_backup_off_site_set_timestamp_seconds",
    "When the newest set that is on a medium off site was recorded; 0 for none.",
    "backup",
)


def fill(view: View, sheet: Sheet) -> None:
    """Write every medium of the plan, and what is away of each backup that is carried away."""
    plan, catalogue, places = view.plan, view.catalogue(), view.places()
    limit = view.settings.courier_limit
    for name, medium in plan.media.media.items():
        rotation = plan.media.rotation_of(name) or ""
        sheet.put(INFO, 1, name, rotation, medium.kind)
        state, since = places.get(name, ("on_site", None))
        sheet.one_of(STATE, STATES, state, name, rotation)
        if since is not None:
            sheet.put(SINCE, since, name)
        sheet.put(OVERDUE, float(overdue(state, since, limit, view.now)), name)
        held = catalogue.on_medium.get(name, ())
        sheet.put(SETS, len(held), name)
        sheet.put(NEWEST, max((catalogue.recorded[one] for one in held), default=None), name)
    away = {one for name, held in catalogue.on_medium.items() if _is_away(places, name) for one in held}
    for name, job in plan.backups.items():
        if job.media is None:
            continue
        good = [copy.at for copy in catalogue.copies if copy.job == name and copy.ok]
        sheet.put(COPIED, good[-1] if good else None, name)
        recorded = [catalogue.recorded[one] for one in away if catalogue.sets[one].job == name]
        sheet.put(AWAY, max(recorded, default=None), name)


def _is_away(places: dict[str, tuple[str, datetime | None]], medium: str) -> bool:
    return medium in places and places[medium][0] in OFF_SITE


PART = Part("media", (INFO, STATE, SINCE, OVERDUE, SETS, NEWEST, COPIED, AWAY), fill)
