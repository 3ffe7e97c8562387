"""Brings a database's tables to what this version of the code expects; refuses one that is ahead of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsi_automation.core.text import T
from dsi_automation.journal.errors import NewerDatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dsi_automation.journal.database import Database

REVISIONS: Final = ("0001",)
"""Every revision this code knows, oldest first: asked before Alembic is imported, which costs 0.3 s."""

SCRIPTS: Final = Path(__file__).resolve().parent / "migrations"


def migrate(database: Database) -> bool:
    """Bring the tables up to date, in one transaction; two processes at once do it once.

    Returns:
        Whether anything had to be done.

    Raises:
        NewerDatabaseError: the database knows a revision this code does not.
        StorageError: the database is locked, full, read-only or absent.
    """
    with database.read() as connection:
        if _revision(connection, database.place) == REVISIONS[-1]:
            return False
    database.prepare()
    with database.write() as connection:
        if _revision(connection, database.place) == REVISIONS[-1]:
            return False
        upgrade(connection)
    return True


def is_empty(database: Database) -> bool:
    """Tell whether a database has no tables of ours yet.

    Raises:
        NewerDatabaseError, StorageError: as `migrate`.
    """
    with database.read() as connection:
        return _revision(connection, database.place) is None


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to `revision` within the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    command.upgrade(config, revision)


def _revision(connection: Connection, place: str) -> str | None:
    from sqlalchemy import inspect, text

    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is not None and found not in REVISIONS:
        raise NewerDatabaseError(
            T("The journal {place} was written by a newer version of this program.", place=place),
            next_step=T("Install the newer version on this machine; nothing was read or changed."),
            detail={"revision": str(found), "known": REVISIONS[-1]},
        )
    return None if found is None else str(found)
