"""One value of a rule set: what is written in many ways has one canonical form, by the type of its column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.rule_model import RuleColumn

type Cell = str | None
"""A canonical value; None is the empty one."""

LONGEST_NUMBER: Final = 60
"""Characters; what is longer is a slip, and not a rate."""
BIGINT: Final = 2**63
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL: Final = re.compile(r"([+-]?)(\d*)(?:[.,](\d+))?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BOOLEANS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("true", "t", "1", "yes", "oui", "vrai"), "true"),
    **dict.fromkeys(("false", "f", "0", "no", "non", "faux"), "false"),
}


class WrongValueInFileError(DsiError):
    """A value that its column does not take; `what` says why."""


def checked(written: str, column: RuleColumn) -> Cell:
    """Return the canonical form of a value of a file.

    Raises:
        WrongValueInFileError: the column does not take it.
    """
    text = written.strip()
    if not text:
        if column.required:
            raise WrongValueInFileError(T("a value is missing"))
        return None
    value = canonical(text, column)
    problem = _problem(value, column)
    if problem is not None:
        raise WrongValueInFileError(problem)
    return value


def stored(text: Cell, column: RuleColumn) -> Cell:
    """Return the canonical form of a value as the database writes it; one of another type stays as it is."""
    if text is None or text == "":
        return None
    if column.type == "text":
        return text
    if column.type == "decimal" and "e" in text.lower():
        text = _without_exponent(text)
    try:
        return canonical(text, column)
    except WrongValueInFileError:
        return text


def canonical(text: str, column: RuleColumn) -> str:
    """Return the one way a value of a type is written.

    Raises:
        WrongValueInFileError: it is not of that type.
    """
    return _FORMS[column.type](text)


def _text(text: str) -> str:
    if "\0" in text:
        raise WrongValueInFileError(T("a NUL character cannot be stored"))
    return unicodedata.normalize("NFC", text)


def _integer(text: str) -> str:
    if len(text) > LONGEST_NUMBER or not _INTEGER.fullmatch(text) or not -BIGINT <= int(text) < BIGINT:
        raise WrongValueInFileError(T("“{value}” is not a whole number", value=text))
    return str(int(text))


def _decimal(text: str) -> str:
    """Return digits, a point and digits, without zeros that say nothing; a comma is taken for the point."""
    found = _DECIMAL.fullmatch(text)
    if len(text) > LONGEST_NUMBER or found is None or not (found[2] or found[3]):
        raise WrongValueInFileError(T("“{value}” is not a number", value=text))
    whole, part = found[2].lstrip("0") or "0", (found[3] or "").rstrip("0")
    number = f"{whole}.{part}" if part else whole
    return f"-{number}" if found[1] == "-" and number != "0" else number


def _date(text: str) -> str:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise WrongValueInFileError(T("“{value}” is not a date, as in 2026-12-31", value=text))


def _boolean(text: str) -> str:
    if text.casefold() not in _BOOLEANS:
        raise WrongValueInFileError(T("“{value}” is neither true nor false", value=text))
    return _BOOLEANS[text.casefold()]


_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "boolean": _boolean,
}


def _problem(value: str, column: RuleColumn) -> Text | None:
    if column.pattern is not None and not re.fullmatch(column.pattern, value):
        return T("“{value}” does not have the form {pattern}", value=value, pattern=column.pattern)
    if column.values and value not in {canonical(one, column) for one in column.values}:
        return T("“{value}” is none of: {values}", value=value, values=", ".join(column.values))
    if column.type not in {"integer", "decimal"}:
        return None
    number = Decimal(value)
    if column.minimum is not None and number < Decimal(str(column.minimum)):
        return T("{value} is less than {minimum}", value=value, minimum=f"{column.minimum:g}")
    if column.maximum is not None and number > Decimal(str(column.maximum)):
        return T("{value} is more than {maximum}", value=value, maximum=f"{column.maximum:g}")
    if column.digits is not None and len(value.partition(".")[2]) > column.digits:
        return T("{value} has more than {n} digits after the point", value=value, n=column.digits)
    return None


def _without_exponent(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return format(number, "f") if number.is_finite() else text
