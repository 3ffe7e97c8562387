"""What others wrote, made fit for a terminal: no escape sequence, no forged line, no reversed text, no secret."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, Final

from dsi_automation.core.secrets import redact, redact_json
from dsi_automation.core.text import Text

HARMFUL: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that move the cursor, hide, reorder or break lines (UAX 44): controls, formats, separators."""

_NOT_ASCII_PRINTABLE: Final = re.compile(r"[^\x20-\x7e]")
_NOT_PRINTABLE_KEEPING_LINES: Final = re.compile(r"[^\x20-\x7e\n]")


def clean(value: object) -> str:
    r"""Return `value` as one line that only shows itself; what could do more is written as its escape, `\x1b`.

    Escapes are shown rather than dropped, so that two names that differ never look alike to an approver.
    """
    return _NOT_ASCII_PRINTABLE.sub(_visible, redact(str(value)))


def clean_block(value: object) -> str:
    """Return `value` as `clean` does, its line breaks kept: for texts of ours that have several lines."""
    return _NOT_PRINTABLE_KEEPING_LINES.sub(_visible, redact(str(value)))


def clean_lines(value: object) -> list[str]:
    """Return the lines of `value` as `clean` does each: a text of ours may have several, what others wrote has one."""
    if not isinstance(value, Text):
        return [clean(value)]
    return clean_block(value.render(each=clean)).split("\n")


def to_json_text(value: Any, *, indent: int | None = 2) -> str:
    """Return JSON for programs that is harmless on a terminal too: secrets masked, controls escaped.

    Args:
        indent: None for everything on one line, for what is read line by line.
    """
    text = json.dumps(redact_json(value), ensure_ascii=False, indent=indent, default=str)
    return _NOT_PRINTABLE_KEEPING_LINES.sub(_json_escape, text)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if unicodedata.category(character) not in HARMFUL:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _json_escape(match: re.Match[str]) -> str:
    character = match.group()
    return json.dumps(character)[1:-1] if unicodedata.category(character) in HARMFUL else character
