"""One authenticated connection over ldap3: the only module that touches that untyped library.

Imported on first use (ldap3 costs 0.15 s). What ldap3 does by default and is switched off here: following referrals
with our password, fetching the schema at each bind, checking and rewriting names, keeping the password in its
`repr`, comparing the certificate with the address as well as with the name.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ldap3
from ldap3.core.exceptions import LDAPException
from ldap3.utils import log as ldap_log

from dsi_automation.connectors.directory.answers import NO_SUCH_OBJECT, SUCCESS, Answer, bind_refused
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.connectors.directory.reach import tls_context, unreachable
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

PAGE: Final = 500
"""Entries asked for at once. AD gives at most 1000 (MaxPageSize)."""
PAGED_RESULTS: Final = "1.2.840.113556.1.4.319"
NO_ATTRIBUTES: Final = ("1.1",)


class LinkLostError(Exception):
    """The connection broke, or no answer came in time, after a request was sent; translated by `pool`."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("timed out" if timed_out else "connection lost")
        self.timed_out = timed_out


class NotDoneError(Exception):
    """The directory answered with another code than success; translated by whoever knows what was asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.code} {answer.name}")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as the directory sent it.

    Attributes:
        values: attribute name in lower case to its values, in octets.
    """

    dn: str
    values: Mapping[str, Sequence[bytes]]


class _Quiet:
    """Keeps ldap3's own log silent while a password is on its way: at its most talkative it writes whole requests.

    That log's level belongs to the process; so does this, and several threads may be inside at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._level = ldap_log.OFF

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._level = ldap_log.get_library_log_detail_level()
                ldap_log.set_library_log_detail_level(ldap_log.OFF)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                ldap_log.set_library_log_detail_level(self._level)


QUIET: Final = _Quiet()


class _CheckedTls(ldap3.Tls):  # type: ignore[misc]  # ldap3 publishes no types
    """TLS whose name check is OpenSSL's own, against the server's name and nothing else."""

    def __init__(self, context: ssl.SSLContext, server: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._server = server
        self.failure: Exception | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  # ldap3's
        try:
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=self._server)
        except (OSError, ValueError) as error:
            # ldap3 keeps the words of an exception and loses its number.
            self.failure = error
            raise


class Wire:
    """One bound connection. Not for two threads at once: `pool` sees to that."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.exchanges = 1
        """Operations sent so far; the bind was the first."""

    @classmethod
    def open(cls, endpoint: DirectoryEndpoint) -> Wire:
        """Connect and bind.

        Raises:
            UnreachableError: no connection; CertificateRefusedError: not the server that was meant.
            BindRefusedError: the account is not let in.
            UsageError: the CA file, or the name of the account, cannot be used.
        """
        context = tls_context(endpoint)
        host = endpoint.address or endpoint.server
        try:
            found = socket.getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise unreachable(endpoint, error if isinstance(error, OSError) else socket.gaierror(str(error))) from error
        failure: Exception = socket.gaierror(host)
        for address in dict.fromkeys(str(info[4][0]) for info in found):
            connection, tls = _connection(endpoint, context, address)
            try:
                connection.open(read_server_info=False)
            except (LDAPException, OSError) as error:
                _drop(connection)
                failure = tls.failure or error
                continue
            return cls._bound(endpoint, connection)
        raise unreachable(endpoint, failure) from failure

    @classmethod
    def _bound(cls, endpoint: DirectoryEndpoint, connection: Any) -> Wire:
        connection.password = endpoint.password.reveal()
        try:
            connection.bind(read_server_info=False)
        except (LDAPException, OSError) as error:
            _drop(connection)
            raise unreachable(endpoint, error) from error
        finally:
            # ldap3 prints it in the connection's repr; it is not needed again.
            connection.password = None
            connection.request = None
        answer = _answer(connection.result)
        if answer.code != SUCCESS:
            _drop(connection)
            raise bind_refused(answer, user=endpoint.user, server=endpoint.server)
        return cls(connection)

    def find(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """Return one object by its DN, or None when there is none, or none this account may see."""
        try:
            entries, _ = self._search(dn, "(objectClass=*)", ldap3.BASE, attributes or NO_ATTRIBUTES, None)
        except NotDoneError as error:
            if error.answer.code == NO_SUCH_OBJECT:
                return None
            raise
        return entries[0] if entries else None

    def search(self, base: str, filter_: str, attributes: Sequence[str]) -> Sequence[Entry]:
        """Return the objects of a subtree that match, all pages of them."""
        found: list[Entry] = []
        cookie: bytes | None = b""
        while cookie is not None:
            entries, cookie = self._search(base, filter_, ldap3.SUBTREE, attributes, cookie)
            found += entries
        return found

    def add(self, dn: str, object_class: str, attributes: Mapping[str, str | int | Sequence[str]]) -> None:
        """Create an object."""
        self._ask(lambda: self._connection.add(dn, [object_class], dict(attributes)))

    def replace(self, dn: str, attributes: Mapping[str, str | int | bytes]) -> None:
        """Replace attributes of an object, all in one change."""
        changes = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in attributes.items()}
        is_secret = any(isinstance(value, bytes) for value in attributes.values())
        try:
            with QUIET if is_secret else contextlib.nullcontext():
                self._ask(lambda: self._connection.modify(dn, changes))
        finally:
            # ldap3 keeps the last request, and a password may have been in it.
            self._connection.request = None

    def change_member(self, group: str, member: str, *, add: bool) -> None:
        """Add one member to a group, or remove it; the others are left alone."""
        change = ldap3.MODIFY_ADD if add else ldap3.MODIFY_DELETE
        self._ask(lambda: self._connection.modify(group, {"member": [(change, [member])]}))

    def move(self, dn: str, rdn: str, container: str) -> None:
        """Move an object into a container, under the same relative name."""
        self._ask(lambda: self._connection.modify_dn(dn, rdn, new_superior=container))

    def ping(self) -> None:
        """Ask for something tiny, to see whether the connection still works."""
        self.find("", ())

    def close(self) -> None:
        """End the session; a session that ended already is no error."""
        with contextlib.suppress(LDAPException, OSError):
            self._connection.unbind()
        _drop(self._connection)

    def __repr__(self) -> str:
        return f"Wire({self._connection.server.host})"

    def _search(
        self, base: str, filter_: str, scope: Any, attributes: Sequence[str], cookie: bytes | None
    ) -> tuple[list[Entry], bytes | None]:
        paged = (
            {} if cookie is None else {"paged_size": PAGE, "paged_criticality": True, "paged_cookie": cookie or None}
        )
        self._ask(
            lambda: self._connection.search(
                base, filter_, scope, dereference_aliases=ldap3.DEREF_NEVER, attributes=list(attributes), **paged
            )
        )
        controls = self._connection.result.get("controls") or {}
        following = controls.get(PAGED_RESULTS, {}).get("value", {}).get("cookie")
        return [_entry(found) for found in self._connection.response if found["type"] == "searchResEntry"], (
            following or None
        )

    def _ask(self, call: Any) -> None:
        self.exchanges += 1
        try:
            call()
        except (
            Exception
        ) as error:  # ldap3's decoder raises anything on a malformed answer; for a write, that is unknown
            raise LinkLostError(timed_out=isinstance(error, TimeoutError)) from error
        answer = _answer(self._connection.result)
        if answer.code != SUCCESS:
            raise NotDoneError(answer)


