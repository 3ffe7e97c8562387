"""What every journal keeps its word on, whichever database it is in."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from fix_journal import Place, note, word

from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import MASK, Secret
from dsi_automation.journal.chain import GENESIS
from dsi_automation.journal.errors import ClockError, TamperedError
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.signing import KeySource
from dsi_automation.journal.verify import verify_journal


def test_the_first_entry_names_the_journal_and_its_controller(place: Place) -> None:
    first = place.open().read()[0]
    assert (first.seq, first.kind, first.prev) == (1, Kind.JOURNAL_OPENED, GENESIS)
    assert len(first.body["journal"]) == 32
    assert first.body["controller"]["public_key"].startswith("ssh-ed25519 ")


def test_opening_again_adds_nothing(place: Place) -> None:
    place.open()
    assert len(place.open().read()) == 1


def test_a_second_controller_introduces_its_key_to_the_same_journal(place: Place, tmp_path: Path) -> None:
    first = place.open().read()[0]
    second = place.open(state=tmp_path / "other").read()[-1]
    assert second.kind is Kind.JOURNAL_OPENED
    assert second.body["journal"] == first.body["journal"]
    assert second.body["controller"]["public_key"] != first.body["controller"]["public_key"]


def test_each_entry_holds_the_hash_of_the_one_before(place: Place) -> None:
    journal = place.open()
    with journal.transaction() as transaction:
        for number in range(3):
            transaction.append(note(number))
    entries = journal.read()
    assert [entry.seq for entry in entries] == [1, 2, 3, 4]
    for before, after in pairwise(entries):
        assert after.prev == before.hash == hashlib.sha256(before.line.encode()).hexdigest()


def test_entries_come_back_as_they_were_written(place: Place, awa: KeySource) -> None:
    journal = place.open()
    draft = word(Kind.REQUESTED, "awa", awa)
    with journal.transaction() as transaction:
        written = transaction.append(draft)
    read = journal.read(subject="R-1")
    assert read == [written]
    assert (read[0].signed, read[0].body["note"]) == (draft.signed, draft.body["note"])


def test_entries_are_found_by_subject_and_by_kind(place: Place) -> None:
    journal = place.open()
    with journal.transaction() as transaction:
        transaction.append(note(1, "R-1"))
        transaction.append(Draft(Kind.RUN_ENDED, "R-2", "awa", {}))
        assert [entry.seq for entry in transaction.entries(subject="R-2")] == [3]
        assert [entry.seq for entry in transaction.entries(kinds=[Kind.ABOUT_TO])] == [2]
        assert [entry.seq for entry in transaction.entries(subject="R-1", kinds=[Kind.RUN_ENDED])] == []


def test_an_exception_leaves_nothing_behind(place: Place) -> None:
    journal = place.open()
    with pytest.raises(ZeroDivisionError), journal.transaction() as transaction:
        transaction.append(note(1 // (transaction.append(note()).seq - 2)))
    assert len(journal.read()) == 1


def test_a_secret_in_a_body_is_masked_before_it_is_hashed(place: Place) -> None:
    Secret("canary-9f8e7d")
    journal = place.open()
    with journal.transaction() as transaction:
        transaction.append(Draft(Kind.ACTION_FAILED, "R-1", "awa", {"said": ["wrong: canary-9f8e7d"]}))
    assert journal.read()[-1].body == {"said": [f"wrong: {MASK}"]}


def test_a_secret_in_a_signed_document_is_refused(place: Place, awa: KeySource) -> None:
    Secret("canary-1a2b3c")
    journal = place.open()
    draft = word(Kind.REQUESTED, "awa", awa, password="canary-1a2b3c")
    with pytest.raises(UsageError) as caught, journal.transaction() as transaction:
        transaction.append(draft)
    assert "canary-1a2b3c" not in str(caught.value)
    assert len(journal.read()) == 1


def test_a_signed_document_that_contradicts_its_entry_is_refused(place: Place, awa: KeySource) -> None:
    journal = place.open()
    draft = word(Kind.REQUESTED, "awa", awa, extra=[3])
    with pytest.raises(UsageError), journal.transaction() as transaction:
        transaction.append(draft)


@pytest.mark.parametrize("value", [float("nan"), 2**60, {1, 2}, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_value_json_cannot_carry_is_refused_with_a_sentence(place: Place, value: object) -> None:
    journal = place.open()
    with pytest.raises(UsageError), journal.transaction() as transaction:
        transaction.append(Draft(Kind.EVIDENCE, "R-1", "awa", {"value": value}))
    assert len(journal.read()) == 1


def test_half_a_surrogate_pair_from_equipment_is_recorded_all_the_same(place: Place) -> None:
    journal = place.open()
    with journal.transaction() as transaction:
        transaction.append(Draft(Kind.EVIDENCE, "R-1", "awa", {"value": "a\ud800b\x00c"}))
    assert journal.read()[-1].body == {"value": "a\ufffdb\x00c"}


def test_without_an_injected_clock_the_database_tells_the_time(place: Place) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    with place.open(clock=False).transaction() as transaction:
        assert before < transaction.now < datetime.now(UTC) + timedelta(seconds=2)


def test_a_clock_that_went_back_closes_the_gate_and_says_by_how_much(place: Place) -> None:
    journal = place.open()
    place.clock.moment -= timedelta(seconds=90)
    with pytest.raises(ClockError, match="90"), journal.transaction() as transaction:
        transaction.append(note())
    with pytest.raises(ClockError), journal.transaction() as transaction:
        assert transaction.now
    assert len(journal.read()) == 1


def test_a_clock_a_few_seconds_off_is_tolerated(place: Place) -> None:
    journal = place.open()
    place.clock.moment -= timedelta(seconds=4)
    with journal.transaction() as transaction:
        transaction.append(note())
    assert len(journal.read()) == 2


def test_an_older_copy_of_the_database_closes_the_gate(place: Place, tmp_path: Path) -> None:
    journal = place.open()
    with journal.transaction() as transaction:
        transaction.append(Draft(Kind.RUN_ENDED, "R-1", "awa", {}))
    checkpoint = place.checkpoints.read_text()
    other = Place(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other", place.clock)
    other.open()
    (other.state / "checkpoints.jsonl").write_text(checkpoint)
    with pytest.raises(TamperedError):
        other.open()


def test_threads_of_one_process_make_one_chain_with_its_end_checkpointed(place: Place) -> None:
    journal = place.open()

    def work(name: int) -> None:
        for _ in range(10):
            with journal.transaction() as transaction:
                transaction.append(Draft(Kind.RUN_ENDED, f"R-{name}", "awa", {}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    found = verify_journal(journal, place.checkpoints)
    assert (found.entries, found.problems, found.unguarded) == (81, (), 0)
