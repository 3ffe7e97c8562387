"""The operations on applications under the real engine, gate and journal, over servers and a database in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from workbench import Bench, BenchHands, BenchLook

from dsi_automation.connectors.applications.memory import MemoryServer, MemoryServerWriter, MemoryTester
from dsi_automation.connectors.databases.memory import MemoryDatabase, MemoryDatabaseWriter
from dsi_automation.connectors.databases.port import LockedSession
from dsi_automation.core.events import Silent
from dsi_automation.engine.operation import Permit, TargetKind
from dsi_automation.inventory.application_model import Application
from dsi_automation.operations.applications.announcing import Announcement
from dsi_automation.operations.applications.check import ApplicationCheck
from dsi_automation.operations.applications.record import ApplicationRecord, read
from dsi_automation.operations.applications.restart import ApplicationRestart
from dsi_automation.operations.applications.start import ApplicationStart
from dsi_automation.operations.applications.stop import ApplicationStop

START = datetime(2026, 11, 22, 19, 45, tzinfo=UTC)
STEP = {"path": "/sydam", "expect": "SYDAM"}
SCRIPT = {"kind": "script", "start": "bin/sydam start", "stop": "bin/sydam stop", "status": "bin/sydam status"}


def application(**changes: Any) -> Application:
    server = {"service": SCRIPT, "port": 8080, "caches": ["/srv/cache"], "log": "/srv/log"}
    described = {
        "title": "SYDAM World",
        "servers": [{"name": name, "host": name, **server} for name in ("app1", "app2")],
        "database": {"server": "db1", "database": "sydam", "user": "dsi"},
        "connection_test": {"credential": "test", **dict.fromkeys(("page", "login", "query", "logout"), STEP)},
        "notice": {
            "users": ["agents@douanes.example"],
            "message": {"show": "INSERT :text, :until", "clear": "DELETE"},
        },
        **changes,
    }
    return Application.model_validate(described)


def session(pid: int = 7, *, idle: float = 600, **changes: Any) -> LockedSession:
    """Return a session that has held locks for an hour."""
    facts = {
        "pid": pid,
        "began_at": START - timedelta(hours=2),
        "user": "kone",
        "client": "198.18.0.90",
        "program": "psql",
        "working": False,
        "objects": ("public.declaration",),
        "since": START - timedelta(seconds=idle),
        "transaction_since": START - timedelta(hours=1),
        "waiting": 2,
        "own": False,
        **changes,
    }
    return LockedSession(**facts)


class MemoryLook(BenchLook["Office"]):
    @property
    def applications(self) -> Mapping[str, Application]:
        return {"sydam": self._bench.application}

    def application_record(self) -> ApplicationRecord:
        return self._bench.record()

    @contextmanager
    def server(self, application: str, server: str) -> Iterator[MemoryServerWriter]:
        yield MemoryServerWriter(self._bench.servers[server], application, self.clock)

    def tester(self, application: str, server: str) -> MemoryTester:
        del application
        return MemoryTester(self._bench.servers[server], self.clock)

    @contextmanager
    def database(self, application: str) -> Iterator[MemoryDatabaseWriter]:
        yield MemoryDatabaseWriter(self._bench.database, application, self.clock)


class MemoryHands(BenchHands["Office", MemoryLook]):
    @contextmanager
    def server(self, application: str, server: str, target: str) -> Iterator[MemoryServerWriter]:
        del application
        yield MemoryServerWriter(self._bench.servers[server], target, self.look.clock, self._permit)

    @contextmanager
    def database(self, application: str, target: str) -> Iterator[MemoryDatabaseWriter]:
        del application
        yield MemoryDatabaseWriter(self._bench.database, target, self.look.clock, self._permit)

    def announce(self, target: str, announcement: Announcement) -> None:
        """Mail once for each run, kind and moment, as the outbox does."""
        self._bench.point(f"before announce {announcement.kind}")
        key = (self.run, target, announcement.kind, announcement.stops_at)
        self._bench.mails.setdefault(key, announcement)
        self._bench.point(f"after announce {announcement.kind}")


class Office(Bench):
    """One application of two servers, and everything around it."""

    START = START
    OPERATIONS: ClassVar[tuple[Any, ...]] = (
        ApplicationStop(),
        ApplicationStart(),
        ApplicationRestart(),
        ApplicationCheck(),
    )
    KIND = TargetKind.APPLICATION

    def __init__(self, root: Path, **described: Any) -> None:
        super().__init__(root)
        self.application = application(**described)
        self.servers = {one.name: MemoryServer(one.name, point=self.reached) for one in self.application.servers}
        self.database = MemoryDatabase(point=self.reached)
        self.mails: dict[Any, Announcement] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return ("sydam",)

    def reached(self, name: str) -> None:
        self.point(name)  # a test may put another in its place

    def look(self) -> MemoryLook:
        return MemoryLook(self)

    def hands(self, permit: Permit) -> MemoryHands:
        return MemoryHands(self.look(), permit, self)

    def plan(self, operation: str = "application.restart", **inputs: Any) -> Any:
        if not inputs:
            inputs = {"why": "Lenteurs"}
        return self.engine().plan(operation, ("sydam",), inputs, Silent())

    def standing(self, operation: str = "application.restart") -> str:
        return self.agreed(self.plan(operation, planned=True), standing=True)

    def once(self, operation: str = "application.restart", **inputs: Any) -> str:
        return self.agreed(self.plan(operation, **inputs))

    def record(self) -> ApplicationRecord:
        return read(self.notes())

    def told(self) -> list[str]:
        return [str(mail.kind) for mail in self.mails.values()]

    def noted(self, name: str) -> list[Mapping[str, Any]]:
        return super().noted(f"application.{name}")

    def turns(self) -> dict[str, tuple[int, int]]:
        """Return how often each server was stopped and started."""
        return {name: (server.stops, server.starts) for name, server in self.servers.items()}


def kinds(plan: Any) -> list[str]:
    return [action.kind for action in plan.actions]


def left(plan: Any) -> dict[str, str]:
    return {item.kind: item.reason.render("en") for item in plan.non_actions}
