"""One connection to PostgreSQL, made when it is first needed; each statement has a deadline on both sides."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator
from datetime import UTC
from functools import cache
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.adapt import AdaptersMap, Buffer
from psycopg.conninfo import make_conninfo
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.string import TextLoader

from dsi_automation.connectors.databases.failures import Told, answered, connect_failure, failure
from dsi_automation.connectors.databases.port import DatabaseSettings
from dsi_automation.connectors.watchdog import Watchdog
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.text import T

GRACE: Final = 5.0
"""Seconds after the server should have ended a statement by itself, until we break the connection."""
_AS_THEY_ARE: Final = frozenset(
    {"bool", "int2", "int4", "int8", "oid", "float4", "float8", "timestamptz", "bytea", "text", "varchar", "name"}
)
"""Types whose values come as Python's; all others, exact numbers first, come as the text the database writes."""


class _Moment(TimestamptzLoader):
    """A moment in UTC; `infinity` and what Python's years cannot hold stay text."""

    def load(self, data: Buffer) -> Any:
        try:
            return super().load(data).astimezone(UTC)
        except psycopg.DataError:
            return bytes(data).decode()


@cache
def _adapters() -> AdaptersMap:
    made = AdaptersMap(psycopg.adapters)
    for known in psycopg.adapters.types:
        if known.name not in _AS_THEY_ARE:
            made.register_loader(known.oid, TextLoader)
        made.register_loader(known.array_oid, TextLoader)
    made.register_loader("timestamptz", _Moment)
    return made


class Link:
    """A connection that is opened when it is first used, and again when it was lost in between."""

    def __init__(self, settings: DatabaseSettings, *, writes: bool) -> None:
        """Take note of where to connect; `writes` is whether its transactions may write unless told otherwise."""
        self.settings, self._writes = settings, writes
        self._connection: psycopg.Connection[Any] | None = None
        self._watch: Watchdog | None = None
        self.told = Told(settings.name)

    @property
    def current(self) -> psycopg.Connection[Any]:
        """Return the connection whose transaction is open.

        Raises:
            UnreachableError: it was lost: its transaction is gone, and another connection would be in none.
        """
        if self._connection is None or self._connection.closed:
            raise UnreachableError(
                T("The connection to the database of {name} was lost before.", name=self.settings.name)
            )
        return self._connection

    def close(self) -> None:
        """End the connection; an open transaction is rolled back by the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def begin(self, how: str) -> None:
        """Begin a transaction; over a connection that was lost since its last use, over a new one.

        Args:
            how: `READ ONLY` or `READ WRITE`.

        Raises:
            UnreachableError: nobody answers, or not for the time being.
            LoginRefusedError: it lets us not in.
        """
        fresh = self._connection is None or self._connection.closed
        if fresh:
            self._connection = self._connect()
        try:
            with self.watched():
                self.current.execute(f"BEGIN {how}")
        except psycopg.OperationalError as error:
            if fresh or self.late:
                raise failure(error, self.told, late=self.late) from error
            # Nothing was sent but this: the server was restarted, or a firewall forgot the connection.
            self.close()
            self.begin(how)

    def rollback(self) -> None:
        """End a transaction that only read; where that fails, the connection as well. Raises nothing."""
        if self._connection is None or self._connection.closed:
            return
        try:
            with self.watched():
                self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    @property
    def late(self) -> bool:
        """Tell whether the last statement was cut off for its time."""
        return self._watch is not None and self._watch.late

    @contextlib.contextmanager
    def watched(self, seconds: float | None = None) -> Generator[Watchdog]:
        """Break the connection when what is done within takes longer than the server may and a little more."""
        limit = (self.settings.timeout if seconds is None else seconds) + GRACE
        self._watch = Watchdog(self.current.fileno(), limit)
        with self._watch as watch:
            yield watch

    @contextlib.contextmanager
    def translated(self, seconds: float | None = None) -> Generator[Watchdog]:
        """Do the same with psycopg's errors made ours."""
        try:
            with self.watched(seconds) as watch:
                yield watch
        except psycopg.Error as error:
            raise failure(error, self.told, late=self.late) from (error if self.told.may_quote(error) else None)
        except UnicodeError:
            # Its words hold the value.
            raise RefusedError(
                T("A value for the database of {name} is no text: UTF-8 cannot hold it.", name=self.settings.name)
            ) from None

    def _connect(self) -> psycopg.Connection[Any]:
        settings = self.settings
        where = self._where()
        try:
            return psycopg.connect(
                where,
                autocommit=True,
                prepare_threshold=None,
                context=_Context(),
                password=None if settings.password is None else settings.password.reveal(),
            )
        except psycopg.OperationalError as error:
            # A server that starts or stops answers as well; asked apart, since libpq tells no SQLSTATE here.
            starting = answered(error) and pq.PGconn.ping(where.encode()) == pq.Ping.REJECT
            place = f"{settings.server}:{settings.port}"
            raise connect_failure(error, settings.name, place, starting=starting) from error

    def _where(self) -> str:
        """Return where and how to connect, without the password."""
        settings = self.settings
        milliseconds = max(1, round(settings.timeout * 1000))
        options = {
            "statement_timeout": milliseconds,
            "lock_timeout": milliseconds,
            "default_transaction_read_only": "off" if self._writes else "on",
            "standard_conforming_strings": "on",
            "TimeZone": "UTC",
            "DateStyle": "ISO",
            "IntervalStyle": "postgres",
        }
        return make_conninfo(
            host=settings.server,
            port=settings.port,
            dbname=settings.database,
            user=settings.user,
            application_name="dsi",
            client_encoding="UTF8",
            # Less than two seconds is not taken (libpq, connect_timeout).
            connect_timeout=max(2, math.ceil(settings.timeout)),
            sslmode="prefer" if settings.ca_file is None else "verify-full",
            sslrootcert=settings.ca_file,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            options=" ".join(f"-c {name}={value}" for name, value in options.items()),
        )


class _Context:
    """What psycopg asks for how values are read."""

    connection = None

    def __init__(self) -> None:
        self.adapters = _adapters()
