"""What the values of an account may be, checked before anything is sent: Samba takes what Windows refuses."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dsi_automation.connectors.directory import names
from dsi_automation.connectors.directory.accounts import Account, NewAccount
from dsi_automation.connectors.directory.errors import AlreadyExistsError
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.text import T, Text

LOGIN: Final = re.compile(r"""(?![ .])[!#$%&'()\-.0-9A-Z^_`a-z{}~ ]{1,20}(?<![ .])""")
"""A sAMAccountName: 20 characters (MS-SAMR 3.1.1.6), ASCII, none of `"/\\[]:;|=,+*?<>@`, no space or dot at an end."""
ADDRESS: Final = re.compile(r"[0-9A-Za-z!#^~'_-]+(\.[0-9A-Za-z!#^~'_-]+)*@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+")
"""What Entra accepts as a userPrincipalName: no accent, no dot at an end, no two dots in a row."""
LONGEST: Final[Mapping[str, int]] = MappingProxyType(
    {
        "name": 64,
        "staff_number": 16,
        "display_name": 256,
        "surname": 64,
        "given_name": 64,
        "phone": 64,
        "department": 64,
        "company": 64,
        "description": 1024,
        "address": 113,
    }
)
"""Characters (rangeUpper of the schema, MS-ADA; 113 is Entra's for a userPrincipalName)."""


def account_checked(account: NewAccount) -> NewAccount:
    """Return `account`, once every value of it is sure to be one that Active Directory and Entra take.

    Raises:
        UsageError: one is not, and which.
    """
    for field, longest in LONGEST.items():
        value = getattr(account, field) or ""
        if len(names.refuse_controls(value)) > longest:
            raise _wrong(field, value, T("It has {n} characters and may have {most}.", n=len(value), most=longest))
    if not LOGIN.fullmatch(account.login):
        raise _wrong(
            "login", account.login, T("A login has at most 20 characters, letters and digits without accents.")
        )
    for address in (account.address, *account.other_addresses):
        if not ADDRESS.fullmatch(address) or len(address.partition("@")[0]) > 64:
            raise _wrong("address", address, T("A mail address has no accent, no space and no dot at an end."))
    for field in ("name", "staff_number", "display_name", "surname", "mark"):
        if not getattr(account, field).strip():
            raise _wrong(field, "", T("It is empty."))
    names.dn_checked(account.ou)
    if account.manager is not None:
        names.dn_checked(account.manager)
    names.refuse_controls(account.mark)
    return account


def guid_checked(guid: str) -> str:
    """Return a GUID in Windows' writing.

    Raises:
        UsageError: this is none.
    """
    try:
        return str(uuid.UUID(guid))
    except ValueError as error:
        raise UsageError(
            T("{guid} is not a GUID.", guid=ascii(guid[:60])), next_step=T("Report this: it comes from the toolkit.")
        ) from error


def immutable_id(guid: str) -> str:
    """Return a GUID as Entra keeps it: base64 of its octets in Windows' order (onPremisesImmutableId)."""
    return base64.b64encode(uuid.UUID(guid).bytes_le).decode("ascii")


def proxies(account: NewAccount) -> tuple[str, ...]:
    """Return proxyAddresses: the address as primary (`SMTP:`), the others after it, each once."""
    others = dict.fromkeys(other.lower() for other in account.other_addresses)
    others.pop(account.address.lower(), None)
    return (f"SMTP:{account.address}", *(f"smtp:{other}" for other in others))


def bare(proxy: str) -> str:
    """Return the address of `SMTP:a@b` or `a@b`; one of another kind (`X500:`) stays as it is."""
    return proxy[5:] if proxy[:5].lower() == "smtp:" else proxy


def addresses_of(account: Account) -> frozenset[str]:
    """Return every name an account is found by, folded: login, UPN, mail and proxy addresses."""
    every = (account.login, account.upn, account.mail, *map(bare, account.proxy_addresses))
    return frozenset(one.casefold() for one in every if one)


def without_password(guid: str, doing: Text) -> RefusedError:
    """Return the error for an account that would be enabled without a password, which Samba would allow."""
    return RefusedError(
        T("The account has no password yet: it is not enabled.", guid=guid),
        on=guid,
        meaning=T("Nothing was done: {doing}.", doing=doing),
        next_step=T("Plan again: a password is set before an account is enabled."),
        detail={"guid": guid},
    )


def name_taken(login: str, error: AlreadyExistsError) -> AlreadyExistsError:
    """Return the error for an account whose login, UPN or name another object has, in words about accounts."""
    return AlreadyExistsError(
        T("The directory has another object with the login, the address or the name of {login}.", login=login),
        on=error.on,
        meaning=error.meaning,
        next_step=T("Plan again: the plan looks who has them, and says so or chooses another address."),
        detail=error.detail,
    )


def _wrong(field: str, value: str, why: Text) -> UsageError:
    return UsageError(
        T("The account cannot have this as {field}: {value}.", field=field, value=ascii(value[:80])),
        meaning=why,
        next_step=T("Correct the request, then plan again."),
    )
