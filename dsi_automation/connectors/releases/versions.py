"""Names of releases: which may be, and which comes before which (Semantic Versioning 2.0.0, section 11)."""

from __future__ import annotations

import re
from typing import Final

NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
"""What a release may be called: it is a folder on servers, an archive and a tag."""

type Key = tuple[tuple[tuple[int, int, str], ...], int, tuple[tuple[int, int, str], ...]]


def may_be(name: str) -> bool:
    """Tell whether a release may be called so."""
    return bool(NAME.fullmatch(name)) and ".." not in name and not name.endswith((".", ".lock"))


def order(name: str) -> Key:
    """Return what releases are sorted by: numbers as numbers, and `1.4.0-rc1` before `1.4.0`."""
    main, dash, early = name.partition("-")
    return _parts(main), 0 if dash else 1, _parts(early)


def _parts(text: str) -> tuple[tuple[int, int, str], ...]:
    found = re.findall(r"\d+|[A-Za-z]+", text)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found)
