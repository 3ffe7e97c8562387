"""The operations on applications under the real engine, gate and journal, over servers and a database in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from house import HandClock, House

from dsi_automation.connectors.applications.memory import MemoryServer, MemoryServerWriter, MemoryTester
from dsi_automation.connectors.databases.memory import MemoryDatabase, MemoryDatabaseWriter
from dsi_automation.connectors.databases.port import LockedSession
from dsi_automation.core.events import Event, Silent
from dsi_automation.engine.fold import note
from dsi_automation.engine.model import Run, StandingBounds, Window
from dsi_automation.engine.operation import Permit, TargetKind
from dsi_automation.inventory.application_model import Application
from dsi_automation.journal.model import Kind
from dsi_automation.operations.applications.announcing import Announcement
from dsi_automation.operations.applications.check import ApplicationCheck
from dsi_automation.operations.applications.record import ApplicationRecord, read
from dsi_automation.operations.applications.restart import ApplicationRestart
from dsi_automation.operations.applications.start import ApplicationStart
from dsi_automation.operations.applications.stop import ApplicationStop
from dsi_automation.operations.backups.catalogue import Noted

START = datetime(2026, 11, 22, 19, 45, tzinfo=UTC)
OPERATIONS = (ApplicationStop(), ApplicationStart(), ApplicationRestart(), ApplicationCheck())
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


class MemoryLook:
    def __init__(self, office: Office) -> None:
        self._office = office
        self.workers, self.deadline = 8, 60.0

    @property
    def clock(self) -> HandClock:
        return self._office.clock

    @property
    def applications(self) -> Mapping[str, Application]:
        return {"sydam": self._office.application}

    def application_record(self) -> ApplicationRecord:
        return self._office.record()

    @contextmanager
    def server(self, application: str, server: str) -> Iterator[MemoryServerWriter]:
        yield MemoryServerWriter(self._office.servers[server], application, self.clock)

    def tester(self, application: str, server: str) -> MemoryTester:
        del application
        return MemoryTester(self._office.servers[server], self.clock)

    @contextmanager
    def database(self, application: str) -> Iterator[MemoryDatabaseWriter]:
        yield MemoryDatabaseWriter(self._office.database, application, self.clock)


class MemoryHands:
    def __init__(self, look: MemoryLook, permit: Permit, office: Office) -> None:
        self.look, self._permit, self._office = look, permit, office

    @property
    def run(self) -> str:
        return self._permit.run_id

    @property
    def interrupted(self) -> bool:
        return self._office.interrupted() or self._permit.interrupted

    @property
    def withdrawn(self) -> bool:
        return self._permit.withdrawn

    @contextmanager
    def server(self, application: str, server: str, target: str) -> Iterator[MemoryServerWriter]:
        del application
        yield MemoryServerWriter(self._office.servers[server], target, self.look.clock, self._permit)

    @contextmanager
    def database(self, application: str, target: str) -> Iterator[MemoryDatabaseWriter]:
        del application
        yield MemoryDatabaseWriter(self._office.database, target, self.look.clock, self._permit)

    def announce(self, target: str, announcement: Announcement) -> None:
        """Mail once for each run, kind and moment, as the outbox does."""
        self._office.point(f"before announce {announcement.kind}")
        key = (self.run, target, announcement.kind, announcement.stops_at)
        self._office.mails.setdefault(key, announcement)
        self._office.point(f"after announce {announcement.kind}")

    def note(self, target: str, name: str, data: Mapping[str, Any]) -> None:
        self._office.point(f"before note {name}")
        self._permit.note(target, name, data)
        self._office.point(f"after note {name}")


class SteadyClock(HandClock):
    """Its monotonic half moves with its hands; `hooks` are called after each sleep."""

    def __init__(self) -> None:
        super().__init__(START)
        self.hooks: list[Any] = []

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        for hook in self.hooks:
            hook()


class Office:
    """One application of two servers, and everything around it."""

    def __init__(self, root: Path, **described: Any) -> None:
        self.clock = SteadyClock()
        self.house = House(root, clock=self.clock)
        # Nobody renews a lease while a clock of tests jumps.
        self.house.options["lease_ttl"] = timedelta(days=2)
        rules = dict(self.house.policy["operations"]["folder.fill"])
        self.house.policy["operations"] = {operation.name: rules for operation in OPERATIONS}
        self.application = application(**described)
        self.servers = {one.name: MemoryServer(one.name, point=self.reached) for one in self.application.servers}
        self.database = MemoryDatabase(point=self.reached)
        self.mails: dict[Any, Announcement] = {}
        self.points: list[str] = []
        self.killed: list[str] = []
        self.kill_at: str | None = None
        self.events: list[Event] = []
        self.interrupted: Any = lambda: False

    def notify(self, event: Event) -> None:
        self.events.append(event)
        if "action" in event.data:
            self.point(f"{event.kind} {event.data['action']}")

    def reached(self, name: str) -> None:
        self.point(name)  # a test may put another in its place

    def point(self, name: str) -> None:
        self.points.append(name)
        if name == self.kill_at and not self.killed:
            self.killed.append(name)
            raise SystemExit(name)  # no operation catches it; the thread of the target dies with it

    def look(self) -> MemoryLook:
        return MemoryLook(self)

    def hands(self, permit: Permit) -> MemoryHands:
        return MemoryHands(self.look(), permit, self)

    def engine(self, who: str = "m.kouadio") -> Any:
        return self.house.engine(
            who,
            operations={operation.name: operation for operation in OPERATIONS},
            tools=self,
            targets={TargetKind.APPLICATION: {"sydam": "production"}},
        )

    def plan(self, operation: str = "application.restart", **inputs: Any) -> Any:
        if not inputs:
            inputs = {"why": "Lenteurs"}
        return self.engine().plan(operation, ("sydam",), inputs, Silent())

    def standing(self, operation: str = "application.restart") -> str:
        bounds = StandingBounds(date(2026, 12, 31), time(0), time(23, 59, 59), "UTC")
        plan = self.plan(operation, planned=True)
        asked = self.engine().request(plan, "Every evening", Window(), standing=bounds)
        return self.engine("y.traore").approve(asked.id, "Fine").id

    def once(self, operation: str = "application.restart", **inputs: Any) -> str:
        asked = self.engine().request(self.plan(operation, **inputs), "Today", Window())
        return self.engine("y.traore").approve(asked.id, "Fine").id

    def run(self, request_id: str) -> Run:
        self.clock.forward(seconds=1)
        return self.engine().run(request_id, self)

    def resume(self, run: Run | None = None) -> Run:
        self.clock.forward(seconds=1)
        return self.engine().resume(run.id if run else self.engine().runs()[0].id, self)

    def record(self) -> ApplicationRecord:
        told = ((entry.subject, note(entry)) for entry in self.house.journal.read(kinds=[Kind.NOTED]))
        return read(Noted(run, item.target, item.name, item.at, item.data) for run, item in told)

    def told(self) -> list[str]:
        return [str(mail.kind) for mail in self.mails.values()]

    def noted(self, name: str) -> list[Mapping[str, Any]]:
        return [one.data for one in self.record().notes if one.name == f"application.{name}"]

    def turns(self) -> dict[str, tuple[int, int]]:
        """Return how often each server was stopped and started."""
        return {name: (server.stops, server.starts) for name, server in self.servers.items()}


def kinds(plan: Any) -> list[str]:
    return [action.kind for action in plan.actions]


def left(plan: Any) -> dict[str, str]:
    return {item.kind: item.reason.render("en") for item in plan.non_actions}
