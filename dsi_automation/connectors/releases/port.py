"""A release of sources, as it is integrated (procedure Q): what it holds, who signed it.

A release unpacks to one folder. At its root, `release.yml` says what it is:

    version: 1.4.0
    title: Circuits de contrôle, tarif 2026
    scripts:                      # in order; none for a release without any
      - file: sql/010_circuits.sql
        undo: sql/010_circuits.undo.sql
      - file: sql/020_tarif.sql   # without undo: a person must put it back, from the backup

A script holds no BEGIN, COMMIT or anything else that ends a transaction: each is run in one, together with the line
that records it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Script:
    """One database script of a release; digests are SHA-256, hexadecimal.

    Attributes:
        file, undo: paths within the release; `undo` is None where nothing takes it back.
    """

    file: str
    sha256: str
    undo: str | None
    undo_sha256: str | None


@dataclass(frozen=True, slots=True)
class Release:
    """One release whose checksum and signature hold.

    Attributes:
        name: its version: `1.4.0`.
        archive: on the controller, `.tar.gz` of what is deployed.
        sha256: of the archive.
        signer: who signed it, by the file of allowed signers.
        origin: where it comes from: the archive's name, or the tag and its commit.
    """

    name: str
    title: str
    archive: Path
    sha256: str
    signer: str
    origin: str
    scripts: tuple[Script, ...]


class ReleaseStore(Protocol):
    """Where the releases of one line of sources are. Read-only."""

    def names(self) -> tuple[str, ...]:
        """Return the releases there are, oldest version first; their content is not looked at."""
        ...

    def release(self, name: str) -> Release:
        """Return one release, after its checksum and its signature were checked.

        Raises:
            ReleaseError: there is none, its checksum or signature does not hold, its signer is not allowed, or its
                `release.yml` is not right (connectors.applications.errors).
        """
        ...

    def text(self, release: Release, file: str) -> str:
        """Return a script of a release, from the archive whose checksum held."""
        ...
