"""A real PostgreSQL that archives its log, to be backed up: own cluster, own port on a socket, small data."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from dsi_automation.connectors.backups.errors import DamagedBackupError
from dsi_automation.connectors.backups.port import (
    BackupWriter,
    MadeSet,
    Progress,
    RepositoryFacts,
    Snapshot,
    StoredSet,
)
from dsi_automation.connectors.backups.postgresql.client import Programs
from dsi_automation.connectors.backups.postgresql.driver import PostgresBackupEngine
from dsi_automation.connectors.backups.postgresql.opening import open_postgresql
from dsi_automation.connectors.backups.postgresql.proof import Tools
from dsi_automation.connectors.backups.postgresql.scratch import Worker
from dsi_automation.connectors.backups.restic.repository import ResticStore
from dsi_automation.connectors.backups.restic.store import Stored
from dsi_automation.connectors.backups.settings import JobSettings, PostgresSettings, RepositorySettings
from dsi_automation.connectors.ssh.local import LocalShell
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"))
ARCHIVE_SCRIPT = Path(__file__).parents[1] / "dsi_automation/connectors/backups/postgresql/archive_wal.sh"
PASSWORD = "Mot-de-Passe-De-Reprise-42"
KEY = "clef-du-depot-de-test"


def as_postgres(*command: str, stdin: str = "", check: bool = True) -> str:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *command], input=stdin, capture_output=True, text=True, cwd="/", check=False, timeout=120
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Permit:
    """Lets everything through, and remembers it was asked."""

    run_id = "RUN-TEST"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def check(self, target: str) -> None:
        self.asked.append(target)


@dataclass
class Cluster:
    """A primary: its data, its archive, and SQL as its superuser."""

    folder: Path
    port: int = 5432
    data: Path = field(init=False)
    archive: Path = field(init=False)

    def __post_init__(self) -> None:
        self.data, self.archive = self.folder / "data", self.folder / "archive"

    def sql(self, text: str, database: str = "sydam") -> str:
        return as_postgres(
            str(BIN / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port),
            "-d", database, stdin=text,
        ).strip()  # fmt: skip

    def start(self) -> None:
        as_postgres(str(BIN / "pg_ctl"), "-D", str(self.data), "-w", "-s", "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        as_postgres(str(BIN / "pg_ctl"), "-D", str(self.data), "-w", "-s", "-m", mode, "stop", check=False)

    def checksum(self, database: str = "sydam") -> str:
        """Return a hash of all rows of the business, in order."""
        return self.sql(CHECKSUM, database)

    def now(self) -> datetime:
        return datetime.fromisoformat(self.sql("SELECT clock_timestamp() AT TIME ZONE 'UTC'")).replace(tzinfo=UTC)


CHECKSUM = "SELECT md5(string_agg(t::text, ',' ORDER BY t.id)) FROM declaration t"
_CONF = """
listen_addresses = ''
unix_socket_directories = '{folder}'
shared_buffers = 16MB
max_connections = 30
fsync = off
wal_level = replica
max_wal_senders = 6
min_wal_size = 8MB
max_wal_size = 64MB
archive_mode = on
archive_command = 'test ! -e {folder}/archiving-fails && {script} %p %f {archive}'
"""
_HBA = """
local all postgres trust
local all dsi_backup,dsi_restore,faible scram-sha-256
local replication dsi_backup scram-sha-256
"""


@contextlib.contextmanager
def new_cluster(template: Path | None = None) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="dsi-pgb-", dir="/tmp"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    cluster = Cluster(folder)
    as_postgres("mkdir", str(cluster.archive))
    script = folder / "archive_wal.sh"
    shutil.copy(ARCHIVE_SCRIPT, script)
    script.chmod(0o755)
    if template is None:
        as_postgres(
            str(BIN / "initdb"), "-D", str(cluster.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C", "--no-sync", "-k", "--wal-segsize=1",
        )  # fmt: skip
    else:
        as_postgres("cp", "-a", str(template), str(cluster.data))
    conf = _CONF.format(folder=folder, script=script, archive=cluster.archive)
    as_postgres("tee", str(cluster.data / "postgresql.auto.conf"), stdin=conf)
    as_postgres("tee", str(cluster.data / "pg_hba.conf"), stdin=_HBA)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def fill(cluster: Cluster) -> None:
    cluster.sql("CREATE DATABASE sydam", "postgres")
    cluster.sql(
        f"CREATE ROLE dsi_backup LOGIN REPLICATION PASSWORD '{PASSWORD}' IN ROLE pg_monitor, pg_read_all_data;"
        "GRANT EXECUTE ON FUNCTION pg_switch_wal() TO dsi_backup;"
        f"CREATE ROLE dsi_restore LOGIN SUPERUSER PASSWORD '{PASSWORD}';",
        "postgres",
    )
    cluster.sql(
        "CREATE TABLE declaration (id int PRIMARY KEY, bureau text, montant numeric, quand timestamptz DEFAULT now());"
        "INSERT INTO declaration (id, bureau, montant)"
        " SELECT i, 'ABJ' || i % 7, i * 100 FROM generate_series(1, 5000) i;"
        "CREATE INDEX ON declaration (bureau, montant);"
    )


class FolderStore:
    """A repository that is a folder of copies: for faults that are not restic's, at a tenth of the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def initialise(self) -> str:
        self.folder.mkdir(exist_ok=True)
        return "folder"

    identity = initialise

    def facts(self) -> RepositoryFacts:
        found = []
        for path in self.folder.glob("*.json"):
            tags = tuple(json.loads(path.read_text()))
            found.append(Snapshot(path.stem, datetime.now(UTC), "test", tags, ()))
        return RepositoryFacts(exists=True, id="folder", snapshots=tuple(found))

    def save(self, paths: Sequence[Path], tags: Sequence[str], progress: Progress) -> Stored:
        progress(T("Writing to the repository."), None, None)
        name = secrets.token_hex(32)
        for path in paths:
            to = self.folder / name / str(path).lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", str(path), str(to)], check=True, timeout=60)
        (self.folder / f"{name}.json").write_text(json.dumps(list(tags)))
        return Stored(name, 1, 1, 1)

    def bring(self, snapshot: str, target: Path, _progress: Progress) -> None:
        target.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["cp", "-a", f"{self.folder / snapshot}/.", str(target)], check=False, timeout=60)
        if done.returncode != 0:
            raise DamagedBackupError(T("{folder} cannot be written: {reason}.", folder=target, reason="cp"))

    def check(self, _share: float | None) -> str | None:
        return None

    def drop(self, snapshots: Sequence[str]) -> int:
        return self.forget(snapshots)

    def forget(self, snapshots: Sequence[str]) -> int:
        for name in snapshots:
            shutil.rmtree(self.folder / name)
            (self.folder / f"{name}.json").unlink()
        return 0


