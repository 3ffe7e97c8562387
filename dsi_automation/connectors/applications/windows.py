"""One application server whose service is a Windows service, through CIM (Win32_Service).

Its port is seen from the controller only: the sessions read `root/cimv2`, and who holds a port is told by another
namespace (MSFT_NetTCPConnection, `root/StandardCimv2`). So no process is ever ended there, whatever the inventory
allows: what does not stop is left to a person. Releases, caches and logs of Windows servers are not touched either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from dsi_automation.connectors.applications import addresses
from dsi_automation.connectors.applications.errors import NotStartedError, StillRunningError
from dsi_automation.connectors.applications.port import ServerSeen, ServerSettings, ServiceState, Started, Stopped
from dsi_automation.connectors.windows.port import WindowsEndpoint, WindowsReader, WindowsWriter, WritePermit
from dsi_automation.connectors.windows.sessions import open_reader, open_writer
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import GateClosedError, RefusedError, UsageError
from dsi_automation.core.text import T, Text

_STATES: Final[Mapping[str, ServiceState]] = {
    "Stopped": ServiceState.STOPPED,
    "Running": ServiceState.RUNNING,
    "Start Pending": ServiceState.RUNNING,
    "Stop Pending": ServiceState.RUNNING,
    "Continue Pending": ServiceState.RUNNING,
    "Pause Pending": ServiceState.RUNNING,
    "Paused": ServiceState.RUNNING,
}
_POLL: Final = 0.2
_NOT_STARTED, _TIMEOUT, _ALREADY_RUNNING, _CANNOT_NOW = 6, 7, 10, 5
_MEANINGS: Final[Mapping[int, Text]] = {
    2: T("The account given has not the right to do this."),
    3: T("Other services that run depend on it."),
    5: T("The service takes no such order in the state it is in."),
    7: T("The service did not answer the order in time."),
    8: T("The service failed for a reason it does not tell."),
    9: T("The program of the service was not found."),
    11: T("The database of services is locked."),
    12: T("A service it depends on was removed."),
    13: T("A service it depends on could not be found or started."),
    14: T("The service is disabled."),
    15: T("The service cannot log on with its account."),
}
"""Return codes of StartService and StopService: the methods' pages of Win32_Service."""


@contextmanager
def open_windows_server(
    settings: ServerSettings, endpoint: WindowsEndpoint, clock: Clock, permit: WritePermit | None, target: str
) -> Iterator[WindowsServer]:
    """Give one server for one thread; without a permit it looks only.

    Raises:
        UsageError: the endpoint is not complete, or its channel would not be sealed.
    """
    if permit is None:
        with open_reader(endpoint, clock) as reader:
            yield WindowsServer(settings, reader, None, clock)
        return
    with open_writer(endpoint, clock, _Targeted(permit, target)) as writer:
        yield WindowsServer(settings, writer, writer, clock)


class _Targeted:
    """Asks the permit for the application, where the session asks it for the machine."""

    def __init__(self, permit: WritePermit, target: str) -> None:
        self._permit = permit
        self._target = target

    def check(self, target: str) -> None:  # noqa: ARG002  # the machine's name is not what the lease is on
        self._permit.check(self._target)


