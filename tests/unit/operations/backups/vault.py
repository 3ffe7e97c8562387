"""The backup operations under the real engine, gate and journal, over an engine of backups in memory."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from workbench import Bench, BenchHands, BenchLook

from dsi_automation.connectors.backups.memory import MemoryBackup, MemoryStore
from dsi_automation.connectors.backups.port import MadeSet, StoredSet
from dsi_automation.core.events import Silent
from dsi_automation.engine.operation import Permit, TargetKind
from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings
from dsi_automation.operations.backups.catalogue import Catalogue, read
from dsi_automation.operations.backups.database import DatabaseBackup
from dsi_automation.operations.backups.restore import BackupRestore
from dsi_automation.operations.backups.server import ServerBackup
from dsi_automation.operations.backups.verify import BackupVerify

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
FILES = {"/srv/a": b"alpha", "/srv/b/c": b"gamma", "/srv/b/d": b"delta"}
MADE = MadeSet("s" * 64, "r" * 64, "restic 0.14.0", START, START, 3, 15, 15, "m" * 64, "m.jsonl.gz")


def plan_of(**changes: Any) -> BackupPlan:
    job = {
        "kind": "files",
        "title": "Serveur 1",
        "host": "srv1",
        "repository": "serveurs",
        "paths": ["/srv"],
        "retry": {"tries": 3, "wait": "2m", "factor": 3, "longest": "5m"},
        **changes,
    }
    return BackupPlan.model_validate(
        {
            "repositories": {
                name: {"url": f"/backups/{name}", "password": {"env": "SECRET"}} for name in ("serveurs", "neuf")
            },
            "backups": {"srv1": job},
        }
    )


def stored(number: int, *, job: str = "srv1", **changes: Any) -> StoredSet:
    """Return a set of tests, the number of which is in its name."""
    made = dataclasses.replace(MADE, snapshot=f"{number:064d}", details={"dsi_repository": "serveurs"}, **changes)
    return StoredSet(f"SET-20261122-0200-{number:04d}", job, f"RUN-20261122-{number:04d}", "files", made)


class MemoryLook(BenchLook["Vault"]):
    @property
    def backup_plan(self) -> BackupPlan:
        return self._bench.backup_plan

    @property
    def backup_settings(self) -> BackupSettings:
        return BackupSettings(scratch_dir="/scratch/dsi")

    def catalogue(self) -> Catalogue:
        return self._bench.catalogue()

    def manifest_sha256(self, target: str, file: str) -> str | None:
        path = self._bench.store.manifests / file
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

    @contextmanager
    def backup(self, target: str) -> Iterator[MemoryBackup]:
        yield MemoryBackup(target, self._bench.store, self.clock)


class MemoryHands(BenchHands["Vault", MemoryLook]):
    @contextmanager
    def backup(self, target: str) -> Iterator[MemoryBackup]:
        self._permit.check(target)
        yield MemoryBackup(target, self._bench.store, self.look.clock, self._permit)


class Vault(Bench):
    """One backup of a plan, and everything around it."""

    START = START
    OPERATIONS: ClassVar[tuple[Any, ...]] = (ServerBackup(), DatabaseBackup(), BackupVerify(), BackupRestore())
    KIND = TargetKind.BACKUP

    def __init__(self, root: Path, **job: Any) -> None:
        super().__init__(root)
        self.store = MemoryStore(root / "manifests", source=dict(FILES), point=self.point)
        self.backup_plan = plan_of(**job)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.backup_plan.backups)

    def look(self) -> MemoryLook:
        return MemoryLook(self)

    def hands(self, permit: Permit) -> MemoryHands:
        return MemoryHands(self.look(), permit, self)

    def plan(self, operation: str, **inputs: Any) -> Any:
        return self.engine().plan(operation, ("srv1",), inputs, Silent())

    def standing(self, operation: str, **inputs: Any) -> str:
        return self.agreed(self.plan(operation, **inputs), standing=True)

    def once(self, operation: str, **inputs: Any) -> str:
        return self.agreed(self.plan(operation, **inputs))

    def backed_up(self, times: int = 1) -> tuple[StoredSet, ...]:
        """Make sets, a day apart, and return those that are kept."""
        request = self.standing("server.backup")
        for _ in range(times):
            assert self.run(request).exit_code == 0
            self.clock.forward(hours=23)
        return self.catalogue().of("srv1")

    def catalogue(self) -> Catalogue:
        return read(self.notes())


def later(**parts: float) -> datetime:
    return START + timedelta(**parts)
