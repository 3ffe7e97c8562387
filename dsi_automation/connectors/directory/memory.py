"""A directory in memory that keeps the promises of the real one: the contract suite runs on both.

For tests and rehearsals. It answers with the errors of `answers`, made from the codes Samba and Windows give.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from dsi_automation.connectors.directory import names
from dsi_automation.connectors.directory.answers import INVALID_CREDENTIALS, Answer, bind_refused, refused
from dsi_automation.connectors.directory.client import WritePermit
from dsi_automation.connectors.directory.errors import absent, computer_exists
from dsi_automation.connectors.directory.port import Computer, DirectoryEndpoint, User
from dsi_automation.core.errors import DsiError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T, Text

DOMAIN_SID: Final = "S-1-5-21-1111111111-2222222222-3333333333"
FIRST_RID: Final = 1100
NO_RIGHT: Final = Answer(50, "insufficientAccessRights", "00002098: SecErr: no right to do that there")


@dataclass(frozen=True, slots=True)
class Account:
    """An account that may bind, and where it may write.

    Attributes:
        writes: DNs of the containers in and below which it may create and move computers.
        sub_code: why a right password is not enough: `533`, `773`; None when it is.
    """

    password: Secret
    writes: tuple[str, ...] = ()
    sub_code: str | None = None


@dataclass
class MemoryDirectory:
    """What the directory holds. Make it, fill it, then read and write through the two halves below."""

    domain: str = "ad.douanes.lab"
    accounts: dict[str, Account] = field(default_factory=dict)
    containers: list[str] = field(default_factory=list)
    computers: dict[str, Computer] = field(default_factory=dict)
    users: list[User] = field(default_factory=list)
    principals: dict[str, str] = field(default_factory=dict)
    fault: Callable[[Text], DsiError | None] | None = None
    """Called with what is asked before each answer; an error it returns is raised instead of the answer."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _made: int = 0

    def __post_init__(self) -> None:
        base = names.base_dn(self.domain)
        self.containers += [base, f"CN=Users,{base}", f"CN=Computers,{base}"]

    def next_sid(self) -> str:
        """Return a new SID of the domain."""
        self._made += 1
        return f"{DOMAIN_SID}-{FIRST_RID + self._made}"

    def add_ou(self, dn: str) -> str:
        """Add an organisational unit."""
        self.containers.append(names.dn_checked(dn))
        return dn

    def add_user(self, login: str, ou: str, *, display_name: str | None = None, enabled: bool = True) -> User:
        """Add a user whose userPrincipalName is `login@domain`."""
        user = User(login, f"CN={names.rdn_value(display_name or login)},{ou}", self.next_sid(), display_name, enabled)
        self.users.append(user)
        self.principals[f"{login}@{self.domain}".casefold()] = login
        return user

    def add_computer(self, name: str, ou: str, *, enabled: bool = True, description: str | None = None) -> Computer:
        """Add a computer, as a join would have."""
        dns_name = f"{name.lower()}.{self.domain}" if enabled else None
        dn = f"CN={names.rdn_value(name)},{ou}"
        computer = Computer(name, dn, str(uuid.uuid4()), self.next_sid(), dns_name, enabled, description)
        self.computers[name.casefold()] = computer
        return computer

    def holder(self, dn: str) -> str | None:
        """Return the DN, as it was written first, of what is at `dn`."""
        every = [*self.containers, *(one.dn for one in self.computers.values()), *(one.dn for one in self.users)]
        return next((known for known in every if names.same_dn(known, dn)), None)

    def reader(self, endpoint: DirectoryEndpoint) -> MemoryReader:
        """Return the read half."""
        return MemoryReader(self, endpoint)

    def writer(self, endpoint: DirectoryEndpoint, permit: WritePermit, *, target: str | None = None) -> MemoryWriter:
        """Return the write half."""
        return MemoryWriter(self, endpoint, permit, target=target)


