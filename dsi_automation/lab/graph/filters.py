"""`$filter`: read, checked against what the directory serves, and applied.

Sources: OData 4.01 part 2, 5.1.1; Microsoft Graph, "Advanced query capabilities on Microsoft Entra ID objects" and "Use
the $filter query parameter".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.lab.graph.errors import GraphError, bad, unsupported
from dsi_automation.lab.graph.properties import Resource

LONGEST_OR: Final = 15
"""How many values an `in`, or terms an `or`, may have without advanced query parameters.

Source: microsoft-graph-docs-contrib issue 1238.
"""
LONGEST_START: Final = 120
"""Characters that startsWith looks for at most (microsoft-graph-explorer-v4 issue 2103)."""
_DEEPEST: Final = 50
"""Parentheses a filter may hold."""
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<word>[A-Za-z_$@][\w.$@]*(?:/[\w$.]+)*)|(?P<date>\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?)|(?P<number>-?\d+)"
    r"|(?P<sign>[(),:]))"
)
_COMPARE: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_FUNCTIONS: Final = frozenset({"startswith", "endswith", "contains"})

type Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compare:
    """`path op value`; `count` for `path/$count op value`."""

    path: str
    operator: str
    value: Any
    count: bool = False


@dataclass(frozen=True, slots=True)
class In:
    """`path in (...)`."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`path/any(x:...)`, the inner condition being about `x` or one of its members."""

    path: str
    variable: str
    inner: Node


