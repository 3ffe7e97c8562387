"""Integrations of sources under the real engine, gate and journal: servers in memory, a database that rolls back."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from apphouse import SCRIPT, START, MemoryHands, MemoryLook, Office, application

from dsi_automation.connectors.applications.errors import ReleaseError
from dsi_automation.connectors.applications.memory import MemoryServer, MemoryServerWriter, MemoryTester
from dsi_automation.connectors.databases.errors import ScriptError
from dsi_automation.connectors.databases.memory import MemoryDatabase, MemoryDatabaseWriter
from dsi_automation.connectors.databases.scripts import statements
from dsi_automation.connectors.releases import versions
from dsi_automation.connectors.releases.port import Release, Script
from dsi_automation.core.errors import UnknownOutcomeError
from dsi_automation.core.events import Silent
from dsi_automation.core.text import T
from dsi_automation.engine.model import Acceptance, AcceptanceOrder, Verdict
from dsi_automation.inventory.application_model import Application
from dsi_automation.inventory.source_model import Sources
from dsi_automation.operations.applications.integrate import SourcesIntegrate
from dsi_automation.operations.applications.integrate_table import EXISTS

OPERATION = SourcesIntegrate()
FIRST = "CREATE TABLE circuit (code text);\nINSERT INTO circuit VALUES ('vert');\n"
SECOND = "INSERT INTO circuit VALUES ('rouge');\n"
TEXTS: Mapping[str, str] = {
    "sql/010.sql": FIRST,
    "sql/010.undo.sql": "DROP TABLE circuit;\n",
    "sql/020.sql": SECOND,
    "sql/020.undo.sql": "DELETE FROM circuit WHERE code = 'rouge';\n",
}

SERVER = {"service": SCRIPT, "port": 8080, "caches": ["/srv/cache"], "start_within": "10s"}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class MemoryReleases:
    """A `ReleaseStore`: releases by name, and the texts of each."""

    known: dict[str, Release] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    problem: Any = None

    def add(self, name: str, texts: Mapping[str, str] = TEXTS, *, undo: bool = True, salt: str = "") -> Release:
        files = [file for file in sorted(texts) if not file.endswith(".undo.sql")]
        scripts = []
        for file in files:
            back = file.replace(".sql", ".undo.sql")
            has = undo and back in texts
            back_sha256 = digest(texts[back]) if has else None
            scripts.append(Script(file, digest(texts[file]), back if has else None, back_sha256))
        made = Release(
            name, f"Version {name}", Path(f"/releases/{name}"), digest(name + salt), "bpda", name, tuple(scripts)
        )
        self.known[name], self.texts[name] = made, dict(texts)
        return made

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.known, key=versions.order))

    def release(self, name: str) -> Release:
        if self.problem is not None:
            raise self.problem
        if name not in self.known:
            raise ReleaseError(T("There is no release {name}.", name=name))
        return self.known[name]

    def text(self, release: Release, file: str) -> str:
        return self.texts[release.name][file]


@dataclass
class SourceServer(MemoryServer):
    """A server with releases side by side; users cannot log in with one of `broken`."""

    whole: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    switches: list[str] = field(default_factory=list)


class SourceWriter(MemoryServerWriter):
    """`ServerWriter` on a `SourceServer`."""

    @property
    def _mine(self) -> SourceServer:
        assert isinstance(self._server, SourceServer)
        return self._server

    def put_release(self, name: str, archive: Path, sha256: str) -> None:
        del archive
        self._write("put_release")
        assert self._mine.whole.get(name) in {None, sha256}
        self._mine.whole[name] = sha256
        self._mine.point(f"after put_release {self._mine.name}")

    def use_release(self, name: str) -> str | None:
        self._write("use_release")
        assert name in self._mine.whole
        assert not self._mine.alive(self._clock.now())
        before, self._mine.release = self._mine.release, name
        self._mine.switches.append(name)
        self._mine.point(f"after use_release {self._mine.name}")
        return before

    def drop_releases(self, keep: Any) -> tuple[str, ...]:
        self._write("drop_releases")
        gone = [name for name in self._mine.whole if name not in keep and name != self._mine.release]
        for name in gone:
            del self._mine.whole[name]
        return tuple(gone)


class SourceTester(MemoryTester):
    """Nobody can log in while the server runs a broken release."""

    def _problem(self, step: str) -> Any:
        server = self._server
        assert isinstance(server, SourceServer)
        if step == "login" and server.release in server.broken:
            return T("The page does not hold “{words}”.", words="Bienvenue")
        return super()._problem(step)


@dataclass
class SqlDatabase(MemoryDatabase):
    """A database whose transactions are real: SQLite's.

    Attributes:
        lost: for each commit to come, whether its answer is lost.
    """

    connection: sqlite3.Connection = field(
        default_factory=lambda: sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    )
    lost: list[bool] = field(default_factory=list)
    moments: int = 0

    def __post_init__(self) -> None:
        self.connection.row_factory = sqlite3.Row
        self.connection.create_function("clock_timestamp", 0, self._now)

    def _now(self) -> str:
        self.moments += 1
        return (START + timedelta(seconds=self.moments)).isoformat()

    def all(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.execute(statement)]

    def tables(self) -> set[str]:
        return {name for (name,) in self.all("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def scripts(self) -> list[str]:
        if "versions_schema" not in self.tables():
            return []
        return [file for (file,) in self.all("SELECT file FROM versions_schema ORDER BY applied_at")]


class SqlWriter(MemoryDatabaseWriter):
    """`DatabaseWriter` on a `SqlDatabase`."""

    @property
    def _sql(self) -> SqlDatabase:
        assert isinstance(self._store, SqlDatabase)
        return self._store

    def ask(self, statement: str, parameters: Any = None) -> Any:
        self._reach()
        if statement == EXISTS:
            name = "versions_schema" if "versions_schema" in self._sql.tables() else None
            return ({"name": name},)
        return tuple(dict(row) for row in self._sql.connection.execute(statement, dict(parameters or {})))

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        self._write("transaction")
        connection = self._sql.connection
        connection.execute("BEGIN")
        try:
            yield SqlTransaction(self)
            self._store.point("before commit")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        if self._sql.lost and self._sql.lost.pop(0):
            raise UnknownOutcomeError(T("The connection broke."), on=self._target)
        self._store.point("after commit")


class SqlTransaction:
    """`DatabaseTransaction` on a `SqlDatabase`."""

    def __init__(self, database: SqlWriter) -> None:
        self._database = database
        self._connection = database._sql.connection

    def lock(self, table: str) -> None:
        assert table in self._database._sql.tables()

    def execute(self, statement: str, parameters: Any = None) -> int:
        return self._connection.execute(
            statement.replace("now()", "CURRENT_TIMESTAMP"), dict(parameters or {})
        ).rowcount

    def ask(self, statement: str, parameters: Any = None) -> Any:
        return self._database.ask(statement, parameters)

    def script(self, text: str, timeout: float) -> None:
        assert timeout > 0
        for one in statements(text):
            try:
                self._connection.execute(one.text)
            except sqlite3.Error as error:
                raise ScriptError(
                    T("Line {line} of the script: {said}", line=one.line, said=str(error)), detail={"line": one.line}
                ) from error


def line(*stages: str, **more: Any) -> Sources:
    described = [
        {"name": {"sydam": "production"}.get(name, "test"), "application": name, "acceptors": ["section_head"]}
        for name in stages
    ]
    described[-1].update(more)
    return Sources.model_validate(
        {
            "title": "SYDAM World",
            "releases": {"kind": "archives", "folder": "/releases"},
            "allowed_signers": "signers",
            "stages": described,
        }
    )


class SourceLook(MemoryLook):
    _bench: SourceOffice

    @property
    def applications(self) -> Mapping[str, Application]:
        return self._bench.applications

    @property
    def sources(self) -> Mapping[str, Sources]:
        return self._bench.lines

    def acceptances(self, source: str) -> Mapping[tuple[str, str], Acceptance]:
        words = self._bench.engine().acceptances(source)
        return {(item.order.release, item.order.stage): item for item in words}

    def catalogue(self) -> Any:
        return self._bench.catalogue

    def releases(self, source: str) -> MemoryReleases:
        assert source in self._bench.lines
        return self._bench.releases

    def kept(self, kind: str, sha256: str) -> bytes | None:
        return self._bench.kept.get((kind, sha256))

    @contextmanager
    def server(self, application: str, server: str) -> Iterator[SourceWriter]:
        yield SourceWriter(self._bench.all_servers[application][server], application, self.clock)

    def tester(self, application: str, server: str) -> SourceTester:
        return SourceTester(self._bench.all_servers[application][server], self.clock)

    @contextmanager
    def database(self, application: str) -> Iterator[SqlWriter]:
        yield SqlWriter(self._bench.databases[application], application, self.clock)


class SourceHands(MemoryHands):
    look: SourceLook
    _bench: SourceOffice

    @contextmanager
    def server(self, application: str, server: str, target: str) -> Iterator[SourceWriter]:
        yield SourceWriter(self._bench.all_servers[application][server], target, self.look.clock, self._permit)

    @contextmanager
    def database(self, application: str, target: str) -> Iterator[SqlWriter]:
        yield SqlWriter(self._bench.databases[application], target, self.look.clock, self._permit)

    def keep(self, kind: str, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self._bench.kept[kind, sha256] = content
        return sha256


@dataclass
class Backups:
    """What the catalogue says of backups: the moment of each verified set, by its name."""

    sets: dict[str, Any] = field(default_factory=dict)

    @property
    def recorded(self) -> dict[str, Any]:
        return self.sets

    def verified(self, job: str) -> tuple[Any, ...]:
        return tuple(SimpleNamespace(id=name) for name in self.sets) if job == "sydam-db" else ()


class SourceOffice(Office):
    """SYDAM in production (two servers) and in test (one), and releases for both; 1.4.0 was there before."""

    OPERATIONS = (OPERATION,)

    def __init__(self, root: Path, *stages: str, **more: Any) -> None:
        described = {
            "notice": {"users": ["agents@douanes.example"]},
            "deployment": {"releases": "/srv/releases", "link": "/srv/current", "keep": 1},
            "database": {"server": "db1", "database": "sydam", "user": "dsi", "backup": "sydam-db"},
        }
        # What does not work is given up soon: each second that a test waits is a look at every server.
        quick = [{**SERVER, "name": name, "host": name} for name in ("app1", "app2")]
        described |= {"servers": quick, "stable_for": "5s"}
        super().__init__(root, **described)
        test = application(**described)
        test = test.model_copy(update={"servers": test.servers[:1]})
        self.applications = {"sydam": self.application, "sydam-test": test}
        self.lines = {"sydam-world": line(*(stages or ("sydam",)), **more)}
        self.all_servers = {
            name: {one.name: self._server(one.name) for one in described.servers}
            for name, described in self.applications.items()
        }
        self.servers = self.all_servers["sydam"]
        self.databases = {name: SqlDatabase(point=self.point) for name in self.applications}
        self.database = self.databases["sydam"]
        self.releases = MemoryReleases()
        self.releases.add("1.5.0")
        self.kept: dict[tuple[str, str], bytes] = {}
        self.catalogue = Backups()
        self.house.options["sources"] = lambda: self.lines

    def _server(self, name: str) -> SourceServer:
        return SourceServer(name, release="1.4.0", whole={"1.4.0": digest("1.4.0")}, point=self.point)

    def look(self) -> SourceLook:
        return SourceLook(self)

    def hands(self, permit: Any) -> SourceHands:
        return SourceHands(self.look(), permit, self)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.applications)

    def planned(self, target: str = "sydam", release: str = "1.5.0", **inputs: Any) -> Any:
        given = {"release": release, "why": "Version", "notice": "none", **inputs}
        return self.engine().plan(OPERATION.name, (target,), given, Silent())

    def approved(self, target: str = "sydam", release: str = "1.5.0", **inputs: Any) -> str:
        return self.agreed(self.planned(target, release, **inputs), by="a.bamba")

    def integrate(self, target: str = "sydam", release: str = "1.5.0", **inputs: Any) -> Any:
        return self.run(self.approved(target, release, **inputs))

    def accept(self, run: Any, release: str = "1.5.0", verdict: Verdict = Verdict.ACCEPTED) -> Acceptance:
        order = AcceptanceOrder(
            "sydam-world", release, self.releases.known[release].sha256, "test", run.id, verdict, "Vu"
        )
        word: Acceptance = self.engine("y.traore").accept_release(order)
        return word

    def links(self) -> set[str | None]:
        return {server.release for server in self.servers.values()}

    def released(self, name: str) -> list[Mapping[str, Any]]:
        return [one.data for one in self.record().notes if one.name == f"release.{name}"]
