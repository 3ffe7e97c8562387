"""What operations on people's accounts look through and write with, made from the inventory and the state folder."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.connectors.m365.port import TenantEndpoint
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import StorageError, UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T
from dsi_automation.inventory.account_model import AccountPolicy, TenantSettings
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.model import Site
from dsi_automation.operations.backups.catalogue import Noted

if TYPE_CHECKING:
    from dsi_automation.composition.envelopes import FileEnvelopes
    from dsi_automation.connectors.directory.accounts import AccountReader
    from dsi_automation.connectors.directory.port import DirectoryEndpoint
    from dsi_automation.connectors.m365.port import TenantReader
    from dsi_automation.documents.mailbox import MailboxLetter
    from dsi_automation.engine.model import Acceptance
    from dsi_automation.operations.applications.announcing import Announcement
    from dsi_automation.operations.network.record import Decided

ADDRESS_KINDS: Final = frozenset({"create_account", "create_cloud_user"})
"""Actions that give an address to somebody; once announced, it is never another's."""


@dataclass(frozen=True, slots=True)
class Records:
    """What the controller keeps.

    Attributes:
        folder: the state folder.
        announced: returns the bodies of the actions that runs announced, as the journal holds them.
        notes: returns what runs noted of what they did, oldest first.
        medium_places: returns where each medium is, by the record of custody.
        acceptances: returns the words signed about releases, oldest first.
        announce: tells the users of an application, for a run.
        decided: returns who put each run's request forward and who approved it, by run.
    """

    folder: Path
    announced: Callable[[], Iterable[Mapping[str, Any]]]
    notes: Callable[[], Iterable[Noted]]
    medium_places: Callable[[], Mapping[str, str]]
    acceptances: Callable[[], Iterable[Acceptance]]
    announce: Callable[[str, Announcement], None]
    decided: Callable[[], Mapping[str, Decided]]


class AccountLook(ABC):
    """The read half, as far as accounts are concerned; part of `InventoryLook`."""

    def __init__(self, inventory: Inventory, clock: Clock, records: Records) -> None:
        """Look through `inventory`; nothing is connected yet."""
        self._inventory = inventory
        self.clock = clock
        self.records = records
        # Ansible's inventory is not made for several threads, and each target asks it for its variables.
        self.lock = threading.RLock()

    @property
    def site_codes(self) -> Mapping[str, Site]:
        """Return every site of the inventory by its code."""
        with self.lock:
            return self._inventory.sites

    @property
    def account_policy(self) -> AccountPolicy:
        """Return how people's accounts are made."""
        with self.lock:
            return self._inventory.accounts

    @property
    def has_tenant(self) -> bool:
        """Tell whether the inventory describes a Microsoft 365 tenant."""
        with self.lock:
            return self._inventory.has_tenant

    @property
    def tenant_settings(self) -> TenantSettings:
        """Return the Microsoft 365 tenant the inventory describes."""
        with self.lock:
            return self._inventory.tenant

    @property
    def issued_addresses(self) -> Mapping[str, str]:
        """Return whose each address was that was ever given or retired; see `Look.issued_addresses`."""
        issued = dict.fromkeys(self._retired(), "")
        for body in self.records.announced():
            if body["kind"] in ADDRESS_KINDS:
                issued[str(body["args"]["address"]).lower()] = str(body["target"])
        return issued

    def accounts(self) -> AccountReader:
        """Return a reader for people's accounts in the directory; one for all threads."""
        with self.lock:
            return self._account_reader

    def tenant(self) -> TenantReader:
        """Return a reader for the Microsoft 365 tenant; one for all threads."""
        with self.lock:
            return self._tenant_reader

    def envelopes(self) -> FileEnvelopes:
        """Return the hand-overs in preparation."""
        with self.lock:
            return self._envelopes

    @abstractmethod
    def directory_endpoint(self, credential: str) -> DirectoryEndpoint:
        """Return where the directory is, bound as one of the inventory's accounts."""

    def tenant_endpoint(self) -> TenantEndpoint:
        """Return where the tenant answers and how the application proves itself.

        Raises:
            InventoryError: the inventory describes none. UsageError: a secret is not where it should be.
        """
        from dsi_automation.connectors.m365.clouds import CLOUDS

        with self.lock:
            settings = self._inventory.tenant
            addresses = CLOUDS[settings.cloud.value]
            secrets = {
                name: None if source is None else self._inventory.secret(source)
                for name, source in (("secret", settings.secret), ("password", settings.certificate_password))
            }
        return TenantEndpoint(
            tenant_id=settings.tenant_id,
            client_id=settings.client_id,
            base_url=settings.base_url or addresses.base_url,
            authority=settings.authority or addresses.authority,
            scope=addresses.scope,
            ca_file=settings.ca_file,
            certificate=settings.certificate,
            certificate_password=secrets["password"],
            secret=secrets["secret"],
            managed_identity=settings.managed_identity,
            timeout=settings.timeout_seconds,
            deadline=settings.retry_seconds,
            public_authority=settings.authority is None,
        )

    @cached_property
    def _account_reader(self) -> AccountReader:
        from dsi_automation.connectors.directory.account_client import LdapAccountReader

        return LdapAccountReader(self.directory_endpoint(self._inventory.directory.read_credential))

    @cached_property
    def _tenant_reader(self) -> TenantReader:
        from dsi_automation.connectors.m365.opening import open_reader

        return open_reader(self.tenant_endpoint(), self.clock)

    @cached_property
    def _envelopes(self) -> FileEnvelopes:
        from dsi_automation.composition.envelopes import FileEnvelopes

        return FileEnvelopes(self.records.folder / "envelopes", self.records.folder / "envelopes.key", self.clock)

    def _retired(self) -> Iterable[str]:
        """Return the addresses of the inventory's file: one a line, `#` begins a remark.

        Raises:
            UsageError: the file is named and cannot be read.
        """
        path = self.account_policy.retired_addresses
        if path is None:
            return ()
        try:
            lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else T("it is not UTF-8 text")
            raise UsageError(
                T("The file of retired addresses {path} cannot be read: {reason}.", path=path, reason=reason),
                next_step=T("Correct retired_addresses in dsi_accounts: without it an address could be given twice."),
            ) from error
        return [found for line in lines if (found := line.partition("#")[0].strip().lower())]


def write_letter(folder: Path, target: str, letter: MailboxLetter) -> str:
    """Write somebody's hand-over letter into a folder, whole or not at all; returns its path.

    Raises:
        StorageError: the disk refuses.
    """
    from dsi_automation.documents.render import mailbox_letter

    content = mailbox_letter(letter)
    path = folder / f"{target}.pdf"
    beside = folder / f".{target}.{threading.get_ident()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.touch(mode=0o600)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StorageError(
            T("The letter {path} cannot be written: {reason}.", path=path, reason=reason_of(error)),
            on=target,
            next_step=T("Make room or correct the rights of the folder, then resume the run."),
        ) from error
    return str(path)
