"""Temporary passwords: typed once, from paper, on whatever keyboard is at hand."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable
from typing import Final

from dsi_automation.core.secrets import Secret

LOWER: Final = "abcdefghijkmnpqrstuvwxyz"
UPPER: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS: Final = "23456789"
SIGNS: Final = "+-*=!?"
"""Without 0 O o, 1 l I and |: on paper they are one. The signs are on every French, Belgian and US keyboard, one key
(with or without Shift) away; none needs AltGr or a dead key."""
CLASSES: Final = (LOWER, UPPER, DIGITS, SIGNS)
SHORTEST_TOKEN: Final = 3
"""Active Directory refuses a password that holds the login, or a part of the display name of three letters or more."""


def new_password(length: int, *, names: Iterable[str | None] = ()) -> Secret:
    """Return a random password with characters of all four classes.

    It begins and ends with a letter: a sign at an end is taken for punctuation of the letter around it.

    Args:
        length: characters, at least 8.
        names: login, display name, address ...: no part of them of three characters or more will be inside.

    Raises:
        ValueError: `length` is less than 8.

    Source: Microsoft, “Password must meet complexity requirements” (name and login parts); NIST SP 800-63B 5.1.1.2.
    """
    if length < 8:
        raise ValueError(f"a password of {length} characters")
    forbidden = tokens(names)
    while True:
        inner = [secrets.choice(one) for one in CLASSES]
        inner += [secrets.choice("".join(CLASSES)) for _ in range(length - len(CLASSES) - 2)]
        secrets.SystemRandom().shuffle(inner)
        ends = [secrets.choice(LOWER + UPPER) for _ in range(2)]
        value = "".join([ends[0], *inner, ends[1]])
        if not any(token in value.casefold() for token in forbidden):
            return Secret(value)


def tokens(names: Iterable[str | None]) -> frozenset[str]:
    """Return the parts of names that a password must not hold, as they are and without accents, in lower case.

    Active Directory splits at commas, dots, dashes, underscores, spaces, pound signs and tabs; an apostrophe and an at
    sign are taken for separators as well, and a whole login is a part however it is written.
    """
    found: set[str] = set()
    for name in names:
        for form in (name or "", _plain(name or "")):
            parts = "".join(one if one.isalnum() else " " for one in form.casefold()).split()
            found |= {part for part in (*parts, form.casefold().strip()) if len(part) >= SHORTEST_TOKEN}
    return frozenset(found)


def _plain(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
