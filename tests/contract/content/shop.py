"""What is in an application, its tariff and its logins, under the real engine, gate and journal, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from house import House

from dsi_automation.composition import kept
from dsi_automation.composition.envelopes import FileEnvelopes
from dsi_automation.connectors.databases.port import DatabaseSettings
from dsi_automation.connectors.databases.postgresql import PostgresDatabase, open_postgresql
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.events import Event, Silent
from dsi_automation.engine.fold import note
from dsi_automation.engine.model import Run, Window
from dsi_automation.engine.operation import Permit, TargetKind
from dsi_automation.inventory.application_model import Application
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.journal.model import Kind
from dsi_automation.operations.applications.account import ApplicationAccount
from dsi_automation.operations.applications.record import ApplicationRecord, read
from dsi_automation.operations.applications.rules import RulesUpdate
from dsi_automation.operations.backups.catalogue import Noted

OPERATIONS = (RulesUpdate(), ApplicationAccount())
STEP = {"path": "/", "expect": "x"}
LOGIN = "kone.a@sydam"
DOCUMENTS = {"lettre": "12", "fiche": "13", "affectation": "14", "identite": "15"}
COLUMNS = {
    "code": {},
    "label": {"required": False},
    "rate": {"type": "decimal"},
    "rank": {"type": "integer", "required": False},
    "since": {"type": "date"},
    "active": {"type": "boolean"},
}
SCHEMA = """
DROP SCHEMA IF EXISTS sydam CASCADE;
CREATE SCHEMA sydam;
CREATE TABLE sydam.tarif (code varchar(20) PRIMARY KEY, label text, rate numeric(7,3) NOT NULL, rank integer,
                          since date NOT NULL, active boolean NOT NULL);
INSERT INTO sydam.tarif VALUES ('0101.21', 'Chevaux', 5, 1, '2026-01-01', true),
                               ('0102.29', NULL, 7.50, NULL, '2026-01-01', false),
                               ('0103.10', 'Porcins', 10, 3, '2026-01-01', true);
CREATE TABLE sydam.users (login text PRIMARY KEY, name text NOT NULL, profile text NOT NULL, office text,
                          password text NOT NULL, active boolean NOT NULL, must_change boolean NOT NULL,
                          changed_at timestamptz NOT NULL);
