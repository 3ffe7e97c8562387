"""From the entries of the directory to computers and users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.directory.port import Computer, User
from dsi_automation.connectors.directory.sid import guid_text, sid_text

if TYPE_CHECKING:
    from dsi_automation.connectors.directory.wire import Entry

DISABLED: Final = 0x0002
PASSWORD_NOT_REQUIRED: Final = 0x0020
WORKSTATION: Final = 0x1000
"""Bits of userAccountControl (MS-ADTS 2.2.16)."""
PREPARED: Final = WORKSTATION | PASSWORD_NOT_REQUIRED | DISABLED
"""A workstation account nobody has joined: 4130, without a password, and disabled so that it needs none."""

COMPUTER_ATTRIBUTES: Final = (
    "sAMAccountName",
    "objectGUID",
    "objectSid",
    "dNSHostName",
    "userAccountControl",
    "description",
)
USER_ATTRIBUTES: Final = ("sAMAccountName", "userPrincipalName", "objectSid", "displayName", "userAccountControl")


def computer(entry: Entry) -> Computer:
    """Return the computer of an entry that has `COMPUTER_ATTRIBUTES`."""
    return Computer(
        name=account(entry).removesuffix("$"),
        dn=entry.dn,
        guid=guid_text(entry.values["objectguid"][0]),
        sid=sid_text(entry.values["objectsid"][0]),
        dns_name=text(entry.values, "dNSHostName"),
        enabled=_enabled(entry),
        description=text(entry.values, "description"),
    )


def user(entry: Entry) -> User:
    """Return the user of an entry that has `USER_ATTRIBUTES`."""
    return User(
        login=account(entry),
        dn=entry.dn,
        sid=sid_text(entry.values["objectsid"][0]),
        display_name=text(entry.values, "displayName"),
        enabled=_enabled(entry),
    )


def account(entry: Entry) -> str:
    """Return the sAMAccountName of an entry."""
    return text(entry.values, "sAMAccountName") or ""


def text(values: Mapping[str, Sequence[bytes]], attribute: str) -> str | None:
    """Return the first value of an attribute as text, or None when it is absent or the account may not see it."""
    found = values.get(attribute.lower())
    return found[0].decode("utf-8", "replace") if found else None


def _enabled(entry: Entry) -> bool:
    flags = text(entry.values, "userAccountControl")
    # An account that may not read the flags cannot say that the object is usable.
    return flags is not None and not int(flags) & DISABLED
