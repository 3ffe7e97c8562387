"""From the entries of the directory to accounts, and from a new account to attributes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.directory.account_values import immutable_id, proxies
from dsi_automation.connectors.directory.accounts import Account, ComputerAccount, Holder, NewAccount
from dsi_automation.connectors.directory.records import DISABLED, PASSWORD_NOT_REQUIRED, text
from dsi_automation.connectors.directory.sid import guid_text

if TYPE_CHECKING:
    from dsi_automation.connectors.directory.wire import Entry

NORMAL: Final = 0x0200
NEVER_EXPIRES: Final = 0x10000
"""Bits of userAccountControl (MS-ADTS 2.2.16)."""
EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
NEVER: Final = 0x7FFFFFFFFFFFFFFF
"""A FILETIME counts 100 ns from 1601; the largest stands for never (MS-ADTS 2.2)."""

ACCOUNT_ATTRIBUTES: Final = (
    "sAMAccountName",
    "objectGUID",
    "userPrincipalName",
    "cn",
    "sn",
    "givenName",
    "displayName",
    "mail",
    "proxyAddresses",
    "employeeID",
    "userAccountControl",
    "pwdLastSet",
    "lastLogonTimestamp",
    "whenCreated",
    "adminDescription",
    "description",
    "department",
    "telephoneNumber",
    "manager",
    "memberOf",
)
COMPUTER_ATTRIBUTES: Final = ("sAMAccountName", "userAccountControl", "lastLogonTimestamp", "whenCreated")
HOLDER_ATTRIBUTES: Final = (
    "objectClass",
    "objectGUID",
    "cn",
    "displayName",
    "sn",
    "employeeID",
    "userPrincipalName",
    "mail",
    "proxyAddresses",
    "targetAddress",
)


def account(entry: Entry) -> Account:
    """Return the account of an entry that has `ACCOUNT_ATTRIBUTES`."""
    guid, control, last_set = guid_text(entry.values["objectguid"][0]), flags(entry), text(entry.values, "pwdLastSet")
    return Account(
        guid=guid,
        immutable_id=immutable_id(guid),
        dn=entry.dn,
        login=text(entry.values, "sAMAccountName") or "",
        upn=text(entry.values, "userPrincipalName"),
        name=text(entry.values, "cn") or "",
        surname=text(entry.values, "sn"),
        given_name=text(entry.values, "givenName"),
        display_name=text(entry.values, "displayName"),
        mail=text(entry.values, "mail"),
        staff_number=text(entry.values, "employeeID"),
        # An account that may not read the flags cannot say that the object is usable.
        enabled=control is not None and not control & DISABLED,
        must_change=last_set == "0",
        never_expires=bool((control or 0) & NEVER_EXPIRES),
        proxy_addresses=texts(entry, "proxyAddresses"),
        password_set_at=filetime(last_set),
        last_logon=filetime(text(entry.values, "lastLogonTimestamp")),
        created_at=generalized(text(entry.values, "whenCreated")),
        mark=text(entry.values, "adminDescription"),
        description=text(entry.values, "description"),
        department=text(entry.values, "department"),
        phone=text(entry.values, "telephoneNumber"),
        manager=text(entry.values, "manager"),
        groups=texts(entry, "memberOf"),
    )


def computer(entry: Entry) -> ComputerAccount:
    """Return the computer of an entry that has `COMPUTER_ATTRIBUTES`."""
    control = flags(entry)
    return ComputerAccount(
        name=(text(entry.values, "sAMAccountName") or "").removesuffix("$"),
        dn=entry.dn,
        enabled=control is not None and not control & DISABLED,
        last_logon=filetime(text(entry.values, "lastLogonTimestamp")),
        created_at=generalized(text(entry.values, "whenCreated")),
        never_expires=bool((control or 0) & NEVER_EXPIRES),
    )


def holder(entry: Entry) -> Holder:
    """Return the holder of an entry that has `HOLDER_ATTRIBUTES`."""
    classes = texts(entry, "objectClass")
    return Holder(
        # From `top` down to its own class: so the directory orders them (MS-ADTS 3.1.1.2.4.8).
        kind=classes[-1] if classes else "",
        dn=entry.dn,
        guid=guid_text(entry.values["objectguid"][0]),
        name=text(entry.values, "displayName") or text(entry.values, "cn") or "",
        staff_number=text(entry.values, "employeeID"),
        surname=text(entry.values, "sn"),
    )


def attributes_of(new: NewAccount, *, mail_nickname: bool) -> dict[str, str | int | Sequence[str]]:
    """Return what to send for a new account: disabled, and no password, which is never part of an add (KB 269190).

    Args:
        mail_nickname: whether the schema has Exchange's mailNickname.
    """
    wanted: dict[str, str | int | Sequence[str] | None] = {
        "sAMAccountName": new.login,
        "userPrincipalName": new.address,
        "mail": new.address,
        "proxyAddresses": proxies(new),
        "mailNickname": new.address.partition("@")[0] if mail_nickname else None,
        "employeeID": new.staff_number,
        "displayName": new.display_name,
        "sn": new.surname,
        "givenName": new.given_name,
        "telephoneNumber": new.phone,
        "department": new.department,
        "company": new.company,
        "manager": new.manager,
        "description": new.description,
        "adminDescription": new.mark,
        "userAccountControl": NORMAL | DISABLED,
    }
    return {name: value for name, value in wanted.items() if value}


def enabled_flags(control: int) -> int:
    """Return the flags of an enabled account that needs a password and must change it: 512 from a plain 514."""
    return (control | NORMAL) & ~(DISABLED | PASSWORD_NOT_REQUIRED | NEVER_EXPIRES)


def flags(entry: Entry) -> int | None:
    """Return userAccountControl, or None for a reader that may not see it."""
    found = text(entry.values, "userAccountControl")
    return None if found is None else int(found)


def texts(entry: Entry, attribute: str) -> tuple[str, ...]:
    """Return every value of an attribute as text."""
    return tuple(value.decode("utf-8", "replace") for value in entry.values.get(attribute.lower(), ()))


def filetime(value: str | None) -> datetime | None:
    """Return the moment of a FILETIME; None for never."""
    if value is None or not 0 < int(value) < NEVER:
        return None
    return EPOCH + timedelta(microseconds=int(value) // 10)


def generalized(value: str | None) -> datetime | None:
    """Return the moment of a GeneralizedTime as Active Directory writes it: `20261121230000.0Z`."""
    return None if value is None else datetime.strptime(value[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
