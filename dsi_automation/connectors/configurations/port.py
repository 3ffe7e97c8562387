"""The repository of configurations: one file for each router, secrets masked, every version kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Version:
    """A version of one or several configurations.

    Attributes:
        commit: its identifier, hexadecimal.
        routers: those whose configuration changed with it.
        message: why.
    """

    commit: str
    at: datetime
    routers: tuple[str, ...]
    message: str


class ConfigurationReader(Protocol):
    """The repository, to look into."""

    def latest(self, router: str) -> tuple[Version, str] | None:
        """Return the last version of a router's configuration and its text; None when there is none."""
        ...

    def history(self, router: str | None = None, *, most: int = 50) -> Sequence[Version]:
        """Return versions, newest first; of one router, or of all."""
        ...

    def difference(self, router: str, older: str, newer: str) -> str:
        """Return what changed between two versions, as a unified diff."""
        ...


class ConfigurationWriter(ConfigurationReader, Protocol):
    """The repository, to add to. Safe for several processes at once."""

    def keep(self, texts: Mapping[str, str], message: str, *, author: str) -> Version | None:
        """Keep the configurations of some routers as one version, whole or not at all.

        Args:
            texts: by router, secrets masked already.
            message: why; its first line is the title.
            author: the person or schedule it was done for.

        Returns:
            The version; None when nothing differs from what is kept.

        Raises:
            StorageError: the repository refuses: disk full, damaged, no `git`.
        """
        ...
