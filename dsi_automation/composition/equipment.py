"""The two halves of the connectors, made from the inventory: what `operations.tools` describes.

Secrets are resolved here, at the moment a connection is made, and kept no longer than the connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.composition.accounts import Records, write_letter
from dsi_automation.composition.network import NetworkLook
from dsi_automation.connectors.windows.port import Transport, WindowsEndpoint
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.model import DirectorySettings, Site, WorkstationPolicy
from dsi_automation.operations.tools import Account

if TYPE_CHECKING:
    from dsi_automation.composition.envelopes import FileEnvelopes
    from dsi_automation.connectors.applications.port import ServerWriter
    from dsi_automation.connectors.backups.port import BackupWriter
    from dsi_automation.connectors.configurations.port import ConfigurationWriter
    from dsi_automation.connectors.databases.port import DatabaseWriter
    from dsi_automation.connectors.directory.accounts import AccountWriter
    from dsi_automation.connectors.directory.port import DirectoryEndpoint, DirectoryReader, DirectoryWriter
    from dsi_automation.connectors.m365.port import TenantWriter
    from dsi_automation.connectors.media.port import MediumWriter
    from dsi_automation.connectors.routers.port import RouterWriter
    from dsi_automation.connectors.windows.port import WindowsReader, WindowsScripts, WindowsWriter
    from dsi_automation.documents.mailbox import MailboxLetter
    from dsi_automation.engine.operation import Permit
    from dsi_automation.operations.applications.announcing import Announcement

LOOK_DEADLINE: Final = 60.0
"""Seconds one target may be looked at: a slow machine answers all questions in less, a hung one is given up."""


class Equipment:
    """Hands out the two halves: to look, freely; to write, against a permit."""

    def __init__(self, inventory: Inventory, clock: Clock, workers: int, records: Records) -> None:
        """Remember where the equipment is described; nothing is connected yet."""
        self._inventory = inventory
        self._look = InventoryLook(inventory, clock, workers, records)

    def look(self) -> InventoryLook:
        """Return the read half."""
        return self._look

    def hands(self, permit: Permit) -> InventoryHands:
        """Return the write half, bound to one permit that every write checks."""
        return InventoryHands(self._inventory, self._look, permit)


class InventoryLook(NetworkLook):
    """The read half. May be used from several threads; each machine's connection belongs to one of them."""

    def __init__(self, inventory: Inventory, clock: Clock, workers: int, records: Records) -> None:
        """Look through `inventory`; `workers` targets at once."""
        super().__init__(inventory, clock, records)
        self.workers = workers
        self.deadline = LOOK_DEADLINE

    @cached_property
    def sites(self) -> Mapping[str, Site]:
        """Return the site of each target, by the target's name."""
        return _SitesByTarget(self._inventory, self.lock)

    @property
    def directory_settings(self) -> DirectorySettings:
        """Return the domain the inventory describes."""
        with self.lock:
            return self._inventory.directory

    @property
    def workstation_policy(self) -> WorkstationPolicy:
        """Return the site's thresholds for workstations."""
        with self.lock:
            return self._inventory.workstation_policy

    def windows(self, target: str) -> AbstractContextManager[WindowsReader]:
        """Open a reader for one machine; closed on leaving."""
        from dsi_automation.connectors.windows.sessions import open_reader

        return open_reader(self.windows_endpoint(target), self.clock)

    def directory(self) -> DirectoryReader:
        """Return a reader for the directory, bound as the account that reads; one for all threads."""
        with self.lock:
            return self._reader

    @cached_property
    def _reader(self) -> DirectoryReader:
        from dsi_automation.connectors.directory.client import LdapReader

        return LdapReader(self.directory_endpoint(self._inventory.directory.read_credential))

    def windows_endpoint(self, target: str) -> WindowsEndpoint:
        """Return where a machine is and who logs in there.

        Raises:
            UsageError: it is no Windows machine, or its password is not where it should be.
        """
        with self.lock:
            host = self._inventory.target(target).windows
            if host is None:
                raise UsageError(
                    T("{target} is not described as a Windows machine.", target=target),
                    on=target,
                    next_step=T("Set ansible_connection: winrm for it, or choose another target."),
                )
            account = None if host.credential is None else self.account(host.credential, target)
        return WindowsEndpoint(
            name=target,
            host=host.host,
            port=host.port,
            scheme=host.scheme,
            transport=Transport(host.transport),
            user="" if account is None else account.user,
            password=Secret("") if account is None else account.password,
            ca_file=host.ca_file,
            certificate=host.certificate,
            certificate_key=host.certificate_key,
            kerberos_host=host.kerberos_host,
            read_timeout=host.read_timeout,
            connect_timeout=host.connect_timeout,
            operation_timeout=host.operation_timeout,
        )

    def directory_endpoint(self, credential: str) -> DirectoryEndpoint:
        """Return where the directory is, bound as one of the inventory's accounts."""
        from dsi_automation.connectors.directory.port import DirectoryEndpoint

        settings, account = self.directory_settings, self.account(credential)
        return DirectoryEndpoint(
            domain=settings.domain,
            netbios=settings.netbios,
            server=settings.server,
            user=account.user,
            password=account.password,
            address=settings.address,
            port=settings.port,
            ca_file=settings.ca_file,
            timeout=settings.timeout_seconds,
        )

    def account(self, name: str, target: str | None = None) -> Account:
        """Return an account of `dsi_credentials` with its password.

        Raises:
            UsageError: there is none of that name, or its password is not where it should be.
        """
        with self.lock:
            source = self._inventory.credential(name)
            return Account(source.user, self._inventory.secret(source.password, target))


