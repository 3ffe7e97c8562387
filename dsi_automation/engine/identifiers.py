"""Identifiers people can read aloud: `REQ-20261121-7K3F`, sortable by date and time of day.

The last four characters are Crockford's base 32 (no I, L, O, U): seventeen bits for the second of the day, so
that identifiers sort, and three to tell apart those of one second.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import UTC, datetime
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

REQUEST: Final = "REQ"
RUN: Final = "RUN"
HANDOVER: Final = "HND"
MOVE: Final = "MOV"
ACCEPTANCE: Final = "ACC"
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PER_SECOND: Final = 8
_MISREAD: Final = str.maketrans("ILO", "110")


def new_id(prefix: str, now: datetime, taken: Container[str]) -> str:
    """Return an identifier not in `taken`: that of this second, or the next free one."""
    moment = now.astimezone(UTC)
    number = (moment.hour * 3600 + moment.minute * 60 + moment.second) * _PER_SECOND
    day = moment.strftime("%Y%m%d")
    while (candidate := f"{prefix}-{day}-{_encode(number)}") in taken:
        number += 1
    return candidate


def find_id(beginning: str, known: Iterable[str]) -> str:
    """Return the one identifier that starts so; case and the letters I, L, O are forgiven in the last part.

    Raises:
        UsageError: none does, or several do.
    """
    known = sorted(known)
    asked = _normal(beginning)
    matches = [item for item in known if item == asked] or [item for item in known if item.startswith(asked)]
    if not asked or not matches:
        raise UsageError(
            T("Nothing is recorded under {id}.", id=beginning or "-"),
            next_step=T("List what there is with `dsi requests` and `dsi runs`."),
        )
    if len(matches) > 1:
        raise UsageError(
            T("{id} is the beginning of several: {ids}.", id=beginning, ids=", ".join(matches[:8])),
            next_step=T("Type a few more characters."),
            detail={"matches": matches},
        )
    return matches[0]


def _encode(number: int) -> str:
    text = ""
    while number or len(text) < 4:
        number, digit = divmod(number, len(ALPHABET))
        text = ALPHABET[digit] + text
    return text


def _normal(text: str) -> str:
    head, dash, tail = text.strip().upper().rpartition("-")
    return head + dash + tail.translate(_MISREAD) if head.count("-") else head + dash + tail
