"""PostgreSQL's lexical structure, as far as needed to tell code from what only looks like code.

Rules: PostgreSQL manual, "Lexical Structure" (4.1), with `standard_conforming_strings` on, as our sessions have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text


class Kind(Enum):
    """What a token is."""

    SPACE = auto()
    COMMENT = auto()
    TEXT = auto()
    """A constant: `'...'`, `E'...'`, `$tag$...$tag$`."""
    QUOTED = auto()
    """A quoted identifier."""
    WORD = auto()
    PARAMETER = auto()
    """`:name`; its name is the token without the colon."""
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token: what it is, its own text, and the line it begins on (from 1)."""

    kind: Kind
    text: str
    line: int


_WORD: Final = r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*"
_TAG: Final = r"\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$"
_NEXT_PART: Final = r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]+|--[^\n\r]*[\n\r])*"
"""What may stand between two parts of one constant; the second is read as the first is (4.1.2.1)."""
_ESCAPED: Final = r"'(?:[^'\\]|''|\\.)*'"
_PATTERNS: Final = re.compile(
    "|".join(
        (
            r"(?P<SPACE>[ \t\n\r\f\v]+)",
            r"(?P<COMMENT>--[^\n\r]*)",
            r"(?P<NESTED>/\*)",
            rf"(?P<ESCAPED>[eE]{_ESCAPED}(?:{_NEXT_PART}{_ESCAPED})*)",
            r"(?P<TEXT>'(?:[^']|'')*')",
            r'(?P<QUOTED>"(?:[^"]|"")*")',
            rf"(?P<DOLLAR>{_TAG})",
            r"(?P<CAST>::|:=)",
            r"(?P<PARAMETER>:[A-Za-z_][A-Za-z0-9_]*)",
            rf"(?P<WORD>{_WORD})",
            r"(?P<OPEN>[eE]?'|\")",
            # A number swallows the word that follows: 1e5 is one, and so is what nobody should write.
            r"(?P<OTHER>\$?[0-9]+[A-Za-z0-9_$]*|.)",
        )
    ),
    re.DOTALL,
)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_KINDS: Final = {
    "SPACE": Kind.SPACE,
    "COMMENT": Kind.COMMENT,
    "ESCAPED": Kind.TEXT,
    "TEXT": Kind.TEXT,
    "QUOTED": Kind.QUOTED,
    "PARAMETER": Kind.PARAMETER,
    "WORD": Kind.WORD,
    "CAST": Kind.OTHER,
    "OTHER": Kind.OTHER,
}


def tokens(text: str) -> Iterator[Token]:
    """Return the tokens of SQL; put together they are the text again.

    Raises:
        UsageError: a constant, an identifier or a comment is not closed, and on which line it begins; or there is a
            NUL.
    """
    if (nul := text.find("\0")) >= 0:
        # The protocol ends a statement there: the rest would be left away without a word.
        raise _open(T("It holds a NUL character."), text.count("\n", 0, nul) + 1)
    position, line = 0, 1
    while position < len(text):
        found = _PATTERNS.match(text, position)
        if found is None or found.lastgroup is None:  # the last pattern takes anything
            raise AssertionError(position)
        kind, end = found.lastgroup, found.end()
        if kind == "OPEN" or (kind == "WORD" and _opens(text, found)):
            raise _open(T("A quote is not closed."), line)
        if kind == "NESTED":
            token = Token(Kind.COMMENT, text[position : _comment_end(text, position, line)], line)
        elif kind == "DOLLAR":
            closing = text.find(found.group(), end)
            if closing < 0:
                raise _open(T("A dollar quote is not closed."), line)
            token = Token(Kind.TEXT, text[position : closing + len(found.group())], line)
        else:
            token = Token(_KINDS[kind], found.group(), line)
        yield token
        position += len(token.text)
        line += token.text.count("\n")


def _opens(text: str, found: re.Match[str]) -> bool:
    """Tell whether a word is the E of a constant that is not closed: read else, its end would be another."""
    return found.group() in {"e", "E"} and text.startswith("'", found.end())


def _comment_end(text: str, start: int, line: int) -> int:
    """Return where a comment ends that others may be nested in."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise _open(T("A comment is not closed."), line)


def _open(what: Text, line: int) -> UsageError:
    return UsageError(
        T("The SQL cannot be read, line {line}: {what}", line=line, what=what),
        next_step=T("Correct the SQL."),
        detail={"line": line},
    )
