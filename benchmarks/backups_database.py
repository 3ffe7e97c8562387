"""Backups of a database: `database.backup` and its full proof, and the same programs typed one after the other."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.backups_files import Takes, turned
from benchmarks.backups_house import Office, Spent, Took, act, bare, folder, made, note
from benchmarks.results import Effort, Row, Samples, paired

ORCHESTRATION: Final = 1.05
PROOF: Final = 5.0
TAKES: Final = 2
"""At most: each proof takes a minute or more."""
TABLES: Final = ("pgbench_accounts", "pgbench_branches", "pgbench_tellers")
_CONF: Final = """
listen_addresses = ''
unix_socket_directories = '{folder}'
shared_buffers = 128MB
max_wal_size = 4GB
fsync = off
"""
_MINIMAL: Final = "wal_level = minimal\nmax_wal_senders = 0\n"
_ARCHIVING: Final = """
wal_level = replica
archive_mode = on
archive_command = '{script} %p %f {folder}/archive'
"""


class Cluster:
    """A primary on a Unix socket, with page checksums, that archives its log; filled by pgbench."""

    def __init__(self, place: Path, scale: int) -> None:
        """Make, fill and start it."""
        self.folder, self.data, self.archive = place, place / "data", place / "archive"
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"))
        place.mkdir()
        shutil.chown(place, "postgres", "postgres")
        self._as_postgres("mkdir", str(self.archive))
        script = place / "archive_wal.sh"
        script.write_bytes((files("dsi_automation.connectors.backups.postgresql") / "archive_wal.sh").read_bytes())
        script.chmod(0o755)
        self._as_postgres(f"{self.bin}/initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                          "--locale=C", "--no-sync", "-k")  # fmt: skip
        # Filled without a log: nobody backs that up.
        self._start(_MINIMAL)
        self._as_postgres(f"{self.bin}/createdb", "-h", str(place), "sydam")
        self._as_postgres(f"{self.bin}/pgbench", "-i", "-q", "-s", str(scale), "-h", str(place), "sydam")
        self.close()
        self._start(_ARCHIVING.format(script=script, folder=place))
        self.size = int(self.sql("SELECT sum(pg_database_size(oid)) FROM pg_database"))

    def sql(self, text: str) -> str:
        """Ask it."""
        words = (f"{self.bin}/psql", "-XAtq", "-h", str(self.folder), "-U", "postgres", "-d", "postgres", "-c", text)
        return bare(words).strip()

    def settle(self) -> None:
        """Leave the archive empty and nothing to be written: each side begins with the same."""
        self.archived()
        self.sql("CHECKPOINT")
        for path in self.archive.iterdir():
            path.unlink()

    def archived(self) -> None:
        """Switch the log and wait until what was in it is archived."""
        name = self.sql("SELECT pg_walfile_name(pg_switch_wal())")
        while not (self.archive / name).exists():
            time.sleep(0.02)

    def close(self) -> None:
        """Stop it."""
        self._as_postgres(f"{self.bin}/pg_ctl", "-D", str(self.data), "-w", "-s", "-m", "fast", "stop")

    def _start(self, more: str) -> None:
        conf = self.data / "postgresql.auto.conf"
        conf.write_text(_CONF.format(folder=self.folder) + more)
        self._as_postgres(f"{self.bin}/pg_ctl", "-D", str(self.data), "-w", "-s", "-l", f"{self.folder}/log", "start")

    @staticmethod
    def _as_postgres(*words: str) -> None:
        bare(["runuser", "-u", "postgres", "--", *words])


@dataclass(slots=True)
class _Found:
    """Takes of everything that is compared."""

    bare: Takes = field(default_factory=Takes)
    copy: Samples = field(default_factory=Samples)
    whole: Takes = field(default_factory=Takes)
    uncounted: Samples = field(default_factory=Samples)
    act: Samples = field(default_factory=Samples)
    proof: Samples = field(default_factory=Samples)
    everything: Samples = field(default_factory=Samples)
    parts: dict[str, Samples] = field(default_factory=dict)
    proof_parts: dict[str, Samples] = field(default_factory=dict)


def measure(effort: Effort) -> Sequence[Row]:
    """Take both sides in turn; the proof is that of the set just made."""
    found = _Found()
    with folder() as home:
        cluster = Cluster(home / "cluster", effort.pgbench)
        try:
            for number in range(min(TAKES, effort.backup_takes)):
                _take(home / f"take{number}", cluster, found, number)
        finally:
            cluster.close()
        told = f"{cluster.size / 1e9:.2g} GB, PostgreSQL {cluster.bin.parent.name}"
    return _rows(found, told)


def _take(home: Path, cluster: Cluster, found: _Found, number: int) -> None:
    home.mkdir()
    home.chmod(0o755)
    with _office(home / "ours", cluster) as office:

        def ours() -> None:
            cluster.settle()
            took, run = office.run("database.backup")
            parts = made(run)["phases"]
            found.whole.add(took)
            found.uncounted.add(took.wall - parts["counts"])
            found.act.add(act(run))
            _keep(found.parts, parts)

        def theirs() -> None:
            cluster.settle()
            copied, took = _alone(home / "alone", cluster)
            found.copy.add(copied)
            found.bare.add(took)

        for work in turned((theirs, ours), number):
            work()
        took, run = office.run("backup.verify", depth="full")
        found.proof.add(took.wall)
        found.everything.add(found.whole.wall.values[-1] + took.wall)
        _keep(found.proof_parts, note(run, "backup.proof")["phases"])
    shutil.rmtree(home)


def _keep(parts: dict[str, Samples], told: Mapping[str, Any]) -> None:
    for name, seconds in told.items():
        parts.setdefault(name, Samples()).add(float(seconds))


def _alone(home: Path, cluster: Cluster) -> tuple[float, Took]:
    """Copy, check, store, as a script would; return what pg_basebackup alone took, and all of it."""
    home.mkdir()
    (home / "password").write_text("benchmark 7F3K2Q1")
    stage = home / "stage"
    environment = {
        "RESTIC_PASSWORD_FILE": f"{home}/password",
        "RESTIC_REPOSITORY": f"{home}/repository",
        "RESTIC_CACHE_DIR": f"{home}/cache",
        "PGHOST": str(cluster.folder),
        "PGUSER": "postgres",
    }
    spent = Spent()
    bare([f"{cluster.bin}/pg_basebackup", "-D", str(stage), "-Fp", "-X", "stream", "-c", "fast", "-w",
          "--manifest-checksums=SHA256", "--no-sync", "-l", "bare"], environment)  # fmt: skip
    copied = spent.took().wall
    bare([f"{cluster.bin}/pg_verifybackup", str(stage)], environment)
    bare(["restic", "init"], environment)
    bare(["restic", "backup", "--json", str(stage)], environment)
    cluster.archived()
    bare(["restic", "backup", "--json", str(cluster.archive)], environment)
    shutil.rmtree(stage)
    return copied, spent.took()


@contextmanager
def _office(home: Path, cluster: Cluster) -> Generator[Office]:
    repository = {"url": f"{home}/repository", "password": {"file": f"{home}/password"}}
    backup = {
        "kind": "postgresql",
        "server": str(cluster.folder),
        "user": "postgres",
        "bin_dir": str(cluster.bin),
        "stage_dir": f"{home}/stage",
        "wal_archive": str(cluster.archive),
        "databases": ["sydam"],
        "count_tables": {"sydam": [f"public.{table}" for table in TABLES]},
    }
    office = Office(home, f"bench-{os.getpid()}-{home.parent.name}", {"repository": repository, "backup": backup}, {})
    home.chmod(0o755)
    try:
        yield office
    finally:
        office.close()


def _rows(found: _Found, told: str) -> list[Row]:
    def spoken(parts: Mapping[str, Samples]) -> str:
        return json.dumps({name: round(median(each.values), 1) for name, each in parts.items()}).strip("{}")

    return [
        paired("database", f"wall, `run` of database.backup less its counts / the script, {told}", found.uncounted,
               found.bare.wall, limit=ORCHESTRATION),
        paired("database_whole", "wall, the same, the rows of its tables counted / the script", found.whole.wall,
               found.bare.wall),
        paired("database_cpu", "CPU, `run` of database.backup / the script", found.whole.cpu, found.bare.cpu),
        paired("proof", "wall, backup and full proof / backup into the repository (the act)", found.everything,
               found.act, limit=PROOF),
        paired("proof_script", "wall, backup and full proof / the script", found.everything, found.bare.wall),
        paired("proof_copy", "wall, backup and full proof / pg_basebackup alone", found.everything, found.copy),
        found.copy.row("copy_wall", "pg_basebackup alone, wall", "s"),
        found.bare.wall.row("script_wall", "the script: pg_basebackup, pg_verifybackup, restic three times, wall", "s"),
        found.whole.wall.row("database_wall", "`run` of database.backup, new repository, wall", "s"),
        found.act.row("act_wall", f"of which the set: {spoken(found.parts)}", "s"),
        found.proof.row("proof_wall", f"full proof: {spoken(found.proof_parts)}", "s"),
        found.bare.cpu.row("script_cpu", "the script, CPU of the controller", "s"),
        found.whole.cpu.row("database_cpu_s", "`run` of database.backup, CPU of the controller", "s"),
    ]  # fmt: skip
