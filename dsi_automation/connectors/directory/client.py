"""The directory over LDAPS: the read half, and the write half that checks a permit before each write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from dsi_automation.connectors.directory import names, records
from dsi_automation.connectors.directory.errors import absent, computer_exists, unknown_outcome
from dsi_automation.connectors.directory.pool import PooledClient
from dsi_automation.connectors.directory.port import Computer, DirectoryEndpoint, User
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.connectors.directory.wire import Entry


class WritePermit(Protocol):
    """What must agree before each write; the engine's permit does."""

    def check(self, target: str) -> None:
        """Raise `GateClosedError` when this run may not write on behalf of `target`, or no longer."""
        ...


class LdapReader(PooledClient):
    """Reads over LDAPS. May be used from several threads: each request has a connection to itself (see `pool`)."""

    @property
    def base_dn(self) -> str:
        """Return the naming context of the domain."""
        return names.base_dn(self.endpoint.domain)

    def computer(self, name: str) -> Computer | None:
        """Return the computer of that NetBIOS name, wherever it is in the domain, or None.

        Raises:
            UsageError: the name holds control characters.
            UnreachableError, RefusedError: no answer, or a refusal.
        """
        filter_ = f"(&(objectCategory=computer)(sAMAccountName={names.filter_value(name)}$))"
        found = self._search(filter_, records.COMPUTER_ATTRIBUTES, T("search for the computer {name}", name=name), name)
        # Windows compares without accents: POSTÉ finds POSTE, which is another machine.
        same = [entry for entry in found if records.account(entry).casefold() == f"{name}$".casefold()]
        return records.computer(same[0]) if same else None

    def computers(self, name_prefix: str = "") -> Sequence[Computer]:
        """Return all computers whose name starts so, by name, however many pages that takes."""
        start = f"{names.filter_value(name_prefix)}*"
        filter_ = f"(&(objectCategory=computer)(sAMAccountName={start}))"
        doing = T("search for the computers named {start}", start=f"{name_prefix}*")
        found = self._search(filter_, records.COMPUTER_ATTRIBUTES, doing, self.endpoint.domain)
        every = (records.computer(entry) for entry in found)
        kept = (one for one in every if one.name.casefold().startswith(name_prefix.casefold()))
        return sorted(kept, key=lambda one: one.name.casefold())

    def user(self, login: str) -> User | None:
        """Return the user of that sAMAccountName or userPrincipalName, or None; the former wins."""
        value = names.filter_value(login)
        filter_ = f"(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={value})(userPrincipalName={value})))"
        found = self._search(filter_, records.USER_ATTRIBUTES, T("search for the user {login}", login=login), login)
        for attribute in ("sAMAccountName", "userPrincipalName"):
            for entry in found:
                if (records.text(entry.values, attribute) or "").casefold() == login.casefold():
                    return records.user(entry)
        return None

    def exists(self, dn: str) -> bool:
        """Tell whether an object (an OU, say) exists and this account may see it."""
        return self._read(dn, ()) is not None

    def _search(self, filter_: str, attributes: Sequence[str], doing: Text, on: str) -> Sequence[Entry]:
        return self._pool.read(lambda wire: wire.search(self.base_dn, filter_, attributes), doing, on=on)

    def _read(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        names.within(dn, self.base_dn)
        return self._pool.read(lambda wire: wire.find(dn, attributes), T("read {dn}", dn=dn), on=dn)


class LdapWriter(LdapReader):
    """Also writes. Each write is sent once, whatever happens; its permit is checked first, and again just before.

    Args:
        endpoint: where, and as the account that has the rights.
        permit: what must agree.
        target: on whose behalf, a name of the inventory; by default the name of the object itself.
    """

    def __init__(self, endpoint: DirectoryEndpoint, permit: WritePermit, *, target: str | None = None) -> None:
        super().__init__(endpoint)
        self._permit = permit
        self._target = target

    def for_target(self, target: str) -> LdapWriter:
        """Return a writer on behalf of one target of the inventory, which shares the connections of this one."""
        writer = LdapWriter(self.endpoint, self._permit, target=target)
        writer._pool = self._pool
        return writer

    def create_computer(self, name: str, ou: str, *, description: str | None = None) -> Computer:
        """Create a workstation object in an OU, disabled and without a password until the machine joins.

        Raises:
            GateClosedError: the permit does not cover this.
            UsageError: no workstation may have that name, or `ou` is not a DN.
            AlreadyExistsError, NotFoundError, AccessDeniedError: of RefusedError.
            UnknownOutcomeError: it was sent and its answer lost, or what was created cannot be read back.
        """
        target = self._target or name
        self._permit.check(target)
        names.computer_name(name)
        doing = T("create the computer {name} in {ou}", name=name, ou=ou)
        dn = f"CN={names.rdn_value(name)},{names.dn_checked(ou)}"
        self._must_be_free(name)
        self._must_exist(ou, doing)
        attributes: dict[str, str | int] = {"sAMAccountName": f"{name}$", "userAccountControl": records.PREPARED}
        if description:
            attributes["description"] = names.refuse_controls(description)
        self._permit.check(target)
        self._pool.write(lambda wire: wire.add(dn, "computer", attributes), doing, on=name)
        return records.computer(self._read_back(dn, records.COMPUTER_ATTRIBUTES, doing, name))

    def move(self, dn: str, ou: str) -> str:
        """Move an object into an OU, keeping its name; one that is there already is left alone.

        Returns:
            Its new DN, as the directory writes it.

        Raises:
            GateClosedError: the permit does not cover this.
            UsageError: one of the two is not a DN.
            NotFoundError: the object or the OU is absent; AlreadyExistsError: the OU has another of that name.
            UnknownOutcomeError: it was sent and its answer lost, or where it went cannot be read back.
        """
        target = self._target or names.leaf(names.dn_checked(dn))
        self._permit.check(target)
        doing = T("move {dn} into {ou}", dn=dn, ou=ou)
        entry = self._must_exist(dn, doing)
        if names.same_dn(names.parent(entry.dn), names.dn_checked(ou)):
            return entry.dn
        self._must_exist(ou, doing)
        self._permit.check(target)
        self._pool.write(lambda wire: wire.move(entry.dn, names.rdn(entry.dn), ou), doing, on=target)
        return self._read_back(f"{names.rdn(entry.dn)},{ou}", (), doing, target).dn

    def _must_be_free(self, name: str) -> None:
        """Refuse a name that any account of the domain has: AD keeps sAMAccountName unique over all of them."""
        filter_ = f"(sAMAccountName={names.filter_value(name)}$)"
        found = self._search(filter_, ("sAMAccountName",), T("search for the computer {name}", name=name), name)
        if found:
            raise computer_exists(name, found[0].dn)

    def _must_exist(self, dn: str, doing: Text) -> Entry:
        entry = self._read(dn, ())
        if entry is None:
            raise absent(dn, doing)
        return entry

    def _read_back(self, dn: str, attributes: Sequence[str], doing: Text, on: str) -> Entry:
        try:
            entry = self._read(dn, attributes)
        except UnreachableError as error:
            raise unknown_outcome(doing, on=on, server=self.endpoint.server) from error
        if entry is None:
            raise unknown_outcome(doing, on=on, server=self.endpoint.server)
        return entry
