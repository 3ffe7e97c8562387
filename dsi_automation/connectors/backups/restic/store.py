"""What a driver of databases needs of the repository: a snapshot in, a snapshot out, nothing of how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dsi_automation.connectors.backups.port import Progress, RepositoryFacts


@dataclass(frozen=True, slots=True)
class Stored:
    """A snapshot that was made: sizes in bytes."""

    snapshot: str
    files: int
    size: int
    added: int


class Store(Protocol):
    """The repository of one backup: written by one way, read by another."""

    def facts(self) -> RepositoryFacts:
        """Look at the repository by the path of verification."""
        ...

    def initialise(self) -> str:
        """Make the repository; return its identifier."""
        ...

    def save(self, paths: Sequence[Path], tags: Sequence[str], progress: Progress) -> Stored:
        """Make a snapshot of files and folders of the controller."""
        ...

    def bring(self, snapshot: str, target: Path, progress: Progress) -> None:
        """Bring back all of a snapshot, below `target`, by the path of verification."""
        ...

    def check(self, share: float | None) -> str | None:
        """Check the repository, and read that share of its data or all; return what is wrong, None for nothing."""
        ...

    def drop(self, snapshots: Sequence[str]) -> int:
        """Remove those of these snapshots that are this backup's; return the bytes freed."""
        ...

    def forget(self, snapshots: Sequence[str]) -> int:
        """Remove these snapshots; return the bytes freed."""
        ...
