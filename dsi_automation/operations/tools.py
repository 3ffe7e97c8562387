"""The two halves of the connectors as operations meet them: `Look` reads, `Hands` writes under a permit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from dsi_automation.connectors.directory.port import DirectoryReader, DirectoryWriter
from dsi_automation.connectors.windows.port import WindowsReader, WindowsScripts, WindowsWriter
from dsi_automation.core.clock import Clock
from dsi_automation.core.secrets import Secret
from dsi_automation.inventory.model import DirectorySettings, Site, WorkstationPolicy


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


class Hands(Protocol):
    """The write half, bound to one run's permit."""

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

    def join_account(self) -> Account:
        """Return the account that may join machines to the domain."""
        ...
