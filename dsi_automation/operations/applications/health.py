"""How an application is by the record alone: interrupted or not, last started, last tested, with which release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dsi_automation.operations.applications.notes import STARTED, TESTED, UP
from dsi_automation.operations.applications.record import ApplicationRecord, Deployed, Interruption
from dsi_automation.operations.backups.catalogue import Noted


@dataclass(frozen=True, slots=True)
class LastTest:
    """The last connection test that a run made."""

    at: datetime
    conclusive: bool
    run: str


@dataclass(frozen=True, slots=True)
class ApplicationHealth:
    """What the record says of one application at this moment.

    Attributes:
        open: the interruption that lasts; None while it is up.
        up_since: when it last came back; None when it never went down under the toolkit.
        last_restart: when one of its servers was last started.
        release: the one in use; None when none was ever integrated by the toolkit.
    """

    application: str
    open: Interruption | None
    up_since: datetime | None
    last_restart: datetime | None
    last_test: LastTest | None
    release: Deployed | None


def health(record: ApplicationRecord, application: str) -> ApplicationHealth:
    """Return what the record says of one application."""
    notes = [note for note in record.notes if note.target == application]
    tested, up = _last(notes, TESTED), _last(notes, UP)
    open_now = record.open_interruption(application)
    started = _last(notes, STARTED)
    return ApplicationHealth(
        application=application,
        open=open_now,
        up_since=None if up is None or open_now is not None else up.at,
        last_restart=None if started is None else started.at,
        last_test=None if tested is None else LastTest(tested.at, bool(tested.data["conclusive"]), tested.run),
        release=next((item for item in reversed(record.deployed) if item.application == application), None),
    )


def _last(notes: list[Noted], name: str) -> Noted | None:
    return next((note for note in reversed(notes) if note.name == name), None)
