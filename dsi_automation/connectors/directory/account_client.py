"""People's accounts over LDAPS: the read half, and the write half that checks a permit before each write.

Writes go to an object by its GUID, so that a move in between changes nothing. Values of a filter are compared again
on our side, folded: Windows matches without accents and Samba with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import batched
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.directory import account_records as records
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
from dsi_automation.connectors.directory.client import WritePermit
from dsi_automation.connectors.directory.errors import (
    AlreadyExistsError,
    BindRefusedError,
    NotFoundError,
    absent,
    unknown_outcome,
)
from dsi_automation.connectors.directory.pool import PooledClient
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.connectors.directory.records import DISABLED
from dsi_automation.connectors.directory.schema import Schema
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.connectors.directory.wire import Entry

PERSONS: Final = "(objectCategory=person)(objectClass=user)"
SYSTEM: Final = "(!(isCriticalSystemObject=TRUE))"
"""Leaves out the domain's own accounts: Administrator, Guest, krbtgt."""
CONTROLLERS: Final = "(!(primaryGroupID=516))(!(primaryGroupID=521))"
"""Leaves out domain controllers, writable and read-only (MS-DTYP 2.4.2.4)."""
CHUNK: Final = 50
"""Values asked for in one search: 200 people cost four, and no filter comes near MaxQueryDuration."""
NAME_KEYS: Final = ("sAMAccountName={}", "userPrincipalName={}", "mail={}", "proxyAddresses=smtp:{}")
ADDRESS_KEYS: Final = ("userPrincipalName={}", "mail={}", "proxyAddresses=smtp:{}")
FORWARD_KEY: Final = "targetAddress=smtp:{}"
"""Exchange's, and not indexed as the others are: each value of it in a filter is compared with every object."""

BY_SUB_CODE: Final[Mapping[str, PasswordState]] = {
    "525": PasswordState.WRONG,
    "52e": PasswordState.WRONG,
    "532": PasswordState.EXPIRED,
    "533": PasswordState.DISABLED,
    "701": PasswordState.EXPIRED,
    "773": PasswordState.MUST_CHANGE,
    "775": PasswordState.LOCKED,
}
"""MS-ERREF 2.2, as the directory writes it in a refused bind."""


