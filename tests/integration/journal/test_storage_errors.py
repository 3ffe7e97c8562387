"""The disk and the database in every bad state: one sentence, nothing half written."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fix_journal import Place, SetClock, note
from sqlalchemy.exc import DBAPIError

from dsi_automation.core.errors import StorageError, UsageError
from dsi_automation.core.text import T
from dsi_automation.journal.database_errors import translated
from dsi_automation.journal.errors import DamagedError, LockedError, SigningError
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.opening import open_journal
from dsi_automation.journal.store import SqlJournal
from dsi_automation.journal.verify import verify_journal


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 512 KiB large."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "dsi-journal-test", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(journal: SqlJournal, draft: Draft, written: list[int] | None = None) -> None:
    """Append until something gives way; a thousand times would be too many."""
    for _ in range(1000):
        with journal.transaction() as transaction:
            entry = transaction.append(draft)
        if written is not None:
            written.append(entry.seq)


def test_a_locked_database_says_so_and_writes_nothing(sqlite_place: Place) -> None:
    journal = sqlite_place.open(wait=0.1)
    other = sqlite3.connect(sqlite_place.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LockedError, match=sqlite_place.database.name), journal.transaction() as transaction:
        transaction.append(note())
    assert len(journal.read()) == 1, "readers pass writers"
    other.execute("ROLLBACK")
    other.close()
    with journal.transaction() as transaction:
        transaction.append(note())


def test_a_locked_postgresql_says_so(new_postgres_database, tmp_path: Path) -> None:
    place = Place(new_postgres_database(), tmp_path / "state", SetClock())
    journal, other = place.open(wait=0.2), place.open()
    with other.transaction() as held:
        held.append(note())
        with pytest.raises(LockedError), journal.transaction():
            pass
    assert len(journal.read()) == 2
    for opened in place.opened:
        opened.close()


def test_a_full_disk_writes_nothing_and_the_chain_goes_on_afterwards(small_disk: Path) -> None:
    place = Place(f"sqlite:///{small_disk / 'journal.db'}", small_disk / "state", SetClock())
    journal = place.open()
    big = Draft(Kind.EVIDENCE, "R-1", "awa", {"text": "x" * 40_000})
    with pytest.raises(StorageError) as caught:
        fill(journal, big)
    assert caught.value.detail["code"] in {"SQLITE_FULL", "ENOSPC"}
    before = len(journal.read())
    assert before > 1
    subprocess.run(["mount", "-o", "remount,size=2m", small_disk], check=True)
    with journal.transaction() as transaction:
        assert transaction.append(big).seq == before + 1
    assert verify_journal(journal, place.checkpoints).ok


def test_a_disk_that_was_full_before_says_full_and_not_an_error_of_the_disk(small_disk: Path) -> None:
    place = Place(f"sqlite:///{small_disk / 'journal.db'}", small_disk / "state", SetClock())
    place.open().close()
    room = os.statvfs(small_disk)
    (small_disk / "fill").write_bytes(bytes(room.f_bavail * room.f_frsize))
    sentence = str(T("The disk of the journal {place} is full; nothing was written.", place=place.database))
    with pytest.raises(StorageError) as caught, place.open().transaction() as transaction:
        transaction.append(note())
    assert str(caught.value.what) == sentence
    (small_disk / "fill").unlink()
    assert len(place.open().read()) == 1


def test_a_checkpoint_that_found_no_room_is_owed_before_the_next_transaction(small_disk: Path, tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path / 'journal.db'}", small_disk / "state", SetClock())
    journal = place.open()
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize))
    written: list[int] = []
    with pytest.raises(StorageError):
        fill(journal, Draft(Kind.RUN_ENDED, "R-1", "awa", {}), written)
    assert [entry.seq for entry in journal.read()][1:] == written, "what was acknowledged is there, and nothing else"
    filler.unlink()
    with journal.transaction() as transaction:
        transaction.append(note())
    found = verify_journal(journal, place.checkpoints)
    assert (found.problems, found.unguarded) == ((), 1)


def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="absent"):
        open_journal(f"sqlite:///{tmp_path / 'absent' / 'journal.db'}", tmp_path / "state")


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("these are my notes\n" * 100)
    with pytest.raises(DamagedError):
        open_journal(f"sqlite:///{path}", tmp_path / "state")
    assert path.read_text() == "these are my notes\n" * 100


def test_a_read_only_database_can_be_read_and_says_it_cannot_be_written(sqlite_place: Place) -> None:
    sqlite_place.open()
    url = f"sqlite:///file:{sqlite_place.database}?mode=ro&uri=true"
    journal = open_journal(url, sqlite_place.state, sqlite_place.clock)
    assert len(journal.read()) == 1
    with pytest.raises(StorageError) as caught, journal.transaction() as transaction:
        transaction.append(note())
    assert caught.value.detail["code"].startswith("SQLITE_READONLY")


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://dsi:canary-pg-pass@/journal?host={tmp_path}"
    with pytest.raises(StorageError) as caught:
        open_journal(url, tmp_path / "state")
    assert "canary-pg-pass" not in str(caught.value) + repr(caught.value.__cause__)


def test_a_database_the_server_does_not_know_is_told_from_a_dead_server(postgres_socket: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        open_journal(f"postgresql://postgres:canary-pg-pass@/nosuch?host={postgres_socket}", tmp_path / "state")
    assert caught.value.detail["code"] == "28000", caught.value.__cause__
    assert "canary-pg-pass" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('failed: FATAL:  database "nosuch" does not exist', "28000"),
        ("failed: FATAL:  la base de données « nosuch » n'existe pas", "28000"),
        ("failed: fe_sendauth: no password supplied", "28000"),
        ("failed: Connexion refusée", "08001"),
        ("connection timeout expired", "08001"),
    ],
)
def test_a_server_that_refuses_is_told_from_one_that_is_away_in_any_language(said: str, code: str) -> None:
    import psycopg

    with pytest.raises(StorageError) as caught, translated("postgresql://db/journal"):
        raise DBAPIError("", None, psycopg.OperationalError(said))
    assert caught.value.detail["code"] == code


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "nonsense", "nosuchdb://canary-pw@x"])
def test_a_url_of_another_kind_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_journal(url, tmp_path / "state")
    assert "canary" not in str(caught.value)


def test_the_state_folder_is_its_owners_only(sqlite_place: Place) -> None:
    sqlite_place.open()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in sqlite_place.state.iterdir()}
    assert (modes["controller_key"], modes["checkpoints.jsonl"]) == ("0o600", "0o600")
    assert sqlite_place.state.stat().st_mode & 0o777 == 0o700
    assert sqlite_place.database.stat().st_mode & 0o777 == 0o600


def test_a_controllers_key_others_can_read_is_not_used(sqlite_place: Place) -> None:
    sqlite_place.open()
    key = sqlite_place.state / "controller_key"
    key.chmod(0o640)
    with pytest.raises(SigningError, match="chmod 600"):
        sqlite_place.open()
    key.chmod(0o600)
    key.write_text("junk")
    with pytest.raises(SigningError):
        sqlite_place.open()


def test_a_checkpoint_torn_by_a_power_cut_is_reported_then_replaced(story: Place) -> None:
    journal = story.open()
    size = story.checkpoints.stat().st_size
    os.truncate(story.checkpoints, size - 100)
    assert not verify_journal(journal, story.checkpoints).ok
    story.clock.moment = journal.read()[-1].at
    with journal.transaction() as transaction:
        transaction.append(Draft(Kind.RUN_ENDED, "R-2", "awa", {}))
    assert verify_journal(journal, story.checkpoints).ok
