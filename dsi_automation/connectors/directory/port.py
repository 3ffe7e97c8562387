"""What operations ask of an Active Directory: a handful of typed reads, and computer objects to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dsi_automation.core.secrets import Secret


@dataclass(frozen=True, slots=True)
class DirectoryEndpoint:
    """Where the directory answers and how to prove who asks: LDAPS with a verified certificate, simple bind.

    Attributes:
        domain: DNS name of the domain, `ad.douanes.example`.
        netbios: its short name, `DOUANES`.
        server: the name the certificate must bear.
        address: the address to connect to, when it is not to be found by that name.
        ca_file: the CA that signed the certificate, PEM; None for the system's.
        user: the account that binds, as `name@domain` or a DN.
        timeout: seconds for a connection and for one answer.
    """

    domain: str
    netbios: str
    server: str
    user: str
    password: Secret
    address: str | None = None
    port: int = 636
    ca_file: str | None = None
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Computer:
    """A computer object.

    Attributes:
        name: its NetBIOS name, without the `$`.
        dn: where it is.
        guid: its objectGUID, which neither a rename nor a move changes.
        sid: its security identifier, `S-1-5-21-...`.
        enabled: whether the account is enabled.
    """

    name: str
    dn: str
    guid: str
    sid: str
    dns_name: str | None
    enabled: bool
    description: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user account, as far as a workstation concerns it."""

    login: str
    dn: str
    sid: str
    display_name: str | None
    enabled: bool


class DirectoryReader(Protocol):
    """The read half. May be used from several threads."""

    @property
    def endpoint(self) -> DirectoryEndpoint:
        """Return where it reads."""
        ...

    @property
    def base_dn(self) -> str:
        """Return the naming context of the domain, `DC=ad,DC=douanes,DC=example`."""
        ...

    def computer(self, name: str) -> Computer | None:
        """Return the computer of that NetBIOS name, wherever it is in the domain, or None."""
        ...

    def computers(self, name_prefix: str = "") -> Sequence[Computer]:
        """Return all computers whose name starts so, however many pages that takes."""
        ...

    def user(self, login: str) -> User | None:
        """Return the user of that sAMAccountName or userPrincipalName, or None."""
        ...

    def exists(self, dn: str) -> bool:
        """Tell whether an object (an OU, say) exists."""
        ...


class DirectoryWriter(DirectoryReader, Protocol):
    """The write half. Each call checks its permit first."""

    def for_target(self, target: str) -> DirectoryWriter:
        """Return a writer on behalf of one target of the inventory: the name that the permit is asked about.

        Without it, the permit is asked about the name of the object itself.
        """
        ...

    def create_computer(self, name: str, ou: str, *, description: str | None = None) -> Computer:
        """Create a disabled-until-joined workstation object in an OU.

        Raises:
            AlreadyExistsError, NotFoundError, AccessDeniedError: of RefusedError; an object of that name exists, the
                OU is absent, or the right is missing.
            UnknownOutcomeError: it was sent and its answer lost.
        """
        ...

    def move(self, dn: str, ou: str) -> str:
        """Move an object into an OU, keeping its name; one that is there already is left alone.

        Returns:
            Its new DN.

        Raises:
            NotFoundError, AlreadyExistsError, AccessDeniedError: of RefusedError.
            UnknownOutcomeError: it was sent and its answer lost.
        """
        ...
