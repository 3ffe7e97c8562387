"""What the engines are told: plain values, made by the composition from the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from dsi_automation.core.secrets import Secret


class WritePermit(Protocol):
    """What every write asks first."""

    @property
    def run_id(self) -> str:
        """Return the run it was given to."""
        ...

    def check(self, target: str) -> None:
        """Make sure that the run may still write to `target`."""
        ...


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """A restic repository.

    Attributes:
        name: its name in the inventory.
        url: as the machine that writes sees it; `read_url` as the controller reads it: another path than the write.
        sftp_command, ca_file: for the machine that writes.
        restic: the program on the controller.
    """

    name: str
    url: str
    read_url: str
    password: Secret
    sftp_command: str | None = None
    ca_file: str | None = None
    restic: str = "restic"


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What every engine is told of the backup it works for.

    Attributes:
        name: the backup's name in the plan: the target of the run.
        manifests: folder of the controller where the manifests of this backup are kept.
        scratch: folder of the controller for verifications of this backup: nobody else's.
        before, after: hooks on the machine, words as a shell would split them; None for none.
        bandwidth_kib: upload limit, KiB per second.
        shrink: a set with fewer files or bytes than this share of the last one fails.
        minimum_files: a set with fewer files fails.
        timeout: of the backup.
        sample: share of the data read, and of the files brought back, by a sample verification.
    """

    name: str
    title: str
    manifests: Path
    scratch: Path
    before: tuple[str, ...] | None = None
    after: tuple[str, ...] | None = None
    bandwidth_kib: int | None = None
    shrink: float = 0.5
    minimum_files: int = 1
    timeout: timedelta = timedelta(hours=6)
    sample: float = 0.05


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Files of one server; `restic` is the program there."""

    paths: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    one_file_system: bool = False
    restic: str = "restic"
    snapshot_volume: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a restored database, and what its one value must be; see `QueryCheck` of the inventory."""

    title: str
    database: str
    query: str
    minimum: float | None = None
    equals: str | None = None
    newer_than: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PostgresSettings:
    """A PostgreSQL cluster; every field as `PostgresBackup` of the inventory describes it."""

    server: str
    port: int
    user: str
    password: Secret | None
    ca_file: str | None
    maintenance_database: str
    bin_dir: Path
    work_user: str
    stage_dir: Path
    wal_archive: Path
    archive_timeout: timedelta = timedelta(minutes=5)
    databases: tuple[str, ...] = ()
    count_tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    amcheck: bool = True
    restore_user: str | None = None
    restore_password: Secret | None = None


@dataclass(frozen=True, slots=True)
class OracleSettings:
    """An Oracle database; every field as `OracleBackup` of the inventory describes it."""

    user: str
    oracle_home: str
    oracle_sid: str
    rman: str
    stage_dir: str
    dbid: int
    database: str
    level: int = 0
    channels: int = 1
    warnings: tuple[str, ...] = ()
    restic: str = "restic"
