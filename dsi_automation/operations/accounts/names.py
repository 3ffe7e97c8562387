"""Names of people, as the registers of the region write them: folded for addresses, kept for everything people read.

Nothing here depends on anybody else: the candidates for an address come from one person's name and staff number alone,
so that the same person gets the same ones in any batch, at any time.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

LONGEST_NAME: Final = 64
"""Characters of `sn`, of `givenName` and of `cn` (rangeUpper in the schema of Active Directory)."""
LONGEST_DISPLAY: Final = 256
"""Characters of `displayName`."""
LONGEST_LOCAL_PART: Final = 64
"""Octets before the @ (RFC 5321 section 4.5.3.1.1)."""
LEAST_OF_FIRST: Final = 20
"""What is left of the first name when first and last name together are too long, characters."""

APOSTROPHES: Final = frozenset("'’‘‛ʼʻʽʹ′‵`´ꞌ＇ˈˊˋʾʿ")
_LETTERS: Final = {
    "œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ɔ": "o", "ɛ": "e", "ŋ": "ng", "ɲ": "ny", "ɩ": "i", "ɪ": "i",
    "ʋ": "u", "ʊ": "u", "đ": "d", "ɖ": "d", "ɗ": "d", "ð": "d", "ƒ": "f", "ɣ": "g", "ɠ": "g", "ɓ": "b", "ƙ": "k",
    "ɨ": "i", "ı": "i", "ł": "l", "þ": "th", "ə": "e", "ǝ": "e", "ƴ": "y", "ʒ": "z", "ɑ": "a", "ħ": "h", "ɵ": "o",
}  # fmt: skip
_BETWEEN: Final = frozenset(" .·")
_HUSBAND: Final = frozenset({"epse", "epouse", "ep", "eps", "vve", "veuve", "veuf", "vf"})
"""What stands between the birth name and the husband's."""
_BORN: Final = "nee"
"""What stands before the birth name, after the husband's."""
_MARKERS: Final = frozenset({*_HUSBAND, _BORN})
_MARKED: Final = tuple([marker] for marker in sorted(_MARKERS))
_BRACKETED: Final = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name.

    Attributes:
        last: the last name as typed, marital form included; the only name of who has one alone.
        first: the first names as typed, the usual one first; empty for who has a single name.
        birth: the birth name folded, `tra-bi-irie`: what addresses and comparisons use.
        usual: the usual first name folded; empty for who has a single name.
        others: the other first names, folded.
    """

    last: str
    first: str
    birth: str
    usual: str
    others: tuple[str, ...] = ()

    @property
    def display(self) -> str:
        """Return the name as people read it: `N’GUESSAN Éric`, `KOFFI épse KOUADIO Awa`."""
        return " ".join(part for part in (_capitals(self.last), self.first) if part)[:LONGEST_DISPLAY]

    def common_name(self, staff_number: str) -> str:
        """Return the name of the account's object: `N’GUESSAN Éric 100001A`, cut before the number to 64 characters."""
        room = LONGEST_NAME - len(staff_number) - 1
        return f"{self.display[:room].rstrip(' -')} {staff_number}"


def read_name(last_names: str, first_names: str) -> Name:
    """Return a person's name.

    Args:
        last_names: as the register writes it; may hold a marital form (`Koffi épse Kouadio`, `Kouadio née Koffi`).
        first_names: the usual one first; may be empty, for a person with a single name.

    Raises:
        UsageError: no name can hold that, or no address can be made of it; says what and why.
    """
    last, first = tidy(last_names), tidy(first_names)
    if not last:
        last, first = first, ""
    if not last:
        raise UsageError(
            T("The name is missing."), next_step=T("Give the last name, as the register of staff writes it.")
        )
    for part in (last, first):
        refuse_unfit(part)
    fold(last)
    birth = "-".join(_birth_words(_words(last)))
    if not birth:
        raise UsageError(
            T("“{name}” holds no birth name.", name=last),
            next_step=T("Give the birth name as well: KOFFI épse KOUADIO, or KOUADIO née KOFFI."),
        )
    firsts = _first_names(first, strictly=True)
    return Name(last, first, birth, firsts[0] if firsts else "", tuple(firsts[1:]))


def tidy(text: str) -> str:
    """Return `text` as it is kept: composed (NFC), each run of spaces of any width one space, none at the ends."""
    composed = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in composed)
    return re.sub(" +", " ", spaced).strip(" ")


def refuse_unfit(text: str) -> None:
    """Make sure that a name, tidied, holds nothing but letters and what stands between the letters of names.

    Raises:
        UsageError: it holds a sign that no name has, or is too long; says which.
    """
    for sign in _unbracketed(text):
        kind = unicodedata.category(sign)
        if kind[0] in "LM" or kind == "Pd" or sign in APOSTROPHES or sign in _BETWEEN:
            continue
        code = f"{ord(sign):04X}"
        if kind[0] == "C":
            raise UsageError(
                T("A name holds the invisible character U+{code}.", code=code),
                next_step=T("Type the name again: it was copied with something that cannot be seen."),
            )
        raise UsageError(
            T("“{sign}” (U+{code}) is not part of a name, in “{name}”.", sign=sign, code=code, name=text[:80]),
            next_step=T("Give the name alone, with letters, hyphens and apostrophes."),
        )
    if len(text) > LONGEST_NAME:
        raise UsageError(
            T("A name of {n} characters does not fit into the directory.", n=len(text)),
            meaning=T("Active Directory keeps {most} characters of a last name and of the first names.",
                      most=LONGEST_NAME),
            next_step=T("Give a form of at most {most} characters, and {n} have to go.",
                        most=LONGEST_NAME, n=len(text) - LONGEST_NAME),
        )  # fmt: skip