"""
STORE = {
    "kind": "sql",
    "iterations": 10_000,
    "find": "SELECT login, name, profile, office, active, must_change FROM sydam.users WHERE login = :login",
    "create": "INSERT INTO sydam.users VALUES (:login, :name, :profile, :office, :password, true, true, :now)",
    "change": "UPDATE sydam.users SET name = :name, profile = :profile, office = :office, password = :password, "
    "active = true, must_change = true, changed_at = :now WHERE login = :login",
    "disable": "UPDATE sydam.users SET active = false, changed_at = :now WHERE login = :login",
}


class Killed(BaseException):
    """The work ends here, and the run stays open, as when its process dies."""


class ShopLook:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.workers, self.deadline, self.clock = 2, 30.0, shop.house.clock

    @property
    def applications(self) -> Mapping[str, Application]:
        return {"sydam": self._shop.application}

    @property
    def rule_sets(self) -> Mapping[str, RuleSet]:
        return {"tarif": self._shop.rule}

    def application_record(self) -> ApplicationRecord:
        told = ((entry.subject, note(entry)) for entry in self._shop.house.journal.read(kinds=[Kind.NOTED]))
        return read(Noted(run, item.target, item.name, item.at, item.data) for run, item in told)

    @contextmanager
    def database(self, application: str) -> Iterator[PostgresDatabase]:
        with open_postgresql(self._shop.settings, SystemClock(), None, application) as opened:
            yield opened

    def kept(self, kind: str, sha256: str) -> bytes | None:
        return kept.read(self._shop.folder / kind, sha256)

    def envelopes(self) -> FileEnvelopes:
        return self._shop.envelopes


class ShopHands:
    def __init__(self, shop: Shop, permit: Permit) -> None:
        self.look, self._permit, self._shop = shop.look(), permit, shop

    @property
    def run(self) -> str:
        return self._permit.run_id

    @property
    def interrupted(self) -> bool:
        return self._permit.interrupted

    @contextmanager
    def database(self, application: str, target: str) -> Iterator[PostgresDatabase]:
        self._permit.check(target)
        with open_postgresql(self._shop.settings, SystemClock(), self._permit, target) as opened:
            yield opened
        self._shop.point("committed")

    def envelopes(self) -> FileEnvelopes:
        self._shop.point("envelopes")
        return self._shop.envelopes

    def keep(self, kind: str, content: bytes) -> str:
        self._shop.point("before keep")
        return kept.keep(self._shop.folder / kind, content)

    def note(self, target: str, name: str, data: Mapping[str, Any]) -> None:
        self._shop.point(f"before {name}")
        self._permit.note(target, name, data)
        self._shop.point(f"after {name}")


class Shop:
    """One application and everything around it; `die_at` names the points a run dies at."""

    def __init__(self, root: Path, server: str, database: str) -> None:
        self.root, self.folder = root, root / "kept"
        self.house = House(root)
        rules = dict(self.house.policy["operations"]["folder.fill"])
        self.house.policy["operations"] = {operation.name: rules for operation in OPERATIONS}
        self.settings = DatabaseSettings("sydam", server, 5432, database, "postgres", None, None, None)
        self.application = Application.model_validate(
            {
                "title": "SYDAM World",
                "servers": [
                    {"name": "app1", "host": "h", "port": 8080, "service": {"kind": "systemd", "unit": "sydam"}}
                ],
                "connection_test": {"credential": "x", **dict.fromkeys(("page", "login", "query", "logout"), STEP)},
                "accounts": {"store": STORE, "profiles": ["agent", "verificateur"]},
            }
        )
        self.rule = RuleSet.model_validate(
            {
                "title": "Tarif", "application": "sydam", "table": "sydam.tarif", "key": ["code"], "columns": COLUMNS,
                "checks": [{"title": "Taux", "database": "x", "query": "SELECT min(rate) FROM sydam.tarif",
                            "minimum": 0}],
                "most_changed": 1.0,
            }
        )  # fmt: skip
        self.envelopes = FileEnvelopes(root / "envelopes", root / "envelopes.key", self.house.clock)
        self.die_at: list[str] = []
        self.events: list[Event] = []
        self.sql(SCHEMA)

    def look(self) -> ShopLook:
        return ShopLook(self)

    def hands(self, permit: Permit) -> ShopHands:
        return ShopHands(self, permit)

    def notify(self, event: Event) -> None:
        self.events.append(event)

    def point(self, name: str) -> None:
        if self.die_at and self.die_at[0] == name:
            self.die_at.pop(0)
            raise Killed(name)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        settings = self.settings
        with psycopg.connect(host=settings.server, dbname=settings.database, user="postgres") as connection:
            done = connection.execute(statement)  # type: ignore[arg-type]  # a test's own text
            return done.fetchall() if done.description is not None else []

    def engine(self, who: str = "m.kouadio") -> Any:
        return self.house.engine(
            who,
            operations={operation.name: operation for operation in OPERATIONS},
            tools=self,
            targets={
                TargetKind.APPLICATION: {"sydam": "production"},
                TargetKind.LOGIN: {LOGIN: "production", "x@sydam": "production"},
            },
        )

    def plan(self, operation: str, target: str = "sydam", **inputs: Any) -> Any:
        return self.engine().plan(operation, (target,), inputs, Silent())

    def approved(self, operation: str, target: str = "sydam", **inputs: Any) -> str:
        asked = self.engine().request(self.plan(operation, target, **inputs), "Because", Window())
        return str(self.engine("y.traore").approve(asked.id, "Fine").id)

    def run(self, request_id: str) -> Run:
        return self.engine().run(request_id, self)

    def resumed(self) -> Run:
        (run,) = [run for run in self.engine().runs() if run.ended_at is None]
        return self.engine().resume(run.id, self)

    def file(self, *rows: str, name: str = "tarif.csv") -> str:
        path = self.root / name
        path.write_text("\n".join(["code;label;rate;rank;since;active", *rows, ""]), encoding="utf-8")
        return str(path)

    def tariff(self) -> list[tuple[Any, ...]]:
        return self.sql("SELECT code, label, rate::text, rank FROM sydam.tarif ORDER BY code")

    def noted(self, name: str) -> Sequence[Noted]:
        return [item for item in self.look().application_record().notes if item.name == name]

    def everything_written(self) -> bytes:
        """Return every byte the house keeps but the envelopes: journal, kept sets, and what was told."""
        told = "".join(str(event.text) for event in self.events).encode()
        files = [path for path in self.root.rglob("*") if path.is_file() and "envelopes" not in str(path)]
        return told + b"".join(path.read_bytes() for path in files)
