"""The file of a rule set: read whole, every row held against the inventory, all its problems told at once."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import NotCompliantError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.operations.applications.rules_table import DELIMITER, Key, Row, RuleTable, key_of, table
from dsi_automation.operations.applications.rules_values import Cell, WrongValueInFileError, checked

LARGEST: Final = 67_108_864
"""Bytes; a tariff of 20 000 lines has about 2 MiB."""
MOST_TOLD: Final = 50
"""Problems that are told one by one; of more, how many."""
_OTHERS: Final = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))
_SEPARATORS: Final = (";", ",", "\t")


class RuleFileError(NotCompliantError):
    """A file of rules that cannot be loaded as it is; `detail` has its problems, each with line and column."""


@dataclass(slots=True)
class _Problems:
    """What is wrong with a file, in the order of its lines."""

    told: list[Text] = field(default_factory=list)
    data: list[dict[str, str | int | None]] = field(default_factory=list)
    count: int = 0

    def add(self, line: int | None, column: str | None, problem: Text) -> None:
        self.count += 1
        if self.count > MOST_TOLD:
            return
        if line is None:
            self.told.append(problem)
        elif column is None:
            self.told.append(T("line {line}: {problem}", line=line, problem=problem))
        else:
            self.told.append(T("line {line}, column {column}: {problem}", line=line, column=column, problem=problem))
        self.data.append({"line": line, "column": column, "problem": str(problem)})

    def error(self, file: str) -> RuleFileError:
        more = self.count - len(self.told)
        told = [*self.told, TN("and {n} more", "and {n} more", more)] if more else self.told
        return _refused(
            TN("{file} cannot be loaded, for {n} reason:", "{file} cannot be loaded, for {n} reasons:", self.count,
               file=file),
            told,
            {"problems": self.data, "count": self.count},
        )  # fmt: skip


def read_file(path: Path, rule: RuleSet) -> RuleTable:
    """Return what a file holds.

    Raises:
        RuleFileError: it cannot be read, or does not fit the rule set; with every problem found.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _refused(T("{path} cannot be read: {reason}.", path=str(path), reason=reason_of(error))) from error
    if len(content) > LARGEST:
        raise _refused(T("{path} is larger than {size} MiB.", path=str(path), size=LARGEST >> 20))
    return parse(content, rule, str(path))


def parse(content: bytes, rule: RuleSet, file: str) -> RuleTable:
    """Return the rules in the bytes of a file; see `read_file`."""
    problems = _Problems()
    records = _records(decoded(content, file), rule.delimiter, problems)
    _, header = next(records, (1, ()))
    order = _order(header, rule, problems)
    if problems.count:
        raise problems.error(file)
    rows = list(_rows(records, header, order, rule, problems))
    if not problems.told and len(rows) < rule.minimum_rows:
        problems.add(None, None, _too_few(len(rows), rule))
    if problems.count:
        raise problems.error(file)
    return table(rule, rows)


def parse_kept(content: bytes, rule: RuleSet, sha256: str) -> RuleTable:
    """Return a rule set that was kept in canonical form; its values were in the table once, and are not judged anew.

    Raises:
        RuleFileError: the rule set has other columns by now, or it is nearly empty.
    """
    records = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=DELIMITER)
    header = next(records, [])
    name = T("the set {sha}", sha=sha256[:12])
    if tuple(header) != tuple(rule.columns):
        raise _refused(T("{name} has other columns than dsi_rules says now: {columns}.", name=name,
                         columns=", ".join(header)))  # fmt: skip
    rows = [tuple(cell or None for cell in record) for record in records]
    if len(rows) < rule.minimum_rows:
        raise _refused(T("{name} cannot be loaded: {problem}.", name=name, problem=_too_few(len(rows), rule)))
    return table(rule, rows)


