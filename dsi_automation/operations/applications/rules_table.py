"""A rule set as a value: its rows by key in canonical form, its digest, and how two of them differ. Pure."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from dsi_automation.core.errors import NotCompliantError
from dsi_automation.core.text import T
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.operations.applications.rules_values import Cell, stored

type Row = tuple[Cell, ...]
type Key = tuple[str, ...]

DELIMITER: Final = ";"
"""Of the canonical form, whatever delimiter files have: a digest is of the rules and not of their spelling."""


@dataclass(frozen=True)
class RuleTable:
    """All rows of a rule set.

    Attributes:
        columns: in the order of the inventory.
        key: those that tell rows apart.
        rows: by key, sorted by it (code points, as PostgreSQL's COLLATE "C").
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: Mapping[Key, Row]

    @cached_property
    def content(self) -> bytes:
        """Return the canonical form: CSV, UTF-8, `;`, a header, one line for a row, sorted by key."""
        return csv_of(self.columns, self.rows.values()).encode()

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done to one table so that it is another one.

    Attributes:
        changed: each row as it was and as it becomes; both have the same key.
    """

    columns: tuple[str, ...]
    added: tuple[Row, ...]
    changed: tuple[tuple[Row, Row], ...]
    removed: tuple[Row, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def table(rule: RuleSet, rows: Iterable[Row]) -> RuleTable:
    """Return a table of rows, each in the order of the inventory's columns and canonical, every key once."""
    columns = tuple(rule.columns)
    by_key = {key_of(row, columns, rule.key): row for row in rows}
    return RuleTable(columns, rule.key, dict(sorted(by_key.items())))


def from_database(rule: RuleSet, rows: Sequence[Sequence[Cell]]) -> RuleTable:
    """Return what a database's table holds.

    Raises:
        NotCompliantError: a row has no key, or two have the same: they could not be told apart.
    """
    known = tuple(rule.columns.values())
    lines = [tuple(stored(cell, column) for cell, column in zip(row, known, strict=True)) for row in rows]
    columns, seen = tuple(rule.columns), set[Key]()
    for line in lines:
        places = [line[columns.index(name)] for name in rule.key]
        key = key_of(line, columns, rule.key)
        if None in places or key in seen:
            raise NotCompliantError(
                T("Rows of {table} cannot be told apart by {key}: {value}.", table=rule.table, key=", ".join(rule.key),
                  value=DELIMITER.join(key)),
                meaning=T("The table holds one key twice, or a row without one; nothing was changed."),
                next_step=T("Have the table corrected, or another key put into dsi_rules."),
            )  # fmt: skip
        seen.add(key)
    return table(rule, lines)


def key_of(row: Row, columns: Sequence[str], key: Sequence[str]) -> Key:
    """Return the key of a row."""
    return tuple(row[columns.index(name)] or "" for name in key)


def difference(before: RuleTable, after: RuleTable) -> Difference:
    """Return what turns one table into another; both have the same columns and key."""
    return Difference(
        after.columns,
        added=tuple(row for key, row in after.rows.items() if key not in before.rows),
        changed=tuple(
            (before.rows[key], row) for key, row in after.rows.items() if before.rows.get(key, row) != row
        ),
        removed=tuple(row for key, row in before.rows.items() if key not in after.rows),
    )  # fmt: skip


def applied(before: RuleTable, change: Difference) -> RuleTable:
    """Return the table after a change, as the database should hold it."""
    rows = dict(before.rows)
    for row in change.removed:
        del rows[key_of(row, before.columns, before.key)]
    for row in (*(new for _, new in change.changed), *change.added):
        rows[key_of(row, before.columns, before.key)] = row
    return RuleTable(before.columns, before.key, dict(sorted(rows.items())))


def lines(change: Difference) -> Iterator[str]:
    """Yield a line for each difference: `- row`, `~ row: column a → b`, `+ row`; removed, changed, added."""
    for row in change.removed:
        yield f"- {_one_line(row)}"
    for old, new in change.changed:
        told = [
            f"{name} {_cell(was)} → {_cell(now)}"
            for name, was, now in zip(change.columns, old, new, strict=True)
            if was != now
        ]
        same = [_cell(was) for was, now in zip(old, new, strict=True) if was == now]
        yield f"~ {DELIMITER.join(same)}: {', '.join(told)}"
    for row in change.added:
        yield f"+ {_one_line(row)}"


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Cell]], delimiter: str = DELIMITER) -> str:
    """Return rows as CSV with a header; an empty value is written as nothing at all."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return written.getvalue()


def _one_line(row: Row) -> str:
    return DELIMITER.join(_cell(cell) for cell in row)


def _cell(cell: Cell) -> str:
    return "∅" if cell is None else cell
