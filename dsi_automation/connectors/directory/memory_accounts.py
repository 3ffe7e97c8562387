"""People's accounts in memory, with the answers of the real directory: the contract suite runs on both.

As in Active Directory, login, userPrincipalName and the name within an OU are unique, and nothing else is: two
accounts may have one `mail`, one proxy address or one employeeID.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dsi_automation.connectors.directory import account_values as values
from dsi_automation.connectors.directory import names
from dsi_automation.connectors.directory.accounts import (
    Account,
    ComputerAccount,
    Holder,
    NewAccount,
    PasswordState,
    is_member,
)
from dsi_automation.connectors.directory.answers import Answer, refused
from dsi_automation.connectors.directory.client import WritePermit
from dsi_automation.connectors.directory.errors import AlreadyExistsError, absent, unknown_outcome
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text

NO_RIGHT: Final = Answer(50, "insufficientAccessRights", "00002098: SecErr: no right to do that there")
SAME_LOGIN: Final = Answer(68, "entryAlreadyExists", "00000524: the sAMAccountName is in use")
SAME_UPN: Final = Answer(19, "constraintViolation", "0000202F: userPrincipalName already in use")
SAME_DN: Final = Answer(68, "entryAlreadyExists", "00002071: the entry already exists")
WEAK: Final = Answer(19, "constraintViolation", "0000052D: the password does not meet the complexity criteria")
SHORTEST: Final = 7
CLASSES: Final = 3
"""Active Directory's own policy when nobody changed it: length, and kinds of characters."""


@dataclass
class MemoryAccounts:
    """What the directory holds. Fill it, then read and write through `reader` and `writer`.

    Attributes:
        accounts: by GUID.
        others: objects that are no accounts (groups, contacts) and the addresses each holds, lower case.
        writes: by binding account, the DNs in and below which it may write; an account that is not named may anywhere.
        fault: called with what is asked before each answer; an error it returns is raised instead of the answer.
        lose: called with what was written, once it is done; when it says so, the answer is lost.
    """

    domain: str = "ad.douanes.lab"
    accounts: dict[str, Account] = field(default_factory=dict)
    passwords: dict[str, Secret] = field(default_factory=dict)
    containers: list[str] = field(default_factory=list)
    computers: list[ComputerAccount] = field(default_factory=list)
    others: list[tuple[Holder, frozenset[str]]] = field(default_factory=list)
    writes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    clock: Clock = field(default_factory=SystemClock)
    fault: Callable[[Text], DsiError | None] | None = None
    lose: Callable[[Text], bool] | None = None
    exchanges: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        base = names.base_dn(self.domain)
        self.containers += [base, f"CN=Users,{base}", f"CN=Computers,{base}"]

    def add_ou(self, dn: str) -> str:
        """Add an organisational unit."""
        self.containers.append(names.dn_checked(dn))
        return dn

    def add_account(self, login: str, ou: str, *, password: Secret | None = None, **known: Any) -> Account:
        """Add an account as somebody else made it: enabled unless said, with whatever fields of `Account` are given."""
        guid, name = str(uuid.uuid4()), str(known.pop("name", login))
        defaults: dict[str, Any] = {
            "upn": f"{login}@{self.domain}",
            "surname": None,
            "given_name": None,
            "display_name": None,
            "mail": None,
            "staff_number": None,
            "enabled": True,
            "must_change": False,
            "never_expires": False,
            "created_at": self.clock.now(),
            "password_set_at": None if known.get("must_change") else self.clock.now(),
        }
        dn = f"CN={names.rdn_value(name)},{ou}"
        made = Account(guid, values.immutable_id(guid), dn, login, name=name, **{**defaults, **known})
        self.accounts[guid] = made
        if password is not None:
            self.passwords[guid] = password
        return made

    def add_computer(self, name: str, ou: str, **known: Any) -> ComputerAccount:
        """Add a computer object; enabled, used and made now unless said."""
        defaults = {"enabled": True, "last_logon": self.clock.now(), "created_at": self.clock.now()}
        made = ComputerAccount(name, f"CN={names.rdn_value(name)},{ou}", **{**defaults, **known})
        self.computers.append(made)
        return made

    def add_holder(self, kind: str, name: str, ou: str, *addresses: str) -> Holder:
        """Add a group, a contact, ... that holds addresses."""
        made = Holder(kind, f"CN={names.rdn_value(name)},{ou}", str(uuid.uuid4()), name)
        self.others.append((made, frozenset(address.casefold() for address in addresses)))
        return made

    def change(self, guid: str, **changes: Any) -> Account:
        """Change an account behind everybody's back, as another administrator would."""
        with self.lock:
            self.accounts[guid] = replace(self.accounts[guid], **changes)
            return self.accounts[guid]

    def occupied(self, dn: str) -> bool:
        """Tell whether something is at `dn`."""
        every = [*self.containers, *(one.dn for one in self.accounts.values()), *(one.dn for one in self.computers)]
        return any(names.same_dn(known, dn) for known in [*every, *(one.dn for one, _ in self.others)])

    def reader(self, endpoint: DirectoryEndpoint | None = None) -> MemoryAccountReader:
        """Return the read half."""
        return MemoryAccountReader(self, endpoint or self.endpoint())

    def writer(
        self, permit: WritePermit, endpoint: DirectoryEndpoint | None = None, *, target: str | None = None
    ) -> MemoryAccountWriter:
        """Return the write half."""
        return MemoryAccountWriter(self, endpoint or self.endpoint(), permit, target=target)

    def endpoint(self, login: str = "svc-comptes") -> DirectoryEndpoint:
        """Return where it seems to be."""
        server = f"dc1.{self.domain}"
        return DirectoryEndpoint(self.domain, "DOUANES", server, f"{login}@{self.domain}", Secret(f"pw-{login}"))


