"""Interruptions, tests and releases of applications, folded from the notes that runs left: pure, never stored twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dsi_automation.operations.backups.catalogue import Noted


@dataclass(frozen=True, slots=True)
class Interruption:
    """A time in which users could not work.

    Attributes:
        run: the run that stopped it.
        began_at: when no server answered any more, or when the incident began, if that was told.
        ended_at: when its connection test was conclusive again; None while it lasts.
        planned: whether it was the planned stop.
        why: as users were told.
    """

    application: str
    run: str
    began_at: datetime
    ended_at: datetime | None
    planned: bool
    why: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """A release that came into use somewhere."""

    application: str
    source: str
    stage: str
    release: str
    sha256: str
    before: str | None
    run: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """All there is in the record about applications.

    Attributes:
        interruptions: oldest first.
        deployed: oldest first; the last of an application is what is there by the record.
        notes: every note about applications, oldest first; see `notes.py`.
    """

    interruptions: tuple[Interruption, ...]
    deployed: tuple[Deployed, ...]
    notes: tuple[Noted, ...]

    def of_run(self, run: str, name: str | None = None) -> tuple[Noted, ...]:
        """Return what a run noted, oldest first; with `name`, those notes only."""
        return tuple(note for note in self.notes if note.run == run and name in {None, note.name})

    def open_interruption(self, application: str) -> Interruption | None:
        """Return the interruption that lasts now, if there is one."""
        found = [item for item in self.interruptions if item.application == application and item.ended_at is None]
        return found[-1] if found else None


def read(notes: Iterable[Noted]) -> ApplicationRecord:
    """Fold the notes of all runs, oldest first."""
    from dsi_automation.core.clock import parse_iso
    from dsi_automation.operations.applications.notes import DEPLOYED, DOWN, UP

    kept: Sequence[Noted] = [
        note for note in notes if note.name.startswith(("application.", "release.", "rules.", "account."))
    ]
    interruptions: list[Interruption] = []
    running: dict[str, int] = {}
    deployed: list[Deployed] = []
    for note in kept:
        data = note.data
        if note.name == DOWN and note.target not in running:
            began = parse_iso(data["since"] or data["at"])
            running[note.target] = len(interruptions)
            interruptions.append(
                Interruption(note.target, note.run, began, None, bool(data["planned"]), str(data["why"]))
            )
        elif note.name == UP and note.target in running:
            place = running.pop(note.target)
            was = interruptions[place]
            interruptions[place] = Interruption(
                was.application, was.run, was.began_at, parse_iso(data["at"]), was.planned, was.why
            )
        elif note.name == DEPLOYED:
            deployed.append(
                Deployed(note.target, data["source"], data["stage"], data["release"], data["sha256"], data["before"],
                         note.run, note.at)
            )  # fmt: skip
    return ApplicationRecord(tuple(interruptions), tuple(deployed), tuple(kept))