def fold(text: str, *, strictly: bool = True) -> str:
    """Return `text` as addresses write it: `a-z`, digits, and one hyphen for each run of anything between them.

    Args:
        strictly: refuse a letter that has no Latin form; otherwise it is left out.

    Raises:
        UsageError: a letter cannot be written in an address.
    """
    bare = "".join(sign for sign in text if sign not in APOSTROPHES)
    # Twice: a letter of a fancy alphabet is a plain capital only once decomposed.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", bare).casefold())
    folded = ""
    for sign in decomposed:
        if unicodedata.category(sign)[0] == "M" or sign in APOSTROPHES:
            continue
        latin = sign if sign.isascii() and sign.isalnum() else _LETTERS.get(sign)
        if latin is None and strictly and sign.isalpha():
            raise UsageError(
                T("“{letter}” cannot be written in an address, in “{name}”.", letter=sign, name=text[:80]),
                next_step=T("Give the Latin spelling of the name, as in the passport."),
            )
        folded += "-" if latin is None else latin
    return re.sub("-+", "-", folded).strip("-")


def surnames(last_names: str | None) -> frozenset[str]:
    """Return the folded forms a last name may go by: the birth name, the husband's, and all of it."""
    words = _words(last_names or "")
    birth = _birth_words(words)
    rest = [word for word in words if word not in birth and word not in _MARKERS]
    return frozenset("-".join(form) for form in (birth, rest, words) if form)


def same_surname(name: Name, last_names: str | None) -> bool:
    """Tell whether a directory's last name may be this person's: birth name or husband's, however written."""
    return bool(surnames(name.last) & surnames(last_names))


def same_person(name: Name, last_names: str | None, first_names: str | None) -> bool:
    """Tell whether a directory's names are this person's: the same birth name and the same usual first name."""
    last, first = (last_names, first_names) if last_names else (first_names, None)
    usual = next(iter(_first_names(first or "", strictly=False)), "")
    return "-".join(_birth_words(_words(last or ""))) == name.birth and usual == name.usual


def natural_forms(name: Name) -> tuple[str, ...]:
    """Return the local parts that a name gives by itself, in the order in which they are tried."""
    firsts = [name.usual]
    if name.others:
        firsts += [f"{name.usual}.{name.others[0][0]}", f"{name.usual}-{name.others[0]}"]
    return tuple(dict.fromkeys(_local_part(first, name.birth) for first in firsts))


def numbered_forms(name: Name, staff_number: str) -> tuple[str, ...]:
    """Return the local parts that end in 2, 3, ... characters of the staff number, in the order they are tried."""
    signs = "".join(sign for sign in staff_number.lower() if sign.isascii() and sign.isalnum())
    return tuple(
        _local_part(name.usual, name.birth, f".{signs[-n:]}") for n in range(min(2, len(signs)), len(signs) + 1)
    )


def _local_part(first: str, last: str, suffix: str = "") -> str:
    """Join the parts; of what is longer than 64, the first name keeps at least 20 and the last name the rest."""
    room = LONGEST_LOCAL_PART - len(suffix)
    if first and len(first) + 1 + len(last) > room:
        first = first[: max(LEAST_OF_FIRST, room - 1 - len(last))].rstrip("-.")
        last = last[: room - 1 - len(first)]
    kept = last[:room].rstrip("-")
    return (f"{first}.{kept}" if first else kept) + suffix


def _unbracketed(text: str) -> str:
    """Return `text` with the brackets around a marital form left out: (épse KOUADIO)."""
    return _BRACKETED.sub(lambda found: f" {found[1]} " if _words(found[1])[:1] in _MARKED else found[0], text)


def _words(text: str) -> list[str]:
    return fold(text, strictly=False).split("-") if text else []


def _birth_words(words: list[str]) -> list[str]:
    for at, word in enumerate(words):
        if word == _BORN and words[at + 1 :]:
            return _birth_words(words[at + 1 :])
    for at, word in enumerate(words):
        if word in _HUSBAND or word == _BORN:
            return words[: at - 1] if words[max(0, at - 1)] == "ex" else words[:at]
    return words


def _first_names(text: str, *, strictly: bool) -> list[str]:
    """Return the first names folded, each whole with its hyphens, up to a marital form."""
    found: list[str] = []
    for word in _unbracketed(text).split():
        folded = fold(word, strictly=strictly)
        if folded in _MARKERS:
            break
        found += [folded] if folded else []
    return found


def _capitals(last: str) -> str:
    """Return a last name in capitals, the words of a marital form as typed."""
    return " ".join(word if fold(word, strictly=False) in _MARKERS else word.upper() for word in last.split(" "))
