"""Whatever byte of the record is changed, wherever, verification finds it; and it says which entry it was."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dsi_automation.journal.chain import GENESIS, seal
from dsi_automation.journal.checkpoints import FORMAT, NAMESPACE, Checkpoint
from dsi_automation.journal.findings import Fault
from dsi_automation.journal.model import Draft, Entry, Kind
from dsi_automation.journal.row import Row
from dsi_automation.journal.store import columns
from dsi_automation.journal.verify import verify_rows

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def chain(*drafts: Draft, start: datetime = START) -> list[Entry]:
    opening = Draft(Kind.JOURNAL_OPENED, "journal", "controller", {"journal": "ab" * 16, "controller": {}})
    entries: list[Entry] = []
    for draft in [opening, *drafts]:
        prev = entries[-1].hash if entries else GENESIS
        entries.append(seal(draft, len(entries) + 1, start + timedelta(seconds=len(entries)), prev))
    return entries


def rows(entries: Sequence[Entry]) -> list[Row]:
    return [Row(**columns(entry)) for entry in entries]


TEXTS = st.text(max_size=20)
BODIES = st.dictionaries(
    TEXTS, st.recursive(TEXTS | st.integers(-99, 99) | st.none() | st.booleans(), st.lists, max_leaves=5), max_size=3
)
DRAFTS = st.builds(Draft, st.just(Kind.ABOUT_TO), TEXTS, TEXTS, BODIES)
CHAINS = st.lists(DRAFTS, min_size=3, max_size=6).map(lambda drafts: chain(*drafts))
WHOLE = chain(*(Draft(Kind.ABOUT_TO, "R-1", "awa", {"number": number}) for number in range(6)))


@given(CHAINS)
def test_a_chain_as_written_verifies_whatever_it_says(entries: list[Entry]) -> None:
    assert verify_rows(rows(entries)).ok


@given(CHAINS, st.data())
def test_any_one_byte_changed_in_any_column_is_found_in_its_entry(entries: list[Entry], data: st.DataObject) -> None:
    changed = rows(entries)
    place = data.draw(st.integers(0, len(entries) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(Row) if field.name != "seq"]))
    old = bytearray(getattr(changed[place], name).encode())
    at = data.draw(st.integers(0, max(0, len(old) - 1)))
    if old:
        old[at] ^= data.draw(st.integers(1, 255))
    else:
        old = bytearray(b"x")
    new = old.decode("utf-8", "surrogateescape")
    changed[place] = replace(changed[place], **{name: new})
    found = verify_rows(changed).problems
    assert place + 1 in {problem.seq for problem in found}


@given(CHAINS, st.data())
def test_a_removed_entry_is_named(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    left = rows(entries)
    del left[place]
    problems = verify_rows(left).problems
    assert problems[0].fault is Fault.REMOVED
    assert problems[0].seq == place + 1


@given(CHAINS, st.data())
def test_a_removed_entry_is_found_when_the_rest_is_renumbered(entries: list[Entry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    left = rows(entries)
    del left[place]
    left = [replace(row, seq=number) for number, row in enumerate(left, start=1)]
    problems = verify_rows(left).problems
    assert (problems[0].seq, problems[0].fault) in {
        (place + 1, Fault.MOVED),
        (1, Fault.MOVED),
        (1, Fault.NOT_A_JOURNAL),
    }


@given(CHAINS, st.data())
def test_swapped_entries_are_both_named(entries: list[Entry], data: st.DataObject) -> None:
    first, second = sorted(data.draw(st.lists(st.integers(0, len(entries) - 1), min_size=2, max_size=2, unique=True)))
    swapped = rows(entries)
    swapped[first], swapped[second] = (
        replace(swapped[second], seq=first + 1),
        replace(swapped[first], seq=second + 1),
    )
    moved = [problem.seq for problem in verify_rows(swapped).problems if problem.fault is Fault.MOVED]
    assert moved == [first + 1, second + 1]


@given(CHAINS, st.data(), DRAFTS)
def test_an_entry_put_in_between_is_found(entries: list[Entry], data: st.DataObject, draft: Draft) -> None:
    place = data.draw(st.integers(1, len(entries) - 1))
    extra = seal(draft, place + 1, entries[place].at, entries[place - 1].hash)
    forged = rows(entries)
    forged.insert(place, Row(**columns(extra)))
    assert not verify_rows(forged).ok
    renumbered = [replace(row, seq=number) for number, row in enumerate(forged, start=1)]
    assert place + 2 in {problem.seq for problem in verify_rows(renumbered).problems}


def test_an_entry_rewritten_with_its_hash_breaks_the_link_of_the_next() -> None:
    forged = rows(WHOLE)
    other = seal(Draft(Kind.ABOUT_TO, "R-1", "awa", {"number": 99}), 4, WHOLE[3].at, WHOLE[2].hash)
    forged[3] = Row(**columns(other))
    (problem,) = verify_rows(forged).problems
    assert (problem.seq, problem.fault) == (5, Fault.BROKEN_LINK)


def test_an_entry_dated_before_the_one_it_follows_is_found() -> None:
    late = seal(Draft(Kind.ABOUT_TO, "R-1", "awa", {}), 8, START - timedelta(hours=1), WHOLE[-1].hash)
    (problem,) = verify_rows(rows([*WHOLE, late])).problems
    assert (problem.seq, problem.fault) == (8, Fault.CLOCK)


def test_a_cut_end_alone_does_not_show_but_a_claim_kept_elsewhere_shows_it() -> None:
    left = rows(WHOLE[:5])
    assert verify_rows(left).ok
    (problem,) = verify_rows(left, [Checkpoint(None, 7, WHOLE[6].hash)]).problems
    assert (problem.seq, problem.fault, problem.expected, problem.found) == (6, Fault.CUT_OFF, "7", "5")


def test_a_chain_written_anew_from_some_point_is_found_by_a_claim_about_a_later_entry() -> None:
    forged = chain(*(Draft(Kind.ABOUT_TO, "R-1", "awa", {"number": number * 2}) for number in range(6)))
    assert verify_rows(rows(forged)).ok
    (problem,) = verify_rows(rows(forged), [Checkpoint(None, 5, WHOLE[4].hash)]).problems
    assert (problem.seq, problem.fault) == (5, Fault.CHECKPOINT)


def test_an_unsigned_word_is_found() -> None:
    (problem,) = verify_rows(rows(chain(Draft(Kind.APPROVED, "R-1", "yao", {})))).problems
    assert (problem.seq, problem.fault) == (2, Fault.UNSIGNED)


def test_constants_of_the_format_stay() -> None:
    """Old journals and checkpoints must verify for ever: these values are part of what was signed."""
    assert (GENESIS, FORMAT, NAMESPACE) == ("0" * 64, "dsi.checkpoint/1", "dsi-checkpoint")
    draft = Draft(Kind.ABOUT_TO, "R-1", "awa", {"b": 1, "a": ["é", None]})
    assert seal(draft, 1, START, GENESIS).line == (
        '{"actor":"awa","at":"2026-11-21T12:00:00.000Z","body":{"a":["é",null],"b":1},"kind":"action.about_to",'
        f'"prev":"{GENESIS}","seq":1,"signed":null,"subject":"R-1"}}'
    )
