"""What a database driver's error means to the person, and what to do about it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dsi_automation.core.errors import StorageError
from dsi_automation.core.text import T
from dsi_automation.journal.errors import DamagedError, LockedError

_DAMAGED: Final = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_NO_TABLE: Final = ("42P01", "42P07", "NO_TABLE")
"""A table that should be there is not; or one is there that the migrations, with nothing to go by, make anew."""
_TABLES: Final = ("no such table", "already exists")
_LOCKED: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03")
_FULL: Final = ("SQLITE_FULL", "53100", "ENOSPC", "EDQUOT")
_PAGE: Final = 65536
"""Bytes; SQLite's largest page, and more than its shared memory grows at a time."""
_READ_ONLY: Final = ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "25006", "42501", "EACCES", "EPERM", "EROFS")
_REFUSED: Final = ("28000", "28P01", "3D000")
_AWAY: Final = ("08", "57P")
"""Connection exceptions, and a server that stops or starts (PostgreSQL, appendix A)."""
_REFUSED_AT_THE_DOOR: Final = ("FATAL:", "no password supplied")
"""What the client library says when the server answered, and refused; the rest is in the server's language."""


@contextmanager
def translated(place: str) -> Generator[None]:
    """Turn the errors of the driver and of the disk into `StorageError`.

    Args:
        place: where the database is, for the message.
    """
    try:
        yield
    except DBAPIError as error:
        raise storage_error(_code(error.orig), place) from error
    except SQLAlchemyError as error:
        raise storage_error(type(error).__name__, place) from error
    except OSError as error:
        raise storage_error(errno.errorcode.get(error.errno or 0, "OSError"), place) from error


def absent_folder(path: Path) -> StorageError:
    """Return the error for a database in a folder that does not exist."""
    return StorageError(
        T("The folder {folder} of the journal does not exist.", folder=str(path.parent)),
        next_step=T("Make it, or correct the database URL or state_dir in dsi.yml."),
    )


def storage_error(code: str, place: str) -> StorageError:
    """Return the error for a driver's code: an SQLite result, an SQLSTATE, an errno by name.

    Args:
        place: where the database or the file is, for the message.
    """
    detail = {"code": code}
    if code.startswith("SQLITE_IOERR") and _is_full(place):
        code = _FULL[0]
    if code.startswith(_LOCKED):
        return LockedError(
            T("The journal {place} is locked by another process.", place=place),
            meaning=T("It was held for longer than the waiting time; nothing was written."),
            next_step=T("Try again; if it lasts, look for a backup or a stopped process that holds it open."),
            detail=detail,
        )
    if code.startswith(_DAMAGED):
        return DamagedError(
            T("The journal {place} is not a database, or it is damaged.", place=place),
            next_step=T("Keep the file as it is, restore the last copy beside it, and verify both."),
            detail=detail,
        )
    if code.startswith(_NO_TABLE):
        return DamagedError(
            T("The tables of the journal {place} are gone.", place=place),
            next_step=T("Keep the file as it is, restore the last copy beside it, and verify both."),
            detail=detail,
        )
    if code.startswith(_FULL):
        return StorageError(
            T("The disk of the journal {place} is full; nothing was written.", place=place),
            next_step=T("Free some space there, then try again."),
            detail=detail,
        )
    if code.startswith(_READ_ONLY):
        return StorageError(
            T("The journal {place} cannot be opened for writing.", place=place),
            next_step=T(
                "Give this account the right to write to it and to its folder; check the disk is not read-only."
            ),
            detail=detail,
        )
    if code.startswith(_REFUSED):
        return StorageError(
            T("The database server refuses this account or does not know the database: {place}.", place=place),
            next_step=T("Check the user, the password and the database name of the URL; the server's log says more."),
            detail=detail,
        )
    if code.startswith(_AWAY):
        return StorageError(
            T("The database server does not answer: {place}.", place=place),
            meaning=T("What was being written is written whole, or not at all."),
            next_step=T("Check that it is up and that the host and the port of the URL are right, then try again."),
            detail=detail,
        )
    return StorageError(
        T("The journal {place} cannot be used: {code}.", place=place, code=code),
        next_step=T("Check that the disk or the database server is up, then try again."),
        detail=detail,
    )


def _code(error: Any) -> str:
    name = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    if name == "SQLITE_ERROR" and any(words in str(error) for words in _TABLES):
        return _NO_TABLE[-1]
    if name is None and any(words in str(error) for words in _REFUSED_AT_THE_DOOR):
        return _REFUSED[0]  # a connection that never was has no SQLSTATE, only the server's sentence
    if name is None and type(error).__module__.startswith("psycopg") and type(error).__name__ == "OperationalError":
        return "08001"  # nor has one that nobody answered, or that broke
    return str(name or type(error).__name__)


def _is_full(place: str) -> bool:
    """Tell whether the disk under a file has no room left: SQLite then tells of an I/O error, each time another."""
    try:
        return shutil.disk_usage(Path(place).parent).free < _PAGE
    except OSError:
        return False