class MemoryAccountReader:
    """The read half on a directory in memory."""

    def __init__(self, directory: MemoryAccounts, endpoint: DirectoryEndpoint) -> None:
        self._directory = directory
        self._endpoint = endpoint

    @property
    def endpoint(self) -> DirectoryEndpoint:
        """Return where it reads."""
        return self._endpoint

    @property
    def exchanges(self) -> int:
        """Return how many operations were asked so far."""
        return self._directory.exchanges

    def by_staff_number(self, numbers: Sequence[str]) -> Mapping[str, Sequence[Account]]:
        """Return the accounts with each employeeID; every number asked is a key."""
        return self._each(numbers, lambda one: {(one.staff_number or "").casefold()})

    def by_name(self, names_: Sequence[str]) -> Mapping[str, Sequence[Account]]:
        """Return the accounts with each sAMAccountName, UPN, mail or proxy address; every name asked is a key."""
        return self._each(names_, values.addresses_of)

    def by_guid(self, guid: str) -> Account | None:
        """Return one account, wherever it was moved."""
        wanted = values.guid_checked(guid)
        self._ask(T("read the account {guid}", guid=guid))
        with self._directory.lock:
            return self._directory.accounts.get(wanted)

    def holders(self, addresses: Sequence[str]) -> Mapping[str, Sequence[Holder]]:
        """Return every object that holds each address; every one asked is a key."""
        for address in addresses:
            names.refuse_controls(address)
        self._ask(T("search for who holds the addresses"))
        with self._directory.lock:
            held = [*self._directory.others, *map(_as_holder, self._directory.accounts.values())]
            return {
                address: tuple(one for one, own in held if address and address.casefold() in own)
                for address in addresses
            }

    def exists(self, dn: str) -> bool:
        """Tell whether an object exists."""
        names.within(dn, names.base_dn(self._endpoint.domain))
        self._ask(T("read {dn}", dn=dn))
        with self._directory.lock:
            return self._directory.occupied(dn)

    def all_accounts(self, base: str | None = None) -> Sequence[Account]:
        """Return every user account below a DN."""
        self._ask(T("list the accounts"))
        with self._directory.lock:
            every = self._directory.accounts.values()
            return tuple(one for one in every if base is None or names.is_below(one.dn, base))

    def all_computers(self, base: str | None = None) -> Sequence[ComputerAccount]:
        """Return every computer object below a DN."""
        self._ask(T("list the computers"))
        with self._directory.lock:
            return tuple(one for one in self._directory.computers if base is None or names.is_below(one.dn, base))

    def password_state(self, login: str, password: Secret) -> PasswordState:
        """Try a password."""
        names.refuse_controls(login)
        self._ask(T("try a password of {login}", login=login))
        with self._directory.lock:
            accounts = self._directory.accounts.values()
            found = next((one for one in accounts if login.casefold() in _logins(one)), None)
            if found is None or self._directory.passwords.get(found.guid) != password:
                return PasswordState.WRONG
            if not found.enabled:
                return PasswordState.DISABLED
            if found.guid in self._directory.locked:
                return PasswordState.LOCKED
            return PasswordState.MUST_CHANGE if found.must_change else PasswordState.GOOD

    def close(self) -> None:
        """End nothing: there is no connection."""

    def _each(
        self, wanted: Sequence[str], own: Callable[[Account], set[str] | frozenset[str]]
    ) -> dict[str, Sequence[Account]]:
        for one in wanted:
            names.refuse_controls(one)
        self._ask(T("search for {n} accounts", n=len(wanted)))
        with self._directory.lock:
            every = tuple(self._directory.accounts.values())
            return {name: tuple(a for a in every if name and name.casefold() in own(a)) for name in wanted}

    def _ask(self, doing: Text) -> None:
        with self._directory.lock:
            self._directory.exchanges += 1
        if self._directory.fault is not None and (error := self._directory.fault(doing)) is not None:
            raise error


