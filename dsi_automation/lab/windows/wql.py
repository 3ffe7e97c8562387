"""WQL, the part of it that asks for instances: `select columns from class where condition`.

Grammar from Microsoft's "WQL (SQL for WMI)"; associations and events are not part of it, and are refused as an
invalid query is.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

type Literal = str | int | bool | None
type Condition = Callable[[Mapping[str, object]], bool]

DEEPEST: Final = 50
"""Parentheses and NOTs inside each other; WMI refuses deep queries as too complex (0x8004106C)."""
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>[+-]?[0-9]{1,20}(?![0-9]))|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<sign><=|>=|<>|!=|[=<>(),*]))""",
    re.DOTALL,
)
_ORDER: Final[dict[str, Callable[[object, object], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item]  # both sides are made the same type first
    ">": operator.gt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}


class InvalidQueryError(RefusedError):
    """The query is not WQL, or asks for a property the class does not have."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query.

    Attributes:
        columns: the properties asked for, None for `*`.
        used: every property the condition names.
        matches: tells whether an instance (property names in lower case) satisfies the condition.
    """

    columns: tuple[str, ...] | None
    class_name: str
    used: tuple[str, ...]
    matches: Condition


def parse(text: str) -> Query:
    """Return the query in `text`.

    Raises:
        InvalidQueryError: it is not a select statement of the supported grammar.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self._used: list[str] = []

    def query(self) -> Query:
        self._expect("select")
        columns = self._columns()
        self._expect("from")
        class_name = self._name()
        condition: Condition = lambda _: True  # noqa: E731  # the empty condition
        if self._take("where"):
            condition = self._either()
        if self._at != len(self._tokens):
            raise _invalid(self._peek()[1])
        return Query(columns, class_name, tuple(self._used), condition)

    def _columns(self) -> tuple[str, ...] | None:
        if self._take("*"):
            return None
        columns = [self._name()]
        while self._take(","):
            columns.append(self._name())
        return tuple(columns)

    def _either(self) -> Condition:
        options = [self._both()]
        while self._take("or"):
            options.append(self._both())
        return options[0] if len(options) == 1 else lambda row: any(option(row) for option in options)

    def _both(self) -> Condition:
        terms = [self._term()]
        while self._take("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else lambda row: all(term(row) for term in terms)

    def _term(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _invalid("(")
        try:
            return self._nested()
        finally:
            self._depth -= 1

    def _nested(self) -> Condition:
        if self._take("not"):
            inner = self._term()
            return lambda row: not inner(row)
        if self._take("("):
            grouped = self._either()
            self._expect(")")
            return grouped
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._name()
        self._used.append(name)
        key = name.lower()
        if self._take("is"):
            wanted = not self._take("not")
            self._expect("null")
            return lambda row: (row.get(key) is None) == wanted
        if self._take("like"):
            pattern = self._literal()
            if not isinstance(pattern, str):
                raise _invalid("LIKE")
            like = _like(pattern)
            return lambda row: isinstance(value := row.get(key), str) and like.fullmatch(value) is not None
        sign = self._peek()[1]
        if sign not in _ORDER:
            raise _invalid(sign)
        self._at += 1
        literal = self._literal()
        return lambda row: _compare(row.get(key), sign, literal)

    def _literal(self) -> Literal:
        kind, text = self._peek()
        self._at += 1
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if kind == "number":
            return int(text)
        constants: dict[str, Literal] = {"true": True, "false": False, "null": None}
        if kind == "word" and text.lower() in constants:
            return constants[text.lower()]
        raise _invalid(text)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, word: str) -> bool:
        kind, text = self._peek()
        if kind in {"word", "sign"} and text.lower() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise _invalid(self._peek()[1] or word)

    def _name(self) -> str:
        kind, text = self._peek()
        if kind != "word":
            raise _invalid(text)
        self._at += 1
        return text


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _invalid(text[at : at + 20])
        tokens.append((found.lastgroup, found.group(found.lastgroup)))
        at = found.end()
    return tokens


def _like(pattern: str) -> re.Pattern[str]:
    """Return a LIKE pattern (`%`, `_`, `[a-f]`, `[^a-f]`) as a regular expression."""
    parts = re.findall(r"\[\^?[^\]]+\]|.", pattern, flags=re.DOTALL)
    translated = [{"%": ".*", "_": "."}.get(part, _class(part) if len(part) > 1 else re.escape(part)) for part in parts]
    return re.compile("".join(translated), re.IGNORECASE | re.DOTALL)


def _class(part: str) -> str:
    negated = part[1] == "^"
    inner = part[2:-1] if negated else part[1:-1]
    return f"[{'^' if negated else ''}{re.sub(r'([\\\\\]\[^&~|])', r'\\\1', inner)}]"


def _compare(value: object, sign: str, literal: Literal) -> bool:
    """Compare as WMI does: text without regard to case, numbers as numbers, NULL equal to NULL only."""
    if value is None or literal is None:
        return _ORDER[sign](value, literal) if sign in {"=", "!=", "<>"} else False
    if isinstance(value, bool):
        literal = _boolean(literal)
    elif isinstance(value, int):
        literal = _number(literal)
    elif isinstance(value, str):
        value, literal = value.casefold(), str(literal).casefold()
    else:
        raise _invalid(str(literal))
    return _ORDER[sign](value, literal)


def _boolean(literal: Literal) -> bool:
    if isinstance(literal, str):
        if literal.lower() not in {"true", "false"}:
            raise _invalid(literal)
        return literal.lower() == "true"
    return bool(literal)


def _number(literal: Literal) -> int:
    try:
        return int(literal)  # type: ignore[arg-type]  # None was handled before
    except ValueError as error:
        raise _invalid(str(literal)) from error


def _invalid(near: str) -> InvalidQueryError:
    return InvalidQueryError(T("The query is not valid WQL near “{near}”.", near=near[:40]))