def decoded(content: bytes, file: str) -> str:
    """Return the text of a file: UTF-8, with or without a byte order mark.

    Raises:
        RuleFileError: it has another encoding.
    """
    following = T("Save it as “CSV UTF-8”.")
    for mark, encoding in _OTHERS:
        if content.startswith(mark):
            raise _refused(T("{file} is {encoding}, not UTF-8.", file=file, encoding=encoding), following=following)
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(
            T("{file} is not UTF-8: line {line} holds a byte that UTF-8 does not have there.", file=file, line=line),
            following=following,
        ) from error
    if "\0" in text:
        raise _refused(T("{file} holds NUL characters: it is no text in UTF-8.", file=file), following=following)
    return text


def _records(text: str, delimiter: str, problems: _Problems) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield each record that is not blank, with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error:
            problems.add(line, None, T("the quotation marks are not closed, or there is text after them"))
            return
        if record is None:
            return
        if any(cell.strip() for cell in record):
            yield line, record


def _order(header: Sequence[str], rule: RuleSet, problems: _Problems) -> Mapping[str, int]:
    names = [name.strip() for name in header]
    if len(names) <= 1 < len(rule.columns):
        used = next((one for one in _SEPARATORS if one != rule.delimiter and names and one in names[0]), None)
        if used is not None:
            problems.add(1, None, T("columns are separated by “{used}”, and dsi_rules says “{wanted}”", used=used,
                                    wanted=rule.delimiter))  # fmt: skip
            return {}
    missing, unknown = [n for n in rule.columns if n not in names], [n for n in names if n not in rule.columns]
    if missing:
        problems.add(1, None, T("columns are missing: {names}", names=", ".join(missing)))
    if unknown:
        problems.add(1, None, T("columns that dsi_rules does not have: {names}", names=", ".join(unknown)))
    if len(set(names)) != len(names):
        problems.add(1, None, T("a column is there twice"))
    return {name: place for place, name in enumerate(names)}


def _rows(
    records: Iterator[tuple[int, Sequence[str]]],
    header: Sequence[str],
    order: Mapping[str, int],
    rule: RuleSet,
    problems: _Problems,
) -> Iterator[Row]:
    columns, seen = tuple(rule.columns), dict[Key, int]()
    for line, record in records:
        if len(record) != len(header):
            found = TN("{n} value instead of {wanted}", "{n} values instead of {wanted}", len(record),
                       wanted=len(header))  # fmt: skip
            problems.add(line, None, found)
            continue
        row = _row(line, record, order, rule, problems)
        if row is None:
            continue
        key = key_of(row, columns, rule.key)
        if key in seen:
            value = DELIMITER.join(key)
            problems.add(line, ", ".join(rule.key), T("{key} is on line {line} as well", key=value, line=seen[key]))
            continue
        seen[key] = line
        yield row


def _row(line: int, record: Sequence[str], order: Mapping[str, int], rule: RuleSet, problems: _Problems) -> Row | None:
    before, cells = problems.count, list[Cell]()
    for name, column in rule.columns.items():
        try:
            cell = checked(record[order[name]], column)
            if cell is None and name in rule.key:
                problems.add(line, name, T("a key is never empty"))
            cells.append(cell)
        except WrongValueInFileError as error:
            problems.add(line, name, error.what)
    return tuple(cells) if problems.count == before else None


def _too_few(rows: int, rule: RuleSet) -> Text:
    return TN(
        "{n} row, and dsi_rules asks for {minimum} at least",
        "{n} rows, and dsi_rules asks for {minimum} at least",
        rows,
        minimum=rule.minimum_rows,
    )


def _refused(
    what: Text,
    problems: Sequence[Text] = (),
    detail: dict[str, object] | None = None,
    *,
    following: Text | None = None,
) -> RuleFileError:
    for problem in problems:
        what = T("{before}\n{problem}", before=what, problem=problem)
    return RuleFileError(
        what,
        meaning=T("Nothing was loaded."),
        next_step=following or T("Have the file corrected by whoever made it, then plan again."),
        detail=detail,
    )
