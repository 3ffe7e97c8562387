"""What users of an application are told; the words are made where mails are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Announced(StrEnum):
    """What users are told."""

    BEFORE = "before"
    """It will stop at a moment."""
    BACK = "back"
    """It is available again."""
    PUT_OFF = "put_off"
    """It was announced, and did not stop after all."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One mail to the users of an application; told once for each run, kind and moment of the stop.

    Attributes:
        stops_at: with BEFORE, when it stops; with PUT_OFF, when it was to.
        planned: whether it is the planned stop.
        why: for users: `Maintenance du soir`.
        seconds: with BACK, how long it was interrupted.
        release: with BACK after an integration, the release now in use.
    """

    application: str
    kind: Announced
    planned: bool
    why: str
    stops_at: datetime | None = None
    seconds: float | None = None
    release: str | None = None