class MemoryAccountWriter(MemoryAccountReader):
    """The write half on a directory in memory."""

    def __init__(
        self,
        directory: MemoryAccounts,
        endpoint: DirectoryEndpoint,
        permit: WritePermit,
        *,
        target: str | None = None,
    ) -> None:
        super().__init__(directory, endpoint)
        self._permit = permit
        self._target = target

    def for_target(self, target: str) -> MemoryAccountWriter:
        """Return a writer on behalf of one target."""
        return MemoryAccountWriter(self._directory, self._endpoint, self._permit, target=target)

    def create_account(self, account: NewAccount) -> Account:
        """Create a disabled account without a password."""
        on = self._target or account.staff_number
        self._permit.check(on)
        values.account_checked(account)
        doing = T("create the account {login} in {ou}", login=account.login, ou=account.ou)
        with self._directory.lock:
            self._ask(doing)
            if not self._directory.occupied(names.within(account.ou, names.base_dn(self._endpoint.domain))):
                raise absent(account.ou, doing)
            self._may_write(account.ou, doing, on)
            self._refuse_taken(account, doing, on)
            made = self._directory.add_account(
                account.login,
                account.ou,
                name=account.name,
                upn=account.address,
                surname=account.surname,
                given_name=account.given_name or None,
                display_name=account.display_name,
                mail=account.address,
                staff_number=account.staff_number,
                enabled=False,
                must_change=True,
                proxy_addresses=values.proxies(account),
                mark=account.mark,
                description=account.description or None,
                department=account.department or None,
                phone=account.phone or None,
                manager=account.manager or None,
            )
            self._answer(doing, on)
            return made

    def set_password(self, guid: str, password: Secret) -> None:
        """Set a password, the account as enabled or disabled as it is."""
        doing = T("set the password of the account {guid}", guid=guid)
        with self._directory.lock:
            found, on = self._writable(guid, doing)
            if _weak(password.reveal(), found.login):
                raise refused(WEAK, doing, on=on, server=self._endpoint.server)
            self._directory.passwords[found.guid] = password
            self._directory.change(found.guid, must_change=False, password_set_at=self._directory.clock.now())
            self._answer(doing, on)

    def enable(self, guid: str) -> None:
        """Enable an account, its password to be changed at the next logon."""
        doing = T("enable the account {guid}", guid=guid)
        with self._directory.lock:
            found, on = self._writable(guid, doing)
            if not found.enabled and found.must_change:
                raise values.without_password(on, doing)
            self._set(found, doing, on, enabled=True, must_change=True, never_expires=False, password_set_at=None)

    def require_change(self, guid: str) -> None:
        """Have the password changed at the next logon."""
        doing = T("have the password of the account {guid} changed", guid=guid)
        with self._directory.lock:
            found, on = self._writable(guid, doing)
            self._set(found, doing, on, must_change=True, password_set_at=None)

    def disable(self, guid: str, mark: str) -> None:
        """Disable an account and note why in its mark."""
        names.refuse_controls(mark)
        doing = T("disable the account {guid}", guid=guid)
        with self._directory.lock:
            found, on = self._writable(guid, doing)
            self._set(found, doing, on, enabled=False, mark=mark)

    def move(self, guid: str, ou: str) -> str:
        """Move an account into an OU; one that is there already is left alone."""
        doing = T("move the account {guid} into {ou}", guid=guid, ou=ou)
        names.within(ou, names.base_dn(self._endpoint.domain))
        with self._directory.lock:
            found, on = self._writable(guid, doing)
            if names.same_dn(names.parent(found.dn), ou):
                return found.dn
            if not self._directory.occupied(ou):
                raise absent(ou, doing)
            self._may_write(ou, doing, on)
            new = f"{names.rdn(found.dn)},{ou}"
            if self._directory.occupied(new):
                raise refused(SAME_DN, doing, on=on, server=self._endpoint.server)
            self._set(found, doing, on, dn=new)
            return new

    def join_group(self, guid: str, group: str) -> None:
        """Make an account a member of a group; one that is a member already is left alone."""
        self._member(guid, group, T("add the account {guid} to {group}", guid=guid, group=group), add=True)

    def leave_group(self, guid: str, group: str) -> None:
        """Take an account out of a group; one that is no member is left alone."""
        self._member(guid, group, T("remove the account {guid} from {group}", guid=guid, group=group), add=False)

    def _member(self, guid: str, group: str, doing: Text, *, add: bool) -> None:
        names.within(group, names.base_dn(self._endpoint.domain))
        with self._directory.lock:
            found, on = self._writable(guid, doing)
            if is_member(found, group) is add:
                return
            if not self._directory.occupied(group):
                raise absent(group, doing)
            self._may_write(group, doing, on)
            others = tuple(one for one in found.groups if not names.same_dn(one, group))
            self._set(found, doing, on, groups=(*others, group) if add else others)

    def _writable(self, guid: str, doing: Text) -> tuple[Account, str]:
        wanted = values.guid_checked(guid)
        on = self._target or wanted
        self._permit.check(on)
        self._ask(doing)
        found = self._directory.accounts.get(wanted)
        if found is None:
            raise absent(wanted, doing)
        self._may_write(found.dn, doing, on)
        return found, on

    def _set(self, account: Account, doing: Text, on: str, **changes: Any) -> None:
        self._directory.change(account.guid, **changes)
        self._answer(doing, on)

    def _answer(self, doing: Text, on: str) -> None:
        if self._directory.lose is not None and self._directory.lose(doing):
            raise unknown_outcome(doing, on=on, server=self._endpoint.server)

    def _may_write(self, dn: str, doing: Text, on: str) -> None:
        allowed = self._directory.writes.get(self._endpoint.user)
        if allowed is not None and not any(names.is_below(dn, one) for one in allowed):
            raise refused(NO_RIGHT, doing, on=on, server=self._endpoint.server)

    def _refuse_taken(self, account: NewAccount, doing: Text, on: str) -> None:
        every = self._directory.accounts.values()
        answer = None
        if self._directory.occupied(f"CN={names.rdn_value(account.name)},{account.ou}"):
            answer = SAME_DN
        elif any(one.login.casefold() == account.login.casefold() for one in every):
            answer = SAME_LOGIN
        elif any((one.upn or "").casefold() == account.address.casefold() for one in every):
            answer = SAME_UPN
        if answer is not None:
            error = refused(answer, doing, on=on, server=self._endpoint.server)
            raise values.name_taken(account.login, error) if isinstance(error, AlreadyExistsError) else error


def _logins(account: Account) -> frozenset[str]:
    return frozenset(one.casefold() for one in (account.login, account.upn) if one)


def _as_holder(account: Account) -> tuple[Holder, frozenset[str]]:
    name = account.display_name or account.name
    held = Holder("user", account.dn, account.guid, name, account.staff_number, account.surname)
    return held, values.addresses_of(account) - {account.login.casefold()}


def _weak(password: str, login: str) -> bool:
    kinds = (str.islower, str.isupper, str.isdigit, lambda one: not one.isalnum())
    classes = sum(any(kind(one) for one in password) for kind in kinds)
    return len(password) < SHORTEST or classes < CLASSES or (len(login) > 2 and login.casefold() in password.casefold())
