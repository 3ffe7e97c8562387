"""What the tenant holds: users, groups and contacts with their indexes, kept in one JSON file across restarts."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import StorageError
from dsi_automation.core.text import T

type Kind = Literal["user", "group", "contact"]

INDEXED: Final = frozenset({"id", "userPrincipalName", "mail", "employeeId", "onPremisesImmutableId", "proxyAddresses"})
"""Properties by which objects are found without reading them all."""
_ADDRESS: Final = "address"
"""The index of every address an object holds: mail and proxyAddresses, without the prefix."""


def stamp(moment: float) -> str:
    """Return a moment as the directory writes it: `2026-11-21T19:30:00Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Licence:
    """A licence of a user.

    Attributes:
        at: when it was assigned, seconds since 1970.
        error: of licenseAssignmentStates; empty when it works.
    """

    sku: str
    at: float
    disabled: list[str] = field(default_factory=list)
    error: str = ""


@dataclass(slots=True)
class Entry:
    """One object of the directory.

    Attributes:
        sequence: its place in lists.
        props: Graph's properties that have a value; licences and plans are made from `licences` when read.
        visible_at: when reads begin to find it.
        located_at: when licences begin to accept its usage location.
        mailbox: none, coming, ready, or failed (its address is somebody else's).
        mailbox_at: when it gets ready.
        password: salt and digest.
        must_change: forceChangePasswordNextSignIn.
        deleted_at: None while it is not in the deleted items.
    """

    id: str
    kind: Kind
    sequence: int
    props: dict[str, Any]
    visible_at: float = 0.0
    located_at: float = 0.0
    mailbox: str = "none"
    mailbox_at: float = 0.0
    licences: list[Licence] = field(default_factory=list)
    password: tuple[str, str] | None = None
    must_change: bool = False
    deleted_at: float | None = None

    @property
    def upn(self) -> str:
        """Return its userPrincipalName, empty for groups and contacts."""
        return str(self.props.get("userPrincipalName", ""))

    @property
    def synced(self) -> bool:
        """Tell whether an Active Directory masters it."""
        return bool(self.props.get("onPremisesSyncEnabled"))

    def addresses(self) -> set[str]:
        """Return every address it holds as mail or proxyAddresses, lower case."""
        held = {proxy.partition(":")[2].lower() for proxy in self.props.get("proxyAddresses", ())}
        mail = self.props.get("mail")
        return held | {mail.lower()} if mail else held

    def set_password(self, password: str, *, must_change: bool) -> None:
        """Keep a password's digest."""
        salt = secrets.token_hex(8)
        self.password = (salt, _digest(salt, password))
        self.must_change = must_change

    def has_password(self, password: str) -> bool:
        """Tell whether this is the password."""
        return self.password is not None and secrets.compare_digest(
            self.password[1], _digest(self.password[0], password)
        )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _digest(salt: str, password: str) -> str:
    return hashlib.sha256(f"{salt}:{password}".encode()).hexdigest()


_FIELDS: Final = tuple(field.name for field in fields(Entry))


class Store:
    """The objects, found by what they are looked for, and the few facts about the tenant that change."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.entries: dict[str, Entry] = {}
        self.changed = False
        self._indexes: dict[str, dict[str, dict[str, None]]] = {name: {} for name in (*INDEXED, _ADDRESS)}
        self._keys: dict[str, list[tuple[str, str]]] = {}
        self._pending: dict[str, None] = {}
        self._sequence = 0

    def now(self) -> float:
        """Return the present moment, seconds since 1970."""
        return self.clock.now().timestamp()

    def add(self, kind: Kind, identifier: str, props: dict[str, Any]) -> Entry:
        """Add an object."""
        self._sequence += 1
        entry = Entry(identifier, kind, self._sequence, {**props, "id": identifier})
        self.entries[identifier] = entry
        self.update(entry)
        return entry

    def update(self, entry: Entry) -> None:
        """Index an object anew, after any change to it."""
        self.changed = True
        self._unindex(entry)
        keys = [(name, one.lower()) for name in INDEXED for one in _list(entry.props.get(name)) if isinstance(one, str)]
        keys += [(_ADDRESS, address) for address in entry.addresses()]
        for name, key in keys:
            self._indexes[name].setdefault(key, {})[entry.id] = None
        self._keys[entry.id] = keys
        if entry.mailbox == "coming" and entry.deleted_at is None:
            self._pending[entry.id] = None
        else:
            self._pending.pop(entry.id, None)

    def remove(self, entry: Entry) -> None:
        """Remove an object for good."""
        self.changed = True
        self._unindex(entry)
        self._pending.pop(entry.id, None)
        del self.entries[entry.id]

    def find(self, name: str, value: str) -> list[Entry]:
        """Return the objects of an index, deleted ones too, in their order."""
        found = self._indexes[name].get(value.lower(), {})
        return sorted((self.entries[key] for key in found), key=lambda entry: entry.sequence)

    def holders(self, address: str) -> list[Entry]:
        """Return who holds an address as mail or proxyAddresses, deleted users too."""
        return self.find(_ADDRESS, address)

    def live(self, kind: Kind) -> Iterator[Entry]:
        """Return the objects of a kind that are not deleted, in their order."""
        return (entry for entry in self.entries.values() if entry.kind == kind and entry.deleted_at is None)

    def deleted(self) -> Iterator[Entry]:
        """Return the deleted users."""
        return (entry for entry in self.entries.values() if entry.deleted_at is not None)

    def mailboxes_due(self) -> list[Entry]:
        """Return the users whose mailbox should be ready by now."""
        if not self._pending:
            return []
        now = self.now()
        return [entry for key in list(self._pending) if (entry := self.entries[key]).mailbox_at <= now]

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self._keys.clear()
        self._pending.clear()
        for index in self._indexes.values():
            index.clear()
        self._sequence = 0
        self.changed = True

    def dump(self) -> list[dict[str, Any]]:
        """Return the objects as JSON holds them."""
        return [
            {
                **{name: getattr(entry, name) for name in _FIELDS},
                "licences": [asdict(licence) for licence in entry.licences],
            }
            for entry in self.entries.values()
        ]

    def load(self, rows: Iterable[dict[str, Any]]) -> None:
        """Take the objects of a dump."""
        self.clear()
        for row in rows:
            password = row.get("password")
            entry = Entry(
                **{
                    **row,
                    "licences": [Licence(**licence) for licence in row["licences"]],
                    "password": tuple(password) if password else None,
                }
            )
            self.entries[entry.id] = entry
            self._sequence = max(self._sequence, entry.sequence)
            self.update(entry)

    def _unindex(self, entry: Entry) -> None:
        for name, key in self._keys.pop(entry.id, ()):
            held = self._indexes[name].get(key)
            if held is not None:
                held.pop(entry.id, None)
                if not held:
                    del self._indexes[name][key]


def read_state(path: Path) -> dict[str, Any] | None:
    """Return what a tenant's file holds, None where there is none.

    Raises:
        StorageError: it cannot be read.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StorageError(T("The state file {path} of the simulated tenant cannot be read.", path=path)) from error
    return state


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a tenant's file: whole or not at all, for its owner only.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(state))  # json.dump does it in Python, tenfold slower
        Path(temporary).replace(path)
    except OSError as error:
        raise StorageError(T("The state of the simulated tenant cannot be written.")) from error
