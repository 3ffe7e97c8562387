"""A file of people for `-i people=@FILE`: CSV with a header line, or a YAML or JSON list; each row keeps its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from dsi_automation.composition.people_columns import field_of, fields_of
from dsi_automation.composition.people_text import read_text
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

SEPARATORS: Final = (";", ",", "\t")
COMMENT: Final = "#"
"""What a line of comment begins with; no staff number does."""

type Row = dict[str, Any]


def read_people(path: Path) -> list[Row]:
    """Return the rows of a file of people, as `PersonRow` takes them: `line` says where each stands.

    A row that cannot be taken apart is a row with a `problem`, never the end of the file.

    Raises:
        UsageError: the file as a whole is no such file; says why and where.
    """
    text = read_text(path)
    rows = _from_list(text, path) if path.suffix.lower() in {".json", ".yml", ".yaml"} else list(from_csv(text, path))
    if not rows:
        raise UsageError(
            T("The file {path} names nobody.", path=path),
            next_step=T("Write one person per line below the header line: “dsi mailbox template” shows how."),
        )
    from dsi_automation.operations.accounts.people import MOST_ROWS

    if len(rows) > MOST_ROWS:
        raise UsageError(
            T(
                "The file {path} names {n} people; at most {most} go into one request.",
                path=path,
                n=len(rows),
                most=MOST_ROWS,
            ),
            next_step=T("Split it: each part is a request of its own."),
        )
    return rows


def from_csv(text: str, path: object) -> Iterator[Row]:
    """Yield the rows of a CSV text; empty lines and lines of comment are passed over.

    Raises:
        UsageError: there is no header line or it is not right, or a quotation mark is never closed.
    """
    records = _records(text, path)
    header = next(records, None)
    if header is None:
        raise UsageError(
            T("The file {path} is empty.", path=path), next_step=T("“dsi mailbox template” writes an example.")
        )
    fields = fields_of(header[1] or [], path)
    while fields and fields[-1] is None:
        fields.pop()
    for line, values in records:
        yield _row(line, values, fields)


def separator_of(text: str) -> str:
    """Return what stands between the fields: of those that may, the one that shows the most known columns."""
    header = _header(text)
    if header.lower().startswith("sep=") and len(header) > len("sep="):
        return header[len("sep=")]  # Excel's own way to say it

    def known(separator: str) -> int:
        names = next(csv.reader([header], delimiter=separator), [])
        return sum(field_of(name) is not None for name in names)

    return max(SEPARATORS, key=known)


def _header(text: str) -> str:
    lines = (line.rstrip("\n") for line in io.StringIO(text, newline=None))
    return next((line for line in lines if line.strip() and not line.startswith(COMMENT)), "")


def _records(text: str, path: object) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each record with the line it begins on; None for one whose quotation marks do not match."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text), strict=True)
    while True:
        line = reader.line_num + 1
        values: list[str] | None
        try:
            values = [value.strip() for value in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > line or "end of data" in str(error):
                raise _never_closed(path, line) from error
            values = None
        if values is not None and (not any(values) or values[0].startswith(COMMENT) or _says_separator(values)):
            continue
        yield line, values


def _says_separator(values: list[str]) -> bool:
    return values[0].lower() == "sep=" and not any(values[1:])


def _row(line: int, values: list[str] | None, fields: list[str | None]) -> Row:
    if values is None:
        return {"line": line, "problem": "quotes"}
    if len(values) < len(fields):
        return {"line": line, "problem": "too_few_fields"}
    beyond = [value for value, field in zip(values, [*fields, *[None] * len(values)], strict=False) if field is None]
    if any(beyond):
        return {"line": line, "problem": "too_many_fields"}
    return {"line": line} | {field: value for field, value in zip(fields, values, strict=False) if field is not None}


def _never_closed(path: object, line: int) -> UsageError:
    return UsageError(
        T("{path}, line {line}: a quotation mark is opened there and not closed on that line.", path=path, line=line),
        next_step=T('Close it; a quotation mark that belongs to the text is written twice: "".'),
    )


def _from_list(text: str, path: Path) -> list[Row]:
    """Return the rows of a YAML or JSON list of mappings; every value stays as it is written, 012345 included.

    Raises:
        UsageError: it is something else.
    """
    import yaml

    try:
        # JSON is YAML; the base loader makes texts of all scalars, so that no staff number is taken for octal.
        node = yaml.compose(text.removeprefix("\ufeff"), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _no_list(path) from error
    if not isinstance(node, yaml.SequenceNode):
        raise _no_list(path)
    return [_listed_row(item, path) for item in node.value]


def _listed_row(item: Any, path: Path) -> Row:
    import yaml

    if not isinstance(item, yaml.MappingNode):
        raise _no_list(path)
    line = item.start_mark.line + 1
    where = T("line {line} of {path}", line=line, path=path)
    if not all(isinstance(part, yaml.ScalarNode) for pair in item.value for part in pair):
        raise _no_list(path)
    fields = fields_of([key.value for key, _ in item.value], where, ())
    row: Row = {"line": line}
    for field, (_, value) in zip(fields, item.value, strict=True):
        if field is not None:
            row[field] = _scalar(value)
    return row


def _scalar(node: Any) -> str:
    return "" if not node.style and node.value in {"null", "~"} else str(node.value)


def _no_list(path: Path) -> UsageError:
    return UsageError(
        T("The file {path} is not a list of people.", path=path),
        next_step=T("Write a list, each person a mapping of columns to values; or a CSV file with a header line."),
    )
