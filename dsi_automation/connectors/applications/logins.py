"""Logins of an application in its database, by the statements of the inventory (procedure L)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dsi_automation.connectors.databases.port import DatabaseReader, DatabaseTransaction, DatabaseWriter, Row, Value
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text

COLUMNS: Final = ("login", "name", "profile", "office", "active", "must_change")
SALT_BYTES: Final = 16
"""NIST SP 800-132 5.1 asks for 128 bits at least."""
_YES: Final = frozenset({"true", "t", "1", "y", "yes", "o", "oui", "vrai"})


@dataclass(frozen=True, slots=True)
class Login:
    """A login as the application has it.

    Attributes:
        active: whether it may log in.
        must_change: whether its password must be changed at the next login.
    """

    login: str
    name: str | None
    profile: str | None
    office: str | None
    active: bool = True
    must_change: bool = True


@dataclass(frozen=True, slots=True)
class LoginStatements:
    """The statements, with named parameters, and the iterations of the hash: see `SqlAccounts` of the inventory."""

    find: str
    create: str
    change: str
    disable: str
    iterations: int


class SqlLogins:
    """Reads logins, and with a writer changes one at a time: in one transaction, exactly one row, read again."""

    def __init__(self, application: str, statements: LoginStatements, reader: DatabaseReader) -> None:
        """Look through `reader`."""
        self._application, self._statements, self._reader = application, statements, reader

    def find(self, login: str) -> Login | None:
        """Return a login, or None.

        Raises:
            UsageError: the statement does not return what it should.
        """
        return self._one(self._reader.ask(self._statements.find, {"login": login}), login)

    def create(self, wanted: Login, password: Secret, now: datetime, writer: DatabaseWriter) -> None:
        """Make a login, its password to be changed at first use.

        Raises:
            RefusedError: the database refuses, or the login is not there as it should be; nothing is left of it.
            UnknownOutcomeError: the connection broke while it was committed.
        """
        self._write(self._statements.create, wanted, password, now, writer)

    def change(self, wanted: Login, password: Secret, now: datetime, writer: DatabaseWriter) -> None:
        """Change a login and give it a new password, to be changed at first use; as `create`."""
        self._write(self._statements.change, wanted, password, now, writer)

    def disable(self, wanted: Login, now: datetime, writer: DatabaseWriter) -> None:
        """Take from a login the right to log in; as `create`."""
        self._write(self._statements.disable, wanted, None, now, writer)

    def _write(
        self, statement: str, wanted: Login, password: Secret | None, now: datetime, writer: DatabaseWriter
    ) -> None:
        given: dict[str, Value | Secret] = {
            "login": wanted.login,
            "name": wanted.name,
            "profile": wanted.profile,
            "office": wanted.office,
            "now": now,
        }
        if password is not None:
            given["password"] = hashed(password, self._statements.iterations)
        with writer.transaction() as work:
            changed = work.execute(statement, given)
            if changed != 1:
                raise self._refused(
                    wanted.login,
                    T("The statement changed {n} rows for {login}, and not one.", n=changed, login=wanted.login),
                )
            self._prove(wanted, password is not None, work)

    def _prove(self, wanted: Login, given_password: bool, work: DatabaseTransaction) -> None:  # noqa: FBT001  # of `_write`
        found = self._one(work.ask(self._statements.find, {"login": wanted.login}), wanted.login)
        if found is None or not matches(found, wanted) or (given_password and not found.must_change):
            raise self._refused(
                wanted.login, T("After the statement, {login} is not as it should be.", login=wanted.login)
            )

    def _refused(self, login: str, what: Text) -> RefusedError:
        return RefusedError(
            what,
            on=f"{login}@{self._application}",
            meaning=T("All of it was taken back: the login is as it was."),
            next_step=T("Have the statements of dsi_applications looked at (accounts.store)."),
        )

    def _one(self, rows: Sequence[Row], login: str) -> Login | None:
        if len(rows) > 1:
            raise self._refused(login, T("{n} rows answer to {login}.", n=len(rows), login=login))
        if not rows:
            return None
        row = rows[0]
        if missing := [name for name in COLUMNS if name not in row]:
            raise UsageError(
                T("The statement `find` of {application} returns no {names}.", application=self._application,
                  names=", ".join(missing)),
                next_step=T("It returns the columns {names}.", names=", ".join(COLUMNS)),
            )  # fmt: skip
        texts = {name: None if row[name] is None else str(row[name]) for name in COLUMNS[:4]}
        return Login(
            str(texts["login"]),
            texts["name"],
            texts["profile"],
            texts["office"],
            active=_yes(row["active"]),
            must_change=_yes(row["must_change"]),
        )


def matches(found: Login, wanted: Login) -> bool:
    """Tell whether a login is as wanted; of one without the right to log in nothing else counts."""
    if not wanted.active:
        return not found.active
    return found.active and all(
        (getattr(found, name) or "") == (getattr(wanted, name) or "") for name in ("name", "profile", "office")
    )


def hashed(password: Secret, iterations: int, salt: bytes | None = None) -> Secret:
    """Return `pbkdf2-sha256$ITERATIONS$SALT$HASH`, salt and hash in Base64 (RFC 8018 5.2, HMAC-SHA-256)."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    key = hashlib.pbkdf2_hmac("sha256", password.reveal().encode(), salt, iterations)
    return Secret(f"pbkdf2-sha256${iterations}${_base64(salt)}${_base64(key)}")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _yes(value: Value) -> bool:
    return str(value).strip().casefold() in _YES