class WindowsServer:
    """See `port.ServerWriter`, and above for what it does not do."""

    def __init__(
        self, settings: ServerSettings, reader: WindowsReader, writer: WindowsWriter | None, clock: Clock
    ) -> None:
        """Use a session that whoever opened it closes; without a writer it looks only."""
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._clock = clock

    def look(self) -> ServerSeen:
        """Look at the service and at the port, which counts as listening when the controller gets through to it.

        Raises:
            UnreachableError: the machine does not answer. UsageError: it has no such service.
        """
        state, reachable = self._state(), addresses.reachable(self._settings)
        found = self._reader.query("Win32_OperatingSystem", ("LocalDateTime",))
        theirs = found[0]["LocalDateTime"] if found else None
        offset = (theirs - self._clock.now()).total_seconds() if isinstance(theirs, datetime) else None
        return ServerSeen(state, reachable, None, reachable, clock_offset=offset)

    def log_tail(self, lines: int = 20) -> tuple[str, ...]:  # noqa: ARG002  # the port's
        """Return nothing: files of Windows servers are not read."""
        return ()

    def run_check(self, command: Sequence[str], timeout: float) -> tuple[int, str]:  # noqa: ARG002  # the port's
        """Refuse: no commands are run on Windows servers.

        Raises:
            RefusedError: always.
        """
        raise self._refused(T("Commands are not run on Windows servers by the toolkit."))

    def stop(self) -> Stopped:
        """Stop the service, and wait until it says so and its port is closed.

        Raises:
            StillRunningError: it did not in time; nothing is ended. RefusedError: it refuses.
        """
        writer = self._may_write()
        begun = self._clock.monotonic()
        if self._down():
            return Stopped(0.0, None, self._clock.now())
        if self._shown() not in {"Stopped", "Stop Pending"}:
            code = writer.invoke("Win32_Service", "StopService", {}, self._key, timeout=60).return_value
            if code not in {0, _NOT_STARTED, _TIMEOUT, _CANNOT_NOW}:
                raise self._failed("StopService", code)
        while not self._down():
            if self._clock.monotonic() - begun >= self._settings.stop_within:
                raise self._still_running()
            self._clock.sleep(_POLL)
        return Stopped(self._clock.monotonic() - begun, None, self._clock.now())

    def start(self, expected: Callable[[], None] | None = None) -> Started:
        """Start the service, and wait until the port answers the controller.

        Raises:
            NotStartedError: it ended again, or its port did not answer in time. RefusedError: it refuses.
        """
        writer = self._may_write()
        begun, state = self._clock.monotonic(), self._state()
        reachable = addresses.reachable(self._settings)
        if reachable and state is ServiceState.RUNNING:
            return Started(0.0, self._clock.now())
        if reachable:
            raise self._not_started(T("Its port {port} is taken by something else.", port=self._settings.port))
        if state is not ServiceState.RUNNING:
            code = writer.invoke("Win32_Service", "StartService", {}, self._key, timeout=60).return_value
            if code not in {0, _TIMEOUT, _ALREADY_RUNNING}:
                raise self._failed("StartService", code)
        while not addresses.reachable(self._settings):
            if expected is not None:
                expected()
            if self._state() is ServiceState.STOPPED:
                raise self._not_started(T("It ended again before its port answered."))
            if self._clock.monotonic() - begun >= self._settings.start_within:
                raise self._not_started(T("Its port {port} did not answer in time.", port=self._settings.port))
            self._clock.sleep(_POLL)
        return Started(self._clock.monotonic() - begun, self._clock.now())

    def empty_caches(self) -> int:
        """Refuse where caches are named; nothing to do else.

        Raises:
            RefusedError: the inventory names caches.
        """
        self._may_write()
        if self._settings.caches:
            raise self._refused(T("Caches on Windows servers are not emptied by the toolkit."))
        return 0

    def put_release(self, name: str, archive: Path, sha256: str) -> None:  # noqa: ARG002  # the port's
        """Refuse.

        Raises:
            RefusedError: always.
        """
        self._may_write()
        raise self._no_releases()

    def use_release(self, name: str) -> str | None:  # noqa: ARG002
        """Refuse; see `put_release`."""
        self._may_write()
        raise self._no_releases()

    def drop_releases(self, keep: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        """Refuse; see `put_release`."""
        self._may_write()
        raise self._no_releases()

    @property
    def _key(self) -> dict[str, str]:
        return {"Name": self._settings.unit}

    def _shown(self) -> str:
        found = self._reader.query("Win32_Service", ("Name", "State"), self._key)
        if not found:
            raise UsageError(
                T("{host} has no service {name}.", host=self._settings.host, name=self._settings.unit),
                on=self._settings.host,
                next_step=T("See `service` of {server} in dsi_applications.", server=self._settings.name),
            )
        return str(found[0]["State"])

    def _state(self) -> ServiceState:
        return _STATES.get(self._shown(), ServiceState.UNKNOWN)

    def _down(self) -> bool:
        return self._state() is ServiceState.STOPPED and not addresses.reachable(self._settings)

    def _may_write(self) -> WindowsWriter:
        if self._writer is None:
            raise GateClosedError(
                T("{server} was opened to look only.", server=self._settings.name), on=self._settings.host
            )
        return self._writer

    def _still_running(self) -> StillRunningError:
        one = self._settings
        return StillRunningError(
            T("{server} did not stop within {seconds} s.", server=one.name, seconds=round(one.stop_within)),
            on=one.host,
            meaning=T("Its service is “{state}”.", state=self._shown()),
            next_step=T("The toolkit ends no process on Windows servers: see on {host} what holds port {port}.",
                        host=one.host, port=one.port),
        )  # fmt: skip

    def _not_started(self, meaning: Text) -> NotStartedError:
        one = self._settings
        return NotStartedError(
            T("{server} did not start on {host}.", server=one.name, host=one.host),
            on=one.host,
            meaning=meaning,
            next_step=T("Look at the service's log and at the event log of {host}.", host=one.host),
        )

    def _failed(self, method: str, code: int) -> RefusedError:
        one = self._settings
        return RefusedError(
            T("{method} of {name} failed on {host} with code {code}.", method=method, name=one.unit, host=one.host,
              code=code),
            on=one.host,
            meaning=_MEANINGS.get(code),
            detail={"method": method, "code": code},
        )  # fmt: skip

    def _no_releases(self) -> RefusedError:
        return self._refused(T("Releases on Windows servers are not deployed by the toolkit."))

    def _refused(self, what: Text) -> RefusedError:
        return RefusedError(what, on=self._settings.host, next_step=T("Do it by hand, and record it."))
