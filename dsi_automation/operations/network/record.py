"""The accesses that were opened, folded from the notes of runs: pure, never stored twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.plan import Action
from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.network.notes import ALLOWED, REVOKED

EXPIRED: Final = "expired"
PROLONGED: Final = "prolonged"


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
        revoked_why: `asked`, `expired`, `drift`, or `prolonged` where the same access was given another end.
        at: the address its tries connect to, where its destination is not one machine.
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
    at: str | None = None

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
    """All accesses there ever were, oldest first.

    Attributes:
        begun: what each run told of each router: run, router and the note's name.
    """

    accesses: tuple[Access, ...]
    begun: frozenset[tuple[str, str, str]] = frozenset()

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


def opened_by(action: Action) -> tuple[AccessRule, ...]:
    """Return the access an action opens."""
    args: Mapping[str, Any] = action.args
    return (rule_from_json(args["rule"]),) if "rule" in args else ()


def closed_by(action: Action) -> tuple[AccessRule, ...]:
    """Return the accesses an action takes away."""
    args: Mapping[str, Any] = action.args
    return tuple(rule_from_json(one) for one in args.get("rules", ()))


def read(notes: Iterable[Noted], decided: Callable[[str], Decided]) -> AccessRecord:
    """Fold the notes of all runs, oldest first; `decided` tells who asked for a run and who approved it."""
    found: list[Access] = []
    begun = set[tuple[str, str, str]]()
    for note in notes:
        data = note.data
        if note.name.startswith(("access.", "router.")):
            begun.add((note.run, note.target, note.name))
        if note.name == ALLOWED:
            rule = rule_from_json(data["rule"])
            _end(found, note.target, rule.id, note.at, PROLONGED)
            by = decided(note.run)
            found.append(
                Access(rule, note.target, str(data["why"]), str(data["reference"]), str(data["beneficiary"]),
                       note.run, by.requester, by.approvers, note.at, at=data.get("at"))
            )  # fmt: skip
        elif note.name == REVOKED:
            _end(found, note.target, data["id"], note.at, str(data["why"]))
    return AccessRecord(tuple(found), frozenset(begun))


def _end(found: list[Access], router: str, identifier: str | None, at: datetime, why: str) -> None:
    for place, one in enumerate(found):
        if one.revoked_at is None and one.router == router and one.rule.id == identifier:
            found[place] = replace(one, revoked_at=at, revoked_why=why)
