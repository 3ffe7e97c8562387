"""`dsi application status`: whether each application is up, from the record alone; an interruption is an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsi_automation.cli.application_list import next_stop
from dsi_automation.cli.application_names import application_argument, applications_of, record_of
from dsi_automation.cli.base import command
from dsi_automation.cli.moments import local
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.operations.applications.health import ApplicationHealth


@command(
    "status",
    T(
        "Show by the record whether each application is up: since when, last start, last test, release, next planned "
        "stop.\n\n"
        "Exit code 5 when one is interrupted or did not pass its last test. “dsi application check” looks at it now."
    ),
)
@application_argument(many=True, required=False)
def status(names: tuple[str, ...]) -> int:
    """Show how applications are."""
    from dsi_automation.operations.applications.health import health

    current = session()
    known, record = applications_of(current, names), record_of(current)
    found = {name: health(record, name) for name in known}
    code = ExitCode.NOT_COMPLIANT if any(_alarming(one) for one in found.values()) else ExitCode.DONE
    if current.choices.json:
        rows = [health_view(one, next_stop(current, name)) for name, one in found.items()]
        current.out.data({"applications": rows, "exit_code": int(code)})
        return code
    headers = (
        T("Application"), T("State"), T("Last start"), T("Last test"), T("Release"), T("Next stop"),
    )  # fmt: skip
    current.out.table(
        headers,
        [
            (
                name,
                _state(one),
                None if one.last_restart is None else local(one.last_restart),
                _test(one),
                None if one.release is None else one.release.release,
                _shown(next_stop(current, name)),
            )
            for name, one in found.items()
        ],
        ["red" if _alarming(one) else "" for one in found.values()],
    )
    for one in found.values():
        _tell_interruption(current, one)
    return code


def health_view(one: ApplicationHealth, following: datetime | None) -> dict[str, Any]:
    """Return how an application is as `--json` prints it."""
    lasting, test, release = one.open, one.last_test, one.release
    return {
        "application": one.application,
        "interrupted": lasting is not None,
        "up_since": _iso(one.up_since),
        "interruption": None if lasting is None else {
            "since": iso(lasting.began_at),
            "planned": lasting.planned,
            "why": lasting.why,
            "run": lasting.run,
        },
        "last_start": _iso(one.last_restart),
        "last_test": None if test is None else {"at": iso(test.at), "conclusive": test.conclusive, "run": test.run},
        "release": None if release is None else {
            "release": release.release,
            "since": iso(release.at),
            "source": release.source,
            "stage": release.stage,
            "run": release.run,
        },
        "next_stop": _iso(following),
    }  # fmt: skip


def _alarming(one: ApplicationHealth) -> bool:
    return one.open is not None or (one.last_test is not None and not one.last_test.conclusive)


def _state(one: ApplicationHealth) -> Text:
    if one.open is not None:
        return T("interrupted since {when}", when=local(one.open.began_at))
    if one.up_since is not None:
        return T("up since {when}", when=local(one.up_since))
    return T("never interrupted by the record")


def _test(one: ApplicationHealth) -> Text | None:
    if one.last_test is None:
        return None
    when = local(one.last_test.at)
    return T("conclusive, {when}", when=when) if one.last_test.conclusive else T("NOT CONCLUSIVE, {when}", when=when)


def _tell_interruption(session: Session, one: ApplicationHealth) -> None:
    lasting = one.open
    if lasting is None:
        return
    seconds = (session.toolkit.clock.now() - lasting.began_at).total_seconds()
    kind = T("planned") if lasting.planned else T("unplanned")
    session.out.line(
        T(
            "{name}: interrupted for {time} ({kind}: {why}), by {run}.",
            name=one.application,
            time=Seconds(max(seconds, 0.0)),
            kind=kind,
            why=lasting.why,
            run=lasting.run,
        )
    )
    session.out.line(T("See it: dsi show {run}", run=lasting.run), indent=2)
    session.out.line(T("Look at it now: dsi application check {name}", name=one.application), indent=2)


def _shown(when: datetime | None) -> str | None:
    return None if when is None else local(when)


def _iso(when: datetime | None) -> str | None:
    return None if when is None else iso(when)
