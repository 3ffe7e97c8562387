"""What a join, an unjoin and a rename ask of the domain, and a domain in memory for tests without one.

Return codes are Windows' system error codes, as NetJoinDomain and MS-WKST NetrJoinDomain2 give them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Protocol

from dsi_automation.core.secrets import Secret
from dsi_automation.lab.windows.spec import Membership


class Code(IntEnum):
    """The return codes of Win32_ComputerSystem's methods that the simulator gives."""

    OK = 0
    FILE_NOT_FOUND = 2
    ACCESS_DENIED = 5
    GENERAL_FAILURE = 31
    BAD_NETPATH = 53
    INVALID_PARAMETER = 87
    INVALID_COMPUTERNAME = 1210
    SESSION_CREDENTIAL_CONFLICT = 1219
    PASSWORD_RESTRICTION = 1323
    LOGON_FAILURE = 1326
    PASSWORD_EXPIRED = 1330
    ACCOUNT_DISABLED = 1331
    NONE_MAPPED = 1332
    NO_SUCH_DOMAIN = 1355
    ACCOUNT_LOCKED_OUT = 1909
    USER_EXISTS = 2224
    ALREADY_JOINED = 2691
    NOT_JOINED = 2692
    ACCOUNT_REUSE_BLOCKED = 2732
    MACHINE_ACCOUNT_QUOTA = 8557


class JoinFlag(IntFlag):
    """FJoinOptions (Win32_ComputerSystem.JoinDomainOrWorkgroup; lmjoin.h)."""

    JOIN_DOMAIN = 0x1
    ACCT_CREATE = 0x2
    ACCT_DELETE = 0x4
    DOMAIN_JOIN_IF_JOINED = 0x20
    DEFER_SPN_SET = 0x100
    JOIN_WITH_NEW_NAME = 0x400
    NO_ACCT_REUSE = 0x20000


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """One join.

    Attributes:
        domain: as the caller named it, DNS or NetBIOS.
        computer: the name the account gets.
        keytab: where the machine's keys are to be put; None where no file is wanted.
        system, version: what is written on the account.
    """

    domain: str
    computer: str
    user: str | None
    password: Secret | None
    account_ou: str | None
    flags: JoinFlag
    keytab: Path | None = None
    system: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class JoinOutcome:
    """What came of it: 0 and the membership, or an error code."""

    code: int
    membership: Membership | None = None


class DomainJoiner(Protocol):
    """A domain as joins see it. Called from a worker thread; may block."""

    def join(self, request: JoinRequest) -> JoinOutcome:
        """Make or reuse the computer's account."""
        ...

    def unjoin(self, computer: str, user: str | None, password: Secret | None, *, disable: bool) -> int:
        """Leave the domain; the account is disabled where asked for. Return a code."""
        ...

    def rename(self, computer: str, new_name: str, user: str | None, password: Secret | None) -> int:
        """Rename a member's account. Return a code."""
        ...


class NoDomain:
    """No domain can be found: every join answers 1355."""

    def join(self, request: JoinRequest) -> JoinOutcome:  # noqa: ARG002  # whoever asks, the answer is the same
        """Return 1355."""
        return JoinOutcome(Code.NO_SUCH_DOMAIN)

    def unjoin(self, computer: str, user: str | None, password: Secret | None, *, disable: bool) -> int:  # noqa: ARG002
        """Return 1355."""
        return Code.NO_SUCH_DOMAIN

    def rename(self, computer: str, new_name: str, user: str | None, password: Secret | None) -> int:  # noqa: ARG002
        """Return 1355."""
        return Code.NO_SUCH_DOMAIN


@dataclass
class MemoryAccount:
    """A computer account of the domain in memory."""

    ou: str
    owner: str
    disabled: bool = False


@dataclass
class MemoryJoiner:
    """A domain in memory, for tests on loopback: the same rules, no directory.

    Attributes:
        passwords: account name (without domain, lower case) to password.
        ous: the OUs that exist; None takes any.
        may_create: who may create computer accounts; None for everybody with a password.
        computers: the computer accounts, upper-case name to account.
        joins: every join that reached the domain, in order: computer name and code.
    """

    dns_name: str = "ad.douanes.lab"
    netbios_name: str = "DOUANES"
    passwords: dict[str, str] = field(default_factory=dict, repr=False)
    ous: set[str] | None = None
    may_create: set[str] | None = None
    computers: dict[str, MemoryAccount] = field(default_factory=dict)
    joins: list[tuple[str, int]] = field(default_factory=list)

    def join(self, request: JoinRequest) -> JoinOutcome:
        """Check the rules a real domain would, then make or reuse the account."""
        code = self._check(request)
        self.joins.append((request.computer, code))
        if code != Code.OK:
            return JoinOutcome(code)
        ou = request.account_ou or f"CN=Computers,DC={self.dns_name.replace('.', ',DC=')}"
        existing = self.computers.get(request.computer.upper())
        self.computers[request.computer.upper()] = existing or MemoryAccount(ou, self._account(request.user))
        return JoinOutcome(Code.OK, Membership(dns_name=self.dns_name, netbios_name=self.netbios_name))

    def unjoin(self, computer: str, user: str | None, password: Secret | None, *, disable: bool) -> int:
        """Disable the account where asked for."""
        if not self._signs_in(user, password):
            return Code.LOGON_FAILURE
        if disable and computer.upper() in self.computers:
            self.computers[computer.upper()].disabled = True
        return Code.OK

    def rename(self, computer: str, new_name: str, user: str | None, password: Secret | None) -> int:
        """Move the account to its new name."""
        if not self._signs_in(user, password):
            return Code.LOGON_FAILURE
        if new_name.upper() in self.computers:
            return Code.USER_EXISTS
        account = self.computers.pop(computer.upper(), None)
        if account is None:
            return Code.NONE_MAPPED
        self.computers[new_name.upper()] = account
        return Code.OK

    def _check(self, request: JoinRequest) -> int:
        if request.domain.lower() not in {self.dns_name.lower(), self.netbios_name.lower()}:
            return Code.NO_SUCH_DOMAIN
        if not self._signs_in(request.user, request.password):
            return Code.LOGON_FAILURE
        known = self.ous is None or request.account_ou is None
        if not known and str(request.account_ou).lower() not in {ou.lower() for ou in self.ous or ()}:
            return Code.FILE_NOT_FOUND
        return self._check_account(request)

    def _check_account(self, request: JoinRequest) -> int:
        who = self._account(request.user)
        existing = self.computers.get(request.computer.upper())
        if existing is None:
            if JoinFlag.ACCT_CREATE not in request.flags:
                return Code.NONE_MAPPED
            return Code.OK if self.may_create is None or who in self.may_create else Code.ACCESS_DENIED
        if JoinFlag.NO_ACCT_REUSE in request.flags:
            return Code.USER_EXISTS
        if request.account_ou is not None and existing.ou.lower() != request.account_ou.lower():
            return Code.USER_EXISTS
        return Code.OK if existing.owner == who else Code.ACCOUNT_REUSE_BLOCKED

    def _signs_in(self, user: str | None, password: Secret | None) -> bool:
        expected = self.passwords.get(self._account(user))
        return expected is not None and password is not None and password.reveal() == expected

    @staticmethod
    def _account(user: str | None) -> str:
        return (user or "").rsplit("\\", 1)[-1].split("@", 1)[0].lower()
