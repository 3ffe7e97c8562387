"""A plain look into the lab's directory, independent of the toolkit's own connector: for `up`, `status` and tests."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.text import T
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.layout import BASE_DN, DC_NAME, DOMAIN, Layout

TIMEOUT = 5


class LabDirectory:
    """A signed-in LDAPS connection to the lab's controller."""

    def __init__(self, connection: Any) -> None:
        """Wrap an ldap3 connection, available as `connection`."""
        self.connection = connection

    @classmethod
    @contextmanager
    def bind(cls, layout: Layout, account: str, passwords: Passwords) -> Iterator[LabDirectory]:
        """Sign in as an account of the lab, and sign out at the end.

        Raises:
            UnreachableError: nothing answers.
            RefusedError: the password was refused.
        """
        import ldap3
        from ldap3.core.exceptions import LDAPException

        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            version=ssl.PROTOCOL_TLS_CLIENT,
            ca_certs_file=str(layout.ca_file),
            valid_names=[DC_NAME, layout.dc_address],
        )
        server = ldap3.Server(
            layout.dc_address, port=636, use_ssl=True, tls=tls, get_info=ldap3.NONE, connect_timeout=TIMEOUT
        )
        try:
            connection = ldap3.Connection(
                server,
                user=f"{account}@{DOMAIN}",
                password=passwords.get(account).reveal(),
                auto_referrals=False,
                receive_timeout=TIMEOUT,
            )
            accepted = connection.bind()
        except (LDAPException, OSError) as error:
            raise UnreachableError(
                T("The lab's directory does not answer at {address}.", address=layout.dc_address)
            ) from error
        if not accepted:
            said = connection.result.get("message", "")
            connection.unbind()
            raise RefusedError(T("The lab's directory refuses {account}.", account=account), detail={"message": said})
        try:
            yield cls(connection)
        finally:
            connection.unbind()

    def search(self, condition: str, attributes: Sequence[str] = (), base: str = BASE_DN) -> list[dict[str, Any]]:
        """Return the entries below `base` that fit an LDAP filter: `{"dn": ..., attribute: [values]}`."""
        found = self.connection.extend.standard.paged_search(
            base, condition, attributes=list(attributes) or None, paged_size=500, generator=False
        )
        return [
            {"dn": entry["dn"], **{name: _list(value) for name, value in entry["attributes"].items()}}
            for entry in found
            if entry["type"] == "searchResEntry"
        ]


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
