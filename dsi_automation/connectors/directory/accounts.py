"""What operations ask of an Active Directory about the accounts of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dsi_automation.connectors.directory.names import same_dn
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.core.secrets import Secret


@dataclass(frozen=True, slots=True)
class Account:
    """A user account.

    Attributes:
        guid: objectGUID as text, `8f14e45f-...`.
        immutable_id: base64 of its raw bytes, as Entra knows it.
        login: sAMAccountName.
        staff_number: employeeID.
        password_set_at: pwdLastSet; None when it was never set, or when it must be changed at the next logon.
        must_change: pwdLastSet is 0.
        last_logon: lastLogonTimestamp, which lags up to 14 days; None for never.
        never_expires: the flag “password never expires”.
        mark: adminDescription, where the toolkit notes what it did to the account.
        groups: distinguished names of memberOf.
        manager: distinguished name.
    """

    guid: str
    immutable_id: str
    dn: str
    login: str
    upn: str | None
    name: str
    surname: str | None
    given_name: str | None
    display_name: str | None
    mail: str | None
    staff_number: str | None
    enabled: bool
    must_change: bool
    never_expires: bool
    proxy_addresses: tuple[str, ...] = ()
    password_set_at: datetime | None = None
    last_logon: datetime | None = None
    created_at: datetime | None = None
    mark: str | None = None
    description: str | None = None
    department: str | None = None
    phone: str | None = None
    manager: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """An object of any class that holds an address: UPN, mail, proxyAddresses or targetAddress.

    Attributes:
        kind: its objectClass: `user`, `group`, `contact`, ...
    """

    kind: str
    dn: str
    guid: str
    name: str
    staff_number: str | None = None
    surname: str | None = None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create: disabled and without a password.

    Attributes:
        ou: distinguished name of the OU it goes into.
        name: its cn, unique in the OU.
        login: sAMAccountName, at most 20 characters, ASCII.
        address: userPrincipalName, mail and primary proxy address.
        other_addresses: further proxy addresses, without `smtp:`.
        mark: adminDescription.
    """

    ou: str
    name: str
    login: str
    address: str
    staff_number: str
    display_name: str
    surname: str
    given_name: str | None
    mark: str
    other_addresses: tuple[str, ...] = ()
    phone: str | None = None
    department: str | None = None
    company: str | None = None
    manager: str | None = None
    description: str | None = None


class PasswordState(StrEnum):
    """What the directory says of a login and a password (the sub-code of result 49, MS-ADTS 5.1.1.5 and [T])."""

    GOOD = "good"
    MUST_CHANGE = "must_change"
    WRONG = "wrong"
    DISABLED = "disabled"
    EXPIRED = "expired"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class ComputerAccount:
    """A computer object, as the report of broken rules needs it."""

    name: str
    dn: str
    enabled: bool
    last_logon: datetime | None
    created_at: datetime | None
    never_expires: bool = False


class AccountReader(Protocol):
    """The read half. May be used from several threads."""

    @property
    def endpoint(self) -> DirectoryEndpoint:
        """Return where it reads."""
        ...

    @property
    def exchanges(self) -> int:
        """Return how many LDAP operations were sent so far."""
        ...

    def by_staff_number(self, numbers: Sequence[str]) -> Mapping[str, Sequence[Account]]:
        """Return the accounts with each employeeID; every number asked is a key."""
        ...

    def by_name(self, names: Sequence[str]) -> Mapping[str, Sequence[Account]]:
        """Return the accounts with each sAMAccountName, UPN, mail or proxy address; every name asked is a key."""
        ...

    def by_guid(self, guid: str) -> Account | None:
        """Return one account, wherever it was moved."""
        ...

    def holders(self, addresses: Sequence[str]) -> Mapping[str, Sequence[Holder]]:
        """Return every object that holds each address; every one asked is a key."""
        ...

    def exists(self, dn: str) -> bool:
        """Tell whether an object (an OU, say) exists."""
        ...

    def all_accounts(self, base: str | None = None) -> Sequence[Account]:
        """Return every user account below a DN, however many pages that takes."""
        ...

    def all_computers(self, base: str | None = None) -> Sequence[ComputerAccount]:
        """Return every computer object below a DN, domain controllers left out."""
        ...

    def password_state(self, login: str, password: Secret) -> PasswordState:
        """Try a password with one bind; a wrong one counts towards the lockout."""
        ...


class AccountWriter(AccountReader, Protocol):
    """The write half. Each call checks its permit first.

    Every method raises `UnknownOutcomeError` when the answer was lost, and of `RefusedError` `NotFoundError`,
    `AlreadyExistsError`, `AccessDeniedError`, `PasswordRefusedError`.
    """

    def for_target(self, target: str) -> AccountWriter:
        """Return a writer on behalf of one target: the name that the permit is asked about."""
        ...

    def create_account(self, account: NewAccount) -> Account:
        """Create a disabled account without a password (userAccountControl 514).

        Raises:
            AlreadyExistsError: the login, the UPN or the name in the OU is taken.
        """
        ...

    def set_password(self, guid: str, password: Secret) -> None:
        """Set a password (unicodePwd), the account as enabled or disabled as it is.

        Raises:
            PasswordRefusedError: the domain's policy does not accept it.
        """
        ...

    def enable(self, guid: str) -> None:
        """Enable an account (512), its password to be changed at the next logon (pwdLastSet 0), in one change."""
        ...

    def require_change(self, guid: str) -> None:
        """Have the password changed at the next logon."""
        ...

    def disable(self, guid: str, mark: str) -> None:
        """Disable an account and note why in its mark, in one change."""
        ...

    def move(self, guid: str, ou: str) -> str:
        """Move an account into an OU; one that is there already is left alone. Returns its DN."""
        ...

    def join_group(self, guid: str, group: str) -> None:
        """Make an account a member of a group, by the group's DN; one that is a member already is left alone."""
        ...

    def leave_group(self, guid: str, group: str) -> None:
        """Take an account out of a group, by the group's DN; one that is no member is left alone."""
        ...


def is_member(account: Account, group: str) -> bool:
    """Tell whether an account is a member of a group itself, not through another group."""
    return any(same_dn(one, group) for one in account.groups)
