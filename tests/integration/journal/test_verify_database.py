"""Somebody with the right to write to the database file edits it: verification says what and where."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fix_journal import Place, word

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.journal.chain import parse, seal
from dsi_automation.journal.checkpoints import Checkpoint
from dsi_automation.journal.database import Database
from dsi_automation.journal.errors import TamperedError
from dsi_automation.journal.findings import Fault, Verification
from dsi_automation.journal.model import Draft, Kind, Signed
from dsi_automation.journal.signatures import AllowedSigner
from dsi_automation.journal.signing import KeySource
from dsi_automation.journal.store import SqlJournal, columns
from dsi_automation.journal.verify import audit, read_external, verify_journal

TRIGGERS = ("entries_no_update", "entries_no_delete", "entries_chained")


def attack(place: Place, *statements: str | tuple[str, Sequence[object]]) -> None:
    """Drop the triggers and write straight into the file, as its owner can."""
    with sqlite3.connect(place.database) as connection:
        for trigger in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(*((statement,) if isinstance(statement, str) else statement))
    connection.close()


def verified(place: Place, signers: Sequence[AllowedSigner], external: Sequence[Checkpoint] = ()) -> Verification:
    # Not `open_journal`: it refuses some of these at the door, and an auditor must see all of them.
    journal = SqlJournal(Database(place.url))
    return verify_journal(journal, place.checkpoints, signers, external)


def faults(found: Verification) -> list[tuple[int | None, Fault]]:
    return [(problem.seq, problem.fault) for problem in found.problems]


def test_a_journal_as_written_verifies(story: Place, signers) -> None:
    found = verified(story, signers)
    assert found.problems == ()
    assert (found.entries, found.signatures, found.unguarded, found.exit_code) == (10, 2, 0, ExitCode.DONE)


EDITS = {
    "a line edited": (
        "UPDATE entries SET line = replace(line, '\"number\":3', '\"number\":4') WHERE seq = 7",
        [(7, Fault.EDITED)],
    ),
    "a hash edited": (
        "UPDATE entries SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = 7",
        [(7, Fault.EDITED)],
    ),
    "an actor edited": ("UPDATE entries SET actor = 'yao' WHERE seq = 2", [(2, Fault.COLUMN)]),
    "a kind hidden from searches": ("UPDATE entries SET kind = 'playbook.event' WHERE seq = 3", [(3, Fault.COLUMN)]),
    "an entry removed": ("DELETE FROM entries WHERE seq = 5", [(5, Fault.REMOVED)]),
    "two entries removed": ("DELETE FROM entries WHERE seq IN (5, 6)", [(5, Fault.REMOVED)]),
    "the first entry removed": ("DELETE FROM entries WHERE seq = 1", [(1, Fault.REMOVED)]),
    "a blob in place of a line": (
        "UPDATE entries SET line = x'00ff' WHERE seq = 7",
        [(7, Fault.EDITED), (7, Fault.EDITED)],
    ),
    "text that is not UTF-8": (
        "UPDATE entries SET line = CAST(x'7bff' AS TEXT) WHERE seq = 7",
        [(7, Fault.EDITED), (7, Fault.EDITED)],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_past_the_triggers_is_named(story: Place, signers, name: str) -> None:
    statement, expected = EDITS[name]
    attack(story, statement)
    found = verified(story, signers)
    assert [item for item in faults(found) if item[1] is not Fault.CHECKPOINT][: len(expected)] == expected
    assert found.exit_code is ExitCode.VERIFICATION_FAILED


def test_two_swapped_entries_are_named(story: Place, signers) -> None:
    attack(
        story,
        "UPDATE entries SET seq = 100 WHERE seq = 5",
        "UPDATE entries SET seq = 5 WHERE seq = 7",
        "UPDATE entries SET seq = 7 WHERE seq = 100",
    )
    assert faults(verified(story, signers)) == [(5, Fault.MOVED), (7, Fault.MOVED)]


def test_a_removal_covered_up_by_renumbering_is_named(story: Place, signers) -> None:
    attack(story, "DELETE FROM entries WHERE seq = 5", "UPDATE entries SET seq = seq - 1 WHERE seq > 5")
    found = faults(verified(story, signers))
    assert (5, Fault.MOVED) in found
    assert (10, Fault.CUT_OFF) in found


def test_a_cut_end_is_revealed_by_the_checkpoints_and_closes_the_gate(story: Place, signers) -> None:
    attack(story, "DELETE FROM entries WHERE seq > 8")
    assert faults(verified(story, signers)) == [(9, Fault.CUT_OFF)]
    with pytest.raises(TamperedError, match="8"):
        story.open()


def test_an_end_cut_with_its_checkpoints_is_revealed_only_by_a_copy_kept_elsewhere(
    story: Place, signers, tmp_path: Path
) -> None:
    shutil.copy(story.checkpoints, tmp_path / "copy.jsonl")
    last = story.open().head()
    (tmp_path / "paper.txt").write_text(f"{last.seq}:{last.hash}\n")
    attack(story, "DELETE FROM entries WHERE seq > 3")
    kept = [
        line
        for line in story.checkpoints.read_text().splitlines(keepends=True)
        if Checkpoint.from_line(line.strip()).seq <= 3
    ]
    story.checkpoints.write_text("".join(kept))
    assert verified(story, signers).ok
    for copy in ("copy.jsonl", "paper.txt"):
        assert (4, Fault.CUT_OFF) in faults(verified(story, signers, read_external(tmp_path / copy)))


def rewrite(place: Place, change: Callable[[Draft], Draft]) -> None:
    """Write the whole chain anew, with right hashes and right links: what root can do."""
    with sqlite3.connect(place.database) as connection:
        entries = [parse(line) for (line,) in connection.execute("SELECT line FROM entries ORDER BY seq")]
    connection.close()
    made = []
    for entry in entries:
        draft = change(Draft(entry.kind, entry.subject, entry.actor, entry.body, entry.signed))
        made.append(seal(draft, entry.seq, entry.at, made[-1].hash if made else entry.prev))
    insert = "INSERT INTO entries VALUES (:seq, :at, :kind, :subject, :actor, :prev, :hash, :line)"
    attack(place, "DELETE FROM entries", *((insert, columns(entry)) for entry in made))  # type: ignore[misc]


def without_checkpoints(place: Place) -> None:
    place.checkpoints.write_text("")


def test_a_chain_written_anew_is_revealed_by_the_checkpoints(story: Place, signers) -> None:
    rewrite(
        story,
        lambda draft: Draft(
            draft.kind,
            draft.subject,
            draft.actor,
            {**draft.body, "extra": 1} if draft.kind is Kind.ABOUT_TO else draft.body,
            draft.signed,
        ),
    )
    assert Fault.CHECKPOINT in {fault for _, fault in faults(verified(story, signers))}
    with pytest.raises(TamperedError):
        story.open()


def test_in_a_chain_written_anew_no_signed_word_can_be_changed(story: Place, signers) -> None:
    def forge(draft: Draft) -> Draft:
        if draft.kind is not Kind.APPROVED or draft.signed is None:
            return draft
        document = draft.signed.document.replace("yes", "no")
        body = {**draft.body, "note": json.loads(document)["note"]}
        return Draft(
            draft.kind,
            draft.subject,
            draft.actor,
            body,
            Signed(document, draft.signed.signature, draft.signed.namespace, draft.signed.public_key),
        )

    rewrite(story, forge)
    without_checkpoints(story)
    assert faults(verified(story, signers)) == [(3, Fault.BAD_SIGNATURE)]


def test_in_a_chain_written_anew_no_word_can_be_put_into_anothers_mouth(story: Place, signers) -> None:
    rewrite(
        story,
        lambda draft: Draft(
            draft.kind, draft.subject, "awa" if draft.kind is Kind.APPROVED else draft.actor, draft.body, draft.signed
        ),
    )
    without_checkpoints(story)
    assert faults(verified(story, signers)) == [(3, Fault.BAD_SIGNATURE)]


def test_in_a_chain_written_anew_a_word_cannot_be_moved_to_another_request(story: Place, signers) -> None:
    rewrite(story, lambda draft: Draft(draft.kind, "R-2", draft.actor, draft.body, draft.signed))
    without_checkpoints(story)
    assert faults(verified(story, signers))[-2:] == [(2, Fault.DOCUMENT), (3, Fault.DOCUMENT)]


def test_a_signer_nobody_knows_and_an_outdated_key_are_found(story: Place, signers, awa: KeySource) -> None:
    assert faults(verified(story, signers[:1])) == [(3, Fault.BAD_SIGNATURE)]
    outdated = [AllowedSigner("awa", awa.public_key, valid_until=story.clock.moment.replace(year=2020)), signers[1]]
    assert faults(verified(story, outdated)) == [(2, Fault.BAD_SIGNATURE)]


def test_the_head_a_signer_saw_contradicts_a_journal_written_anew(story: Place, signers, yao: KeySource) -> None:
    journal = story.open()
    head = journal.head()
    with journal.transaction() as transaction:
        transaction.append(word(Kind.REVOKED, "yao", yao, head={"seq": head.seq, "hash": head.hash}))
    assert verified(story, signers).ok
    rewrite(
        story,
        lambda draft: Draft(
            draft.kind,
            draft.subject,
            draft.actor,
            {**draft.body, "late": 1} if draft.kind is Kind.RUN_ENDED else draft.body,
            draft.signed,
        ),
    )
    without_checkpoints(story)
    assert (11, Fault.DOCUMENT) in faults(verified(story, signers))


def test_a_byte_changed_in_the_checkpoints_is_found_wherever_it_is(story: Place, signers) -> None:
    journal = SqlJournal(Database(story.url))
    whole = story.checkpoints.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        story.checkpoints.write_bytes(changed)
        assert not verify_journal(journal, story.checkpoints, None).ok, (place, whole[place - 20 : place + 20])


def test_a_damaged_file_is_a_finding_not_a_crash(story: Place, signers) -> None:
    for journal in story.opened:
        journal.close()
    data = bytearray(story.database.read_bytes())
    page = data.index(b'"number":3') // 4096
    data[page * 4096 : page * 4096 + 2000] = b"\xee" * 2000
    story.database.write_bytes(data)
    assert not verified(story, signers).ok


def test_the_engines_audit_says_the_same(story: Place) -> None:
    entries = story.open().read()
    audit(entries)
    with pytest.raises(TamperedError):
        audit([*entries[:4], *entries[5:]])


def test_edited_entries_are_refused_when_they_are_read(story: Place) -> None:
    journal = story.open()
    attack(story, "UPDATE entries SET kind = 'action.done' WHERE seq = 7")
    with pytest.raises(TamperedError, match="7"):
        journal.read()


def test_another_journal_in_its_place_is_refused_even_when_longer_and_by_a_new_key(
    story: Place, tmp_path: Path
) -> None:
    other = Place(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other", story.clock)
    journal = other.open()
    with journal.transaction() as transaction:
        for _ in range(30):
            transaction.append(Draft(Kind.RUN_ENDED, "R-1", "awa", {}))
    (story.state / "controller_key").unlink()
    shutil.copy(tmp_path / "other.db", story.database)
    with pytest.raises(TamperedError):
        story.open()
    assert journal.head().seq == 31


def test_a_controller_that_lost_its_key_goes_on_with_a_new_one_and_both_are_known(story: Place, signers) -> None:
    (story.state / "controller_key").unlink()
    story.open()
    found = verified(story, signers)
    assert (found.entries, found.problems, found.unguarded) == (11, (), 0)
