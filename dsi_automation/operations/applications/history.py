"""What one run noted of one application so far: the only memory a run of events has. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dsi_automation.core.clock import parse_iso
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.record import ApplicationRecord
from dsi_automation.operations.backups.catalogue import Noted

ORDERS: Final = (notes.STOPPING, notes.STOPPED, notes.STARTING, notes.STARTED)


@dataclass(frozen=True, slots=True)
class History:
    """The notes of one run about one application.

    Attributes:
        notes: oldest first.
    """

    notes: tuple[Noted, ...] = ()

    @classmethod
    def of(cls, record: ApplicationRecord, run: str | None, target: str) -> History:
        """Return what a run noted about an application; nothing for a plan that belongs to no run."""
        if run is None:
            return cls()
        return cls(tuple(note for note in record.of_run(run) if note.target == target))

    @property
    def in_turn(self) -> bool | None:
        """Return whether the run takes one server after the other; None when it has not begun."""
        begun = self.first(notes.BEGUN, notes.STARTING)
        return None if begun is None else bool(begun.data["in_turn"])

    @property
    def stops_at(self) -> datetime | None:
        """Return when users were told it stops; None when they were not, or were told since that it does not."""
        told = self.last(notes.WARNED, notes.PUT_OFF)
        return None if told is None or told.name == notes.PUT_OFF else parse_iso(told.data["stops_at"])

    @property
    def put_off(self) -> bool:
        """Tell whether the last word to the users was that it does not stop."""
        told = self.last(notes.WARNED, notes.PUT_OFF)
        return told is not None and told.name == notes.PUT_OFF

    @property
    def stop_begun(self) -> bool:
        """Tell whether any server was told to stop."""
        return self.last(notes.STOPPING) is not None

    def failed(self, servers: Collection[str]) -> int:
        """Return how many tests of some of these servers were not conclusive."""
        return sum(_is_failure(note) and set(note.data["servers"]) <= set(servers) for note in self.notes)

    @property
    def touched(self) -> bool:
        """Tell whether any server was told to stop or to start."""
        return self.last(notes.STOPPING, notes.STARTING) is not None

    def last(self, *names: str) -> Noted | None:
        """Return the last note of one of these names."""
        return next((note for note in reversed(self.notes) if note.name in names), None)

    def first(self, *names: str) -> Noted | None:
        """Return the first note of one of these names."""
        return next((note for note in self.notes if note.name in names), None)

    def state(self, server: str) -> str | None:
        """Return the last order to a server, or its end: one of `ORDERS`; None when there was none."""
        orders = [note.name for note in self.notes if note.name in ORDERS and note.data["server"] == server]
        return orders[-1] if orders else None

    def noted(self, name: str, server: str) -> Noted | None:
        """Return the last note of one name about a server."""
        of_server = [note for note in self.notes if note.name == name and note.data["server"] == server]
        return of_server[-1] if of_server else None

    def since_failure(self, servers: tuple[str, ...]) -> History | None:
        """Return what was noted since the last test of exactly these servers, if that was not conclusive."""
        for place in range(len(self.notes) - 1, -1, -1):
            note = self.notes[place]
            if note.name == notes.TESTED and tuple(note.data["servers"]) == servers:
                return None if note.data["conclusive"] else History(self.notes[place + 1 :])
        return None

    def conclusive(self, servers: tuple[str, ...]) -> Noted | None:
        """Return the conclusive test of these servers, when none of them was touched after it."""
        for note in reversed(self.notes):
            if note.name in ORDERS and note.data["server"] in servers:
                return None
            if note.name == notes.TESTED and tuple(note.data["servers"]) == servers:
                return note if note.data["conclusive"] else None
        return None


def _is_failure(note: Noted) -> bool:
    return note.name == notes.TESTED and not note.data["conclusive"]
