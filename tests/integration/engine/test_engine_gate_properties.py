"""Any single byte of a request, a plan or an approval changed in the database closes the gate."""

import sqlite3
from contextlib import closing, suppress
from datetime import timedelta

import pytest
from house import House
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Silent
from dsi_automation.engine.chain import survey
from dsi_automation.engine.gate import Gate
from dsi_automation.journal.chain import line_hash, parse

COLUMNS = ("seq", "at", "kind", "subject", "actor", "prev", "hash", "line")
PREV, HASH, LINE = 5, 6, 7


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A house with one approved request, its database without triggers, and its rows kept aside."""
    house = House(tmp_path_factory.mktemp("gate-property"))
    request_id = house.approved()
    with closing(sqlite3.connect(house.database)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        rows = connection.execute("SELECT * FROM entries ORDER BY seq").fetchall()
    yield house, request_id, rows
    house.journal.close()


def restore(connection, rows):
    connection.execute("DELETE FROM entries")
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def changed(text, position, replacement):
    place = position % len(text)
    old = text[place]
    return text[:place] + (replacement if replacement != old else chr(ord(old) ^ 1)) + text[place + 1 :]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seq=st.sampled_from([2, 3]),
    column=st.sampled_from(COLUMNS[1:]),
    position=st.integers(0, 20_000),
    replacement=st.characters(min_codepoint=32, max_codepoint=126),
    rehash=st.booleans(),
)
def test_one_changed_byte_closes_the_gate(prepared, seq, column, position, replacement, rehash):
    house, request_id, rows = prepared
    place = COLUMNS.index(column)
    edited = [list(row) for row in rows]
    line = edited[seq - 1]
    line[place] = changed(str(line[place]), position, replacement)
    if rehash and column == "line":
        line[HASH] = line_hash(line[place])
    with closing(sqlite3.connect(house.database)) as connection, connection:
        restore(connection, edited)
    with pytest.raises(DsiError) as caught:
        house.engine().run(request_id, Silent())
    assert caught.value.exit_code in {1, 2, 4}
    assert house.written() == {}


@settings(max_examples=150, deadline=None)
@given(
    seq=st.sampled_from([2, 3]),
    position=st.integers(0, 20_000),
    replacement=st.characters(min_codepoint=32, max_codepoint=126),
)
def test_with_every_hash_made_anew_and_no_checkpoint_the_signatures_still_hold_it_closed(
    prepared, seq, position, replacement
):
    """Somebody owns the database and the controller's files: only what persons signed is beyond them.

    What may pass is what changes nothing of it: the line breaks of a signature, or some minutes of a date.
    """
    house, request_id, rows = prepared
    edited = [list(row) for row in rows]
    edited[seq - 1][LINE] = changed(edited[seq - 1][LINE], position, replacement)
    for before, after, original in zip(edited, edited[1:], rows, strict=False):
        after[LINE] = (
            after[LINE].replace(original[HASH], before[HASH], 1) if before[HASH] != original[HASH] else after[LINE]
        )
        after[PREV], after[HASH] = before[HASH], line_hash(after[LINE])
    with suppress(ValueError, KeyError, TypeError):
        edited[seq - 1][1] = parse(edited[seq - 1][LINE]).at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with closing(sqlite3.connect(house.database)) as connection, connection:
        restore(connection, edited)
    hooks, house.journal.before[:] = list(house.journal.before), []
    try:
        parts = house.parts("m.kouadio")
        ledger = survey(parts)
        opened = Gate(parts).start(ledger, request_id, house.clock.now(), house.people[0], None)
    except DsiError:
        opened = None
    finally:
        house.journal.before[:] = hooks
    if opened is None:
        return
    for row, entry in zip(rows, ledger.entries, strict=True):
        original = parse(row[LINE])
        assert entry.signed == original.signed or entry.signed.document == original.signed.document
        assert abs(entry.at - original.at) <= timedelta(minutes=15)
        assert dict(entry.body) == dict(original.body)
    assert opened.plan.to_json() == parse(rows[1][LINE]).body["plan"]


def test_unchanged_it_runs(prepared):
    """Without this, a gate that is always closed would pass."""
    house, request_id, rows = prepared
    with closing(sqlite3.connect(house.database)) as connection, connection:
        restore(connection, rows)
    assert house.engine().run(request_id, Silent()).exit_code == 0
    for file in (house.root / "targets/t1").iterdir():
        file.unlink()
