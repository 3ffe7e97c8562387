"""What is told to restic and what it answers, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dsi_automation.core.secrets import Secret


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, as one machine sees it.

    Attributes:
        url: as restic takes it.
        cache: folder of its cache there; None for no cache: what is read is then read from the repository.
        user: who runs it there; None for who logs in.
        upload_kib: limit of the upload, KiB per second.
    """

    url: str
    password: Secret
    program: str = "restic"
    sftp_command: str | None = None
    ca_file: str | None = None
    cache: str | None = None
    user: str | None = None
    upload_kib: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A snapshot to make: of what, and how it is marked.

    Attributes:
        host: what it says it was made on; None for the machine's own name.
        shadow: read from a shadow copy (Windows).
        timeout: seconds.
    """

    paths: tuple[str, ...]
    tags: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    one_file_system: bool = False
    host: str | None = None
    shadow: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What restic says of a snapshot it made.

    Attributes:
        snapshot: its whole identifier.
        repository: the repository's identifier.
        size, added: bytes read at the source, and bytes the repository grew by.
    """

    snapshot: str
    repository: str
    files: int
    size: int
    added: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A snapshot of a repository.

    Attributes:
        tree: identifier of its content: two snapshots with the same tree hold the same bytes, names and attributes.
        original: the snapshot it was copied from, in the other repository; None when it was made here.
    """

    id: str
    at: datetime
    host: str
    tags: tuple[str, ...]
    paths: tuple[str, ...]
    tree: str
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A file, folder or other entry of a snapshot."""

    path: str
    kind: str
    size: int
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Checked:
    """How `restic check` ended; `complaint` are its own words."""

    ok: bool
    complaint: str


@dataclass(frozen=True, slots=True)
class Lock:
    """Who holds the repository, as the lock says."""

    id: str
    at: datetime
    host: str
    pid: int
    exclusive: bool