@dataclass
class Backups:
    """One backup of the plan on a cluster, and the sets that were made of it."""

    cluster: Cluster
    root: Path
    permit: Permit = field(default_factory=Permit)
    restic: bool = False

    def settings(self, **changes: object) -> PostgresSettings:
        values: dict[str, object] = {
            "server": str(self.cluster.folder), "port": self.cluster.port, "user": "dsi_backup",
            "password": Secret(PASSWORD), "ca_file": None, "maintenance_database": "postgres", "bin_dir": BIN,
            "work_user": "postgres", "stage_dir": self.root / "stage", "wal_archive": self.cluster.archive,
            "archive_timeout": timedelta(minutes=3), "count_tables": {"sydam": ("public.declaration",)},
        }  # fmt: skip
        return PostgresSettings(**(values | changes))  # type: ignore[arg-type]

    def common(self, **changes: object) -> JobSettings:
        values: dict[str, object] = {
            "name": "sydam", "title": "SYDAM", "manifests": self.root / "manifests", "scratch": self.root / "scratch",
            "timeout": timedelta(minutes=3), "sample": 0.5,
        }  # fmt: skip
        return JobSettings(**(values | changes))  # type: ignore[arg-type]

    def repository(self, password: str = KEY) -> RepositorySettings:
        place = str(self.root / "repository")
        return RepositorySettings("bases", place, place, Secret(password))

    def engine(self, *, key: str = KEY, common: dict[str, object] | None = None, **changes: object) -> BackupWriter:
        jobs, settings, clock = self.common(**(common or {})), self.settings(**changes), SystemClock()
        if self.restic:
            return open_postgresql(jobs, settings, self.repository(key), clock, self.permit)
        shell, store = LocalShell(), FolderStore(self.root / "repository")
        programs = Programs(shell, settings, jobs.timeout.total_seconds())
        tools = Tools(jobs, settings, programs, Worker(shell, settings.work_user), store, clock)
        return PostgresBackupEngine(tools, cast("ResticStore", store), shell, self.permit)

    def make(self, previous: StoredSet | None = None, **changes: object) -> StoredSet:
        engine = self.engine(**changes)  # type: ignore[arg-type]
        engine.initialise()
        return self.stored(engine.back_up(f"RUN-{secrets.token_hex(4)}", previous, silent))

    @staticmethod
    def stored(made: MadeSet) -> StoredSet:
        return StoredSet(f"SET-{secrets.token_hex(3)}", "sydam", "RUN-TEST", "postgresql", made)

    def leftovers(self) -> list[str]:
        """Return what is in the stage and the scratch folder besides their locks."""
        found = [*(self.root / "stage").glob("sydam/*"), *(self.root / "scratch").glob("*")]
        return [path.name for path in found if path.name != ".lock"]


