"""`people.yml` read and checked: one human is one person, whatever the spelling."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.model import PeopleFile, Person, PersonKey
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.problems import InventoryError, Problem, WrongValueError
from dsi_automation.inventory.publickeys import canonical_key
from dsi_automation.inventory.spelling import same_login, same_staff_number
from dsi_automation.inventory.yamlfile import YamlFile, read_yaml

FILE: Final = "people.yml"
CONTROLLER: Final = "controller"
"""Whom the journal's own signatures belong to: no person may be called so."""
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class People:
    """Everybody the gate knows."""

    def __init__(self, persons: Iterable[Person], roles: Iterable[str] = ()) -> None:
        """Keep persons that were checked (`load_people`); `roles` are those that exist, when the file lists them."""
        self._by_id = {person.id: person for person in persons}
        self._by_key = {canonical_key(key.key): (person, key) for person in self for key in person.keys}
        self.roles = frozenset(roles) or frozenset(role for person in self for role in person.roles)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, person_id: str) -> Person | None:
        """Return the person of that identifier, or None."""
        return self._by_id.get(person_id)

    def by_id(self, person_id: str) -> Person:
        """Return the person of that identifier.

        Raises:
            UsageError: there is none; names those nearest to it.
        """
        person = self.get(person_id)
        if person is None:
            raise UsageError(
                T("Nobody is called {id} in people.yml.", id=person_id),
                next_step=did_you_mean(person_id, self._by_id),
            )
        return person

    def by_key(self, public_key: str, at: datetime | None = None) -> Person | None:
        """Return whose key that is, or None.

        Args:
            public_key: `type base64`, with or without a comment.
            at: when given, a key that may not sign at that moment is nobody's.
        """
        try:
            found = self._by_key.get(canonical_key(public_key))
        except WrongValueError:
            return None
        if found is None or (at is not None and not may_sign(found[1], at)):
            return None
        return found[0]

    def with_role(self, roles: Iterable[str], at: datetime | None = None) -> tuple[Person, ...]:
        """Return who holds at least one of these roles and, when `at` is given, has a key that may sign then."""
        wanted = set(roles)
        return tuple(
            person
            for person in self
            if wanted & set(person.roles) and (at is None or any(may_sign(key, at) for key in person.keys))
        )

    def allowed_signers(self, namespace: str | None = None) -> str:
        """Return the persons and their keys as `ssh-keygen -Y verify` reads them (ssh-keygen(1), ALLOWED SIGNERS).

        Args:
            namespace: when given, the keys are good for signatures of that namespace only.
        """
        return "".join(f"{_signer(person, key, namespace)}\n" for person in self for key in person.keys)


def may_sign(key: PersonKey, at: datetime) -> bool:
    """Tell whether a key is in its period at a moment (with a time zone)."""
    day = at.astimezone(UTC).date()
    started = key.valid_from is None or date.fromisoformat(key.valid_from) <= day
    return started and (key.valid_until is None or day <= date.fromisoformat(key.valid_until))


def load_people(path: Path) -> People:
    """Read and check a people file.

    Raises:
        UsageError: it cannot be read. InventoryError: with everything that is wrong in it.
    """
    return check_people(read_yaml(path))


def check_people(source: YamlFile) -> People:
    """Return the people of a file that was read.

    Raises:
        InventoryError: unknown roles, unsound keys, or two entries that are one human.
    """
    content = source.validate(PeopleFile)
    problems = [*_roles(source, content), *_identifiers(source, content), *_doubles(source, content)]
    if problems:
        raise InventoryError(sorted(problems, key=lambda problem: problem.line or 0))
    return People(content.people, content.roles)


def _roles(source: YamlFile, content: PeopleFile) -> Iterator[Problem]:
    for index, person in enumerate(content.people):
        for role in person.roles:
            if content.roles and role not in content.roles:
                text = T("the role {role} is not among the roles of this file.", role=role)
                yield source.problem(("people", index, "roles"), text)


def _identifiers(source: YamlFile, content: PeopleFile) -> Iterator[Problem]:
    for index, person in enumerate(content.people):
        if not _ID.fullmatch(person.id) or person.id == CONTROLLER:
            text = T("an identifier is made of small letters a-z, digits, dots and hyphens, as in k.kouassi.")
            yield source.problem(("people", index, "id"), text)


def _doubles(source: YamlFile, content: PeopleFile) -> Iterator[Problem]:
    """Compare every spelling of every person with those of the others, kind by kind."""
    seen: dict[tuple[str, str], Person] = {}
    for index, person in enumerate(content.people):
        for kind, path, value, reduce in _spellings(person):
            place = ("people", index, *path)
            try:
                same = reduce(value)
            except WrongValueError as wrong:
                yield source.problem(place, wrong.text)
                continue
            other = seen.get((kind, same))
            if other is person and kind == "key":
                yield source.problem(place, T("this key is listed twice: give it one period."))
            elif other is not None and other is not person:
                yield source.problem(place, _one_human(kind, value, other, person))
            seen.setdefault((kind, same), person)


def _spellings(person: Person) -> Iterator[tuple[str, tuple[str | int, ...], str, Callable[[str], str]]]:
    yield "login", ("id",), person.id, same_login
    yield "staff_number", ("staff_number",), person.staff_number, same_staff_number
    for index, login in enumerate(person.logins):
        yield "login", ("logins", index), login, same_login
    for index, key in enumerate(person.keys):
        yield "key", ("keys", index, "key"), key.key, canonical_key


def _one_human(kind: str, value: str, other: Person, person: Person) -> Text:
    """Say which two entries are one human, by what."""
    both = {"first": other.id, "second": person.id}
    if kind == "key":
        return T("the same key is given to {first} and to {second}: a key is one person's.", **both)
    if kind == "login":
        return T(
            "“{value}” is a login of {first} and of {second} (spelt the same or nearly): they would be one person.",
            value=value,
            **both,
        )
    return T("{first} and {second} have the same staff number: they would be one person.", **both)


def _signer(person: Person, key: PersonKey, namespace: str | None) -> str:
    options = [] if namespace is None else [f'namespaces="{namespace}"']
    if key.valid_from:
        options.append(f'valid-after="{date.fromisoformat(key.valid_from):%Y%m%d}Z"')
    if key.valid_until:
        # The last day counts whole: the key is good until the next one begins.
        options.append(f'valid-before="{date.fromisoformat(key.valid_until) + timedelta(days=1):%Y%m%d}Z"')
    return " ".join([person.id, *([",".join(options)] if options else []), canonical_key(key.key)])
