"""Application servers in memory, with faults that can be switched on: what the operations are tried against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from dsi_automation.connectors.applications.errors import NotStartedError, StillRunningError
from dsi_automation.connectors.applications.port import (
    PortHolder,
    ServerSeen,
    ServiceState,
    Started,
    StepResult,
    Stopped,
    Tested,
)
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.text import T, Text


class MemoryPermit(Protocol):
    """What every write asks first."""

    def check(self, target: str) -> None:
        """Make sure that the run may still write to `target`."""
        ...


@dataclass
class MemoryServer:
    """One application server, and what goes wrong with it.

    Attributes:
        name: of the server.
        running: whether its process runs; it may have ended meanwhile: see `lives`.
        pid, started_at: of its process.
        dies_at: when its process ends by itself.
        stop_seconds, start_seconds: how long its own stop and start take.
        lives: for each start to come, how long the process then lives, seconds; None for as long as it should.
        start_faults, stop_faults: for each start or stop to come, whether it fails; a stop that fails leaves a
            process that holds the port, while its service says that it is stopped.
        unreachable: why the machine does not answer; None when it does.
        problem: why users cannot work on it, at which step: `("query", ...)`; None when they can.
        works_at: until then the query fails: a database that comes up later.
        releases: those that lie there, with their SHA-256; `release` the one in use.
        starts, stops: how often it was really started and stopped.
        point: is told the name of each step before and after it: where a test kills.
    """

    name: str
    running: bool = True
    pid: int = 100
    started_at: datetime | None = None
    dies_at: datetime | None = None
    stop_seconds: float = 4.0
    start_seconds: float = 8.0
    lives: list[float | None] = field(default_factory=list)
    start_faults: list[bool] = field(default_factory=list)
    stop_faults: list[bool] = field(default_factory=list)
    unreachable: DsiError | None = None
    problem: tuple[str, Text] | None = None
    works_at: datetime | None = None
    cache_bytes: int = 1024
    release: str | None = None
    releases: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=lambda: ["INFO started"])
    starts: int = 0
    stops: int = 0
    point: Callable[[str], None] = lambda _name: None

    def alive(self, now: datetime) -> bool:
        """Tell whether its process runs at a moment."""
        return self.running and (self.dies_at is None or now < self.dies_at)


class MemoryServerWriter:
    """`ServerWriter` on a `MemoryServer`; each write asks the permit first."""

    def __init__(self, server: MemoryServer, target: str, clock: Clock, permit: MemoryPermit | None = None) -> None:
        """Work on one server; without a permit to look only."""
        self._server, self._target, self._clock, self._permit = server, target, clock, permit

    def look(self) -> ServerSeen:
        """Return what the server is like."""
        server, now = self._server, self._clock.now()
        if server.unreachable is not None:
            raise server.unreachable
        alive = server.alive(now)
        held = PortHolder(server.pid, server.started_at or now.replace(year=2020), "java", "sydam") if alive else None
        return ServerSeen(
            service=ServiceState.RUNNING if alive else ServiceState.STOPPED,
            listening=alive,
            holder=held,
            reachable=alive,
            release=server.release,
            releases=tuple(server.releases),
            cache_bytes=server.cache_bytes,
        )

    def log_tail(self, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines of its log."""
        return tuple(self._server.log[-lines:])

    def run_check(self, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Return 0 for `true`, 1 for anything else."""
        del timeout
        return (0, "") if list(command) == ["true"] else (1, "no")

    def stop(self) -> Stopped:
        """Stop it; nothing when it is stopped."""
        self._write("stop")
        server, seconds = self._server, 0.0
        if server.alive(self._clock.now()):
            seconds = server.stop_seconds
            self._clock.sleep(seconds)
            if server.stop_faults and server.stop_faults.pop(0):
                raise StillRunningError(T("{name} still holds its port.", name=server.name), on=self._target)
            server.stops += 1
        server.running, server.dies_at = False, None
        stopped = Stopped(seconds, None, self._clock.now())
        server.point(f"after stop {server.name}")
        return stopped

    def start(self, expected: Callable[[], None] | None = None) -> Started:
        """Start it; nothing when it runs."""
        del expected
        self._write("start")
        server, seconds = self._server, 0.0
        if not server.alive(self._clock.now()):
            seconds = server.start_seconds
            self._clock.sleep(seconds)
            server.starts += 1
            if server.start_faults and server.start_faults.pop(0):
                server.running = False
                server.log.append("SEVERE start failed")
                raise NotStartedError(T("{name} ended again.", name=server.name), on=self._target)
            life = server.lives.pop(0) if server.lives else None
            server.running, server.pid, server.started_at = True, server.pid + 1, self._clock.now()
            server.dies_at = None if life is None else server.started_at + timedelta(seconds=life)
        started = Started(seconds, self._clock.now())
        server.point(f"after start {server.name}")
        return started

    def empty_caches(self) -> int:
        """Empty its caches."""
        self._write("empty_caches")
        if self._server.alive(self._clock.now()):
            raise RefusedError(T("{name} runs: its caches are not emptied.", name=self._server.name), on=self._target)
        removed, self._server.cache_bytes = self._server.cache_bytes, 0
        self._server.point(f"after empty_caches {self._server.name}")
        return removed

    def put_release(self, name: str, archive: Path, sha256: str) -> None:
        """Keep a release beside the others."""
        del archive
        self._write("put_release")
        self._server.releases.setdefault(name, sha256)
        self._server.point(f"after put_release {self._server.name}")

    def use_release(self, name: str) -> str | None:
        """Use a release that is there."""
        self._write("use_release")
        if name not in self._server.releases:
            raise RefusedError(T("{name} has no release {release}.", name=self._server.name, release=name))
        before, self._server.release = self._server.release, name
        self._server.point(f"after use_release {self._server.name}")
        return before

    def drop_releases(self, keep: Sequence[str]) -> tuple[str, ...]:
        """Drop the releases that are not named, but never the one in use."""
        self._write("drop_releases")
        server = self._server
        gone = tuple(name for name in server.releases if name not in keep and name != server.release)
        for name in gone:
            del server.releases[name]
        return gone

    def _write(self, method: str) -> None:
        if self._permit is None:
            raise RefusedError(T("{name} was opened to look only.", name=self._server.name), on=self._target)
        self._server.point(f"before {method} {self._server.name}")
        self._permit.check(self._target)
        if self._server.unreachable is not None:
            raise self._server.unreachable


class MemoryTester:
    """`ConnectionTester` on a `MemoryServer`: what a user would meet there now."""

    STEPS = ("port", "page", "login", "query", "logout")

    def __init__(self, server: MemoryServer, clock: Clock) -> None:
        """Test one server."""
        self._server, self._clock = server, clock

    def test(self) -> Tested:
        """Go through the steps, up to the one that fails."""
        steps: list[StepResult] = []
        for name in self.STEPS:
            problem = self._problem(name)
            steps.append(StepResult(name, 0.01, problem))
            if problem is not None:
                break
        return Tested(self._server.name, tuple(steps))

    def _problem(self, step: str) -> Text | None:
        server, now = self._server, self._clock.now()
        if step == "port" and not server.alive(now):
            return T("{name} does not answer.", name=server.name)
        if server.problem is not None and server.problem[0] == step:
            return server.problem[1]
        if step == "query" and server.works_at is not None and now < server.works_at:
            return T("{name} has no connection to its database.", name=server.name)
        return None