def silent(_said: object, _done: int | None, _total: int | None) -> None:
    pass


@pytest.fixture(scope="session")
def filled_cluster() -> Iterator[Path]:
    """Return a stopped data folder with SYDAM-like rows in it: copied, never started again."""
    with new_cluster() as cluster:
        fill(cluster)
        cluster.stop()
        yield cluster.data


@pytest.fixture(scope="module")
def cluster(filled_cluster: Path) -> Iterator[Cluster]:
    """Return a running primary, shared by the tests of a module."""
    with new_cluster(filled_cluster) as made:
        yield made


@pytest.fixture
def own_cluster(filled_cluster: Path) -> Iterator[Cluster]:
    """Return a running primary that a test may spoil."""
    with new_cluster(filled_cluster) as made:
        yield made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return an empty folder that everybody may pass through: scratch servers run as another user."""
    folder = Path(tempfile.mkdtemp(prefix="dsi-pgt-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def backups(cluster: Cluster, open_folder: Path, put_repository: Callable[[Path, str], Path]) -> Backups:
    """Return a backup of the module's cluster, with nothing made yet, in a restic repository."""
    put_repository(open_folder / "repository", KEY)
    return Backups(cluster, open_folder, restic=True)


@pytest.fixture
def own_backups(own_cluster: Cluster, open_folder: Path) -> Backups:
    """Return a backup of a cluster that the test may spoil."""
    return Backups(own_cluster, open_folder)


@pytest.fixture
def restored_sql() -> Iterator[Callable[[Path, str, str], str]]:
    """Return a function that starts a restored cluster as its README says, asks it, and stops it."""
    folder = Path(tempfile.mkdtemp(prefix="dsi-pgr-", dir="/tmp"))
    folder.chmod(0o777)

    def ask(data: Path, text: str, database: str = "sydam") -> str:
        options = f"-p 5433 -c listen_addresses='' -k {folder}"
        ctl = (str(BIN / "pg_ctl"), "-D", str(data), "-w", "-s")
        as_postgres(*ctl, "-l", str(folder / "log"), "-o", options, "start")
        try:
            return as_postgres(
                str(BIN / "psql"), "-XAtq", "-h", str(folder), "-p", "5433", "-d", database, stdin=text
            ).strip()
        finally:
            as_postgres(*ctl, "-m", "fast", "stop")

    yield ask
    shutil.rmtree(folder, ignore_errors=True)
