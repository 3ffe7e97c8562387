"""`dsi application log|locks`: the last lines of its logs, and who holds locks in its database now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli.application_names import application_argument, application_named, servers_of
from dsi_automation.cli.base import command, option
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.connectors.databases.port import LockedSession


@command("log", T("Show the last lines of the application's log on its servers, secrets masked. Changes nothing."))
@application_argument()
@option("--server", "servers", multiple=True, metavar=T("SERVER"), help=T("This server only; repeatable."))
@option(
    "--lines",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    metavar=T("NUMBER"),
    help=T("How many lines of each."),
)
def log(name: str, servers: tuple[str, ...], lines: int) -> int:
    """Show logs."""
    current = session()
    wanted = servers_of(application_named(current, name), servers)
    found: dict[str, tuple[str, ...]] = {}
    failures: dict[str, DsiError] = {}
    look = current.toolkit.equipment.look()
    with Progress([one.name for one in wanted]) as progress:
        for one in wanted:
            progress.notify(Event("log.wait", T("Reading the log of {server}.", server=one.name), target=one.name))
            try:
                with look.server(name, one.name) as reader:
                    found[one.name] = reader.log_tail(lines)
            except DsiError as error:
                failures[one.name] = error
    code = max((int(error.exit_code) for error in failures.values()), default=0)
    if current.choices.json:
        errors = {server: error.to_json() for server, error in failures.items()}
        logs = {server: list(tail) for server, tail in found.items()}
        current.out.data({"application": name, "logs": logs, "errors": errors, "exit_code": code})
        return code
    for server, tail in found.items():
        current.out.line(T("Log of {server}:", server=server), bold=True)
        for line in tail or (T("It has none, or it is empty."),):
            current.out.line(line, indent=2)
    for server, failure in failures.items():
        current.out.line(T("{server}: {reason}", server=server, reason=failure.what), fg="red")
    return code


@command(
    "locks",
    T(
        "Show the sessions that hold locks in the application's database now: user, tables, age, working or idle. "
        "Changes nothing; a restart ends idle ones by the inventory's rule, and others only when its request names "
        "them."
    ),
)
@application_argument()
def locks(name: str) -> int:
    """Show sessions that hold locks."""
    current = session()
    described = application_named(current, name)
    with Progress([name]) as progress:
        progress.notify(Event("locks.wait", T("Asking the database."), target=name))
        with current.toolkit.equipment.look().database(name) as reader:
            found = reader.locked(described.locks.tables)
            now = reader.now()
    if current.choices.json:
        idle_for = described.locks.idle_for.total_seconds()
        rows = [lock_view(one, now) for one in found]
        current.out.data({"application": name, "idle_for_seconds": idle_for, "sessions": rows})
        return 0
    _show_locks(current, found, now)
    return 0


def lock_view(one: LockedSession, now: datetime) -> dict[str, Any]:
    """Return a session that holds locks as `--json` prints it."""
    return {
        "pid": one.pid,
        "user": one.user,
        "client": one.client,
        "program": one.program,
        "working": one.working,
        "own": one.own,
        "objects": list(one.objects),
        "began_at": iso(one.began_at),
        "since": iso(one.since),
        "seconds": max((now - one.since).total_seconds(), 0.0),
        "transaction_since": iso(one.transaction_since),
        "waiting": one.waiting,
    }


def _show_locks(session: Session, found: tuple[LockedSession, ...], now: datetime) -> None:
    if not found:
        session.out.line(T("No session holds a lock that a user would meet."))
        return
    headers = (
        T("Session"), T("User"), T("Client"), T("Program"), T("Tables"), T("State"), T("Transaction for"), T("Waiting"),
    )  # fmt: skip
    session.out.table(
        headers,
        [
            (
                one.pid,
                T("{user} (the application's own)", user=one.user) if one.own else one.user,
                one.client,
                one.program,
                ", ".join(one.objects),
                _state(one, now),
                Seconds(max((now - one.transaction_since).total_seconds(), 0.0)),
                one.waiting or None,
            )
            for one in found
        ],
        ["yellow" if one.working else "" for one in found],
    )


def _state(one: LockedSession, now: datetime) -> Text:
    time = Seconds(max((now - one.since).total_seconds(), 0.0))
    return T("working for {time}", time=time) if one.working else T("idle for {time}", time=time)
