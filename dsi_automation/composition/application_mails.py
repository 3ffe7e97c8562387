"""What users of an application and who asked something of it are told; pure, in the language that is spoken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from dsi_automation.core.clock import parse_iso
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.model import RequestKind, RequestState
from dsi_automation.operations.applications.announcing import Announced, Announcement

if TYPE_CHECKING:
    from dsi_automation.engine.model import Request
    from dsi_automation.inventory.application_model import Application

type Mail = tuple[str, str]
"""Subject and body."""

NOUNS: Final[Mapping[str, Text]] = {
    "application.stop": T("stop"),
    "application.start": T("start"),
    "application.restart": T("restart"),
    "application.account": T("user account"),
    "sources.integrate": T("integration of sources"),
    "rules.update": T("update of rules"),
    "router.configure": T("configuration of routers"),
    "access.allow": T("opening of an access"),
    "access.revoke": T("removal of accesses"),
}


def announcement_mail(prefix: str, described: Application, told: Announcement) -> Mail:
    """Return what users are told."""
    facts: dict[str, Any] = {"prefix": prefix, "title": described.title, "why": told.why.rstrip(".")}
    if told.kind is Announced.BEFORE:
        when = "" if told.stops_at is None else moment(told.stops_at, described)
        subject = (
            T("{prefix} {title}: planned stop on {when}", when=when, **facts)
            if told.planned
            else T("{prefix} {title}: unplanned stop on {when}", when=when, **facts)
        )
        lines: list[object] = [
            T("{title} stops on {when}.", when=when, **facts),
            T("Why: {why}.", **facts),
            "",
            T("Please save your work and log out before. You will be told as soon as it is available again."),
        ]
    elif told.kind is Announced.BACK:
        subject = T("{prefix} {title}: available again", **facts)
        lines = [T("{title} is available again: you can log in.", **facts)]
        if told.seconds is not None:
            lines.append(T("It was interrupted for {time}.", time=Seconds(told.seconds)))
        if told.release is not None:
            lines.append(T("Release now in use: {release}.", release=told.release))
    else:
        subject = T("{prefix} {title}: the stop does not take place", **facts)
        lines = [
            T("The stop of {title} you were told of does not take place. You can go on working.", **facts),
            T("Why: {why}.", **facts),
        ]
    return mail(subject, lines)


def asked_mail(prefix: str, request: Request, title: str, requester: str, described: Application | None = None) -> Mail:
    """Return what those who may decide are told of a request about an application."""
    return request_mail(prefix, request, title, requester, _stated(request, described))


def request_mail(prefix: str, request: Request, title: str, requester: str, stated: Iterable[object]) -> Mail:
    """Return what those who may decide are told of a request.

    Args:
        prefix: of the subject.
        request: the request.
        title: what it is about.
        requester: who asks.
        stated: lines with what its inputs say for people.
    """
    facts = {"prefix": prefix, "what": _asked_noun(request), "title": title}
    return mail(
        T("{prefix} TO DECIDE — {title}: {what}", **facts),
        [
            T("{person} asks: {title}: {what}.", person=requester, **facts),
            T("Reason: {reason}", reason=request.reason),
            *stated,
            "",
            T("See it: {command}", command=f"dsi show {request.id}"),
            T("Agree: {command}", command=f"dsi approve {request.id} --comment '...'"),
            T("Refuse: {command}", command=f"dsi refuse {request.id} --comment '...'"),
        ],
    )


def decided_mail(prefix: str, request: Request, title: str, names: Mapping[str, str]) -> Mail:
    """Return what who asked is told of the last decision."""
    last = request.decisions[-1]
    facts = {
        "prefix": prefix,
        "what": _asked_noun(request),
        "title": title,
        "person": names.get(last.person, last.person),
        "id": request.id,
    }
    comment = [T("Comment: {comment}", comment=last.comment)] if last.comment.strip() else []
    if last.decision == "refuse":
        return mail(
            T("{prefix} REFUSED — {title}: {what}", **facts),
            [
                T("{person} refuses your request {id} ({title}: {what}).", **facts),
                *comment,
                "",
                T("The operation is put off: nothing was touched, and nothing will be under this request."),
                T("When the reasons are settled, make another request."),
            ],
        )
    left = request.approvals_needed - sum(one.decision == "approve" for one in request.decisions)
    if request.state is RequestState.PENDING and left > 0:
        following: list[object] = [TN("{n} approval is still missing.", "{n} approvals are still missing.", left)]
    elif request.kind is RequestKind.STANDING:
        following = [T("It runs by its schedule from now on, within its hours.")]
    else:
        following = [T("Next: {command}", command=f"dsi run {request.id}")]
    return mail(
        T("{prefix} APPROVED — {title}: {what}", **facts),
        [T("{person} approves your request {id} ({title}: {what}).", **facts), *comment, "", *following],
    )


def noun(operation: str) -> Text:
    """Return what an operation is, for people."""
    return NOUNS.get(operation, T("run"))


def mail(subject: Text, lines: Sequence[object]) -> Mail:
    """Return a mail of these lines, as it is read."""
    return str(subject), "\n".join(str(line) for line in lines).rstrip("\n") + "\n"


def _asked_noun(request: Request) -> Text:
    what = noun(request.plan.operation)
    if "planned" not in request.plan.inputs:
        return what
    return T("{what}, planned", what=what) if request.plan.inputs["planned"] else T("{what}, unplanned", what=what)


def _stated(request: Request, described: Application | None) -> Iterator[Text]:
    """Yield what the inputs say for people."""
    inputs = request.plan.inputs
    if inputs.get("why"):
        yield T("What users are told: {why}", why=inputs["why"])
    if inputs.get("since"):
        yield T("The incident began: {since}", since=moment(parse_iso(str(inputs["since"])), described))
    named = inputs.get("end_sessions")
    if isinstance(named, list) and named:
        sessions = ", ".join(str(pid) for pid in named)
        yield T("Sessions that work and are ended: {sessions}", sessions=sessions)
    if request.plan.operation == "application.account":
        yield from (action.title for action in request.plan.actions)
    if inputs.get("rules"):
        yield from (action.title for action in request.plan.actions)
    if inputs.get("release"):
        yield T("Release: {release}", release=inputs["release"])


def moment(when: datetime, described: Application | None) -> str:
    """Return a moment for people, in the zone of the application's hours."""
    zone = None if described is None else ZoneInfo(described.time_zone)
    return f"{when.astimezone(zone):%d/%m/%Y %H:%M}"