def _connection(endpoint: DirectoryEndpoint, context: ssl.SSLContext, address: str) -> tuple[Any, _CheckedTls]:
    if not endpoint.user or not endpoint.password.reveal():
        # An empty password is an anonymous bind that a server answers with success (RFC 4513 5.1.2).
        raise UsageError(
            T("The account that reads the directory {server} has no name or no password.", server=endpoint.server),
            next_step=T("Check the account and its password where the inventory says they are kept."),
        )
    tls = _CheckedTls(context, endpoint.server)
    server = ldap3.Server(
        address, endpoint.port, use_ssl=True, tls=tls, get_info=ldap3.NONE, connect_timeout=endpoint.timeout
    )
    # ldap3 packs the receive timeout as an integer; less than a second would mean none.
    receive = max(1, math.ceil(endpoint.timeout))
    connection = ldap3.Connection(
        server,
        user=endpoint.user,
        authentication=ldap3.SIMPLE,
        client_strategy=ldap3.SYNC,
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        raise_exceptions=False,
        receive_timeout=receive,
    )
    return connection, tls


def _drop(connection: Any) -> None:
    """Close the socket, which ldap3 leaves open when opening or TLS failed."""
    if connection.socket is not None:
        with contextlib.suppress(OSError):
            connection.socket.close()


def _answer(result: Any) -> Answer:
    return Answer(int(result["result"]), str(result["description"]), str(result["message"] or ""))


def _entry(found: Any) -> Entry:
    return Entry(str(found["dn"]), {str(name).lower(): list(raw) for name, raw in found["raw_attributes"].items()})
