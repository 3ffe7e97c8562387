"""Reads the lab's real Active Directory for the synchronisation, over LDAPS: what changed, and what is still there.

A cycle in which the directory's highest update sequence number did not move costs one read of the root (MS-ADTS
3.1.1.1.9: uSNChanged, 3.1.1.3.2.12: highestCommittedUSN).
"""

from __future__ import annotations

import base64
import math
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.text import T
from dsi_automation.lab.graph.settings import DirectorySource
from dsi_automation.lab.graph.sync import AdUser

USERS: Final = "(&(objectCategory=person)(objectClass=user))"
_ATTRIBUTES: Final = (
    "objectGUID", "sAMAccountName", "userPrincipalName", "mail", "proxyAddresses", "employeeID", "displayName", "sn",
    "givenName", "department", "telephoneNumber", "userAccountControl", "objectSid",
)  # fmt: skip
_DISABLED: Final = 2
"""ADS_UF_ACCOUNTDISABLE of userAccountControl."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a reading found.

    Attributes:
        users: accounts that are new or changed.
        there: immutable ids of every account in scope; None when nothing changed at all.
    """

    users: list[AdUser]
    there: set[str] | None


class DirectoryReader:
    """A signed-in LDAPS connection, opened when first needed and again after a failure."""

    def __init__(self, source: DirectorySource) -> None:
        self._source = source
        self._connection: Any = None
        self._seen = 0

    def changes(self, *, full: bool) -> Changes:
        """Return what changed since the last reading, or everything.

        Raises:
            UnreachableError: the directory does not answer. RefusedError: it refuses the account.
        """
        return self._again(lambda: self._changes(full=full))

    def one(self, dn: str) -> AdUser | None:
        """Return one account in scope by its DN, None where there is none.

        Raises:
            UnreachableError: the directory does not answer. RefusedError: it refuses the account.
        """
        if not any(dn.lower().endswith("," + base.lower()) for base in self._source.bases):
            return None
        return self._again(lambda: self._one(dn))

    def close(self) -> None:
        """Sign out."""
        if self._connection is not None:
            self._connection.unbind()
            self._connection = None

    def _again[Read](self, read: Callable[[], Read]) -> Read:
        """Read; once more on a new connection where the old one had died of age or of the directory's restart."""
        from ldap3.core.exceptions import LDAPException

        had_one = self._connection is not None
        try:
            return read()
        except (LDAPException, OSError) as error:
            self._connection = None
            if had_one:
                return self._again(read)
            raise UnreachableError(
                T("The directory to synchronise does not answer at {address}.", address=self._source.host)
            ) from error

    def _one(self, dn: str) -> AdUser | None:
        from ldap3 import BASE
        from ldap3.core.exceptions import LDAPInvalidDnError

        connection = self._bound()
        try:
            connection.search(dn, USERS, BASE, attributes=list(_ATTRIBUTES))
        except LDAPInvalidDnError:
            return None
        found = [_user(row) for row in connection.response if row["type"] == "searchResEntry"]
        return found[0] if found else None

    def _changes(self, *, full: bool) -> Changes:
        connection = self._bound()
        newest = self._newest(connection)
        if newest < self._seen:
            self._seen = 0  # another directory than the one read before: it was set up anew
        if newest == self._seen and not full:
            return Changes([], None)
        since = 0 if full else self._seen + 1
        users: list[AdUser] = []
        there: set[str] = set()
        for base in self._source.bases:
            users += [_user(row) for row in self._search(base, f"(&{USERS}(uSNChanged>={since}))", _ATTRIBUTES)]
            there |= {_guid(row["raw_attributes"]) for row in self._search(base, USERS, ("objectGUID",))}
        self._seen = newest
        return Changes(users, there)

    def _newest(self, connection: Any) -> int:
        from ldap3 import BASE

        connection.search("", "(objectClass=*)", BASE, attributes=["highestCommittedUSN"])
        return int(connection.response[0]["raw_attributes"]["highestCommittedUSN"][0])

    def _search(self, base: str, condition: str, attributes: tuple[str, ...]) -> list[dict[str, Any]]:
        rows = self._bound().extend.standard.paged_search(
            base, condition, attributes=list(attributes), paged_size=500, generator=False
        )
        return [row for row in rows if row["type"] == "searchResEntry"]

    def _bound(self) -> Any:
        if self._connection is not None:
            return self._connection
        import ldap3

        source = self._source
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            version=ssl.PROTOCOL_TLS_CLIENT,
            ca_certs_file=str(source.ca_file),
            valid_names=source.valid_names,
        )
        server = ldap3.Server(
            source.host,
            port=source.port,
            use_ssl=True,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=source.timeout,
        )
        connection = ldap3.Connection(
            server,
            user=source.user,
            password=source.password_file.read_text(encoding="utf-8").rstrip("\n"),
            auto_referrals=False,
            # Goes into SO_RCVTIMEO, which takes whole seconds.
            receive_timeout=math.ceil(source.timeout),
        )
        if not connection.bind():
            raise RefusedError(T("The directory to synchronise refuses {account}.", account=source.user))
        self._connection = connection
        return connection


def _guid(raw: dict[str, list[bytes]]) -> str:
    return base64.b64encode(raw["objectGUID"][0]).decode()


def _user(row: dict[str, Any]) -> AdUser:
    raw: dict[str, list[bytes]] = row["raw_attributes"]

    def text(name: str) -> str | None:
        values = raw.get(name) or []
        return values[0].decode(errors="replace") if values else None

    return AdUser(
        immutable_id=_guid(raw),
        dn=row["dn"],
        login=text("sAMAccountName") or "",
        enabled=not int(text("userAccountControl") or 0) & _DISABLED,
        upn=text("userPrincipalName"),
        mail=text("mail"),
        addresses=[value.decode(errors="replace") for value in raw.get("proxyAddresses", [])],
        staff_number=text("employeeID"),
        display_name=text("displayName"),
        surname=text("sn"),
        given_name=text("givenName"),
        department=text("department"),
        phone=text("telephoneNumber"),
        sid=_sid(raw.get("objectSid") or []),
    )


def _sid(values: list[bytes]) -> str | None:
    """Return a SID as text (MS-DTYP 2.4.2.2: revision, count, authority big-endian, sub-authorities little-endian)."""
    if not values:
        return None
    data = values[0]
    parts = [int.from_bytes(data[8 + 4 * at : 12 + 4 * at], "little") for at in range(data[1])]
    return "-".join(["S", str(data[0]), str(int.from_bytes(data[2:8], "big")), *map(str, parts)])
