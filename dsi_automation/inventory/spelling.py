"""One human, one spelling: logins, staff numbers and identifiers reduced to a form in which they compare."""

from __future__ import annotations

import re
import unicodedata

from dsi_automation.core.text import T
from dsi_automation.inventory.problems import WrongValueError


def same_login(text: str) -> str:
    r"""Return what all spellings of one account have in common.

    `DOUANES\K.Kouassi`, `k.kouassi@douanes.example` and `K.Kouassi ` give `k.kouassi`. The domain is dropped on
    purpose: two persons whose accounts differ by the domain alone are more likely one person, and in doubt the
    gate stays closed.

    Raises:
        WrongValueError: it holds letters of another script, which look like Latin ones and are not.
    """
    folded = _fold(text)
    account = folded.rsplit("\\", 1)[-1].split("@", 1)[0]
    if not account:
        raise WrongValueError(T("“{login}” is no login.", login=text))
    return account


def same_staff_number(text: str) -> str:
    """Return what all spellings of one staff number have in common: neither case, separators nor leading zeros count.

    Raises:
        WrongValueError: as `same_login`, or there is nothing in it.
    """
    letters = re.sub(r"[\W_]", "", _fold(text))
    if not letters:
        raise WrongValueError(T("“{number}” is no staff number.", number=text))
    return letters.lstrip("0") or "0"


def _fold(text: str) -> str:
    """Return `text` without case, accents, blanks and invisible characters, in compatibility form (UAX 15, UTS 39)."""
    wide = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = [char for char in wide if unicodedata.category(char)[0] not in "MCZ"]
    for char in kept:
        if unicodedata.category(char)[0] == "L" and not unicodedata.name(char, "").startswith("LATIN "):
            raise WrongValueError(
                T(
                    "“{text}” holds the letter {letter}, which only looks like a Latin one: type it again.",
                    text=text,
                    letter=f"U+{ord(char):04X}",
                )
            )
    return "".join(kept)
