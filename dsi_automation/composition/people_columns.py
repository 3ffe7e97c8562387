"""The columns of a file of people: their names in French and English, found whatever their case, accents or spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

TITLES: Final[dict[str, Text]] = {
    "matricule": T("staff number"),
    "last_name": T("last name"),
    "first_names": T("first names"),
    "contact": T("contact"),
    "site": T("site"),
    "department": T("department"),
    "licence": T("licence"),
    "manager": T("manager"),
    "address": T("address"),
}
"""How each column is called in messages and in the template, in the reader's language."""
REQUIRED: Final = ("matricule", "last_name", "first_names", "contact")
"""The references that procedure E asks for; their columns must be there, though a field may be empty."""

_NAMES: Final[dict[str, str]] = {
    "matricule": "matricule, no matricule, n matricule, numero matricule, numero de matricule, staff number, staff no, "
    "employee id, employee number, personnel number",
    "last_name": "nom, noms, nom de famille, last name, surname, family name",
    "first_names": "prenom, prenoms, first name, first names, given name, given names, forename, forenames",
    "contact": "contact, contacts, contact personnel, telephone, tel, numero de telephone, phone, phone number, mobile",
    "site": "site, code site, code du site, site code",
    "department": "service, departement, direction, department",
    "licence": "licence, license",
    "manager": "responsable, responsable hierarchique, superieur hierarchique, chef, manager",
    "address": "adresse, adresse mail, adresse e mail, adresse electronique, adresse de messagerie, address, "
    "mail address, email address",
}
_FIELD_OF: Final = {name: field for field, names in _NAMES.items() for name in names.split(", ")}


def fold(name: str) -> str:
    """Return a column's name as it is compared: without case, accents, punctuation and doubled spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", plain.casefold()).split())


def field_of(name: str) -> str | None:
    """Return the field of `PersonRow` that a column's name means, or None."""
    return _FIELD_OF.get(fold(name))


def fields_of(header: Sequence[str], file: object, required: Sequence[str] = REQUIRED) -> list[str | None]:
    """Return the field of each column; None for one without a name, whose fields must be empty.

    Args:
        header: the names of the columns.
        file: where they stand, for messages.
        required: the fields without whose column nothing can be done.

    Raises:
        UsageError: columns are missing, unknown or double: all told at once.
    """
    found = [field_of(name) if fold(name) else None for name in header]
    problems = [*_unknown(header, found), *_double(header, found), *_missing(found, required)]
    if problems:
        raise UsageError(
            T(
                "The header line of {file} is not right: {problems}.",
                file=file,
                problems=_semicolons(problems),
            ),
            next_step=T(
                "Columns: {required}; and where wanted {others}. “dsi mailbox template” writes an example.",
                required=_listed(REQUIRED),
                others=_listed([field for field in TITLES if field not in REQUIRED]),
            ),
        )
    return found


def _unknown(header: Sequence[str], found: Sequence[str | None]) -> list[Text]:
    from dsi_automation.inventory.near import near

    told: list[Text] = []
    for name, field in zip(header, found, strict=True):
        if field is not None or not fold(name):
            continue
        close = near(fold(name), _FIELD_OF, most=1)
        if close:
            told.append(T("nobody knows the column “{name}” (“{near}”, perhaps?)", name=name.strip(), near=close[0]))
        else:
            told.append(T("nobody knows the column “{name}”", name=name.strip()))
    return told


def _double(header: Sequence[str], found: Sequence[str | None]) -> list[Text]:
    told: list[Text] = []
    for field, title in TITLES.items():
        names = [name.strip() for name, meant in zip(header, found, strict=True) if meant == field]
        if len(names) > 1:
            told.append(T("the column “{title}” is there twice: {names}", title=title, names=", ".join(names)))
    return told


def _missing(found: Sequence[str | None], required: Sequence[str]) -> list[Text]:
    lacking = [field for field in required if field not in found]
    return [T("columns are missing: {names}", names=_listed(lacking))] if lacking else []


def _listed(fields: Sequence[str]) -> Text:
    *others, listed = (TITLES[field] for field in fields)
    for title in reversed(others):
        listed = T("{first}, {rest}", first=title, rest=listed)
    return listed


def _semicolons(problems: Sequence[Text]) -> Text:
    *others, told = problems
    for problem in reversed(others):
        told = T("{first}; {rest}", first=problem, rest=told)
    return told
