"""A hand-over is somebody's signed word, written before anything is revealed, and an auditor can check it."""

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest
from house import keygen, person

from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.engine.model import HandedBy, HandedItem
from dsi_automation.inventory.model import PersonKey
from dsi_automation.journal.export import export
from dsi_automation.journal.findings import Fault
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.signatures import AllowedSigner
from dsi_automation.journal.signing import KeySource
from dsi_automation.journal.verify import verify_journal

ITEM = HandedItem("t1", "awa.kone@douanes.lab", HandedBy.SCREEN, "RUN-20261121-8AAA")


@pytest.fixture
def keyed(house):
    """The technician, with a key made by ssh-keygen."""
    path = house.root / "m.kouadio"
    keygen(path)
    public = PersonKey(key=path.with_suffix(".kouadio.pub").read_text())
    house.people[0] = person("m.kouadio", "technician", "100", keys=(public,))
    return KeySource(path)


def tampered(house, old, new):
    with closing(sqlite3.connect(house.database)) as database, database:
        for trigger in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger[0]}"')
        database.execute("UPDATE entries SET line = replace(line, ?, ?)", (old, new))


def test_a_hand_over_is_recorded_with_who_what_how_and_to_whom(house):
    made = house.engine().hand_over("folder.fill", [ITEM], to="  son chef, M. Brou ")
    (entry,) = house.journal.read(kinds=[Kind.HANDED_OVER])
    assert (entry.subject, entry.actor, entry.kind) == (made.id, "m.kouadio", "custody.handed_over")
    signed = json.loads(entry.signed.document)
    assert signed["items"] == [
        {"target": "t1", "address": "awa.kone@douanes.lab", "how": "screen", "run": "RUN-20261121-8AAA"}
    ]
    assert (signed["to"], signed["person"], entry.signed.namespace) == ("son chef, M. Brou", "m.kouadio", "dsi-custody")
    assert house.engine().handovers() == [made]
    assert house.engine().handovers(run="RUN-20261121-8AAA") == [made]
    assert house.engine().handovers(run="RUN-20261121-8BBB") == []


def test_two_hand_overs_of_one_second_have_identifiers_of_their_own(house):
    one, other = (house.engine().hand_over("folder.fill", [ITEM]) for _ in range(2))
    assert one.id != other.id
    assert [item.id for item in house.engine().handovers()] == [one.id, other.id]


@pytest.mark.parametrize(("who", "door"), [("y.traore", "role"), ("nobody", "unknown_signer")])
def test_only_somebody_who_may_ask_for_the_operation_hands_over(house, who, door):
    with pytest.raises(GateClosedError) as caught:
        house.engine(who).hand_over("folder.fill", [ITEM])
    assert caught.value.detail["door"] == door
    assert house.journal.read(kinds=[Kind.HANDED_OVER]) == []


def test_an_operation_that_policy_does_not_list_is_not_handed_over(house):
    house.policy = {"version": 1, "operations": {}}
    with pytest.raises(GateClosedError) as caught:
        house.engine().hand_over("folder.fill", [ITEM])
    assert caught.value.detail["door"] == "not_listed"


@pytest.mark.parametrize("items", [[], [ITEM, ITEM]])
def test_nothing_and_the_same_twice_are_refused(house, items):
    with pytest.raises(UsageError):
        house.engine().hand_over("folder.fill", items)
    assert house.journal.read(kinds=[Kind.HANDED_OVER]) == []


def test_nothing_is_handed_over_by_a_journal_that_was_edited(house):
    house.engine().hand_over("folder.fill", [ITEM])
    tampered(house, "awa.kone", "koffi.b")
    with pytest.raises(GateClosedError):
        house.engine().hand_over("folder.fill", [ITEM])


def test_ssh_keygen_and_the_journal_verify_a_hand_over(house, keyed):
    house.engine(keyed).hand_over("folder.fill", [ITEM], to="N’Guessan Épiphanie")
    signers = [AllowedSigner("m.kouadio", keyed.public_key)]
    found = verify_journal(house.journal, house.state / "checkpoints.jsonl", signers)
    assert (found.ok, found.signatures) == (True, 1)
    folder = house.root / "export"
    export(house.journal, folder, house.state / "checkpoints.jsonl", signers, folder=True)
    done = subprocess.run(["sh", "check.sh"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:3]) == (0, "OK:")
    journal = folder / "journal.jsonl"
    assert '"kind":"custody.handed_over"' in journal.read_text()


def test_a_hand_over_without_its_signature_is_noticed_by_both(house):
    house.engine().hand_over("folder.fill", [ITEM])
    with house.journal.transaction() as change:
        change.append(Draft(Kind.HANDED_OVER, "HND-20261121-0000", "m.kouadio", {}))
    signers = [AllowedSigner("m.kouadio", house.people[0].keys[0].key)]
    found = verify_journal(house.journal, house.state / "checkpoints.jsonl", signers)
    assert [problem.fault for problem in found.problems] == [Fault.UNSIGNED]
    folder = house.root / "export"
    export(house.journal, folder, house.state / "checkpoints.jsonl", signers, folder=True)
    done = subprocess.run(["sh", "check.sh"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, "it should be signed and is not" in done.stdout) == (1, True)


def test_a_hand_over_under_another_name_is_noticed(house):
    made = house.engine().hand_over("folder.fill", [ITEM])
    tampered(house, f'"subject":"{made.id}"', '"subject":"HND-20261121-ZZZZ"')
    found = verify_journal(house.journal, house.state / "checkpoints.jsonl")
    assert not found.ok
    assert any("subject" in str(problem.text) for problem in found.problems)
