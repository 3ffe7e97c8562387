"""`dsi application list|show`: the applications of the inventory, how they are stopped and started, who is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.application_names import application_argument, application_named, applications_of
from dsi_automation.cli.base import command
from dsi_automation.cli.moments import local
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from dsi_automation.engine.model import Request
    from dsi_automation.inventory.application_model import AnyService, Application
    from dsi_automation.inventory.schedule_model import Schedule

STOPPING: Final = frozenset({"application.stop", "application.restart"})


@command(
    "list",
    T(
        "List the applications: their servers, the hours of the planned stop, when it comes next, and until when it "
        "is approved."
    ),
)
def list_() -> int:
    """List applications."""
    current = session()
    known = applications_of(current)
    if current.choices.json:
        current.out.data({"applications": [application_view(current, name, one) for name, one in known.items()]})
        return 0
    rows, styles = [], []
    for name, one in known.items():
        following, standing = next_stop(current, name), standing_of(current, name)
        rows.append(
            (
                name,
                one.title,
                one.environment.value,
                ", ".join(server.name for server in one.servers),
                T("{hours} ({zone})", hours=one.planned_hours, zone=one.time_zone),
                None if following is None else local(following),
                T("no") if standing is None else T("until {day}", day=_until(standing)),
            )
        )
        styles.append("yellow" if following is not None and standing is None else "")
    headers = (
        T("Application"), T("Title"), T("Environment"), T("Servers"), T("Planned hours"), T("Next stop"), T("Approved"),
    )  # fmt: skip
    current.out.table(headers, rows, styles)
    return 0


@command(
    "show", T("Show one application: servers in order, what is looked at before and after, its test, who is told.")
)
@application_argument()
def show(name: str) -> int:
    """Show an application."""
    current = session()
    one = application_named(current, name)
    if current.choices.json:
        current.out.data(application_view(current, name, one))
        return 0
    out = current.out
    out.line(T("{name}: {title}", name=name, title=one.title), bold=True)
    out.table(
        (T("Server"), T("Machine"), T("Service"), T("Port"), T("Stop within"), T("Start within"), T("Caches")),
        [
            (
                server.name,
                server.host,
                service_words(server.service),
                server.port,
                _span(server.stop_within),
                _span(server.start_within),
                ", ".join(server.caches) or None,
            )
            for server in one.servers
        ],
    )
    for title, value in _facts(current, name, one):
        out.line(T("{title}: {value}", title=title, value=value))
    return 0


def application_view(session: Session, name: str, one: Application) -> dict[str, Any]:
    """Return an application as `--json` prints it: without any secret, as the inventory holds none."""
    following, standing = next_stop(session, name), standing_of(session, name)
    return {
        "application": name,
        "title": one.title,
        "environment": one.environment.value,
        "rolling": one.rolling,
        "servers": [
            {
                "server": server.name,
                "host": server.host,
                "service": server.service.kind,
                "port": server.port,
                "stop_within_seconds": server.stop_within.total_seconds(),
                "start_within_seconds": server.start_within.total_seconds(),
                "caches": list(server.caches),
            }
            for server in one.servers
        ],
        "database": None if one.database is None else {
            "server": one.database.server,
            "port": one.database.port,
            "database": one.database.database,
            "backup": one.database.backup,
        },
        "planned_hours": one.planned_hours,
        "time_zone": one.time_zone,
        "next_stop": None if following is None else iso(following),
        "approval": None if standing is None else {
            "request": standing.id,
            "approvers": [word.person for word in standing.decisions],
            "until": _until(standing),
        },
        "told": {
            "users": list(one.notice.users),
            "dsi": list(one.notice.dsi),
            "countdown_seconds": [step.total_seconds() for step in one.notice.countdown],
        },
        "when_not_conclusive": {"tries": one.when_not_conclusive.tries, "then": one.when_not_conclusive.then},
    }  # fmt: skip


def service_words(service: AnyService) -> Text:
    """Return how a service is driven, in words."""
    if service.kind == "systemd":
        return T("systemd {unit}", unit=service.unit)
    if service.kind == "windows":
        return T("Windows service {name}", name=service.name)
    return T("script {command}", command=service.start.split(" ")[0])


def next_stop(session: Session, name: str) -> datetime | None:
    """Return when a schedule next stops or restarts it; None when none does or schedules.yml cannot be read."""
    try:
        schedules = session.toolkit.schedules()
    except DsiError:
        return None  # “dsi schedule list” and “dsi doctor” say what is wrong with it
    return min(_starts(session, schedules, name), default=None)


def standing_of(session: Session, name: str) -> Request | None:
    """Return the standing approval of its planned restart that lasts longest, whatever the hour is."""
    from dsi_automation.engine.model import RequestKind, RequestState

    asked: Sequence[Request] = session.engine.requests() if session.toolkit.journal_exists else ()
    good = [
        one
        for one in asked
        if one.kind is RequestKind.STANDING
        and one.state is RequestState.APPROVED
        and one.plan.operation in STOPPING
        and one.plan.targets == (name,)
    ]
    return max(good, key=_until, default=None)


def _until(request: Request) -> str:
    return "" if request.bounds is None else request.bounds.until.isoformat()


def _starts(session: Session, schedules: Mapping[str, Schedule], name: str) -> Iterator[datetime]:
    from dsi_automation.schedules.occurrences import following

    now = session.toolkit.clock.now()
    for title, schedule in schedules.items():
        if any(step.operation in STOPPING and name in step.targets for step in schedule.steps):
            yield from (one.start for one in following(title, schedule, now, 1))


def _facts(session: Session, name: str, one: Application) -> Iterator[tuple[Text, object]]:
    yield T("Servers"), T("one after the other") if one.rolling else T("all together")
    if one.database is not None:
        yield T("Database"), f"{one.database.database} ({one.database.server}:{one.database.port})"
        idle = _span(one.locks.idle_for)
        yield T("Sessions that hold locks"), T("ended while it is stopped, when idle for {time}", time=idle)
    test = one.connection_test
    yield T("Connection test"), ", ".join(getattr(test, step).path for step in ("page", "login", "query", "logout"))
    for title, conditions in ((T("Before a stop"), one.before), (T("After a start"), one.after)):
        asked = [*(query.title for query in conditions.queries), *(run.title for run in conditions.commands)]
        if asked:
            yield title, ", ".join(asked)
    tries = one.when_not_conclusive
    then = T("left to a person") if tries.then == "person" else T("stopped")
    yield T("Not conclusive"), T("{n} tries in all, then {then}", n=tries.tries, then=then)
    yield T("Users told"), ", ".join(one.notice.users) or T("nobody")
    yield T("How long before"), ", ".join(str(_span(step)) for step in one.notice.countdown) or "-"
    yield T("DSI told"), ", ".join(one.notice.dsi) or T("nobody")
    yield T("Planned hours"), T("{hours} ({zone})", hours=one.planned_hours, zone=one.time_zone)
    following, standing = next_stop(session, name), standing_of(session, name)
    yield T("Next stop"), T("not scheduled") if following is None else local(following)
    yield (
        T("Approved"),
        T("no: dsi application ask {name}", name=name)
        if standing is None
        else T("{id}, until {day}", id=standing.id, day=_until(standing)),
    )


def _span(value: timedelta) -> Text:
    return Seconds(value.total_seconds())
