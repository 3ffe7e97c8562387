"""What people are told of routers and accesses: whether it was done, or that the site is as it was; pure.

Lines of a device's configuration are in no mail: what remains of a change is told by its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.composition.application_mails import Mail, mail, noun, request_mail
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.model import RequestState
from dsi_automation.operations.network import notes

if TYPE_CHECKING:
    from dsi_automation.engine.model import Note, Request, Run
    from dsi_automation.operations.network.record import Access


class State(StrEnum):
    """What a run left behind on one router."""

    DONE = "done"
    ALREADY = "already"
    """As wanted before the run did anything."""
    BACK = "back"
    """It is as it was before: nothing remains of the change."""
    REMAINS = "remains"
    """It went back, and something of the change remains."""
    PENDING = "pending"
    """The run was cut short while the timer was armed: the router goes back by itself."""
    KEPT = "kept"
    """Confirmed, and yet the run did not end well."""
    UNTOUCHED = "untouched"


_STATES: Final[Mapping[State, Text]] = {
    State.DONE: T("done, and verified"),
    State.ALREADY: T("was as wanted already"),
    State.BACK: T("NOT done: the router is back to what it was, nothing remains of the change"),
    State.REMAINS: T("NOT done: the router went back, and something of the change REMAINS"),
    State.PENDING: T("NOT confirmed: the router goes back by itself when its timer runs out"),
    State.KEPT: T("the change is in force, but its run did not end well"),
    State.UNTOUCHED: T("NOT done: the router was not touched"),
}


@dataclass(frozen=True, slots=True)
class NetworkEnding:
    """How a run on routers ended.

    Attributes:
        names: of people, by their ids.
        sites: of routers, by their names.
        accesses: those the run opened or took away, by router.
    """

    run: Run
    request: Request
    names: Mapping[str, str]
    sites: Mapping[str, str]
    accesses: Sequence[Access] = ()

    @property
    def good(self) -> bool:
        """Tell whether it ended as it was asked to."""
        return self.run.exit_code == 0

    @property
    def states(self) -> dict[str, State]:
        """Return what it left behind, by router, in the order asked."""
        return {target: self._state(target) for target in self.request.plan.targets if target in self._ran}

    @property
    def _ran(self) -> frozenset[str]:
        """Return the routers this run was about: under a standing approval perhaps not all."""
        return frozenset(self.run.targets) or frozenset(self.request.plan.targets)

    def _state(self, target: str) -> State:
        told = [note for note in self.run.notes if note.target == target]
        back = _last(told, notes.REVERTED)
        if back is not None and _follows(told, notes.REVERTED, notes.CONFIRMED):
            return State.BACK if back["same"] else State.REMAINS
        if _last(told, notes.CONFIRMED) is not None:
            return State.DONE if self.good or self.run.targets.get(target) is Outcome.DONE else State.KEPT
        if self.run.targets.get(target) is Outcome.UNCHANGED:
            return State.ALREADY
        if self.run.targets.get(target) is Outcome.DONE:
            return State.DONE
        return State.PENDING if _last(told, notes.ARMED) is not None else State.UNTOUCHED


def asked_mail(prefix: str, request: Request, title: str, requester: str) -> Mail:
    """Return what those who may decide are told of a request about routers or accesses."""
    stated = [*_stated(request.plan.inputs), *(action.title for action in request.plan.actions)]
    return request_mail(prefix, request, title, requester, stated)


def ending_mail(prefix: str, ending: NetworkEnding) -> Mail:
    """Return what who asked and those who may approve it are told at the end of a run."""
    run, request, states = ending.run, ending.request, ending.states
    facts = {"prefix": prefix, "title": ", ".join(states) or "-", "what": noun(run.operation)}
    subject = (
        T("{prefix} DONE — {title}: {what}", **facts)
        if ending.good
        else T("{prefix} NOT DONE — {title}: {what}", **facts)
    )
    lines: list[object] = []
    for router, state in states.items():
        place = T("{router} ({site})", router=router, site=ending.sites.get(router, "-"))
        lines.append(T("{name}: {value}", name=place, value=_STATES[state]))
        lines += [T("  {sentence}", sentence=sentence) for sentence in _why(ending, router)]
    if not ending.good and states and set(states.values()) <= {State.BACK, State.UNTOUCHED, State.ALREADY}:
        lines += ["", T("The sites are as they were before: nobody was cut off for good.")]
    lines += _accesses(ending.accesses)
    lines += ["", *(T("{name}: {value}", name=name, value=value) for name, value in _facts(ending))]
    if run.error is not None:
        lines += ["", T("What failed:"), *_sentences(run.error)]
    lines += ["", *_next(ending)]
    if request.state is RequestState.RATIFICATION_DUE:
        lines.append(T("To be ratified: {command}", command=f"dsi ratify {request.id} --comment '...'"))
    return mail(subject, lines)


def expiry_mail(
    prefix: str, ending: NetworkEnding, overdue: Sequence[Access], soon: Sequence[Access], now: datetime
) -> Mail:
    """Return the report on accesses whose end is over: taken away, still there, and those that end soon."""
    removed = [one for one in ending.accesses if one.revoked_at is not None]
    facts = {"prefix": prefix, "removed": len(removed), "soon": len(soon)}
    subject = (
        T("{prefix} EXPIRED ACCESSES STILL OPEN: {n}", n=len(overdue), **facts)
        if overdue
        else T("{prefix} Accesses: {removed} expired and removed, {soon} ending soon", **facts)
    )
    lines: list[object] = []
    if overdue:
        lines += [T("Expired, and STILL OPEN: they could not be taken away."), *_list(overdue), ""]
        for router, state in ending.states.items():
            if state not in {State.DONE, State.ALREADY}:
                lines.append(T("{name}: {value}", name=router, value=_STATES[state]))
                lines += [T("  {sentence}", sentence=sentence) for sentence in _why(ending, router)]
        lines.append("")
    if removed:
        lines += [T("Expired, and taken away:"), *_list(removed), ""]
    if soon:
        lines += [T("Ending soon:")]
        for one in soon:
            assert one.rule.until is not None  # noqa: S101  # it ends soon
            days = max((one.rule.until - now).days, 0)
            lines.append(TN("{what}: in {n} day at most", "{what}: in {n} days at most", days + 1, what=_line(one)))
        lines += [T("To prolong one, ask again with another end: dsi access allow"), ""]
    lines.append(T("See them all: {command}", command="dsi access list"))
    if ending.run.id:
        lines.append(T("See it: {command}", command=f"dsi show {ending.run.id}"))
    return mail(subject, lines)


def _why(ending: NetworkEnding, router: str) -> Iterator[object]:
    error = ending.run.errors.get(router)
    if error is not None:
        yield from (error[part] for part in ("what", "meaning", "next_step") if error.get(part))
    for check in ending.run.evidence:
        if check.target == router and not check.ok and not check.warning:
            yield T(
                "{title}: {observed} instead of {expected}",
                title=check.title, observed=check.observed, expected=check.expected,
            )  # fmt: skip
    back = _last([note for note in ending.run.notes if note.target == router], notes.REVERTED)
    if back is not None:
        by = T("by its own timer") if back["by"] == "timer" else T("at once, by the controller")
        yield T("It went back {by}.", by=by)
        if not back["same"]:
            yield TN("{n} line of the change remains.", "{n} lines of the change remain.", len(back["remaining"]))


def _accesses(accesses: Sequence[Access]) -> list[object]:
    lines: list[object] = []
    for one in accesses:
        done = T("Opened") if one.revoked_at is None else T("Taken away")
        lines += ["", T("{name}: {value}", name=done, value=_line(one))]
        lines.append(T("Reason: {reason}", reason=one.why))
        lines.append(T("For {beneficiary}; request {reference}", beneficiary=one.beneficiary, reference=one.reference))
    return lines


def _list(accesses: Sequence[Access]) -> list[Text]:
    return [T("- {access}; for {beneficiary}", access=_line(one), beneficiary=one.beneficiary) for one in accesses]


def _line(one: Access) -> Text:
    """Return an access on one line: its identifier, router, who, to what, until when."""
    rule = one.rule
    until = "-" if rule.until is None else _moment(rule.until)
    return T(
        "{id} ({router}): {source} → {destination} {service}, until {until}",
        id=rule.id, router=one.router, source=rule.source, destination=rule.destination, service=rule.service,
        until=until,
    )  # fmt: skip


def _stated(inputs: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what an access is asked with."""
    for key, title in (("why", T("Why")), ("beneficiary", T("For")), ("reference", T("Request on paper"))):
        if inputs.get(key):
            yield T("{name}: {value}", name=title, value=inputs[key])


