"""Requests and runs as everybody sees them: folded from the journal, never stored twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from dsi_automation.core.canonical import Json
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Check, Outcome


class RequestState(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    REVOKED = "revoked"
    EXPIRED = "expired"
    USED = "used"
    RATIFICATION_DUE = "ratification_due"
    RATIFIED = "ratified"


class RequestKind(StrEnum):
    """A plan to run once, a bounded permission to run again and again, or an emergency told afterwards."""

    SINGLE = "single"
    STANDING = "standing"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Window:
    """When a request may run: from, until, both UTC and both optional."""

    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class StandingBounds:
    """What a standing approval covers besides operation, targets and inputs.

    Attributes:
        until: last day it is good for.
        daily_from, daily_until: hours of the day, in `time_zone`; until may be before from (over midnight).
        weekdays: 0 is Monday; empty for every day.
    """

    until: date
    daily_from: time
    daily_until: time
    time_zone: str
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One approver's signed word on a request."""

    person: str
    decision: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A plan put forward by somebody, with why, when it may run, and what became of it."""

    id: str
    kind: RequestKind
    state: RequestState
    plan: Plan
    requester: str
    reason: str
    made_at: datetime
    window: Window
    environment: str
    approvals_needed: int
    decisions: tuple[Decision, ...] = ()
    expires_at: datetime | None = None
    ratify_before: datetime | None = None
    bounds: StandingBounds | None = None
    runs: tuple[str, ...] = ()


class HandedBy(StrEnum):
    """How somebody's account was handed over."""

    SCREEN = "screen"
    """The temporary password was shown on the screen."""
    SEALED = "sealed_letter"
    """The temporary password was put into an encrypted letter."""
    LETTER = "letter"
    """The settings were put into a letter, without a password."""
    SETTINGS = "settings"
    """The settings were shown on the screen, without a password."""

    @property
    def gives_password(self) -> bool:
        """Tell whether a password was handed over."""
        return self in {HandedBy.SCREEN, HandedBy.SEALED}


@dataclass(frozen=True, slots=True)
class HandedItem:
    """One account of a hand-over; `run` is the run that made it ready, where one did."""

    target: str
    address: str
    how: HandedBy
    run: str | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """Accounts handed over by somebody, recorded before any password was revealed.

    Attributes:
        to: whom it was given to, in the words of who gave it.
    """

    id: str
    operation: str
    person: str
    at: datetime
    items: tuple[HandedItem, ...]
    to: str | None = None


class MediumState(StrEnum):
    """Where a medium is by the record of custody; after IBM Storage Protect's DRM."""

    ON_SITE = "on_site"
    """In the house: where a medium is that never moved."""
    COURIER = "courier"
    """Handed over, on its way to where it is stored."""
    VAULT = "vault"
    """Stored off site, and received there by somebody else than who handed it over."""
    RETRIEVE_REQUESTED = "retrieve_requested"
    """Stored off site, and asked to come back."""
    COURIER_BACK = "courier_back"
    """On its way back."""
    DESTROYED = "destroyed"
    """Gone for good."""


@dataclass(frozen=True, slots=True)
class Held:
    """A set that a medium holds, with the SHA-256 of its manifest."""

    set: str
    manifest: str


@dataclass(frozen=True, slots=True)
class MediumOrder:
    """A move of a medium that somebody is about to sign.

    Attributes:
        title: what is written on the medium.
        state: where it is from now on.
        to: id in people.yml of who gets it, where somebody does.
        carrier: who carries it, in words: a transporter, a car.
        seal: the number of its seal.
        place, box: where it is stored.
        holds: what is on it at this moment.
    """

    medium: str
    title: str
    state: MediumState
    to: str | None = None
    carrier: str | None = None
    seal: str | None = None
    place: str | None = None
    box: str | None = None
    comment: str | None = None
    holds: tuple[Held, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return it as what is signed and what `--json` prints have it."""
        return {
            "medium": self.medium,
            "title": self.title,
            "state": str(self.state),
            "to": self.to,
            "carrier": self.carrier,
            "seal": self.seal,
            "place": self.place,
            "box": self.box,
            "comment": self.comment,
            "holds": [{"set": held.set, "manifest": held.manifest} for held in self.holds],
        }


@dataclass(frozen=True, slots=True)
class MediumMove:
    """A move of a medium, as the record holds it: signed by `person`."""

    id: str
    order: MediumOrder
    before: MediumState
    person: str
    at: datetime


class Verdict(StrEnum):
    """What somebody signs about a release at a stage."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class AcceptanceOrder:
    """A word on a release at a stage that somebody is about to sign.

    Attributes:
        source: the line of sources.
        sha256: of the release's archive: another archive of the same name was not accepted.
        run: the run that deployed it there and tested it.
    """

    source: str
    release: str
    sha256: str
    stage: str
    run: str
    verdict: Verdict
    comment: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A word on a release at a stage, as the record holds it: signed by `person`."""

    id: str
    order: AcceptanceOrder
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one action of a run."""

    action_id: str
    target: str
    outcome: Outcome
    at: datetime
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something a run kept of what it did, while it did it.

    Attributes:
        name: what is told: `backup.set`, `backup.try`, ...
    """

    target: str
    name: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of an approved plan, and what an independent look found afterwards.

    Attributes:
        held_by: the process that holds its leases now, as the journal names it; None when nobody does.
        errors: why a target did not end well, by target, as `DsiError.to_json` writes it.
        error: why the run as a whole ended before it did anything.
    """

    id: str
    request_id: str
    operation: str
    plan_digest: str
    person: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    targets: dict[str, Outcome]
    steps: tuple[Step, ...]
    evidence: tuple[Check, ...]
    exit_code: int | None
    held_by: str | None = None
    errors: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    error: dict[str, Any] | None = None
