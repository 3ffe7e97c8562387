"""The two halves of the connectors as operations meet them: `Look` reads, `Hands` writes under a permit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from dsi_automation.connectors.applications.port import ConnectionTester, ServerReader, ServerWriter
from dsi_automation.connectors.backups.port import BackupReader, BackupWriter
from dsi_automation.connectors.configurations.port import ConfigurationReader, ConfigurationWriter
from dsi_automation.connectors.databases.port import DatabaseReader, DatabaseWriter
from dsi_automation.connectors.directory.accounts import AccountReader, AccountWriter
from dsi_automation.connectors.directory.port import DirectoryReader, DirectoryWriter
from dsi_automation.connectors.m365.port import TenantReader, TenantWriter
from dsi_automation.connectors.media.port import MediumReader, MediumWriter
from dsi_automation.connectors.releases.port import ReleaseStore
from dsi_automation.connectors.routers.port import RouterReader, RouterWriter
from dsi_automation.connectors.routers.probe import Probe
from dsi_automation.connectors.windows.port import WindowsReader, WindowsScripts, WindowsWriter
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import Clock
from dsi_automation.core.secrets import Secret
from dsi_automation.documents.mailbox import MailboxLetter
from dsi_automation.engine.model import Acceptance
from dsi_automation.inventory.account_model import AccountPolicy, TenantSettings
from dsi_automation.inventory.application_model import Application
from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings
from dsi_automation.inventory.model import DirectorySettings, Site, WorkstationPolicy
from dsi_automation.inventory.network_parts import Network
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.inventory.source_model import Sources
from dsi_automation.operations.applications.announcing import Announcement
from dsi_automation.operations.applications.record import ApplicationRecord
from dsi_automation.operations.backups.catalogue import Catalogue
from dsi_automation.operations.envelopes import EnvelopeReader, EnvelopeWriter
from dsi_automation.operations.network.record import AccessRecord

USERS: Final = "users"
"""The name under which the address that users go to is tested, where it is not a server's own."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account and its password, handed out for one run."""

    user: str
    password: Secret


class Look(Protocol):
    """The read half: what the inventory says, and readers for the equipment."""

    @property
    def clock(self) -> Clock:
        """Return the time."""
        ...

    @property
    def workers(self) -> int:
        """Return how many targets may be looked at at once."""
        ...

    @property
    def deadline(self) -> float:
        """Return how long one target may be looked at before the others go on without it, seconds."""
        ...

    @property
    def sites(self) -> Mapping[str, Site]:
        """Return the site of each target, by the target's name."""
        ...

    @property
    def directory_settings(self) -> DirectorySettings:
        """Return the domain the inventory describes."""
        ...

    @property
    def workstation_policy(self) -> WorkstationPolicy:
        """Return the site's thresholds for workstations."""
        ...

    def windows(self, target: str) -> AbstractContextManager[WindowsReader]:
        """Open a reader for one machine; closed on leaving."""
        ...

    def directory(self) -> DirectoryReader:
        """Return a reader for the directory."""
        ...

    @property
    def site_codes(self) -> Mapping[str, Site]:
        """Return every site of the inventory by its code."""
        ...

    @property
    def account_policy(self) -> AccountPolicy:
        """Return how people's accounts are made.

        Raises:
            InventoryError: the inventory does not say.
        """
        ...

    @property
    def has_tenant(self) -> bool:
        """Tell whether the inventory describes a Microsoft 365 tenant; a site may have its directory alone.

        Raises:
            InventoryError: it describes one under a name that is misspelled.
        """
        ...

    @property
    def tenant_settings(self) -> TenantSettings:
        """Return the Microsoft 365 tenant the inventory describes.

        Raises:
            InventoryError: it describes none.
        """
        ...

    @property
    def issued_addresses(self) -> Mapping[str, str]:
        """Return whose each address was that was ever given or retired: a staff number, or empty when unknown.

        Lower-case addresses; from the journal's announced actions and from the file of retired addresses. An address
        that is here for somebody else is never given again.
        """
        ...

    def accounts(self) -> AccountReader:
        """Return a reader for people's accounts in the directory; one for all threads."""
        ...

    def tenant(self) -> TenantReader:
        """Return a reader for the Microsoft 365 tenant; one for all threads.

        Raises:
            UsageError: the extra `m365` is not installed.
        """
        ...

    def envelopes(self) -> EnvelopeReader:
        """Return the hand-overs in preparation."""
        ...

    @property
    def backup_plan(self) -> BackupPlan:
        """Return the backup plan of the inventory."""
        ...

    @property
    def backup_settings(self) -> BackupSettings:
        """Return what concerns all backups."""
        ...

    def catalogue(self) -> Catalogue:
        """Return what there is of sets, proofs and copies, by the journal as it is now."""
        ...

    def backup(self, target: str) -> AbstractContextManager[BackupReader]:
        """Open a reader for one backup of the plan; closed on leaving."""
        ...

    def manifest_sha256(self, target: str, file: str) -> str | None:
        """Return the SHA-256 of a manifest as the controller's disk has it now, hexadecimal; None when it is gone."""
        ...

    def medium(self, name: str) -> MediumReader:
        """Return a reader for one medium of the inventory."""
        ...

    def medium_places(self) -> Mapping[str, str]:
        """Return where each medium is by the record of custody: its state, `on_site`, `courier`, `vault`, ..."""
        ...

    @property
    def applications(self) -> Mapping[str, Application]:
        """Return the applications of the inventory, by name."""
        ...

    @property
    def sources(self) -> Mapping[str, Sources]:
        """Return the lines of sources of the inventory, by name."""
        ...

    @property
    def rule_sets(self) -> Mapping[str, RuleSet]:
        """Return the rule sets of the inventory, by name."""
        ...

    def application_record(self) -> ApplicationRecord:
        """Return interruptions, tests and releases, by the journal as it is now."""
        ...

    def acceptances(self, source: str) -> Mapping[tuple[str, str], Acceptance]:
        """Return the last word signed about each release of a line of sources and each of its stages.

        Returns:
            By release and stage: `("1.4.0", "test")`.
        """
        ...

    def server(self, application: str, server: str) -> AbstractContextManager[ServerReader]:
        """Open a reader for one server of an application; closed on leaving."""
        ...

    def tester(self, application: str, server: str) -> ConnectionTester:
        """Return what does as a user does on one server, or at the address users go to (`USERS`)."""
        ...

    def database(self, application: str) -> AbstractContextManager[DatabaseReader]:
        """Open a reader for the database of an application; closed on leaving.

        Raises:
            UsageError: the inventory describes none.
        """
        ...

    def releases(self, source: str) -> ReleaseStore:
        """Return where the releases of a line of sources are."""
        ...

    def kept(self, kind: str, sha256: str) -> bytes | None:
        """Return what the state folder keeps under its digest (a rule set as it was); None when there is none."""
        ...

    @property
    def network(self) -> Network:
        """Return the network the inventory describes.

        Raises:
            InventoryError: it describes none, or its parts do not fit together.
        """
        ...

    def router(self, target: str) -> AbstractContextManager[RouterReader]:
        """Open a reader for one router; closed on leaving."""
        ...

    def probe(self, site: str) -> AbstractContextManager[Probe] | None:
        """Open the machine of a site from which accesses are tried out; None where the inventory names none."""
        ...

    def access_record(self) -> AccessRecord:
        """Return all accesses, by the journal as it is now."""
        ...

    def configurations(self) -> ConfigurationReader:
        """Return the repository of configurations."""
        ...


