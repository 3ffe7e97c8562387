"""What backup operations look through and write with, made from the inventory and the record."""

from __future__ import annotations

import hashlib
import shlex
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.composition.accounts import AccountLook
from dsi_automation.connectors.backups.settings import (
    FilesSettings,
    JobSettings,
    OracleSettings,
    PostgresSettings,
    Question,
    RepositorySettings,
)
from dsi_automation.connectors.media.port import MediumSettings
from dsi_automation.connectors.ssh.port import SshEndpoint
from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.inventory.backup_model import (
    BackupPlan,
    BackupSettings,
    FilesBackup,
    Job,
    OracleBackup,
    PostgresBackup,
)
from dsi_automation.inventory.model import SecretSource
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.operations.tools import Account

if TYPE_CHECKING:
    from dsi_automation.connectors.backups.port import BackupReader, BackupWriter
    from dsi_automation.connectors.media.port import MediumReader, MediumWriter
    from dsi_automation.connectors.ssh.port import Shell
    from dsi_automation.connectors.windows.port import WindowsEndpoint
    from dsi_automation.engine.operation import Permit
    from dsi_automation.operations.backups.catalogue import Catalogue


class BackupLook(AccountLook):
    """The read half, as far as backups are concerned; part of `InventoryLook`."""

    @property
    def backup_plan(self) -> BackupPlan:
        """Return the backup plan of the inventory."""
        with self.lock:
            return self._inventory.backup_plan

    @property
    def backup_settings(self) -> BackupSettings:
        """Return what concerns all backups."""
        with self.lock:
            return self._inventory.backup_settings

    def catalogue(self) -> Catalogue:
        """Return what there is of sets, proofs and copies, by the journal as it is now."""
        from dsi_automation.operations.backups.catalogue import read

        return read(self.records.notes())

    def medium_places(self) -> Mapping[str, str]:
        """Return where each medium is by the record of custody."""
        return self.records.medium_places()

    @contextmanager
    def backup(self, target: str) -> Iterator[BackupReader]:
        """Open a reader for one backup of the plan; closed on leaving."""
        engine = self.backup_engine(target, None)
        try:
            yield engine
        finally:
            engine.close()

    def manifest_sha256(self, target: str, file: str) -> str | None:
        """Return the SHA-256 of a manifest as the controller's disk has it now, hexadecimal; None when it is gone."""
        digest = hashlib.sha256()
        try:
            with (self._manifests(target) / file).open("rb") as manifest:
                while block := manifest.read(1 << 20):
                    digest.update(block)
        except OSError:
            return None
        return digest.hexdigest()

    def medium(self, name: str) -> MediumReader:
        """Return a reader for one medium of the inventory."""
        return self.medium_at(name, None, "")

    def job(self, name: str) -> Job:
        """Return one backup of the plan.

        Raises:
            UsageError: there is none of that name.
        """
        backups = self.backup_plan.backups
        if name not in backups:
            raise UsageError(
                T("The backup plan has no “{name}”.", name=name), on=name, next_step=did_you_mean(name, backups)
            )
        return backups[name]

    def backup_engine(self, target: str, permit: Permit | None) -> BackupWriter:
        """Return the engine of one backup; without a permit it is used to look only."""
        job = self.job(target)
        repository, common = self._repository(job), self._common(target, job)
        match job:
            case FilesBackup():
                files = FilesSettings(job.paths, job.exclude, job.one_file_system, job.restic, job.snapshot_volume)
                if self._is_windows(job.host):
                    from dsi_automation.connectors.backups.windows.opening import open_windows_files

                    machine = self.windows_endpoint(job.host)
                    return open_windows_files(common, files, machine, repository, self.clock, permit)
                from dsi_automation.connectors.backups.files.opening import open_files

                return open_files(common, files, self.shell(job.host), repository, self.clock, permit)
            case PostgresBackup():
                from dsi_automation.connectors.backups.postgresql.opening import open_postgresql

                return open_postgresql(common, self._postgres(job), repository, self.clock, permit)
            case OracleBackup():
                from dsi_automation.connectors.backups.oracle.opening import open_oracle

                return open_oracle(common, _oracle(job), self.shell(job.host), repository, self.clock, permit)
            case _:
                raise AssertionError(job)

    def medium_at(self, name: str, permit: Permit | None, target: str) -> MediumWriter:
        """Return one medium of the inventory; without a permit it is used to look only."""
        from dsi_automation.connectors.media.opening import open_medium

        media, settings = self.backup_plan.media, self.backup_settings
        if name not in media.media:
            raise UsageError(
                T("dsi_media describes no medium “{name}”.", name=name), next_step=did_you_mean(name, media.media)
            )
        described, rotation = media.media[name], media.rotation_of(name)
        place = described.mount_point
        if place is None and rotation is not None:
            place = media.rotations[rotation].mount_point
        return open_medium(
            MediumSettings(
                name=name,
                title=described.title,
                kind=described.kind,
                uuid=getattr(described, "uuid", None),
                label=getattr(described, "label", None),
                serial=getattr(described, "serial", None),
                device=getattr(described, "device", None),
                mount_point=None if place is None else Path(place),
                capacity=_bytes(getattr(described, "capacity_gib", None)),
                scratch=Path(settings.scratch_dir) / "media" / name,
                copies=1 if rotation is None else media.rotations[rotation].copies,
                rotation=rotation,
                password=None if rotation is None else lambda: self.medium_password(rotation),
                others=self._own_folders(),
                restic=settings.restic,
            ),
            target,
            self.clock,
            permit,
        )

    def _own_folders(self) -> tuple[Path, ...]:
        """Return the folders of this controller that no medium may share a disk with: state, repositories, stages."""
        read = [described.read_url or described.url for described in self.backup_plan.repositories.values()]
        stages = [job.stage_dir for job in self.backup_plan.backups.values() if isinstance(job, PostgresBackup)]
        local = [Path(url.removeprefix("local:")) for url in read if url.startswith(("/", "local:/"))]
        return (self.records.folder, Path(self.backup_settings.scratch_dir), *map(Path, stages), *local)

    def medium_password(self, rotation: str) -> Secret:
        """Return the password of the copies of a rotation."""
        return self.secret_of(self.backup_plan.media.rotations[rotation].password)

    def shell(self, host: str) -> Shell:
        """Return a machine of the inventory to run programs on, over SSH.

        Raises:
            UsageError: it is not reached over SSH.
        """
        from dsi_automation.connectors.ssh.client import SshShell

        with self.lock:
            found = self._inventory.target(host).ssh
        if found is None:
            raise UsageError(
                T("{target} is not reached over SSH.", target=host),
                on=host,
                next_step=T("Set ansible_connection: ssh for it, or choose another host."),
            )
        account = None if found.credential is None else self.account(found.credential, host)
        return SshShell(
            SshEndpoint(
                name=host,
                host=found.host,
                port=found.port,
                user=found.user if account is None else account.user,
                password=None if account is None else account.password,
                key=found.key,
                known_hosts=found.known_hosts,
                sudo=found.sudo,
                connect_timeout=found.connect_timeout,
            )
        )

    @abstractmethod
    def windows_endpoint(self, target: str) -> WindowsEndpoint:
        """Return where a Windows machine is and who logs in there."""

    @abstractmethod
    def account(self, name: str, target: str | None = None) -> Account:
        """Return an account of `dsi_credentials` with its password."""

    def secret_of(self, source: SecretSource) -> Secret:
        """Return a secret itself, at the moment it is needed."""
        with self.lock:
            return self._inventory.secret(source)

    def _is_windows(self, host: str) -> bool:
        with self.lock:
            return self._inventory.target(host).windows is not None

    def _repository(self, job: Job) -> RepositorySettings:
        described = self.backup_plan.repositories[job.repository]
        return RepositorySettings(
            name=job.repository,
            url=described.url,
            read_url=described.read_url or described.url,
            password=self.secret_of(described.password),
            sftp_command=described.sftp_command,
            ca_file=described.ca_file,
            restic=self.backup_settings.restic,
        )

    def _common(self, name: str, job: Job) -> JobSettings:
        return JobSettings(
            name=name,
            title=job.title,
            manifests=self._manifests(name),
            scratch=Path(self.backup_settings.scratch_dir) / name,
            before=None if job.before is None else tuple(shlex.split(job.before)),
            after=None if job.after is None else tuple(shlex.split(job.after)),
            bandwidth_kib=job.bandwidth_kib,
            shrink=job.shrink,
            minimum_files=job.minimum_files,
            timeout=job.timeout,
            sample=job.verification.sample,
        )

    def _manifests(self, name: str) -> Path:
        return self.records.folder / "backups" / name

    def _postgres(self, job: PostgresBackup) -> PostgresSettings:
        return PostgresSettings(
            server=job.server,
            port=job.port,
            user=job.user,
            password=None if job.password is None else self.secret_of(job.password),
            ca_file=job.ca_file,
            maintenance_database=job.maintenance_database,
            bin_dir=Path(job.bin_dir),
            work_user=job.work_user,
            stage_dir=Path(job.stage_dir),
            wal_archive=Path(job.wal_archive),
            archive_timeout=job.archive_timeout,
            databases=job.databases,
            count_tables=job.count_tables,
            questions=tuple(Question(**check.model_dump()) for check in job.checks),
            amcheck=job.amcheck,
            restore_user=job.restore_user,
            restore_password=None if job.restore_password is None else self.secret_of(job.restore_password),
        )


def _oracle(job: OracleBackup) -> OracleSettings:
    return OracleSettings(
        user=job.user,
        oracle_home=job.oracle_home,
        oracle_sid=job.oracle_sid,
        rman=job.rman,
        stage_dir=job.stage_dir,
        dbid=job.dbid,
        database=job.database,
        level=job.level,
        channels=job.channels,
        warnings=job.warnings,
        restic=job.restic,
    )


def _bytes(gib: float | None) -> int | None:
    return None if gib is None else int(gib * 2**30)
