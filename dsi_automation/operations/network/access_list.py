"""`access.list`: the accesses of the record held against what each router lets through now. Read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.clock import iso
from dsi_automation.core.events import Observer
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Inputs, ReadOnlyOperation, Report
from dsi_automation.inventory.network_model import AccessPolicy
from dsi_automation.operations.network.access_look import AccessFacts, World, read_facts
from dsi_automation.operations.network.record import Access
from dsi_automation.operations.network.revoke_plan import unknown_of
from dsi_automation.operations.tools import Look


class State(StrEnum):
    """How an access is."""

    OPEN = "open"
    ENDING = "ending"
    """Open, and its end is near."""
    EXPIRED = "expired"
    """Its end is over and the router lets it through still."""
    OVER = "over"
    """Its end is over, the router took it away itself, and no run has recorded it yet."""
    MISSING = "missing"
    """The record says open, the router does not let it through."""
    OTHER_END = "other_end"
    """The router lets it through until another moment than the record says."""
    UNSAVED = "unsaved"
    """Open, and lost when the router restarts."""
    UNKNOWN = "unknown"
    """The router lets it through, and no request opened it."""
    CLOSED = "closed"
    """Taken away."""
    UNSEEN = "unseen"
    """The router did not answer."""


STATES: Mapping[State, Text] = {
    State.OPEN: T("open"),
    State.ENDING: T("ends soon"),
    State.EXPIRED: T("OVER, open"),
    State.OVER: T("over"),
    State.MISSING: T("MISSING"),
    State.OTHER_END: T("OTHER END"),
    State.UNSAVED: T("NOT SAVED"),
    State.UNKNOWN: T("UNKNOWN"),
    State.CLOSED: T("closed"),
    State.UNSEEN: T("not seen"),
}
GOOD = frozenset({State.OPEN, State.CLOSED, State.OVER, State.UNSEEN})
WORTH_TELLING = frozenset({State.ENDING})


@dataclass(frozen=True, slots=True)
class Moment:
    """When routers were looked at: an access may end in between, and is then neither missing nor open for too long."""

    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """An access with how it is now."""

    access: Access
    state: State

    def to_json(self) -> dict[str, Any]:
        """Return it as data."""
        one, rule = self.access, self.access.rule
        return {
            "id": rule.id,
            "router": one.router,
            "source": rule.source,
            "destination": rule.destination,
            "service": rule.service,
            "until": None if rule.until is None else iso(rule.until),
            "sequence": rule.sequence,
            "state": str(self.state),
            "why": one.why,
            "reference": one.reference,
            "beneficiary": one.beneficiary,
            "requester": one.requester,
            "approvers": list(one.approvers),
            "run": one.run,
            "allowed_at": None if self.state is State.UNKNOWN else iso(one.allowed_at),
            "revoked_at": None if one.revoked_at is None else iso(one.revoked_at),
            "revoked_why": one.revoked_why,
        }


class ListInputs(Inputs):
    """Inputs of `access.list`."""

    closed: bool = Field(default=False, description=T("Those that were taken away as well.").template)


class AccessList(ReadOnlyOperation[ListInputs, Look]):
    """Shows who may reach what, until when and why, and where routers and record differ."""

    name: ClassVar[str] = "access.list"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "F"
    summary: ClassVar[Text] = T("List accesses: who may reach what until when, and where routers and record differ")
    inputs_model: ClassVar[type[Inputs]] = ListInputs

    def check(self, targets: Sequence[str], inputs: ListInputs, look: Look, observer: Observer) -> Report:
        """Read every router at once; what the record says of a silent one is in the facts all the same."""
        world = World(look.network, look.clock.now(), look.access_record())
        seen = fan_out(
            targets,
            lambda target: read_facts(target, look, world, quiet=False),
            workers=look.workers,
            deadline=look.deadline,
            observer=observer,
        )
        moment = Moment(world.now, look.clock.now())
        checks: list[Check] = []
        facts: dict[str, Mapping[str, Any]] = {}
        for target in targets:
            found = list(_lines(target, seen.results.get(target), world, moment))
            checks += [_check(target, line) for line in found]
            if target in seen.results and not found:
                checks.append(_nothing(target))
            if inputs.closed:
                found += _closed(target, world)
            facts[target] = {"accesses": [line.to_json() for line in found]}
        shown = [check for check in checks if check.target not in seen.failures]
        return Report(tuple(targets), tuple(shown), seen.failures, facts)


def _lines(router: str, facts: AccessFacts | None, world: World, moment: Moment) -> Iterator[Line]:
    policy = world.network.settings.access
    for one in world.record.standing(router):
        yield Line(one, State.UNSEEN if facts is None else _state(one, facts, moment, policy))
    if facts is not None:
        for strange in unknown_of(router, facts):
            yield Line(strange, State.UNKNOWN)


def _state(one: Access, facts: AccessFacts, moment: Moment, policy: AccessPolicy) -> State:
    there = facts.open_now(one.rule)
    if there is None:
        return State.OVER if one.expired(moment.ended) else State.MISSING
    if one.expired(moment.began):
        return State.EXPIRED
    if there.until not in {None, one.rule.until}:
        return State.OTHER_END
    if not _is_saved(one.rule, facts):
        return State.UNSAVED
    near = one.rule.until is not None and one.rule.until - moment.began <= policy.warn_before
    return State.ENDING if near else State.OPEN


def _is_saved(rule: AccessRule, facts: AccessFacts) -> bool:
    return any(one.key == rule.key for one in facts.dialect.rules(facts.saved))


def _closed(router: str, world: World) -> list[Line]:
    return [Line(one, State.CLOSED) for one in world.record.accesses
            if one.router == router and one.revoked_at is not None]  # fmt: skip


def _check(router: str, line: Line) -> Check:
    rule = line.access.rule
    title = T("{id}: {source} to {destination}, {service}", id=rule.id or "-", source=rule.source,
              destination=rule.destination, service=rule.service)  # fmt: skip
    expected = T("closed") if line.state in {State.EXPIRED, State.OVER, State.UNKNOWN} else T("open")
    good = line.state in GOOD
    return Check(
        router, f"access.{rule.id}", title, str(expected), str(STATES[line.state]), ok=good, source=router,
        warning=line.state in WORTH_TELLING,
    )  # fmt: skip


def _nothing(router: str) -> Check:
    return Check(router, "accesses", T("Accesses that are open"), "0", "0", ok=True, source=router)
