"""What became of each router: its copies and its changes, folded from the notes of runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.network.notes import CONFIRMED, COPIED, REVERTED


@dataclass(frozen=True, slots=True)
class RouterHistory:
    """One router, by the record.

    Attributes:
        copied_at: when its configuration was last read into the repository, changed or not.
        differed_at: when what was read last differed from the copy before.
        changed_at: when a change of it last ended, kept or not.
        kept: whether that one was confirmed; None before the first.
        drift: in how many things it differed from inventory and record when that was last looked at; None before, and
            after a change until it is looked at again.
        confirmed, reverted: how many were; one that was confirmed and taken back counts in both.
    """

    copied_at: datetime | None = None
    differed_at: datetime | None = None
    changed_at: datetime | None = None
    kept: bool | None = None
    confirmed: int = 0
    reverted: int = 0
    drift: int | None = None


@dataclass(frozen=True, slots=True)
class NetworkHistory:
    """All routers there ever were."""

    routers: Mapping[str, RouterHistory] = field(default_factory=dict)

    def of(self, router: str) -> RouterHistory:
        """Return one router's."""
        return self.routers.get(router, RouterHistory())


def read(notes: Iterable[Noted]) -> NetworkHistory:
    """Fold the notes of all runs, oldest first."""
    found: dict[str, RouterHistory] = {}
    for note in notes:
        if note.name in {COPIED, CONFIRMED, REVERTED}:
            found[note.target] = _after(found.get(note.target, RouterHistory()), note)
    return NetworkHistory(found)


def _after(known: RouterHistory, note: Noted) -> RouterHistory:
    if note.name == COPIED:
        differed = note.at if note.data["changed"] else known.differed_at
        return replace(known, copied_at=note.at, differed_at=differed, drift=note.data.get("drift"))
    if note.name == CONFIRMED:
        return replace(known, changed_at=note.at, kept=True, confirmed=known.confirmed + 1)
    return replace(known, changed_at=note.at, kept=False, reverted=known.reverted + 1)
