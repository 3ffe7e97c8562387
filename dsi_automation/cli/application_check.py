"""`dsi application check`: do what a user does on every server, and show each step with its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from dsi_automation.cli.application_names import application_argument, applications_of, servers_of
from dsi_automation.cli.base import command, option
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.show_run import show_check
from dsi_automation.cli.views import by_target, report_exit_code, report_view
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.core.errors import DsiError

OPERATION: Final = "application.check"
STEPS: Final = ("port", "page", "login", "query", "logout")
"""The steps of the connection test, in the order in which a user goes through them."""
SERVICES: Final[Mapping[str, Text]] = {
    "running": T("running"),
    "stopped": T("stopped"),
    "failed": T("failed"),
    "unknown": T("unknown"),
}


@command(
    "check",
    T(
        "Do what a user does on every server: reach the port, get the page, log in, query, log out, each with its "
        "time; and look at services, locks, caches and releases. Changes nothing.\n\n"
        "Exit code 5 when users cannot work somewhere, 3 when a server did not answer. The short form of “dsi check "
        "application.check”, which also writes CSV and JUnit XML."
    ),
)
@application_argument(many=True, required=False)
@option("--server", "servers", multiple=True, metavar=T("SERVER"), help=T("This server only; repeatable."))
@option(
    "--log",
    "lines",
    type=click.IntRange(0, 1000),
    default=0,
    metavar=T("NUMBER"),
    help=T("Show this many of the last lines of each log as well."),
)
def check(names: tuple[str, ...], servers: tuple[str, ...], lines: int) -> int:
    """Check applications."""
    current = session()
    known = applications_of(current, names)
    for described in known.values():
        servers_of(described, servers)
    with Progress(list(known)) as progress:
        report = current.engine.check(OPERATION, tuple(known), {"servers": servers, "log_lines": lines}, progress)
    if current.choices.json:
        current.out.data(report_view(OPERATION, report))
        return report_exit_code(report)
    checks = by_target(report)
    for name, described in known.items():
        current.out.line(T("{name}: {title}", name=name, title=described.title), bold=True)
        failure = report.failures.get(name)
        if failure is not None:
            _show_failure(current, failure)
            continue
        _show(current, report.facts[name])
        for one in checks[name]:
            if not one.ok:
                show_check(current.out, one)
        _show_logs(current, report.facts[name]["logs"])
        if any(not one.ok and not one.warning for one in checks[name]):
            current.out.line(T("NOT as it should be: users may not be able to work."), fg="red")
        else:
            current.out.line(T("Available: the connection test is conclusive on every server."), fg="green")
    return report_exit_code(report)


def _show(session: Session, facts: Mapping[str, Any]) -> None:
    from dsi_automation.operations.applications.words import place_words

    tests = {tested["server"]: tested["steps"] for tested in facts["tests"]}
    headers = (
        T("Server"), T("Service"), T("Release"), T("Port"), T("Page"), T("Log in"), T("Query"), T("Log out"),
    )  # fmt: skip
    rows, styles = [], []
    for server in dict.fromkeys([*facts["servers"], *tests]):
        seen, steps = facts["servers"].get(server), tests.get(server, ())
        rows.append(
            (
                place_words(server),
                None if seen is None else SERVICES.get(seen["service"], seen["service"]),
                None if seen is None else seen["release"],
                *(_cell(steps, step) for step in STEPS),
            )
        )
        good = bool(steps) and all(step["problem"] is None for step in steps)
        styles.append("" if good else "red")
    session.out.table(headers, rows, styles)


def _cell(steps: Iterable[Mapping[str, Any]], name: str) -> Text | str:
    """Return how long a step took; of one that failed also that it did; a dash for one that was not reached."""
    found = next((step for step in steps if step["name"] == name), None)
    if found is None:
        return "-"
    time = T("{n} ms", n=round(found["seconds"] * 1000))
    return time if found["problem"] is None else T("FAILED after {time}", time=time)


def _show_failure(session: Session, failure: DsiError) -> None:
    session.out.line(failure.what, indent=2, fg="red")
    for sentence in (failure.meaning, failure.next_step):
        if sentence is not None:
            session.out.line(sentence, indent=4)


def _show_logs(session: Session, logs: Mapping[str, Iterable[str]]) -> None:
    for server, lines in logs.items():
        session.out.line(T("Log of {server}:", server=server), bold=True)
        for line in lines:
            session.out.line(line, indent=2)