class MemoryReader:
    """The read half on a directory in memory."""

    def __init__(self, directory: MemoryDirectory, endpoint: DirectoryEndpoint) -> None:
        self._directory = directory
        self._endpoint = endpoint

    @property
    def endpoint(self) -> DirectoryEndpoint:
        """Return where it reads."""
        return self._endpoint

    @property
    def base_dn(self) -> str:
        """Return the naming context of the domain."""
        return names.base_dn(self._endpoint.domain)

    def computer(self, name: str) -> Computer | None:
        """Return the computer of that NetBIOS name, or None."""
        names.refuse_controls(name)
        self._ask(T("search for the computer {name}", name=name))
        with self._directory.lock:
            return self._directory.computers.get(name.casefold())

    def computers(self, name_prefix: str = "") -> Sequence[Computer]:
        """Return all computers whose name starts so, by name."""
        start = names.refuse_controls(name_prefix).casefold()
        self._ask(T("search for the computers named {start}", start=f"{name_prefix}*"))
        with self._directory.lock:
            found = [one for key, one in self._directory.computers.items() if key.startswith(start)]
        return sorted(found, key=lambda one: one.name.casefold())

    def user(self, login: str) -> User | None:
        """Return the user of that sAMAccountName or userPrincipalName, or None."""
        names.refuse_controls(login)
        self._ask(T("search for the user {login}", login=login))
        with self._directory.lock:
            wanted = login.casefold()
            account = {user.login.casefold(): user for user in self._directory.users}
            return account.get(wanted) or account.get(self._directory.principals.get(wanted, "").casefold())

    def exists(self, dn: str) -> bool:
        """Tell whether an object exists."""
        return self._holder(dn) is not None

    def close(self) -> None:
        """End nothing: there is no connection."""

    def _holder(self, dn: str) -> str | None:
        names.within(dn, self.base_dn)
        self._ask(T("read {dn}", dn=dn))
        with self._directory.lock:
            return self._directory.holder(dn)

    def _ask(self, doing: Text) -> None:
        """Bind as the real one does, and let a fault that was set speak."""
        end, account = self._endpoint, self._directory.accounts.get(self._endpoint.user)
        sub_code = account.sub_code if account and account.password == end.password else "52e"
        if sub_code:
            message = f"80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {sub_code}, v1db1"
            answer = Answer(INVALID_CREDENTIALS, "invalidCredentials", message)
            raise bind_refused(answer, user=end.user, server=end.server)
        if self._directory.fault is not None and (error := self._directory.fault(doing)) is not None:
            raise error


class MemoryWriter(MemoryReader):
    """The write half on a directory in memory."""

    def __init__(
        self,
        directory: MemoryDirectory,
        endpoint: DirectoryEndpoint,
        permit: WritePermit,
        *,
        target: str | None = None,
    ) -> None:
        super().__init__(directory, endpoint)
        self._permit = permit
        self._target = target

    def for_target(self, target: str) -> MemoryWriter:
        """Return a writer on behalf of one target of the inventory."""
        return MemoryWriter(self._directory, self._endpoint, self._permit, target=target)

    def create_computer(self, name: str, ou: str, *, description: str | None = None) -> Computer:
        """Create a workstation object in an OU, disabled until the machine joins."""
        self._permit.check(self._target or name)
        names.computer_name(name)
        names.refuse_controls(description or "")
        doing = T("create the computer {name} in {ou}", name=name, ou=ou)
        with self._directory.lock:
            if (taken := self.computer(name)) is not None:
                raise computer_exists(name, taken.dn)
            holder = self._container(ou, doing)
            self._refuse(holder, doing, on=name)
            self._refuse_taken(f"CN={name},{holder}", doing, on=name)
            self._ask(doing)
            return self._directory.add_computer(name, holder, enabled=False, description=description or None)

    def move(self, dn: str, ou: str) -> str:
        """Move an object into an OU, keeping its name; one that is there already is left alone."""
        target = self._target or names.leaf(names.dn_checked(dn))
        self._permit.check(target)
        doing = T("move {dn} into {ou}", dn=dn, ou=ou)
        with self._directory.lock:
            here = self._holder(dn)
            if here is None:
                raise absent(dn, doing)
            if names.same_dn(names.parent(here), names.dn_checked(ou)):
                return here
            new = f"{names.rdn(here)},{self._container(ou, doing)}"
            for container in (names.parent(here), ou):
                self._refuse(container, doing, on=target)
            self._refuse_taken(new, doing, on=target)
            self._ask(doing)
            self._rename(here, new)
            return new

    def _container(self, dn: str, doing: Text) -> str:
        holder = self._holder(dn)
        if holder is None:
            raise absent(dn, doing)
        return holder

    def _refuse(self, container: str, doing: Text, *, on: str) -> None:
        account = self._directory.accounts[self._endpoint.user]
        if not any(names.is_below(container, allowed) for allowed in account.writes):
            raise refused(NO_RIGHT, doing, on=on, server=self._endpoint.server)

    def _refuse_taken(self, dn: str, doing: Text, *, on: str) -> None:
        if self._directory.holder(dn) is not None:
            answer = Answer(68, "entryAlreadyExists", f"00002071: UpdErr: entry {dn} already exists")
            raise refused(answer, doing, on=on, server=self._endpoint.server)

    def _rename(self, old: str, new: str) -> None:
        for at, computer in self._directory.computers.items():
            if names.same_dn(computer.dn, old):
                self._directory.computers[at] = replace(computer, dn=new)
        self._directory.users = [
            replace(user, dn=new) if names.same_dn(user.dn, old) else user for user in self._directory.users
        ]
