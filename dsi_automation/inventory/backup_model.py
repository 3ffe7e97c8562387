"""The inventory's backup plan (procedures D and R): repositories, backups, what proves them, who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dsi_automation.core.text import T
from dsi_automation.inventory.model import Duration, Environment, NonEmpty, SecretSource, Strict
from dsi_automation.inventory.problems import WrongValueError

type Count = Annotated[int, Field(ge=0, le=10_000)]
type Share = Annotated[float, Field(gt=0, le=1)]
type AbsolutePath = Annotated[str, Field(pattern=r"^(/|[A-Za-z]:[\\/])")]


class Repository(Strict):
    """Where a restic repository is, as the machine that writes sees it and as the controller reads it.

    Attributes:
        url: as restic takes it on the machine that is backed up: a folder, `sftp:user@host:/path`, `rest:https://...`.
        read_url: the same repository by the controller's own way, for verification and restores: the proof does not
            go the way of the write. By default `url`.
        password: of the repository; who loses it loses every backup in it.
        sftp_command: the ssh command of the machine that writes, when `url` is sftp (`-o sftp.command=`).
        ca_file: CA of a `rest:https` server, PEM, on the machine that writes.
    """

    url: NonEmpty
    read_url: NonEmpty | None = None
    password: SecretSource
    sftp_command: NonEmpty | None = None
    ca_file: NonEmpty | None = None


class Retention(Strict):
    """How many sets are kept: the newest `last`, and the newest of so many days, weeks, months and years.

    The last verified set, every set newer than it, and a set that still has to go to a medium are kept whatever
    this says.

    Attributes:
        last: the newest sets, whatever their dates.
        daily, weekly, monthly, yearly: the newest set of each of so many of them.
    """

    last: Annotated[int, Field(ge=1)] = 3
    daily: Count = 14
    weekly: Count = 8
    monthly: Count = 12
    yearly: Count = 3


class Retry(Strict):
    """How often a backup that failed in a way that can pass is tried again, and how long is waited before.

    Attributes:
        tries: in all; 1 for no other try.
        wait: before the second try.
        factor: how many times longer each further wait is.
        longest: the longest wait.
    """

    tries: Annotated[int, Field(ge=1, le=10)] = 3
    wait: Duration = timedelta(minutes=2)
    factor: Annotated[float, Field(ge=1, le=10)] = 3
    longest: Duration = timedelta(hours=1)


class Verification(Strict):
    """How a set is proven.

    Attributes:
        sample: share of the repository's data that is read, and of the files that are brought back, each time.
        full_every: all of it is brought back when that was last done longer ago than this.
        stale_after: a backup whose last proven set is older than this raises an alarm.
    """

    sample: Share = 0.05
    full_every: Duration = timedelta(days=30)
    stale_after: Duration = timedelta(hours=50)


class Job(Strict):
    """What every backup of the plan says, whatever its kind.

    Attributes:
        title: what people call it: `Serveur de fichiers d'Abidjan`.
        environment: what it is for; approval policy depends on it.
        repository: name in `dsi_repositories`.
        retention, retry, verification: see there.
        before, after: commands on the machine, split as a shell would and run without one; `after` always runs, and
            when it fails the set stands all the same, with a warning; when `before` fails no set is made.
        bandwidth_kib: upload limit, KiB per second; None for none.
        shrink: a set with fewer files or bytes than this share of the last one is suspect, and does not pass.
        minimum_files: a set with fewer files is a failure: an empty mount point must not count.
        timeout: of the backup itself.
        media: rotation of `dsi_media` this backup is carried to; None when it is never externalised.
    """

    title: NonEmpty
    environment: Environment = Environment.PRODUCTION
    repository: NonEmpty
    retention: Retention = Retention()
    retry: Retry = Retry()
    verification: Verification = Verification()
    before: NonEmpty | None = None
    after: NonEmpty | None = None
    bandwidth_kib: Annotated[int, Field(gt=0)] | None = None
    shrink: Annotated[float, Field(ge=0, le=1)] = 0.5
    minimum_files: Annotated[int, Field(ge=0)] = 1
    timeout: Duration = timedelta(hours=6)
    media: NonEmpty | None = None


class FilesBackup(Job):
    """Files and applications of one server (procedure D).

    Attributes:
        kind: `files`.
        host: host of the inventory: over SSH, or over WinRM for a Windows server.
        paths: files and folders, absolute; one that is missing fails the backup.
        exclude: patterns, as restic's `--exclude` takes them.
        one_file_system: do not cross into other filesystems.
        restic: the program on that host.
        snapshot_volume: on Windows, read from a shadow copy (VSS).
    """

    kind: Literal["files"]
    host: NonEmpty
    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)]
    exclude: tuple[NonEmpty, ...] = ()
    one_file_system: bool = False
    restic: NonEmpty = "restic"
    snapshot_volume: bool = True


class QueryCheck(Strict):
    """A question to a restored database, and what its one value must be.

    Attributes:
        title: what it shows, for the report: `Déclarations de la veille présentes`.
        database: where it is asked.
        query: SQL that returns one value.
        minimum, equals: what the value must be; at least one of them.
        newer_than: the value is a moment, and must not be older than this at the time of the backup.
    """

    title: NonEmpty
    database: NonEmpty
    query: NonEmpty
    minimum: float | None = None
    equals: str | None = None
    newer_than: Duration | None = None

    @model_validator(mode="after")
    def _says_something(self) -> QueryCheck:
        if self.minimum is None and self.equals is None and self.newer_than is None:
            raise WrongValueError(T("say what the value must be: minimum, equals or newer_than."))
        return self


class PostgresBackup(Job):
    """A PostgreSQL cluster, with continuous archiving of its log (procedure R).

    Attributes:
        kind: `postgresql`.
        maintenance_database: where the controller connects to ask about the cluster.
        server, port, user: as the controller connects; the user has REPLICATION and may read for the checks.
        password: of that user; None for a client certificate or ~/.pgpass.
        ca_file: CA of the server's certificate, PEM: the connection is then verified; None for none.
        bin_dir: folder of PostgreSQL's programs of the same major version on the controller.
        work_user: operating-system user that runs scratch servers when the toolkit runs as root.
        stage_dir: folder of the controller for the base backup on its way; needs room for the whole cluster.
        wal_archive: folder of archived logs, as the controller sees it.
        archive_timeout: how long to wait for the log of the backup to be archived.
        databases: checked with amcheck and counted; empty for all.
        count_tables: `schema.table` counted at backup time and again when restored, within one transaction each.
        checks: questions to the restored database.
        amcheck: whether every index is held against its table.
        restore_user: a role that may put a database back in its place: a superuser, or one with CREATEDB and the rights
            of the owners of all that is in it; None when nothing is ever put back on the running server.
        restore_password: of that role; None for a client certificate or ~/.pgpass.
    """

    kind: Literal["postgresql"]
    server: NonEmpty
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    user: NonEmpty
    password: SecretSource | None = None
    ca_file: NonEmpty | None = None
    maintenance_database: NonEmpty = "postgres"
    bin_dir: AbsolutePath
    work_user: NonEmpty = "postgres"
    stage_dir: AbsolutePath
    wal_archive: AbsolutePath
    archive_timeout: Duration = timedelta(minutes=5)
    databases: tuple[NonEmpty, ...] = ()
    count_tables: dict[NonEmpty, tuple[NonEmpty, ...]] = {}  # noqa: RUF012  # pydantic copies it
    checks: tuple[QueryCheck, ...] = ()
    amcheck: bool = True
    restore_user: NonEmpty | None = None
    restore_password: SecretSource | None = None

    @model_validator(mode="after")
    def _password_of_somebody(self) -> PostgresBackup:
        if self.restore_password is not None and self.restore_user is None:
            raise WrongValueError(T("it goes with a restore_user."), "restore_password")
        return self


class OracleBackup(Job):
    """An Oracle database, with RMAN over SSH (procedure R).

    Attributes:
        kind: `oracle`.
        host: host of the inventory, over SSH.
        user: operating-system user that runs RMAN there (member of the group OSBACKUPDBA).
        oracle_home, oracle_sid: its environment.
        rman: the program, absolute or below oracle_home/bin.
        stage_dir: folder of that host for the pieces.
        dbid, database: what RMAN must say it is connected to; a backup of another database is a failure.
        level: 0 for all, 1 for the changes since the last level 0.
        channels: how many at once.
        warnings: RMAN codes that are told but fail nothing, besides the documented ones.
        restic: the program on that host, which carries the pieces to the repository.
    """

    kind: Literal["oracle"]
    host: NonEmpty
    user: NonEmpty = "oracle"
    oracle_home: AbsolutePath
    oracle_sid: NonEmpty
    rman: NonEmpty = "rman"
    stage_dir: AbsolutePath
    dbid: Annotated[int, Field(gt=0)]
    database: NonEmpty
    level: Literal[0, 1] = 0
    channels: Annotated[int, Field(ge=1, le=16)] = 1
    warnings: tuple[NonEmpty, ...] = ()
    restic: NonEmpty = "restic"


type AnyJob = Annotated[FilesBackup | PostgresBackup | OracleBackup, Field(discriminator="kind")]


class BackupSettings(Strict):
    """What concerns all backups: the content of `dsi_backup`.

    Attributes:
        scratch_dir: folder of the controller for verifications; emptied by them.
        restic: the program on the controller.
        report_to: ids in people.yml of who gets the mail of status: the CB and the CS.
        report_language: `fr` or `en`.
        courier_limit: how long a medium may be under way before it is overdue.
        orphan_after: how long leftovers of a killed run are left alone, in the scratch folder and in the repository.
    """

    scratch_dir: AbsolutePath = "/var/tmp/dsi-backup"  # noqa: S108  # the FHS's place for large scratch files
    restic: NonEmpty = "restic"
    report_to: tuple[NonEmpty, ...] = ()
    report_language: Literal["fr", "en"] = "fr"
    courier_limit: Duration = timedelta(hours=24)
    orphan_after: Duration = timedelta(hours=12)


class DiskMedium(Strict):
    """An external disk.

    Attributes:
        kind: `disk`; `folder` for a folder of this machine that stands in for one, mounted by a bind: for training
            where the system gives no loop device. It goes away with the machine, so no other environment takes it.
        title: what is written on it: `DISQUE-01`.
        uuid: UUID of its filesystem (`findmnt -o UUID`), or of its NTFS/exFAT volume; of a folder, what is written in
            its file `.dsi-uuid`.
        label: of its filesystem, when that is checked too.
        mount_point: where it is mounted when it is in; None for the rotation's.
    """

    kind: Literal["disk", "folder"]
    title: NonEmpty
    uuid: NonEmpty
    label: NonEmpty | None = None
    mount_point: AbsolutePath | None = None


class TapeMedium(Strict):
    """A tape.

    Attributes:
        kind: `tape` for tar with block checksums, `ltfs` for a mounted LTFS volume.
        title: what is written on it: `TK-0007`.
        serial: its bar code or the LTFS volume serial.
        device: the no-rewind device of the drive (`/dev/nst0`) for `tape`.
        mount_point: of the LTFS volume for `ltfs`.
        capacity_gib: what it holds.
    """

    kind: Literal["tape", "ltfs"]
    title: NonEmpty
    serial: NonEmpty
    device: AbsolutePath | None = None
    mount_point: AbsolutePath | None = None
    capacity_gib: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _reachable(self) -> TapeMedium:
        if (self.kind == "tape") != (self.device is not None) or (self.kind == "ltfs") != (
            self.mount_point is not None
        ):
            raise WrongValueError(T("a tape has a device, an LTFS volume a mount_point."))
        return self


type AnyMedium = Annotated[DiskMedium | TapeMedium, Field(discriminator="kind")]


class Rotation(Strict):
    """Media that take turns.

    Attributes:
        title: what people call it.
        media: names in `dsi_media.media`, in their order.
        password: of the copies on them: another one than the repository's.
        mount_point: where a disk of it is mounted.
        keep: how long what a medium holds must be kept before it may be written over; it may come back then.
        copies: how many sets one medium holds at most before the oldest that may go is removed.
        keepers: ids in people.yml of who may hold and store them.
        places: where they may be stored: `Coffre BNI Plateau`.
    """

    title: NonEmpty
    media: Annotated[tuple[NonEmpty, ...], Field(min_length=1)]
    password: SecretSource
    mount_point: AbsolutePath | None = None
    keep: Duration = timedelta(days=28)
    copies: Annotated[int, Field(ge=1)] = 10
    keepers: tuple[NonEmpty, ...] = ()
    places: tuple[NonEmpty, ...] = ()


class MediaSettings(Strict):
    """The content of `dsi_media`: every medium, and the rotations they belong to.

    Attributes:
        media: by the name used in the record and in commands.
        rotations: by name; a backup names one.
    """

    media: dict[NonEmpty, AnyMedium] = {}  # noqa: RUF012  # pydantic copies it
    rotations: dict[NonEmpty, Rotation] = {}  # noqa: RUF012  # pydantic copies it

    @model_validator(mode="after")
    def _consistent(self) -> MediaSettings:
        named = [name for rotation in self.rotations.values() for name in rotation.media]
        unknown = sorted(set(named) - set(self.media))
        if unknown:
            raise WrongValueError(T("rotations name media that are not described: {names}.", names=", ".join(unknown)))
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise WrongValueError(T("a medium belongs to one rotation only: {names}.", names=", ".join(twice)))
        return self

    def rotation_of(self, medium: str) -> str | None:
        """Return the rotation a medium belongs to."""
        return next((name for name, rotation in self.rotations.items() if medium in rotation.media), None)


class MailSettings(Strict):
    """The mail relay: the content of `dsi_mail`.

    Attributes:
        server, port: of the relay.
        security: `tls`, `starttls` or `none`.
        credential: name in `dsi_credentials`; None when the relay knows us by our address.
        ca_file: CA of its certificate, PEM, relative to the inventory.
        sender: our address.
        prefix: what each subject begins with.
        timeout_seconds: for one answer of the relay.
        give_up_after: how long a mail is offered before it is set aside and told about.
    """

    server: NonEmpty
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    credential: NonEmpty | None = None
    ca_file: NonEmpty | None = None
    sender: NonEmpty
    prefix: str = "[DSI]"
    timeout_seconds: Annotated[float, Field(gt=0)] = 30
    give_up_after: Duration = timedelta(days=5)


class BackupPlan(Strict):
    """The whole backup plan, its parts held against one another.

    Attributes:
        rhythm: when each backup is made by itself: `cron time_zone` of every schedule that names it.
    """

    repositories: dict[NonEmpty, Repository] = {}  # noqa: RUF012  # pydantic copies it
    backups: dict[NonEmpty, AnyJob] = {}  # noqa: RUF012  # pydantic copies it
    media: MediaSettings = MediaSettings()
    rhythm: dict[NonEmpty, tuple[NonEmpty, ...]] = {}  # noqa: RUF012  # pydantic copies it

    @model_validator(mode="after")
    def _known(self) -> BackupPlan:
        for name, job in self.backups.items():
            if job.repository not in self.repositories:
                raise WrongValueError(
                    T("{name}: dsi_repositories has no {repository}.", name=name, repository=job.repository)
                )
            if job.media is not None and job.media not in self.media.rotations:
                raise WrongValueError(T("{name}: dsi_media has no rotation {media}.", name=name, media=job.media))
            if job.media is not None and job.environment is not Environment.TRAINING and self._folders(job.media):
                raise WrongValueError(
                    T(
                        "{name}: a folder stands in for a disk in training only; {media} has one.",
                        name=name,
                        media=job.media,
                    )
                )
        return self

    def _folders(self, rotation: str) -> bool:
        return any(self.media.media[name].kind == "folder" for name in self.media.rotations[rotation].media)


def definition(name: str, plan: BackupPlan) -> dict[str, Any]:
    """Return what a standing approval of a backup binds: all the plan says of it, as JSON, without any secret.

    What is saved, where to, how it is proven, how long it is kept, on which media, and when.
    """
    job = plan.backups[name]
    repository = plan.repositories[job.repository]
    rotation = None if job.media is None else plan.media.rotations[job.media]
    media = () if rotation is None else rotation.media
    return {
        "backup": job.model_dump(mode="json"),
        "repository": repository.model_dump(mode="json"),
        "rotation": None if rotation is None else rotation.model_dump(mode="json"),
        "media": {medium: plan.media.media[medium].model_dump(mode="json") for medium in media},
        "rhythm": sorted(plan.rhythm.get(name, ())),
    }
