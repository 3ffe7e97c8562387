"""Secrets that cannot be printed by accident, and the removal of their values from any text."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any, Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

MASK: Final = "•••"
SHORTEST: Final = 4
"""Values shorter than this are masked as values but not searched for in texts: they would hide ordinary words."""

_known: dict[str, None] = {}
_longest_first: tuple[str, ...] = ()
_heads: dict[str, tuple[str, ...]] = {}
"""What is searched for, by its first characters."""
_lock = threading.Lock()


class Secret:
    """A value that is shown as a mask; `reveal` is the only way to it.

    Making one registers its value, and the encodings it may travel in, for `redact`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep `value` and register it for redaction."""
        self._value = value
        register(value)

    def reveal(self) -> str:
        """Return the value itself, to hand it to the equipment and to nothing else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not serialised")


def register(value: str) -> None:
    """Have `redact` remove this value, and its usual encodings, from every text from now on."""
    if len(value) < SHORTEST:
        return
    global _longest_first
    with _lock:
        # The same password is read again for each of hundreds of machines; texts are searched even more often.
        if value in _known:
            return
        _known[value] = None
        forms = _forms(value)
        _longest_first = tuple(sorted({*_longest_first, *forms}, key=_rank))
        for form in forms:
            # Forms that hold a mask can come to be in a text while others are replaced in it.
            head = "" if MASK[0] in form else form[:SHORTEST]
            _heads[head] = tuple({*_heads.get(head, ()), form})


def redact(text: str) -> str:
    """Return `text` with every registered secret replaced by a mask."""
    known = _longest_first
    # A batch of people has a password each: most texts are much shorter than the list of what must not be in them.
    if len(known) > len(text):
        heads = {text[start : start + SHORTEST] for start in range(len(text) - SHORTEST + 1)} | {""}
        found = [form for head in heads for form in _heads.get(head, ())]
        known = tuple(sorted(found, key=_rank)) if found else ()
    for form in known:
        if form in text:
            text = text.replace(form, MASK)
    return text


def redact_json(value: Any) -> Any:
    """Return a JSON-like value with `redact` applied to every string in it, keys included."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact_json(key): redact_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_json(item) for item in value]
    return value


def _rank(form: str) -> tuple[int, str]:
    return -len(form), form


def _forms(value: str) -> set[str]:
    plain, wide = value.encode(), value.encode("utf-16-le")
    return {
        value,
        escape(value),
        escape(value, {'"': "&quot;", "'": "&apos;"}),
        quote(value, safe=""),
        quote_plus(value),
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        base64.b64encode(plain).decode(),
        base64.b64encode(wide).decode(),
        plain.hex(),
    }
