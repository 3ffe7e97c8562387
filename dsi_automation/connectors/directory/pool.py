"""Idle connections of one account, and what becomes of a request when a connection breaks.

Several threads may ask at once. Each request has a connection to itself while it lasts: ldap3's synchronous
connection keeps the last answer in itself, so two threads on one would read each other's. A lock around a single one
would make fifty threads wait for a dead controller one after the other; a connection per thread would leave one open
for every thread that ended. So: idle ones are kept, a few, the rest are closed, and only so many are used at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self

from dsi_automation.connectors.directory.answers import refused
from dsi_automation.connectors.directory.errors import unknown_outcome
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.connectors.directory.reach import lost
from dsi_automation.core.text import Text

if TYPE_CHECKING:
    from dsi_automation.connectors.directory.wire import Wire

IDLE: Final = 8
"""Connections kept for later; a controller counts each against its limit for the account."""


AT_ONCE: Final = 32
"""Connections used at the same moment: hundreds of accounts made together must not open hundreds."""


class Pool:
    """The connections of one account to one directory."""

    def __init__(self, endpoint: DirectoryEndpoint) -> None:
        self.endpoint = endpoint
        self.exchanges = 0
        """LDAP operations sent so far, binds and probes included."""
        self._idle: list[Wire] = []
        self._lock = threading.Lock()
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    def read[ResultT](self, ask: Callable[[Wire], ResultT], doing: Text, *, on: str) -> ResultT:
        """Ask once; when the connection turns out to be lost, once more on a new one.

        Raises:
            UnreachableError: no answer, or no connection.
            DsiError: the directory refused.
        """
        from dsi_automation.connectors.directory.wire import LinkLostError, NotDoneError

        try:
            with self._turn:
                wire, kept = self._take()
                try:
                    return self._use(wire, ask)
                except LinkLostError as error:
                    # A new connection that gave no answer in time would only make the caller wait twice.
                    if error.timed_out and not kept:
                        raise
                return self._use(self._open(), ask)
        except LinkLostError as error:
            raise lost(self.endpoint, doing, error.__cause__) from error
        except NotDoneError as error:
            raise refused(error.answer, doing, on=on, server=self.endpoint.server) from error

    def write(self, send: Callable[[Wire], None], doing: Text, *, on: str) -> None:
        """Send a write once, on a connection just seen to be alive; never repeat it.

        Raises:
            UnknownOutcomeError: it was sent and its answer lost.
            UnreachableError: it could not be sent.
            DsiError: the directory refused, and nothing was done.
        """
        from dsi_automation.connectors.directory.wire import LinkLostError, NotDoneError

        with self._turn:
            wire = self._alive()
            try:
                self._use(wire, send)
            except LinkLostError as error:
                raise unknown_outcome(doing, on=on, server=self.endpoint.server) from error
            except NotDoneError as error:
                raise refused(error.answer, doing, on=on, server=self.endpoint.server) from error

    def bind(self, endpoint: DirectoryEndpoint) -> None:
        """Bind once as another account, on a connection of its own, and leave.

        Raises:
            BindRefusedError: that account is not let in.
            UnreachableError: no connection.
        """
        from dsi_automation.connectors.directory.wire import Wire

        with self._turn:
            self._count(1)
            Wire.open(endpoint).close()

    def close(self) -> None:
        """Close the idle connections. A later request opens a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for wire in idle:
            wire.close()

    def _alive(self) -> Wire:
        """Return a connection that answers: AD closes idle ones after 15 minutes, firewalls silently before that."""
        from dsi_automation.connectors.directory.wire import LinkLostError

        wire, kept = self._take()
        if not kept:
            return wire
        self._count(1)
        try:
            wire.ping()
        except LinkLostError:
            wire.close()
            return self._open()
        return wire

    def _use[ResultT](self, wire: Wire, ask: Callable[[Wire], ResultT]) -> ResultT:
        from dsi_automation.connectors.directory.wire import NotDoneError

        before = wire.exchanges
        try:
            result = ask(wire)
        except NotDoneError:
            self._count(wire.exchanges - before)
            self._keep(wire)
            raise
        except BaseException:
            self._count(wire.exchanges - before)
            wire.close()
            raise
        self._count(wire.exchanges - before)
        self._keep(wire)
        return result

    def _count(self, operations: int) -> None:
        with self._lock:
            self.exchanges += operations

    def _take(self) -> tuple[Wire, bool]:
        """Return a connection, and whether it was kept from an earlier request."""
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
        return self._open(), False

    def _open(self) -> Wire:
        from dsi_automation.connectors.directory.wire import Wire

        self._count(1)
        return Wire.open(self.endpoint)

    def _keep(self, wire: Wire) -> None:
        with self._lock:
            if len(self._idle) < IDLE:
                self._idle.append(wire)
                return
        wire.close()


class PooledClient:
    """What every client of a directory over LDAPS is: a pool of connections, closed with it.

    May be used from several threads: each request has a connection to itself.
    """

    def __init__(self, endpoint: DirectoryEndpoint) -> None:
        self._pool = Pool(endpoint)

    @property
    def endpoint(self) -> DirectoryEndpoint:
        """Return where it reads."""
        return self._pool.endpoint

    def close(self) -> None:
        """Close the idle connections; a later request opens a new one."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoint.server})"
