"""Which sets may be forgotten: pure, by our own record, never by the clock of the machine that made them.

Sets are taken in the order of the record. Their dates, those of the record too, only say into which day, week, month
or year each falls: a clock that was off for a while costs a place in a bucket, and never a set that is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.inventory.backup_model import Retention
from dsi_automation.operations.backups.catalogue import Catalogue

type Bucket = tuple[int, ...]

_BUCKETS: Final[Mapping[str, Callable[[datetime], Bucket]]] = {
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: tuple(at.isocalendar()[:2]),
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


def to_forget(
    sets: Sequence[StoredSet],
    recorded: Mapping[str, datetime],
    policy: Retention,
    *,
    verified: Collection[str],
    due: Collection[str] = (),
    zone: tzinfo | None = None,
) -> tuple[StoredSet, ...]:
    """Return the sets of one backup that may go, oldest first.

    Never among them: the last verified set, any set that is newer, any set that is due for a medium; without a
    verified set, none.

    Args:
        sets: those kept, oldest first by the record.
        recorded: when each was recorded, UTC.
        verified: identifiers of sets whose last verification held.
        due: identifiers of sets that a medium still has to get.
        zone: whose calendar counts; the controller's by default.
    """
    last = max((index for index, stored in enumerate(sets) if stored.id in verified), default=None)
    if last is None:
        return ()
    kept = {stored.id for stored in sets[last:]} | set(due) | _wanted(sets, recorded, policy, zone)
    return tuple(stored for stored in sets if stored.id not in kept)


def due_for_media(name: str, catalogue: Catalogue) -> frozenset[str]:
    """Return the sets of a backup that a medium still has to get: the newest verified one, until one holds it."""
    verified = catalogue.verified(name)
    if not verified:
        return frozenset()
    newest = verified[-1].id
    return frozenset() if any(newest in held for held in catalogue.on_medium.values()) else frozenset({newest})


def _wanted(
    sets: Sequence[StoredSet], recorded: Mapping[str, datetime], policy: Retention, zone: tzinfo | None
) -> set[str]:
    """Return what the policy asks to keep: the newest sets, and the newest of each day, week, month and year."""
    wanted = {stored.id for stored in sets[-policy.last :]}
    for rule, bucket in _BUCKETS.items():
        most, seen = getattr(policy, rule), set[Bucket]()
        for stored in reversed(sets):
            if len(seen) == most:
                break
            of = bucket(recorded[stored.id].astimezone(zone))
            if of not in seen:
                seen.add(of)
                wanted.add(stored.id)
    return wanted
