"""Loading a rule set: one transaction, the difference alone, the questions of the inventory, and read again whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from dsi_automation.connectors.databases.port import DatabaseReader, DatabaseTransaction
from dsi_automation.core.errors import RefusedError, VerificationFailedError, WorldChangedError
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.backup_model import QueryCheck
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.operations.applications.rules_table import (
    Difference,
    Row,
    RuleTable,
    applied,
    difference,
    from_database,
    lines,
)

CASTS: Final[Mapping[str, str]] = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "date": "date",
    "boolean": "boolean",
}


def read_table(rule: RuleSet, source: DatabaseReader | DatabaseTransaction) -> RuleTable:
    """Return what the table holds now.

    Raises:
        NotCompliantError: its rows cannot be told apart by the key.
    """
    return from_database(rule, source.rows(rule.table, tuple(rule.columns), rule.key))


def load(rule: RuleSet, before: RuleTable, after: RuleTable, work: DatabaseTransaction, now: datetime) -> Difference:
    """Make one table of another, within a transaction that holds its lock, and prove it before anything is committed.

    Raises:
        RefusedError: the database takes a row otherwise than it is written, or another number of rows.
        VerificationFailedError: a question of the inventory is not answered as it should be.
    """
    change = difference(before, after)
    _apply(rule, change, work)
    found = read_table(rule, work)
    if found.digest != after.digest:
        raise _otherwise(rule, found, applied(before, change))
    for check in rule.checks:
        _ask(check, rule, work, now)
    return change


def refuse_changed(rule: RuleSet, found: RuleTable, expected: str) -> None:
    """Make sure that the table is the one the plan was made for.

    Raises:
        WorldChangedError: it is not.
    """
    if found.digest != expected:
        raise WorldChangedError(
            T("{table} is no longer as it was when the plan was made.", table=rule.table),
            on=rule.application,
            meaning=T("Somebody changed it since; nothing was loaded."),
            next_step=T("Make a new plan and ask for a new approval: it shows the difference to what is there now."),
            detail={"expected": expected, "found": found.digest},
        )


def insert_statement(rule: RuleSet) -> str:
    """Return the statement that adds a row; its parameters are `v0`, `v1`, ... in the order of the columns."""
    values = ", ".join(_cast(rule, name, f"v{place}") for place, name in enumerate(rule.columns))
    return f"INSERT INTO {quoted(rule.table)} ({_names(rule.columns)}) VALUES ({values})"  # noqa: S608  # identifiers of the model


def delete_statement(rule: RuleSet) -> str:
    """Return the statement that removes the row of one key."""
    return f"DELETE FROM {quoted(rule.table)} WHERE {_where(rule)}"  # noqa: S608  # identifiers of the model


def update_statement(rule: RuleSet) -> str:
    """Return the statement that changes the row of one key."""
    sets = ", ".join(
        f'"{name}" = {_cast(rule, name, f"v{place}")}'
        for place, name in enumerate(rule.columns)
        if name not in rule.key
    )
    return f"UPDATE {quoted(rule.table)} SET {sets} WHERE {_where(rule)}"  # noqa: S608  # identifiers of the model


def quoted(table: str) -> str:
    """Return `schema.table` as SQL takes it."""
    return ".".join(f'"{part}"' for part in table.split("."))


def _apply(rule: RuleSet, change: Difference, work: DatabaseTransaction) -> None:
    """Remove first, so that a value another constraint wants once is free again; add last."""
    steps: tuple[tuple[str, Sequence[Row]], ...] = (
        (delete_statement(rule), change.removed),
        (update_statement(rule) if change.changed else "", [new for _, new in change.changed]),
        (insert_statement(rule), change.added),
    )
    for statement, rows in steps:
        if not rows:
            continue
        done = work.execute_many(statement, _parameters(rows))
        if done != len(rows):
            raise RefusedError(
                T("The database changed {done} rows of {table}, and not {wanted}.", done=done, table=rule.table,
                  wanted=len(rows)),
                on=rule.application,
                meaning=T("All of it was taken back: the table is as it was."),
                next_step=T("Have its triggers and its key looked at; dsi_rules must name the key of the table."),
            )  # fmt: skip


def _parameters(rows: Sequence[Row]) -> Iterator[dict[str, str | None]]:
    for row in rows:
        yield {f"v{place}": cell for place, cell in enumerate(row)}


def _otherwise(rule: RuleSet, found: RuleTable, wanted: RuleTable) -> RefusedError:
    first = next(lines(difference(wanted, found)), "-")
    return RefusedError(
        T("{table} does not keep what is loaded as it is written: {line}", table=rule.table, line=first),
        on=rule.application,
        meaning=T("All of it was taken back: the table is as it was."),
        next_step=T("Have the column's type looked at: it rounds, cuts off or fills in; dsi_rules should say so."),
        detail={"wanted": wanted.digest, "found": found.digest},
    )


def _ask(check: QueryCheck, rule: RuleSet, work: DatabaseTransaction, now: datetime) -> None:
    rows = work.ask(check.query)
    value = next(iter(rows[0].values()), None) if rows else None
    expected = _expected(check, value, now)
    if expected is not None:
        raise VerificationFailedError(
            T("{title}: expected {expected}, found {found}.", title=check.title, expected=expected,
              found="-" if value is None else str(value)),
            on=rule.application,
            meaning=T("All of it was taken back: the table is as it was."),
            next_step=T("Have the file, or the question in dsi_rules, corrected; then plan again."),
        )  # fmt: skip


def _expected(check: QueryCheck, value: object, now: datetime) -> Text | str | None:
    """Return what a value should have been; None when it is that."""
    if check.equals is not None and str(value) != check.equals:
        return check.equals
    if check.minimum is not None:
        try:
            enough = value is not None and Decimal(str(value)) >= Decimal(str(check.minimum))
        except InvalidOperation:
            enough = False
        if not enough:
            return T("{minimum} at least", minimum=f"{check.minimum:g}")
    if check.newer_than is not None:
        oldest = now - check.newer_than
        moment = value.astimezone(UTC) if isinstance(value, datetime) else None
        if moment is None or moment < oldest:
            return T("newer than {moment:%Y-%m-%d %H:%M} UTC", moment=oldest)
    return None


def _cast(rule: RuleSet, name: str, parameter: str) -> str:
    return f"CAST(:{parameter} AS {CASTS[rule.columns[name].type]})"


def _where(rule: RuleSet) -> str:
    places = {name: place for place, name in enumerate(rule.columns)}
    return " AND ".join(f'"{name}" = {_cast(rule, name, f"v{places[name]}")}' for name in rule.key)


def _names(columns: Mapping[str, object]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
