"""Names near to one that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from dsi_automation.core.text import T, Text


def near(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names nearest to `name`, best first; case does not count."""
    by_fold = {candidate.casefold(): candidate for candidate in known}
    return [by_fold[fold] for fold in difflib.get_close_matches(name.casefold(), by_fold, n=most, cutoff=0.6)]


def did_you_mean(name: str, known: Iterable[str]) -> Text:
    """Return the sentence that proposes the nearest names, or lists some when none is near."""
    names = sorted(known)
    close = near(name, names)
    if close:
        return T("Did you mean: {names}?", names=", ".join(close))
    if not names:
        return T("The inventory names none.")
    shown = names[:10]
    return T("Known names: {names}.", names=", ".join(shown) + (", …" if len(names) > len(shown) else ""))
