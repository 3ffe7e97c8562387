"""The tables: made by migrations, the same as the code describes, append-only for whoever speaks SQL."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from fix_journal import Place, SetClock, note
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dsi_automation.core.errors import StorageError
from dsi_automation.journal.database import Database
from dsi_automation.journal.errors import NewerDatabaseError
from dsi_automation.journal.migrate import REVISIONS, SCRIPTS, migrate
from dsi_automation.journal.schema import metadata

REFUSED = [
    "UPDATE entries SET actor = 'x' WHERE seq = 2",
    "UPDATE entries SET line = line",
    "DELETE FROM entries WHERE seq = 2",
    "DELETE FROM entries",
    "INSERT INTO entries SELECT 4, at, kind, subject, actor, prev, hash, line FROM entries WHERE seq = 2",
    "INSERT INTO entries SELECT 3, at, kind, subject, actor, prev, hash, line FROM entries WHERE seq = 2",
    "INSERT INTO entries SELECT 2, at, kind, subject, actor, hash, hash, line FROM entries WHERE seq = 2",
    "DELETE FROM leases",
    "UPDATE leases SET fence = 0",
    "UPDATE leases SET target = 'ws2'",
]


def test_migrations_from_nothing_make_the_tables_the_code_describes(place: Place) -> None:
    database = Database(place.url)
    assert migrate(database)
    assert not migrate(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


def test_the_code_knows_every_migration() -> None:
    scripts = ScriptDirectory(str(SCRIPTS)).walk_revisions()
    assert tuple(reversed([script.revision for script in scripts])) == REVISIONS


def test_a_database_of_a_newer_version_is_refused(place: Place) -> None:
    journal = place.open()
    with journal.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabaseError):
        place.open()


@pytest.mark.parametrize("statement", REFUSED)
def test_the_record_is_append_only_for_whoever_speaks_sql(place: Place, statement: str) -> None:
    journal = place.open()
    with journal.transaction() as transaction:
        transaction.append(note())
        transaction.acquire(["ws1"], "run-1", "far/1/2/b/s", "awa", place.clock.moment - place.clock.moment)
    before = journal.read()
    with pytest.raises(StorageError) as caught, journal.database.write() as connection:
        connection.execute(text(statement))
    assert isinstance(caught.value.__cause__, DBAPIError)
    assert journal.read() == before


FALSE_HASH = "INSERT INTO entries SELECT 2, at, kind, subject, actor, hash, repeat('a', 64), line FROM entries"


@pytest.mark.parametrize("statement", ["TRUNCATE entries", "TRUNCATE leases", FALSE_HASH])
def test_postgresql_refuses_truncate_and_a_false_hash_too(new_postgres_database, tmp_path, statement: str) -> None:
    place = Place(new_postgres_database(), tmp_path / "state", SetClock())
    journal = place.open()
    try:
        with pytest.raises(StorageError), journal.database.write() as connection:
            connection.execute(text(statement))
        assert len(journal.read()) == 1
    finally:
        journal.close()


def test_sqlite_replace_does_not_get_round_the_triggers(sqlite_place: Place) -> None:
    journal = sqlite_place.open()
    with pytest.raises(StorageError), journal.database.write() as connection:
        connection.execute(text("REPLACE INTO entries SELECT * FROM entries"))
    assert len(journal.read()) == 1
