"""The database itself: how it is reached, how writers take turns, and what its errors mean."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.journal.database_errors import absent_folder, translated

WAIT: Final = timedelta(seconds=10)
"""How long a writer waits for its turn before it says who to look for."""

_CONNECT_SECONDS: Final = 10

_TURN: Final = 0x647369_6A6E6C
"""The advisory lock that writers of one PostgreSQL database take in turn."""

_SQLITE_SECONDS: Final = text("SELECT (julianday('now') - 2440587.5) * 86400.0")
_POSTGRESQL_SECONDS: Final = text("SELECT extract(epoch FROM clock_timestamp())")


class Database:
    """One SQLite file, or one PostgreSQL database.

    Attributes:
        place: where it is, for messages: a path, or a URL without its password.
        path: the SQLite file, or None.
    """

    def __init__(self, url: str, *, wait: timedelta = WAIT) -> None:
        """Take note of where the database is; nothing is opened yet.

        Args:
            url: `sqlite:////var/lib/dsi/journal.db` or `postgresql://user@host/database`; the driver is ours to choose.
            wait: how long a writer waits for its turn.

        Raises:
            UsageError: the URL is not one of these.
        """
        self._url = _parsed(url)
        self._wait = wait
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.path = Path(str(self._url.database)) if self.is_sqlite else None
        self.place = str(self.path) if self.path else _shown(self._url)
        self._engine = self._sqlite() if self.is_sqlite else self._postgresql()

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Open a transaction that no other writer shares; commits on leaving, rolls back on an exception.

        Raises:
            StorageError: the database is locked, full, read-only or absent.
        """
        with translated(self.place), self._engine.connect() as connection:
            connection.execution_options(dsi_write=True)
            with connection.begin():
                if not self.is_sqlite:
                    self._take_turn(connection)
                yield connection

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Open a read-only view of one moment, without holding writers up.

        Raises:
            StorageError: the database is absent or not one.
        """
        with translated(self.place), self._engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def now(self, connection: Connection) -> datetime:
        """Return the database's clock, UTC."""
        seconds = connection.execute(_SQLITE_SECONDS if self.is_sqlite else _POSTGRESQL_SECONDS).scalar_one()
        return datetime.fromtimestamp(float(seconds), UTC)

    def prepare(self) -> None:
        """Make an SQLite file ready: its owner's only, and in WAL mode, which lets readers pass writers.

        Raises:
            StorageError: the folder is absent, or the file cannot be written.
        """
        if self.path is None or not self.path.parent.exists():
            return
        with translated(self.place), self._engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.execute("PRAGMA journal_mode=WAL")

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def _take_turn(self, connection: Connection) -> None:
        milliseconds = int(self._wait.total_seconds() * 1000)
        connection.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))
        # A controller that froze in the middle of a transaction must not stop the others for ever.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})

    def _sqlite(self) -> Engine:
        engine = create_engine(
            self._url,
            connect_args={"timeout": self._wait.total_seconds()},
            poolclass=NullPool,
            hide_parameters=True,
        )
        event.listen(engine, "do_connect", self._before_connect)
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        return engine

    def _before_connect(self, *_: Any) -> None:
        """Say that a folder is absent, and let a new file be its owner's only."""
        path = self.path
        if path is None or self.place.startswith((":", "file:")) or path.exists():
            return
        if not path.parent.is_dir():
            raise absent_folder(path)
        with translated(self.place):
            path.touch(mode=0o600)

    def _postgresql(self) -> Engine:
        return create_engine(
            self._url,
            pool_pre_ping=True,
            hide_parameters=True,
            # A server that is away must not keep a person waiting for minutes; the URL may say otherwise.
            connect_args={} if "connect_timeout" in self._url.query else {"connect_timeout": _CONNECT_SECONDS},
        )


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.drivername.partition("+")[0]
    except (ArgumentError, ValueError) as error:
        raise _not_ours(error) from None
    if backend == "sqlite" and parsed.database:
        return parsed
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise _not_ours(None)


def _shown(url: URL) -> str:
    """Return a URL for messages: as people write it, without its password, wherever that stands."""
    masked = url.set(query={key: "hidden" if "pass" in key else value for key, value in url.query.items()})
    return masked.set(drivername="postgresql").render_as_string(hide_password=True)


def _not_ours(error: Exception | None) -> UsageError:
    # The URL itself is not repeated: it may hold a password.
    return UsageError(
        T("The journal's database URL is not one this program knows."),
        next_step=T("Write sqlite:////absolute/path/journal.db or postgresql://user@host/database."),
        detail={} if error is None else {"error": type(error).__name__},
    )


def _configure(connection: Any, _record: Any) -> None:
    """Set up an SQLite connection: transactions are ours, and a commit survives a power cut."""
    connection.isolation_level = None
    # A damaged text must be found and named, not stop the reading.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("dsi_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