class LdapAccountReader(PooledClient):
    """Reads over LDAPS. May be used from several threads: each request has a connection to itself (see `pool`)."""

    def __init__(self, endpoint: DirectoryEndpoint) -> None:
        super().__init__(endpoint)
        self._schema = Schema(self._pool)

    @property
    def exchanges(self) -> int:
        """Return how many LDAP operations were sent so far, binds included."""
        return self._pool.exchanges

    def by_staff_number(self, numbers: Sequence[str]) -> Mapping[str, Sequence[Account]]:
        """Return the accounts with each employeeID; every number asked is a key.

        Raises:
            UsageError: a number holds control characters.
            UnreachableError, RefusedError: no answer, or a refusal.
        """
        found = self._accounts(numbers, ("employeeID={}",))
        return _sorted_out(numbers, found, lambda one: {(one.staff_number or "").casefold()})

    def by_name(self, names_: Sequence[str]) -> Mapping[str, Sequence[Account]]:
        """Return the accounts with each sAMAccountName, UPN, mail or proxy address; every name asked is a key."""
        return _sorted_out(names_, self._accounts(names_, NAME_KEYS), values.addresses_of)

    def by_guid(self, guid: str) -> Account | None:
        """Return one account, wherever it was moved."""
        found = self._entry(values.guid_checked(guid), T("read the account {guid}", guid=guid))
        return None if found is None else records.account(found)

    def holders(self, addresses: Sequence[str]) -> Mapping[str, Sequence[Holder]]:
        """Return every object of any class that holds each address; every one asked is a key."""
        doing = T("search for who holds the addresses")
        if not self._schema.has("targetAddress"):
            filters = list(_filters(addresses, ADDRESS_KEYS))
        elif len(addresses) <= CHUNK:
            filters = list(_filters(addresses, (*ADDRESS_KEYS, FORWARD_KEY)))
        else:
            # Measured with 1000 objects and 1000 addresses: six times as quick as asking for each targetAddress.
            filters = [*_filters(addresses, ADDRESS_KEYS), "(targetAddress=*)"]
        found = {e.dn: e for filter_ in filters for e in self._search(filter_, records.HOLDER_ATTRIBUTES, doing)}
        held = [(records.holder(entry), _held(entry)) for entry in found.values()]
        return {
            asked: tuple(one for one, own in held if asked and asked.casefold() in own)
            for asked in dict.fromkeys(addresses)
        }

    def exists(self, dn: str) -> bool:
        """Tell whether an object (an OU, say) exists and this account may see it."""
        names.within(dn, self._base)
        return self._pool.read(lambda wire: wire.find(dn, ()), T("read {dn}", dn=dn), on=dn) is not None

    def all_accounts(self, base: str | None = None) -> Sequence[Account]:
        """Return every user account below a DN, however many pages that takes, the domain's own left out."""
        filter_ = f"(&{PERSONS}{SYSTEM})"
        found = self._search(filter_, records.ACCOUNT_ATTRIBUTES, T("list the accounts"), base)
        return [records.account(entry) for entry in found]

    def all_computers(self, base: str | None = None) -> Sequence[ComputerAccount]:
        """Return every computer object below a DN, domain controllers left out."""
        filter_ = f"(&(objectCategory=computer){CONTROLLERS})"
        found = self._search(filter_, records.COMPUTER_ATTRIBUTES, T("list the computers"), base)
        return [records.computer(entry) for entry in found]

    def password_state(self, login: str, password: Secret) -> PasswordState:
        """Try a password with one bind; a wrong one counts towards the lockout.

        Raises:
            BindRefusedError: refused for another reason (hours, workstations, policy).
            UnreachableError: no answer.
        """
        names.refuse_controls(login)
        if not login or not password.reveal():
            # An empty one would be an anonymous bind, which succeeds (RFC 4513 5.1.2).
            return PasswordState.WRONG
        user = login if "@" in login or "\\" in login else f"{self.endpoint.netbios}\\{login}"
        try:
            self._pool.bind(replace(self.endpoint, user=user, password=password))
        except BindRefusedError as error:
            state = BY_SUB_CODE.get(error.sub_code or "")
            if state is None:
                raise
            return state
        return PasswordState.GOOD

    @property
    def _base(self) -> str:
        return names.base_dn(self.endpoint.domain)

    def _accounts(self, wanted: Sequence[str], keys: Sequence[str]) -> list[Account]:
        doing = T("search for {n} accounts", n=len(wanted))
        found = {
            entry.dn: entry
            for terms in _filters(wanted, keys)
            for entry in self._search(f"(&{PERSONS}{terms})", records.ACCOUNT_ATTRIBUTES, doing)
        }
        return [records.account(entry) for entry in found.values()]

    def _entry(self, guid: str, doing: Text) -> Entry | None:
        return self._pool.read(lambda wire: wire.find(f"<GUID={guid}>", records.ACCOUNT_ATTRIBUTES), doing, on=guid)

    def _search(self, filter_: str, attributes: Sequence[str], doing: Text, base: str | None = None) -> Sequence[Entry]:
        below = self._base if base is None else names.within(base, self._base)
        return self._pool.read(lambda wire: wire.search(below, filter_, attributes), doing, on=self.endpoint.domain)


