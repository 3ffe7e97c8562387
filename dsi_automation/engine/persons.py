"""Who signed: a person is found by key, and two spellings of one person are one person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from dsi_automation.core.text import T
from dsi_automation.engine.closed import closed, reason
from dsi_automation.inventory.model import Person, PersonKey
from dsi_automation.inventory.people import may_sign
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.inventory.publickeys import canonical_key
from dsi_automation.inventory.spelling import same_login, same_staff_number


def read_people(provider: Callable[[], Iterable[Person]]) -> tuple[Person, ...]:
    """Return the people of the inventory, read now.

    Raises:
        GateClosedError: the file is absent, unreadable or not valid.
    """
    try:
        people = tuple(provider())
    except Exception as error:  # whatever is wrong with the file, the gate closes
        raise closed(
            "people",
            T("The list of people cannot be read, so nobody is known to the gate."),
            T("Repair people.yml in the inventory, then check with: dsi doctor"),
            meaning=reason(error),
        ) from error
    if not people:
        raise closed("people", T("The list of people is empty."), T("Fill in people.yml in the inventory."))
    return people


def signer_of(people: Sequence[Person], public_key: str, at: datetime) -> Person:
    """Return the one person whose key this is, if it might sign at that moment.

    Raises:
        GateClosedError: nobody's key, two people's key, or not valid at that time.
    """
    owners = [(person, key) for person in people for key in person.keys if _is_key(key, public_key)]
    if not owners:
        raise closed(
            "unknown_signer",
            T("The key that signed belongs to nobody in people.yml."),
            T("Sign with a registered key (--key, DSI_KEY), or have this one added to people.yml."),
        )
    if len({person.id for person, _ in owners}) > 1:
        raise closed(
            "ambiguous_signer",
            T("Two persons of people.yml share the key that signed: {ids}.", ids=_ids(p for p, _ in owners)),
            T("Give each person a key of their own."),
        )
    if not any(may_sign(key, at) for _, key in owners):
        raise closed(
            "key_not_valid",
            T("The key of {person} was not valid on {day}.", person=owners[0][0].id, day=at.date().isoformat()),
            T("Use a key that is valid today; the dates are in people.yml."),
        )
    return owners[0][0]


def same_person(one: Person, other: Person) -> bool:
    """Tell whether two entries are one human: same identifier, staff number, login or key, however spelt.

    Raises:
        GateClosedError: a spelling cannot be compared (letters of another script): in doubt, closed.
    """
    try:
        return bool(_spellings(one) & _spellings(other))
    except WrongValueError as error:
        raise closed(
            "ambiguous_person",
            T("{one} and {other} cannot be told apart: {problem}", one=one.id, other=other.id, problem=error.text),
            T("Correct people.yml in the inventory."),
        ) from error


def distinct(people: Sequence[Person]) -> tuple[Person, ...]:
    """Return each human once."""
    kept: list[Person] = []
    for person in people:
        if not any(same_person(person, other) for other in kept):
            kept.append(person)
    return tuple(kept)


def has_role(person: Person, roles: Sequence[str]) -> bool:
    """Tell whether a person holds one of the roles; roles are spelt exactly as policy spells them."""
    return bool(set(person.roles) & set(roles))


def _spellings(person: Person) -> set[tuple[str, str]]:
    logins = {("login", same_login(login)) for login in (person.id, *person.logins)}
    keys = {("key", canonical_key(key.key)) for key in person.keys}
    return {("staff", same_staff_number(person.staff_number))} | logins | keys


def _is_key(key: PersonKey, wanted: str) -> bool:
    try:
        return canonical_key(key.key) == canonical_key(wanted)
    except WrongValueError:
        return False


def _ids(people: Iterable[Person]) -> str:
    return ", ".join(sorted(person.id for person in people))
