"""A request on the terminal: who asks what, why, when, who decided, and the whole plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsi_automation.cli import labels
from dsi_automation.cli.moments import DAYS, local
from dsi_automation.cli.output import Output
from dsi_automation.cli.show_plan import show_plan
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dsi_automation.engine.model import Request


def show_request(
    out: Output, request: Request, *, details: bool = False, people: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Write everything an approver needs to decide.

    Args:
        out: where to.
        request: the request.
        details: every action with its reason, of a batch too.
        people: the rows of the file it was made from, where that is at hand.
    """
    out.line(T("Request {id}", id=request.id), bold=True)
    for title, value in _facts(request):
        out.line(T("{title}: {value}", title=title, value=value), indent=2)
    for word in request.decisions:
        out.line(
            T(
                "{person} {decides} on {moment}: {comment}",
                person=word.person,
                decides=labels.DECISIONS.get(word.decision, word.decision),
                moment=local(word.at),
                comment=word.comment,
            ),
            indent=2,
        )
    out.line()
    show_plan(out, request.plan, details=details, people=people)


def show_requests(out: Output, requests: Sequence[Request]) -> None:
    """Write a line per request."""
    if not requests:
        out.line(T("No request."))
        return
    headers = (T("Request"), T("State"), T("Kind"), T("Operation"), T("Targets"), T("By"), T("Made"), T("Reason"))
    rows = [
        (
            request.id,
            labels.request_state(request),
            labels.REQUEST_KINDS[request.kind.value],
            request.plan.operation,
            labels.listed(request.plan.targets),
            request.requester,
            local(request.made_at),
            request.reason,
        )
        for request in requests
    ]
    out.table(headers, rows, [labels.COLORS.get(request.state.value, "") for request in requests])


def next_step(request: Request) -> Text | None:
    """Return what usually comes next for a request, as a command; None when nothing does."""
    state = request.state.value
    if state == "pending":
        return T("Next, somebody entitled: dsi approve {id} --comment '...'", id=request.id)
    if state == "approved":
        return T("Next: dsi run {id}", id=request.id)
    if state == "ratification_due":
        return T("Next, somebody entitled: dsi ratify {id} --comment '...'", id=request.id)
    return None


def _facts(request: Request) -> list[tuple[Text, object]]:
    facts: list[tuple[Text, object]] = [
        (T("state"), labels.request_state(request)),
        (T("kind"), labels.REQUEST_KINDS[request.kind.value]),
        (T("environment"), request.environment),
        (T("by"), request.requester),
        (T("reason"), request.reason),
        (T("made"), local(request.made_at)),
        (T("approvals needed"), request.approvals_needed),
    ]
    moments = (
        (T("not before"), request.window.not_before),
        (T("not after"), request.window.not_after),
        (T("expires"), request.expires_at),
        (T("to be ratified before"), request.ratify_before),
    )
    facts += [(title, local(moment)) for title, moment in moments if moment is not None]
    if request.bounds is not None:
        facts.append((T("standing"), _bounds(request)))
    if request.runs:
        facts.append((T("runs"), ", ".join(request.runs)))
    return facts


def _bounds(request: Request) -> Text:
    bounds = request.bounds
    assert bounds is not None  # noqa: S101  # the caller looked
    days = ", ".join(str(DAYS[day]) for day in bounds.weekdays)
    return T(
        "until {until}, from {start} to {end} ({zone}), {days}",
        until=bounds.until.isoformat(),
        start=f"{bounds.daily_from:%H:%M}",
        end=f"{bounds.daily_until:%H:%M}",
        zone=bounds.time_zone,
        days=days or T("every day"),
    )