class LdapAccountWriter(LdapAccountReader):
    """Also writes. Each write is sent once, whatever happens; its permit is checked first, and again just before.

    Args:
        endpoint: where, and as the account that has the rights.
        permit: what must agree.
        target: on whose behalf; by default the staff number, or the GUID, of the account itself.
    """

    def __init__(self, endpoint: DirectoryEndpoint, permit: WritePermit, *, target: str | None = None) -> None:
        super().__init__(endpoint)
        self._permit = permit
        self._target = target

    def for_target(self, target: str) -> LdapAccountWriter:
        """Return a writer on behalf of one target, which shares the connections of this one."""
        writer = LdapAccountWriter(self.endpoint, self._permit, target=target)
        writer._pool, writer._schema = self._pool, self._schema
        return writer

    def create_account(self, account: NewAccount) -> Account:
        """Create a disabled account without a password (userAccountControl 514).

        Raises:
            GateClosedError: the permit does not cover this.
            UsageError: a value that Active Directory or Entra would not take; nothing was sent.
            AlreadyExistsError: the login, the UPN or the name in the OU is taken.
            NotFoundError: the OU is absent; AccessDeniedError: the right is missing.
            UnknownOutcomeError: it was sent and its answer lost, or what was created cannot be read back.
        """
        on = self._target or account.staff_number
        self._permit.check(on)
        names.within(values.account_checked(account).ou, self._base)
        doing = T("create the account {login} in {ou}", login=account.login, ou=account.ou)
        dn = f"CN={names.rdn_value(account.name)},{account.ou}"
        attributes = records.attributes_of(account, mail_nickname=self._schema.has("mailNickname"))
        self._permit.check(on)
        try:
            self._pool.write(lambda wire: wire.add(dn, "user", attributes), doing, on=on)
        except NotFoundError as error:
            raise absent(account.ou, doing) from error
        except AlreadyExistsError as error:
            raise values.name_taken(account.login, error) from error
        return records.account(
            self._read_back(lambda: self._pool.read(
                lambda wire: wire.find(dn, records.ACCOUNT_ATTRIBUTES), doing, on=on), doing, on)
        )  # fmt: skip

    def set_password(self, guid: str, password: Secret) -> None:
        """Set a password (unicodePwd), the account as enabled or disabled as it is.

        Raises:
            PasswordRefusedError: the domain's policy does not accept it; the account stays as it is.
            UnknownOutcomeError, NotFoundError, AccessDeniedError: as the others.
        """
        # Quoted and UTF-16 (MS-ADTS 3.1.1.3.1.5); the link is always LDAPS, without which it is refused.
        value = f'"{password.reveal()}"'.encode("utf-16-le")
        self._replace(guid, {"unicodePwd": value}, T("set the password of the account {guid}", guid=guid))

    def enable(self, guid: str) -> None:
        """Enable an account (512), its password to be changed at the next logon (pwdLastSet 0), in one change.

        Raises:
            RefusedError: it has no password; Windows would say so, Samba would not.
        """
        doing = T("enable the account {guid}", guid=guid)
        found = self._found(guid, doing)
        control = records.flags(found) or 0
        if control & DISABLED and records.account(found).must_change:
            raise values.without_password(self._target or guid, doing)
        self._replace(guid, {"userAccountControl": records.enabled_flags(control), "pwdLastSet": 0}, doing)

    def require_change(self, guid: str) -> None:
        """Have the password changed at the next logon."""
        self._replace(guid, {"pwdLastSet": 0}, T("have the password of the account {guid} changed", guid=guid))

    def disable(self, guid: str, mark: str) -> None:
        """Disable an account and note why in its mark (adminDescription), in one change."""
        doing = T("disable the account {guid}", guid=guid)
        control = (records.flags(self._found(guid, doing)) or records.NORMAL) | DISABLED
        self._replace(guid, {"userAccountControl": control, "adminDescription": names.refuse_controls(mark)}, doing)

    def move(self, guid: str, ou: str) -> str:
        """Move an account into an OU; one that is there already is left alone.

        Returns:
            Its DN.

        Raises:
            NotFoundError: the account or the OU is absent; AlreadyExistsError: the OU has another of that name.
            UnknownOutcomeError: it was sent and its answer lost, or where it went cannot be read back.
        """
        doing = T("move the account {guid} into {ou}", guid=guid, ou=ou)
        names.within(ou, self._base)
        entry, on = self._found(guid, doing), self._target or guid
        if names.same_dn(names.parent(entry.dn), ou):
            return entry.dn
        self._permit.check(on)
        try:
            self._pool.write(lambda wire: wire.move(entry.dn, names.rdn(entry.dn), ou), doing, on=on)
        except NotFoundError as error:
            raise (error if self.exists(ou) else absent(ou, doing)) from error
        return self._read_back(lambda: self._entry(guid, doing), doing, on).dn

    def join_group(self, guid: str, group: str) -> None:
        """Make an account a member of a group; one that is a member already is left alone.

        Raises:
            NotFoundError: the account or the group is absent; AccessDeniedError: the right is missing.
            UnknownOutcomeError: it was sent and its answer lost.
        """
        self._member(guid, group, T("add the account {guid} to {group}", guid=guid, group=group), add=True)

    def leave_group(self, guid: str, group: str) -> None:
        """Take an account out of a group; one that is no member is left alone. Raises as `join_group`."""
        self._member(guid, group, T("remove the account {guid} from {group}", guid=guid, group=group), add=False)

    def _member(self, guid: str, group: str, doing: Text, *, add: bool) -> None:
        names.within(group, self._base)
        entry, on = self._found(guid, doing), self._target or guid
        if is_member(records.account(entry), group) is add:
            return
        self._permit.check(on)
        try:
            self._pool.write(lambda wire: wire.change_member(group, entry.dn, add=add), doing, on=on)
        except NotFoundError as error:
            raise absent(group, doing) from error

    def _replace(self, guid: str, attributes: Mapping[str, str | int | bytes], doing: Text) -> None:
        on = self._target or guid
        dn = f"<GUID={values.guid_checked(guid)}>"
        self._permit.check(on)
        try:
            self._pool.write(lambda wire: wire.replace(dn, attributes), doing, on=on)
        except NotFoundError as error:
            raise absent(guid, doing) from error

    def _found(self, guid: str, doing: Text) -> Entry:
        self._permit.check(self._target or guid)
        entry = self._entry(values.guid_checked(guid), doing)
        if entry is None:
            raise absent(guid, doing)
        return entry

    def _read_back(self, read: Callable[[], Entry | None], doing: Text, on: str) -> Entry:
        try:
            entry = read()
        except UnreachableError as error:
            raise unknown_outcome(doing, on=on, server=self.endpoint.server) from error
        if entry is None:
            raise unknown_outcome(doing, on=on, server=self.endpoint.server)
        return entry


def _filters(wanted: Sequence[str], keys: Sequence[str]) -> Iterator[str]:
    """Yield one OR filter for each `CHUNK` of values; an empty value matches nobody and is not asked for."""
    asked = dict.fromkeys(names.filter_value(one) for one in wanted if one)
    for chunk in batched(asked, CHUNK):
        yield f"(|{''.join(f'({key.format(value)})' for value in chunk for key in keys)})"


def _sorted_out(
    wanted: Sequence[str], found: Sequence[Account], own: Callable[[Account], set[str] | frozenset[str]]
) -> Mapping[str, Sequence[Account]]:
    by_key: dict[str, list[Account]] = {}
    for one in found:
        for key in own(one):
            by_key.setdefault(key, []).append(one)
    return {asked: tuple(by_key.get(asked.casefold(), ())) if asked else () for asked in dict.fromkeys(wanted)}


def _held(entry: Entry) -> frozenset[str]:
    attributes = ("userPrincipalName", "mail", "proxyAddresses", "targetAddress")
    every = (value for attribute in attributes for value in records.texts(entry, attribute))
    return frozenset(values.bare(value).casefold() for value in every)
