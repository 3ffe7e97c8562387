"""Scripts of several statements: taken apart as psql does, so that an error has its line, and refused where need be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.databases.errors import ScriptError
from dsi_automation.connectors.databases.lexing import Kind, Token, tokens
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text


@dataclass(frozen=True, slots=True)
class ScriptStatement:
    """One statement of a script.

    Attributes:
        text: without what stands before and the semicolon.
        line: it begins on, from 1.
        words: its bare words, upper case, in order; quoted ones and constants are none.
    """

    text: str
    line: int
    words: tuple[str, ...]


_ENDS: Final = frozenset({"BEGIN", "COMMIT", "END", "ABORT", "ROLLBACK"})
_ALONE: Final = (
    ("VACUUM",),
    ("CREATE", "DATABASE"),
    ("DROP", "DATABASE"),
    ("CREATE", "TABLESPACE"),
    ("DROP", "TABLESPACE"),
    ("ALTER", "SYSTEM"),
)
"""What PostgreSQL runs outside a transaction only (manual, each command's notes)."""
_CONCURRENT: Final = frozenset({"CREATE", "DROP", "REINDEX", "ALTER"})
_HEAD: Final = 8
"""How many words tell what a statement is."""


def statements(text: str) -> tuple[ScriptStatement, ...]:
    """Return the statements of a script that can run whole in one transaction of ours.

    Savepoints are its own affair: they end nothing.

    Raises:
        ScriptError: it holds what ends a transaction or cannot be within one, data after COPY, or commands of psql;
            its `detail["line"]` says where. Also for a quote or comment that is not closed.
    """
    try:
        found = tuple(_split(text.removeprefix("\ufeff")))
    except ScriptError:
        raise
    except UsageError as error:
        raise ScriptError(error.what, next_step=error.next_step, detail=error.detail) from error
    for one in found:
        if (reason := _unfit(one.words)) is not None:
            raise refused(reason, one.line)
    return found


def refused(reason: Text, line: int) -> ScriptError:
    """Return the error for one line of a script."""
    return ScriptError(
        T("Line {line} of the script: {reason}", line=line, reason=reason),
        next_step=T("Correct the script; it runs whole in one transaction that the toolkit opens and ends."),
        detail={"line": line},
    )


def _unfit(words: Sequence[str]) -> Text | None:
    head = tuple(words[:_HEAD])
    first = head[:1]
    if head[:2] in {("START", "TRANSACTION"), ("PREPARE", "TRANSACTION")} or _ends(head):
        return T("{word} begins or ends a transaction.", word=" ".join(head[:2] if len(head) > 1 else first))
    alone = next((known for known in _ALONE if head[: len(known)] == known), None)
    if alone is not None or (first and first[0] in _CONCURRENT and "CONCURRENTLY" in head):
        said = " ".join(alone) if alone else f"{first[0]} ... CONCURRENTLY"
        return T("{word} cannot run within a transaction.", word=said)
    if first == ("COPY",) and "STDIN" in words:
        return T("COPY FROM STDIN takes its data from psql: write INSERT.")
    if "STANDARD_CONFORMING_STRINGS" in head and not {"ON", "TRUE", "YES"} & set(head):
        return T("standard_conforming_strings must stay on.")
    return None


def _ends(head: tuple[str, ...]) -> bool:
    if not head or head[0] not in _ENDS:
        return False
    # ROLLBACK [WORK | TRANSACTION] TO [SAVEPOINT] goes back within the transaction.
    return not (head[0] == "ROLLBACK" and "TO" in head[1:3])


class _Depth:
    """Where a semicolon is not the end of a statement: in brackets, and in a body between BEGIN ATOMIC and END."""

    def __init__(self) -> None:
        self._brackets = self._bodies = 0
        self._words: list[str] = []

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self._words)

    @property
    def inside(self) -> bool:
        return bool(self._brackets or self._bodies)

    def take(self, token: Token) -> None:
        if token.kind is Kind.OTHER:
            self._brackets = max(0, self._brackets + {"(": 1, ")": -1}.get(token.text, 0))
        if token.kind is not Kind.WORD:
            return
        word = token.text.upper()
        self._words.append(word)
        if self._brackets or not self._routine():
            return
        # As psql counts: its psqlscan.l, "identifier".
        if word == "BEGIN" or (word == "CASE" and self._bodies):
            self._bodies += 1
        elif word == "END" and self._bodies:
            self._bodies -= 1

    def _routine(self) -> bool:
        head = [word for word in self._words[:4] if word not in {"OR", "REPLACE"}]
        return head[:1] == ["CREATE"] and head[1:2] in (["FUNCTION"], ["PROCEDURE"])


def _split(text: str) -> Iterator[ScriptStatement]:
    parts: list[Token] = []
    depth = _Depth()
    for token in tokens(text):
        if token.text == "\\" and token.kind is Kind.OTHER:
            raise refused(T("commands of psql, with a backslash, are not SQL."), token.line)
        if token.text == ";" and token.kind is Kind.OTHER and not depth.inside:
            yield from _made(parts, depth.words)
            parts, depth = [], _Depth()
            continue
        if parts or token.kind not in {Kind.SPACE, Kind.COMMENT}:
            parts.append(token)
            depth.take(token)
    yield from _made(parts, depth.words)


def _made(parts: Sequence[Token], words: tuple[str, ...]) -> Iterator[ScriptStatement]:
    if parts:
        yield ScriptStatement("".join(token.text for token in parts), parts[0].line, words)
