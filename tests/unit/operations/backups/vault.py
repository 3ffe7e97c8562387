"""The backup operations under the real engine, gate and journal, over an engine of backups in memory."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from house import HandClock, House

from dsi_automation.connectors.backups.memory import MemoryBackup, MemoryStore
from dsi_automation.connectors.backups.port import MadeSet, StoredSet
from dsi_automation.core.events import Event, Silent
from dsi_automation.engine.fold import note
from dsi_automation.engine.model import Run, StandingBounds, Window
from dsi_automation.engine.operation import Permit, TargetKind
from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings
from dsi_automation.journal.model import Kind
from dsi_automation.operations.backups.catalogue import Catalogue, Noted, read
from dsi_automation.operations.backups.database import DatabaseBackup
from dsi_automation.operations.backups.restore import BackupRestore
from dsi_automation.operations.backups.server import ServerBackup
from dsi_automation.operations.backups.verify import BackupVerify

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
OPERATIONS = (ServerBackup(), DatabaseBackup(), BackupVerify(), BackupRestore())
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


class MemoryLook:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.workers, self.deadline = 4, 60.0

    @property
    def clock(self) -> HandClock:
        return self._vault.clock

    @property
    def backup_plan(self) -> BackupPlan:
        return self._vault.backup_plan

    @property
    def backup_settings(self) -> BackupSettings:
        return BackupSettings(scratch_dir="/scratch/dsi")

    def catalogue(self) -> Catalogue:
        return self._vault.catalogue()

    def manifest_sha256(self, target: str, file: str) -> str | None:
        path = self._vault.store.manifests / file
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None

    @contextmanager
    def backup(self, target: str) -> Iterator[MemoryBackup]:
        yield MemoryBackup(target, self._vault.store, self.clock)


class MemoryHands:
    def __init__(self, look: MemoryLook, permit: Permit, vault: Vault) -> None:
        self.look, self._permit, self._vault = look, permit, vault

    @property
    def run(self) -> str:
        return self._permit.run_id

    @property
    def interrupted(self) -> bool:
        return self._vault.interrupted or self._permit.interrupted

    @contextmanager
    def backup(self, target: str) -> Iterator[MemoryBackup]:
        self._permit.check(target)
        yield MemoryBackup(target, self._vault.store, self.look.clock, self._permit)

    def note(self, target: str, name: str, data: Mapping[str, Any]) -> None:
        self._vault.store.point(f"before note {name}")
        self._permit.note(target, name, data)
        self._vault.store.point(f"after note {name}")


class SlowClock(HandClock):
    """Its monotonic half moves with its hands."""

    def __init__(self) -> None:
        super().__init__(START)
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


class Vault:
    """One backup of a plan, and everything around it."""

    def __init__(self, root: Path, **job: Any) -> None:
        self.clock = SlowClock()
        self.house = House(root, clock=self.clock)
        # Nobody renews a lease while a clock of tests jumps.
        self.house.options["lease_ttl"] = timedelta(days=2)
        rules = dict(self.house.policy["operations"]["folder.fill"])
        self.house.policy["operations"] = {operation.name: rules for operation in OPERATIONS}
        self.store = MemoryStore(root / "manifests", source=dict(FILES))
        self.backup_plan = plan_of(**job)
        self.interrupted = False
        self.events: list[Event] = []

    def notify(self, event: Event) -> None:
        self.events.append(event)

    def look(self) -> MemoryLook:
        return MemoryLook(self)

    def hands(self, permit: Permit) -> MemoryHands:
        return MemoryHands(self.look(), permit, self)

    def engine(self, who: str = "m.kouadio") -> Any:
        return self.house.engine(
            who,
            operations={operation.name: operation for operation in OPERATIONS},
            tools=self,
            targets={TargetKind.BACKUP: dict.fromkeys(self.backup_plan.backups, "production")},
        )

    def plan(self, operation: str, **inputs: Any) -> Any:
        return self.engine().plan(operation, ("srv1",), inputs, Silent())

    def standing(self, operation: str, **inputs: Any) -> str:
        bounds = StandingBounds(date(2026, 12, 31), time(0), time(23, 59, 59), "UTC")
        asked = self.engine().request(self.plan(operation, **inputs), "Nightly", Window(), standing=bounds)
        return self.engine("y.traore").approve(asked.id, "Fine").id

    def once(self, operation: str, **inputs: Any) -> str:
        asked = self.engine().request(self.plan(operation, **inputs), "Today", Window())
        return self.engine("y.traore").approve(asked.id, "Fine").id

    def run(self, request_id: str) -> Run:
        self.clock.forward(seconds=1)
        return self.engine().run(request_id, self)

    def backed_up(self, times: int = 1) -> tuple[StoredSet, ...]:
        """Make sets, a day apart, and return those that are kept."""
        request = self.standing("server.backup")
        for _ in range(times):
            assert self.run(request).exit_code == 0
            self.clock.forward(hours=23)
        return self.catalogue().of("srv1")

    def catalogue(self) -> Catalogue:
        told = ((entry.subject, note(entry)) for entry in self.house.journal.read(kinds=[Kind.NOTED]))
        return read(Noted(run, item.target, item.name, item.at, item.data) for run, item in told)


def later(**parts: float) -> datetime:
    return START + timedelta(**parts)