@dataclass(frozen=True, slots=True)
class Not:
    """`not (...)`."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Both:
    """`... and ...` or `... or ...`."""

    operator: str
    terms: tuple[Node, ...]


type Node = Compare | In | AnyOf | Not | Both


def syntax(at: str) -> GraphError:
    """Return the 400 for text that is no filter."""
    return bad(f"Invalid filter clause: Syntax error at position {at}.", code="BadRequest")


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position = 0
        end = len(text.rstrip())
        while position < end:
            found = _TOKEN.match(text, position)
            if found is None:
                raise syntax(f"{position} in '{text}'")
            self.tokens.append((found.lastgroup or "", found.group(found.lastgroup or 0)))
            position = found.end()
        self.text = text
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, expected: str | None = None) -> tuple[str, str]:
        token = self.peek()
        if token[0] == "end" or (expected is not None and token[1] != expected):
            raise syntax(f"{self.at} in '{self.text}'")
        self.at += 1
        return token

    def either(self, operator: str, below: Callable[[], Node]) -> Node:
        terms = [below()]
        while self.peek() == ("word", operator):
            self.take()
            terms.append(below())
        return terms[0] if len(terms) == 1 else Both(operator, tuple(terms))

    def whole(self) -> Node:
        node = self.any_term()
        if self.at != len(self.tokens):
            raise syntax(f"{self.at} in '{self.text}'")
        return node

    def any_term(self) -> Node:
        return self.either("or", self.all_terms)

    def all_terms(self) -> Node:
        return self.either("and", self.term)

    def term(self) -> Node:
        kind, word = self.take()
        if (kind, word) == ("sign", "("):
            inner = self.any_term()
            self.take(")")
            return inner
        if kind != "word":
            raise syntax(f"{self.at} in '{self.text}'")
        if word == "not":
            return Not(self.term())
        if word.lower() in _FUNCTIONS:
            return self.function(word.lower())
        if self.peek() == ("sign", "(") and word.endswith("/any"):
            return self.lambda_of(word.removesuffix("/any"))
        return self.comparison(word)

    def function(self, name: str) -> Node:
        self.take("(")
        path = self.take()[1]
        self.take(",")
        value = self.value()
        self.take(")")
        return Compare(path, name, value)

    def lambda_of(self, path: str) -> Node:
        self.take("(")
        variable = self.take()[1]
        self.take(":")
        inner = self.any_term()
        self.take(")")
        return AnyOf(path, variable, inner)

    def comparison(self, path: str) -> Node:
        operator = self.take()[1]
        if operator == "in":
            self.take("(")
            values = [self.value()]
            while self.peek() == ("sign", ","):
                self.take()
                values.append(self.value())
            self.take(")")
            return In(path, tuple(values))
        if operator not in _COMPARE:
            raise syntax(f"{self.at} in '{self.text}'")
        count = path.endswith("/$count")
        return Compare(path.removesuffix("/$count"), operator, self.value(), count)

    def value(self) -> Any:
        kind, text = self.take()
        match kind, text:
            case "text", _:
                return text[1:-1].replace("''", "'")
            case "number", _:
                return int(text)
            case (("guid" | "date"), _):
                return text
            case "word", ("true" | "false"):
                return text == "true"
            case "word", "null":
                return None
            case _:
                raise syntax(f"{self.at} in '{self.text}'")


def parse(text: str) -> Node:
    """Return what a filter says.

    Raises:
        GraphError: it is no filter.
    """
    if text.count("(") > _DEEPEST:
        raise unsupported("The query filter is too complex.")
    return _Parser(text).whole()


def check(node: Node, resource: Resource, *, advanced: bool) -> None:
    """Refuse what the directory does not serve.

    Args:
        advanced: the request has `ConsistencyLevel: eventual` and `$count=true`.

    Raises:
        GraphError: Request_UnsupportedQuery, or BadRequest for a property that does not exist.
    """
    match node:
        case Both(operator, terms):
            if operator == "or":
                _few(len(terms), advanced=advanced)
            for term in terms:
                check(term, resource, advanced=advanced)
        case Not(inner):
            if not advanced:
                raise unsupported("Operator: 'Not' is not supported.")
            check(inner, resource, advanced=advanced)
        case AnyOf(path, variable, inner):
            _served(path, "any", resource, advanced=advanced)
            _check_inner(inner, variable, advanced=advanced)
        case In(path, values):
            _few(len(values), advanced=advanced)
            _served(path, "in", resource, advanced=advanced)
        case Compare(path, operator, value, count):
            if operator == "startswith" and len(str(value)) > LONGEST_START:
                raise _not_served(path, resource)
            _served(path, "count" if count else operator, resource, advanced=advanced)


def _few(terms: int, *, advanced: bool) -> None:
    if terms > LONGEST_OR and not advanced:
        raise unsupported(
            "Too many child clauses specified in search filter expression containing 'OR' operators: "
            f"{terms}. Max allowed: {LONGEST_OR}."
        )


def _check_inner(node: Node, variable: str, *, advanced: bool) -> None:
    for part in _flat(node):
        if not isinstance(part, Compare) or part.path.split("/")[0] != variable:
            raise unsupported()
        if part.operator not in ("eq", "startswith") and not (advanced and part.operator == "endswith"):
            raise unsupported()


def _flat(node: Node) -> Iterator[Node]:
    if isinstance(node, Both):
        for term in node.terms:
            yield from _flat(term)
    else:
        yield node


def _served(path: str, operator: str, resource: Resource, *, advanced: bool) -> None:
    prop = resource.properties.get(path)
    if prop is None:
        raise bad(
            f"Invalid filter clause: Could not find a property named '{path}' on type "
            f"'microsoft.graph.{resource.entity}'.",
            code="BadRequest",
        )
    refusal = _not_served(path, resource)
    if operator == "contains" or not prop.filters:
        raise refusal
    if advanced:
        return
    if prop.advanced or operator not in prop.filters:
        raise refusal


def _not_served(path: str, resource: Resource) -> GraphError:
    return unsupported(
        f"Unsupported or invalid query filter clause specified for property '{path}' of resource "
        f"'{resource.entity.capitalize()}'."
    )


def matches(node: Node, row: Row) -> bool:
    """Tell whether an object fits; texts are compared without regard to case, as the directory does."""
    match node:
        case Both(operator, terms):
            found = (matches(term, row) for term in terms)
            return any(found) if operator == "or" else all(found)
        case Not(inner):
            return not matches(inner, row)
        case In(path, values):
            return any(_compare("eq", row.get(path), value) for value in values)
        case AnyOf(path, variable, inner):
            return any(matches(inner, _bound(variable, item)) for item in row.get(path) or ())
        case Compare(path, operator, value, count):
            have = row.get(path)
            return _compare(operator, len(have or ()) if count else have, value)


def _bound(variable: str, item: Any) -> Row:
    if isinstance(item, Mapping):
        return {f"{variable}/{name}": value for name, value in item.items()}
    return {variable: item}


def _compare(operator: str, have: Any, want: Any) -> bool:
    if isinstance(have, str) and isinstance(want, str):
        have, want = have.lower(), want.lower()
    if operator in ("eq", "ne"):
        return bool(have == want) is (operator == "eq")
    if have is None or want is None or type(have) is not type(want):
        return False
    return bool(_ORDER[operator](have, want))


_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": lambda have, want: have > want,
    "ge": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "le": lambda have, want: have <= want,
    "startswith": lambda have, want: have.startswith(want),
    "endswith": lambda have, want: have.endswith(want),
}


def lookups(node: Node, indexed: frozenset[str]) -> list[tuple[str, str]] | None:
    """Return index look-ups (property, value) whose objects together hold every match, None when there are none."""
    match node:
        case Compare(path, "eq", str(value), False) if path in indexed:
            return [(path, value)]
        case In(path, values) if path in indexed and all(isinstance(value, str) for value in values):
            return [(path, value) for value in values]
        case AnyOf(path, variable, Compare(inner, "eq", str(value), False)) if path in indexed and inner == variable:
            return [(path, value)]
        case Both("or", terms):
            every = [lookups(term, indexed) for term in terms]
            return None if None in every else [key for found in every for key in found or ()]
        case Both("and", terms):
            return next((found for term in terms if (found := lookups(term, indexed)) is not None), None)
        case _:
            return None
