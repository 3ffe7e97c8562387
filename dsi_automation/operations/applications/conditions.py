"""What must be true before an application is stopped, and after it was started: asked, and held against the answer."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dsi_automation.connectors.databases.port import DatabaseReader, Value
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.application_model import Application, CommandCheck, Conditions
from dsi_automation.inventory.backup_model import QueryCheck
from dsi_automation.operations.tools import Look


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, as it was found.

    Attributes:
        title: of the inventory.
        expected, observed: in short.
    """

    title: str
    expected: str
    observed: str
    ok: bool

    @property
    def words(self) -> Text:
        """Return what was found, in one sentence."""
        return T("{title}: expected {expected}, found {observed}.", title=self.title, expected=self.expected,
                 observed=self.observed)  # fmt: skip


def ask(wanted: Conditions, target: str, look: Look) -> tuple[Condition, ...]:
    """Return every condition as it is now; one that cannot be asked does not hold, and says why."""
    return (*_queries(wanted, target, look), *(_command(one, target, look) for one in wanted.commands))


def _queries(wanted: Conditions, target: str, look: Look) -> Iterator[Condition]:
    if not wanted.queries:
        return
    try:
        with look.database(target) as database:
            now = database.now()
            for query in wanted.queries:
                yield _query(query, database, now)
    except DsiError as error:
        for query in wanted.queries:
            yield Condition(query.title, _expected(query, None), str(error.what), ok=False)


def _query(query: QueryCheck, database: DatabaseReader, now: datetime) -> Condition:
    expected = _expected(query, now)
    try:
        rows = database.ask(query.query)
    except DsiError as error:
        return Condition(query.title, expected, str(error.what), ok=False)
    value = next(iter(rows[0].values()), None) if rows else None
    return Condition(query.title, expected, "-" if value is None else _shown(value), ok=_holds(query, value, now))


def _expected(query: QueryCheck, now: datetime | None) -> str:
    wanted: list[str] = []
    if query.minimum is not None:
        wanted.append(f">= {query.minimum:g}")
    if query.equals is not None:
        wanted.append(f"= {query.equals}")
    if query.newer_than is not None:
        wanted.append(f">= {iso(now - query.newer_than)}" if now is not None else f"< {query.newer_than}")
    return ", ".join(wanted)


def _holds(query: QueryCheck, value: Value, now: datetime) -> bool:
    if value is None:
        return False
    try:
        minimum = query.minimum is None or float(str(value)) >= query.minimum
        newer = query.newer_than is None or _moment(value) >= now - query.newer_than
    except ValueError:
        return False
    return minimum and newer and (query.equals is None or _shown(value) == query.equals)


def _shown(value: Value) -> str:
    """Return a value as the database itself would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value) if isinstance(value, datetime) else str(value)


def _moment(value: Value) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _command(check: CommandCheck, target: str, look: Look) -> Condition:
    expected = str(T("exit status {status}", status=0))
    server = _on_host(look.applications[target], check.host)
    if server is None:
        observed = T("{host} is none of its servers", host=check.host)
        return Condition(check.title, expected, str(observed), ok=False)
    try:
        with look.server(target, server) as reader:
            status, said = reader.run_check(shlex.split(check.command), check.timeout.total_seconds())
    except DsiError as error:
        return Condition(check.title, expected, str(error.what), ok=False)
    observed = T("exit status {status}", status=status) if not said else T("{status}: {said}", status=status, said=said)
    return Condition(check.title, expected, str(observed), ok=status == 0)


def _on_host(application: Application, host: str) -> str | None:
    return next((server.name for server in application.servers if server.host == host), None)