def _facts(ending: NetworkEnding) -> Iterator[tuple[Text, object]]:
    run, request, names = ending.run, ending.request, ending.names
    yield T("Operation"), T("{what} ({operation})", what=noun(run.operation), operation=run.operation)
    yield T("Run"), T("{run}, by {person}", run=run.id, person=names.get(run.person, run.person))
    asked = {"id": request.id, "person": names.get(request.requester, request.requester), "reason": request.reason}
    yield T("Request"), T("{id}, by {person}: {reason}", **asked)
    approved = [one for one in request.decisions if one.decision in {"approve", "ratify"}]
    for one in approved:
        yield T("Agreed by"), T("{person}, on {moment}", person=names.get(one.person, one.person),
                                moment=_moment(one.at))  # fmt: skip
    if not approved:
        yield T("Agreed by"), T("nobody yet")


def _next(ending: NetworkEnding) -> Iterator[Text]:
    run = ending.run
    if run.ended_at is None or run.outcome is Outcome.INTERRUPTED:
        yield T("Finish it: {command}", command=f"dsi resume {run.id}")
    remains = [router for router, state in ending.states.items() if state is State.REMAINS]
    if remains:
        yield T("Compare them with the inventory: {command}", command=f"dsi router check {' '.join(remains)}")
    yield T("See it: {command}", command=f"dsi show {run.id}")


def _sentences(error: Mapping[str, Any]) -> list[Text]:
    return [T("  {sentence}", sentence=error[part]) for part in ("what", "meaning", "next_step") if error.get(part)]


def _last(told: Sequence[Note], name: str) -> Mapping[str, Any] | None:
    return next((note.data for note in reversed(told) if note.name == name), None)


def _follows(told: Sequence[Note], name: str, other: str) -> bool:
    """Tell whether the last note of a name comes after the last one of another."""
    order = [note.name for note in told if note.name in {name, other}]
    return bool(order) and order[-1] == name


def _moment(when: datetime) -> str:
    return f"{when.astimezone():%d/%m/%Y %H:%M}"