class Hands(Protocol):
    """The write half, bound to one run's permit."""

    @property
    def run(self) -> str:
        """Return the run it is bound to."""
        ...

    @property
    def interrupted(self) -> bool:
        """Return whether somebody asked the run to stop: what waits for another try should stop waiting."""
        ...

    @property
    def withdrawn(self) -> bool:
        """Return whether the run's approval was taken back since: a countdown then tells that it does not stop."""
        ...

    @property
    def look(self) -> Look:
        """Return the read half."""
        ...

    def windows(self, target: str) -> AbstractContextManager[WindowsWriter]:
        """Open a writer for one machine; closed on leaving."""
        ...

    def scripts(self, target: str) -> AbstractContextManager[WindowsScripts]:
        """Open a shell for the package's scripts on one machine; closed on leaving."""
        ...

    def directory(self) -> DirectoryWriter:
        """Return a writer for the directory, bound as the account that joins machines."""
        ...

    def accounts(self) -> AccountWriter:
        """Return a writer for people's accounts in the directory."""
        ...

    def tenant(self) -> TenantWriter:
        """Return a writer for the Microsoft 365 tenant."""
        ...

    def envelopes(self) -> EnvelopeWriter:
        """Return the hand-overs in preparation, to seal passwords into."""
        ...

    def write_letter(self, target: str, letter: MailboxLetter) -> str:
        """Write somebody's hand-over letter, without a password, where the controller keeps letters; returns its path.

        Raises:
            StorageError: it cannot be written.
        """
        ...

    def backup(self, target: str) -> AbstractContextManager[BackupWriter]:
        """Open a writer for one backup of the plan; closed on leaving."""
        ...

    def medium(self, name: str, target: str) -> MediumWriter:
        """Return a writer for one medium of the inventory, for the copy of one backup."""
        ...

    def medium_password(self, rotation: str) -> Secret:
        """Return the password of the copies of a rotation."""
        ...

    def server(self, application: str, server: str, target: str) -> AbstractContextManager[ServerWriter]:
        """Open a writer for one server of an application, under the permit for `target`; closed on leaving."""
        ...

    def database(self, application: str, target: str) -> AbstractContextManager[DatabaseWriter]:
        """Open a writer for the database of an application, under the permit for `target`; closed on leaving."""
        ...

    def announce(self, target: str, announcement: Announcement) -> None:
        """Tell the users of an application by mail; a second call for the same run, kind and moment sends nothing.

        It is on its way on return: a mail server that is down delays it.
        """
        ...

    def router(self, target: str, under: str | None = None) -> AbstractContextManager[RouterWriter]:
        """Open a writer for one router, closed on leaving.

        Args:
            under: the target whose permit covers it, where it is not the router itself.
        """
        ...

    def configurations(self, target: str) -> ConfigurationWriter:
        """Return the repository of configurations, to add to under the permit for a router."""
        ...

    def shared[T](self, name: str, make: Callable[[], T]) -> T:
        """Return what all targets of this run share under a name; made by the first that asks."""
        ...

    def keep(self, kind: str, content: bytes) -> str:
        """Keep content in the state folder under its digest, whole, and return the SHA-256; there already: left."""
        ...

    def note(self, target: str, name: str, data: Mapping[str, Json]) -> None:
        """Keep something of what was done in the run's record; see `Permit.note`."""
        ...

    def join_account(self) -> Account:
        """Return the account that may join machines to the domain."""
        ...
