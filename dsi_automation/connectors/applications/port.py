"""What is asked of one application server, and what may be done to it (procedures S and Q)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import Text


class ServiceState(StrEnum):
    """What the service manager says; the port may say something else."""

    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ServiceKind(StrEnum):
    """How a service is driven."""

    SYSTEMD = "systemd"
    WINDOWS = "windows"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One application server, as the connector needs it.

    Attributes:
        application, name: in the inventory: `sydam`, `app1`.
        unit: of systemd, or the name of the Windows service; empty for a script.
        start, stop, status: argument lists of a script; empty else.
        user: who runs the script; None for who logs in.
        address, port: where users reach it, as the controller does.
        stop_within, start_within: seconds.
        kill: end the process that holds the port when the service does not let it go in time.
        log: path on the server; None where it has none.
        caches: folders on the server.
        releases, link: where releases lie; None when none are deployed.
        owner: of what is deployed; None for who logs in.
    """

    application: str
    name: str
    host: str
    kind: ServiceKind
    unit: str
    start: tuple[str, ...]
    stop: tuple[str, ...]
    status: tuple[str, ...]
    user: str | None
    address: str
    port: int
    stop_within: float
    start_within: float
    kill: bool
    log: str | None
    caches: tuple[str, ...]
    releases: str | None = None
    link: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class PortHolder:
    """The process that listens on the port, by the server's own account.

    Attributes:
        pid: its number.
        started_at: with it, the process is known for sure: numbers are used again.
        command: its name, without arguments: those may hold passwords.
        user: whose it is.
    """

    pid: int
    started_at: datetime
    command: str
    user: str


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """What was seen of a server.

    Attributes:
        service: what its manager says.
        listening: whether something listens on the port, by the server's own account.
        holder: who, where it can be told.
        reachable: whether the controller gets a connection to the port.
        release: name of the release the link points to; None without a link.
        releases: releases that lie there, whole ones only.
        cache_bytes: what the caches hold.
        clock_offset: the server's clock minus ours, seconds.
    """

    service: ServiceState
    listening: bool
    holder: PortHolder | None
    reachable: bool
    release: str | None = None
    releases: tuple[str, ...] = ()
    cache_bytes: int = 0
    clock_offset: float | None = None

    @property
    def up(self) -> bool:
        """Tell whether it answers users, whatever its manager says."""
        return self.listening and self.reachable

    @property
    def down(self) -> bool:
        """Tell whether it is stopped for sure: no service, no port."""
        return self.service in {ServiceState.STOPPED, ServiceState.FAILED} and not self.listening


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a server stopped.

    Attributes:
        seconds: from the order until nothing held the port.
        killed: the process that had to be ended, when it did not let the port go.
        at: when nothing held the port any more, by our clock.
    """

    seconds: float
    killed: PortHolder | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Started:
    """How a server started: seconds from the order until the port answered the controller; `at` by our clock."""

    seconds: float
    at: datetime


class ServerReader(Protocol):
    """The read half of one server; used by one thread at a time."""

    def look(self) -> ServerSeen:
        """Look at it.

        Raises:
            UnreachableError: the machine does not answer (a closed port of the application is no error).
            DsiError: what is needed to look is not there, or may not be used.
        """
        ...

    def log_tail(self, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines of its log, secrets masked; none where it has no log."""
        ...

    def run_check(self, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Run a command that only looks; return its exit status and the end of what it said."""
        ...


class ServerWriter(ServerReader, Protocol):
    """The write half; every method asks the permit first, and does nothing where it is done already."""

    def stop(self) -> Stopped:
        """Stop the service, and wait until no process holds the port.

        Raises:
            StillRunningError: it did not stop in time, and may not be killed or survived it.
        """
        ...

    def start(self, expected: Callable[[], None] | None = None) -> Started:
        """Start the service, and wait until the port answers the controller.

        Args:
            expected: called between two looks while it starts; may raise to give up waiting.

        Raises:
            NotStartedError: it ended again, or its port did not answer in time.
        """
        ...

    def empty_caches(self) -> int:
        """Remove what is in the cache folders, never the folders nor what a link in them points to.

        Returns:
            Bytes removed.

        Raises:
            RefusedError: the server runs, or a folder is `/`, a mount point's root, or holds the release.
        """
        ...

    def put_release(self, name: str, archive: Path, sha256: str) -> None:
        """Unpack a release beside the others, whole or not at all; one that is there and whole is left.

        Raises:
            RefusedError: the archive on the server is not the one approved, it holds a path that leads outside, or
                the disk is full.
        """
        ...

    def use_release(self, name: str) -> str | None:
        """Point the link to a release that is there whole, in one step; return the one it pointed to."""
        ...

    def drop_releases(self, keep: Sequence[str]) -> tuple[str, ...]:
        """Remove the releases that are not named; never the one in use. Returns what was removed."""
        ...


@dataclass(frozen=True, slots=True)
class StepSettings:
    """One step of the connection test; see `inventory.application_model.WebStep`."""

    name: str
    path: str
    form: tuple[tuple[str, str], ...] | None
    status: int
    expect: str
    refuse: str | None


@dataclass(frozen=True, slots=True)
class TestSettings:
    """The connection test of one address.

    Attributes:
        server: the server's name, for messages; the address users go to is `users`.
        base: `http://198.18.0.36:8080`.
        user, password: the test account's.
        timeout: seconds, for each step.
    """

    server: str
    base: str
    ca_file: str | None
    user: str
    password: Secret
    steps: tuple[StepSettings, ...]
    timeout: float


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step.

    Attributes:
        name: `port`, `page`, `login`, `query`, `logout`.
        seconds: it took.
        problem: why it failed; None when it did what it should.
    """

    name: str
    seconds: float
    problem: Text | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """A connection test of one address.

    Attributes:
        steps: those that were tried, in order; the first that fails is the last.
        certificate_until: when its certificate ends, over https.
    """

    server: str
    steps: tuple[StepResult, ...]
    certificate_until: datetime | None = None

    @property
    def conclusive(self) -> bool:
        """Tell whether a user can work there."""
        return bool(self.steps) and all(step.problem is None for step in self.steps)


class ConnectionTester(Protocol):
    """Does what a user does. Implementation: `connectors.applications.web.WebTester`."""

    def test(self) -> Tested:
        """Go through the steps; never raises for what it meets: that is the result. Logs out whatever happened."""
        ...