class InventoryHands:
    """The write half of one run: everything it opens asks the run's permit before each write."""

    def __init__(self, inventory: Inventory, look: InventoryLook, permit: Permit) -> None:
        """Write under `permit`."""
        self._inventory = inventory
        self._permit = permit
        self.look = look
        self._shared: dict[str, Any] = {}
        self._sharing = threading.Lock()

    @property
    def run(self) -> str:
        """Return the run it is bound to."""
        return self._permit.run_id

    @property
    def interrupted(self) -> bool:
        """Return whether somebody asked the run to stop."""
        return self._permit.interrupted

    @property
    def withdrawn(self) -> bool:
        """Return whether its approval was taken back since."""
        return self._permit.withdrawn

    def windows(self, target: str) -> AbstractContextManager[WindowsWriter]:
        """Open a writer for one machine; closed on leaving."""
        from dsi_automation.connectors.windows.sessions import open_writer

        self._permit.check(target)
        return open_writer(self.look.windows_endpoint(target), self.look.clock, self._permit)

    def scripts(self, target: str) -> AbstractContextManager[WindowsScripts]:
        """Open a shell for the package's scripts on one machine; closed on leaving."""
        from dsi_automation.connectors.windows.sessions import open_scripts

        self._permit.check(target)
        return open_scripts(self.look.windows_endpoint(target), self.look.clock, self._permit)

    def directory(self) -> DirectoryWriter:
        """Return a writer for the directory, bound as the account that joins machines."""
        with self.look.lock:
            return self._writer

    @cached_property
    def _writer(self) -> DirectoryWriter:
        from dsi_automation.connectors.directory.client import LdapWriter

        endpoint = self.look.directory_endpoint(self._inventory.directory.join_credential)
        return LdapWriter(endpoint, self._permit)

    def accounts(self) -> AccountWriter:
        """Return a writer for people's accounts, bound as the account that makes them; one for all threads."""
        with self.look.lock:
            return self._account_writer

    @cached_property
    def _account_writer(self) -> AccountWriter:
        from dsi_automation.connectors.directory.account_client import LdapAccountWriter

        endpoint = self.look.directory_endpoint(self._inventory.accounts.write_credential)
        return LdapAccountWriter(endpoint, self._permit)

    def tenant(self) -> TenantWriter:
        """Return a writer for the Microsoft 365 tenant; one for all threads."""
        with self.look.lock:
            return self._tenant_writer

    @cached_property
    def _tenant_writer(self) -> TenantWriter:
        from dsi_automation.connectors.m365.opening import open_writer
        from dsi_automation.connectors.m365.port import SyncTarget

        job = self._inventory.tenant.sync_job
        target = None if job is None else SyncTarget(job.service_principal, job.job, job.rule)
        return open_writer(self.look.tenant_endpoint(), self.look.clock, self._permit, target)

    def envelopes(self) -> FileEnvelopes:
        """Return the hand-overs in preparation, to seal passwords into."""
        return self.look.envelopes()

    def write_letter(self, target: str, letter: MailboxLetter) -> str:
        """Write somebody's hand-over letter where the controller keeps letters; returns its path."""
        self._permit.check(target)
        return write_letter(self.look.records.folder / "letters", target, letter)

    @contextmanager
    def backup(self, target: str) -> Iterator[BackupWriter]:
        """Open a writer for one backup of the plan; closed on leaving."""
        self._permit.check(target)
        engine = self.look.backup_engine(target, self._permit)
        try:
            yield engine
        finally:
            engine.close()

    def medium(self, name: str, target: str) -> MediumWriter:
        """Return a writer for one medium of the inventory, for the copy of one backup."""
        self._permit.check(target)
        return self.look.medium_at(name, self._permit, target)

    def medium_password(self, rotation: str) -> Secret:
        """Return the password of the copies of a rotation."""
        return self.look.medium_password(rotation)

    def server(self, application: str, server: str, target: str) -> AbstractContextManager[ServerWriter]:
        """Open a writer for one server of an application; closed on leaving."""
        self._permit.check(target)
        return self.look.server_at(application, server, self._permit, target)

    def database(self, application: str, target: str) -> AbstractContextManager[DatabaseWriter]:
        """Open a writer for the database of an application; closed on leaving."""
        self._permit.check(target)
        return self.look.database_at(application, self._permit, target)

    def announce(self, target: str, announcement: Announcement) -> None:
        """Tell the users of an application by mail, once for each run and kind."""
        self._permit.check(target)
        self.look.records.announce(self.run, announcement)

    @contextmanager
    def router(self, target: str, under: str | None = None) -> Iterator[RouterWriter]:
        """Open a writer for one router; closed on leaving."""
        self._permit.check(under or target)
        with self.look.router_at(target, self._permit, under or target) as opened:
            yield opened

    def configurations(self, target: str) -> ConfigurationWriter:
        """Return the repository of configurations, to add to."""
        self._permit.check(target)
        return self.look.configurations()

    def shared[T](self, name: str, make: Callable[[], T]) -> T:
        """Return what all targets of this run share under a name; made by the first that asks."""
        with self._sharing:
            if name not in self._shared:
                self._shared[name] = make()
            found: T = self._shared[name]
            return found

    def keep(self, kind: str, content: bytes) -> str:
        """Keep content in the state folder under its digest."""
        from dsi_automation.composition.kept import keep

        return keep(self.look.records.folder / "kept" / kind, content)

    def note(self, target: str, name: str, data: Mapping[str, Json]) -> None:
        """Keep something of what was done in the run's record."""
        self._permit.note(target, name, data)

    def join_account(self) -> Account:
        """Return the account that may join machines to the domain."""
        return self.look.account(self.look.directory_settings.join_credential)


class _SitesByTarget(Mapping[str, Site]):
    """The site of each host, looked up when it is asked for."""

    def __init__(self, inventory: Inventory, lock: threading.RLock) -> None:
        self._inventory = inventory
        self._lock = lock

    def __getitem__(self, target: str) -> Site:
        with self._lock:
            return self._inventory.site_of(self._inventory.target(target))

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(self._inventory.select(["all"]))

    def __len__(self) -> int:
        with self._lock:
            return len(self._inventory.select(["all"]))
