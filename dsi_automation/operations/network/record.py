"""The accesses that were opened, folded from the notes of runs: pure, never stored twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.clock import parse_iso
from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.network.notes import ALLOWED, REVOKED


@dataclass(frozen=True, slots=True)
class Access:
    """An access as the record has it.

    Attributes:
        rule: with its id and end.
        router: where it is enforced.
        why: the reason given.
        reference: of the request on paper or by mail.
        beneficiary: for whom it was asked.
        run: the run that opened it.
        requester: who put the request forward.
        approvers: who approved it.
        revoked_at: when it was taken away; None as long as it was not.
        revoked_why: `asked`, `expired` or `drift`.
    """

    rule: AccessRule
    router: str
    why: str
    reference: str
    beneficiary: str
    run: str
    requester: str
    approvers: tuple[str, ...]
    allowed_at: datetime
    revoked_at: datetime | None = None
    revoked_why: str | None = None

    def expired(self, now: datetime) -> bool:
        """Tell whether its end is over, whether or not it was taken away."""
        return self.rule.until is not None and self.rule.until <= now


@dataclass(frozen=True, slots=True)
class Decided:
    """Who put a run's request forward, and who approved it: identifiers of persons."""

    requester: str
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """All accesses there ever were, oldest first."""

    accesses: tuple[Access, ...]

    def standing(self, router: str | None = None) -> tuple[Access, ...]:
        """Return those not taken away, expired or not; of one router, or of all."""
        return tuple(one for one in self.accesses if one.revoked_at is None and router in {None, one.router})

    def find(self, identifier: str) -> Access | None:
        """Return the last access of an identifier."""
        return next((one for one in reversed(self.accesses) if one.rule.id == identifier), None)


def rule_to_json(rule: AccessRule) -> dict[str, Any]:
    """Return a rule as the record keeps it."""
    return {
        "id": rule.id,
        "source": rule.source,
        "destination": rule.destination,
        "protocol": rule.protocol,
        "first_port": rule.first_port,
        "last_port": rule.last_port,
        "until": None if rule.until is None else rule.until.isoformat(),
        "sequence": rule.sequence,
    }


def rule_from_json(data: Mapping[str, Any]) -> AccessRule:
    """Return a rule the record keeps."""
    until = data["until"]
    return AccessRule(**{**data, "until": None if until is None else parse_iso(until)})


def read(notes: Iterable[Noted], decided: Callable[[str], Decided]) -> AccessRecord:
    """Fold the notes of all runs, oldest first; `decided` tells who asked for a run and who approved it."""
    found: list[Access] = []
    for note in notes:
        data = note.data
        if note.name == ALLOWED:
            by = decided(note.run)
            found.append(
                Access(rule_from_json(data["rule"]), note.target, str(data["why"]), str(data["reference"]),
                       str(data["beneficiary"]), note.run, by.requester, by.approvers, note.at)
            )  # fmt: skip
        elif note.name == REVOKED:
            for place, one in enumerate(found):
                if one.revoked_at is None and one.router == note.target and one.rule.id == data["id"]:
                    found[place] = replace(one, revoked_at=note.at, revoked_why=str(data["why"]))
    return AccessRecord(tuple(found))
