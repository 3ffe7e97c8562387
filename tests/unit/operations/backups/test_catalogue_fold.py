"""The catalogue says what the notes of runs say, no more and no less."""

import dataclasses
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vault import MADE, START, stored

from dsi_automation.connectors.backups.port import Copied
from dsi_automation.core.errors import StorageError
from dsi_automation.core.text import T
from dsi_automation.operations.backups import records
from dsi_automation.operations.backups.catalogue import CLEARED, COPY, FORGOTTEN, PROOF, SET, TRY, Noted, read

ONE, TWO = stored(1), stored(2)


def told(name, at=0, target="srv1", **data):
    return Noted("RUN-1", target, name, START + timedelta(hours=at), json.loads(json.dumps(data)))


def made(one, at=0):
    return told(SET, at, set=records.set_to_json(one))


def proof(one, *, ok=True, at=1):
    return told(
        PROOF, at, set=one.id, level=3, depth="full", ok=ok, failed=[] if ok else ["Bad."], restored_files=1,
        restored_bytes=2, phases={"restore": 1.5},
    )  # fmt: skip


def copied(one, medium="disque-01", *, ok=True):
    return told(COPY, set=one.id, medium=medium, ok=ok, failed=[], copied=records.copied_to_json(Copied("s", 1, 2)))


def test_sets_are_in_the_order_of_the_record_whatever_their_dates_say():
    catalogue = read([made(ONE, at=5), made(TWO, at=1), told("account.handed", x=1)])
    assert [one.id for one in catalogue.of("srv1")] == [ONE.id, TWO.id]
    assert catalogue.recorded[ONE.id] == START + timedelta(hours=5)


def test_a_set_counts_as_verified_by_its_last_proof_alone():
    assert read([made(ONE), proof(ONE)]).verified("srv1") == (ONE,)
    assert read([made(ONE), proof(ONE), proof(ONE, ok=False)]).verified("srv1") == ()
    assert read([made(ONE), proof(ONE, ok=False), proof(ONE)]).verified("srv1") == (ONE,)


def test_a_forgotten_set_is_kept_in_the_record_and_no_longer_among_what_there_is():
    catalogue = read([made(ONE), made(TWO), proof(ONE), told(FORGOTTEN, sets=[ONE.id], freed=3)])
    assert catalogue.of("srv1") == (TWO,)
    assert catalogue.verified("srv1") == ()
    assert ONE.id in catalogue.sets


def test_a_medium_holds_what_was_read_back_from_it_until_it_is_cleared():
    notes = [made(ONE), made(TWO), copied(ONE), copied(TWO), copied(TWO, "disque-02", ok=False)]
    assert read(notes).on_medium == {"disque-01": (ONE.id, TWO.id)}
    cleared = told(CLEARED, medium="disque-01", sets=[ONE.id])
    assert read([*notes, cleared]).on_medium == {"disque-01": (TWO.id,)}


@pytest.mark.parametrize(
    "note",
    [
        told(SET, set={"id": "SET-1"}),
        told(SET, target="other", set=records.set_to_json(ONE)),
        proof(ONE),
        told(TRY, number=1),
        told(PROOF),
        told(FORGOTTEN, sets=["SET-0"]),
    ],
)
def test_a_note_of_ours_that_cannot_be_read_stops_every_decision(note):
    with pytest.raises(StorageError):
        read([note])


def test_the_same_set_twice_is_refused():
    with pytest.raises(StorageError):
        read([made(ONE), made(ONE)])


@given(
    st.integers(0), st.integers(0), st.text(), st.dictionaries(st.text(), st.integers() | st.text() | st.none()),
    st.lists(st.text(), max_size=3),
)  # fmt: skip
def test_a_set_comes_back_from_the_record_as_it_went_in(files, size, engine, details, extra):
    one = dataclasses.replace(
        stored(3),
        made=dataclasses.replace(
            MADE,
            files=files,
            size=size,
            engine=engine,
            details=details,
            extra_snapshots=tuple(extra),
            phases={"backup": 1.25},
            warnings=(T("Odd."),),
        ),
    )
    assert records.set_from_json(json.loads(json.dumps(records.set_to_json(one)))) == one


def test_the_same_backup_of_the_same_run_has_the_same_identifier_and_no_two_share_one():
    first = records.set_id(START, "RUN-1", MADE, ())
    assert first == records.set_id(START, "RUN-1", MADE, ())
    assert first.startswith("SET-20261122-0200-")
    assert records.set_id(START, "RUN-1", MADE, {first}) != first
