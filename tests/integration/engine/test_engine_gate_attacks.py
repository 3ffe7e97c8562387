"""Attacks on the gate: each is refused with the door that closed, and nothing is written to any target."""

import dataclasses
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from house import POLICY, MemoryKey, person

from dsi_automation.core.canonical import canonical_bytes
from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.core.events import Silent
from dsi_automation.engine import documents
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.model import RequestState, Window
from dsi_automation.inventory.model import PersonKey
from dsi_automation.journal.chain import line_hash
from dsi_automation.journal.model import Draft, Kind, Signed


def door(house, request_id, who="m.kouadio", **options):
    with pytest.raises(GateClosedError) as caught:
        house.engine(who).run(request_id, Silent(), **options)
    assert house.written() == {}
    assert caught.value.next_step
    return caught.value.detail.get("door") or type(caught.value).__name__


def meddle(house, *statements):
    """Change the database as somebody would who owns it: the triggers are no obstacle."""
    with sqlite3.connect(house.database) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def forged(house, request_id, who, kind=Kind.APPROVED, key=None, **changes):
    """Write a decision straight into the journal, as somebody would who goes round the engine."""
    entries = house.journal.read()
    ledger = Ledger(entries)
    made = ledger.about(request_id, Kind.REQUESTED)[0]
    document = documents.decision_document(
        journal=ledger.journal_id,
        request=request_id,
        decision="approve",
        plan_digest=documents.content(made.signed)["plan_digest"],
        request_sha256=documents.sha256(made.signed.document),
        comment="Fine",
        person=who,
        at=house.clock.now(),
        head=ledger.head,
    )
    if changes:
        document = canonical_bytes({**documents.content(Signed(document, "", "", "")), **changes}).decode()
    signed = (key or MemoryKey(who)).sign(document, documents.DECISION)
    with house.journal.transaction() as change:
        change.append(Draft(kind, request_id, who, {}, signed))


def test_nothing_runs_without_an_approval(house):
    assert door(house, house.requested()) == "approvals"


def test_ones_own_request_cannot_be_approved(house):
    house.people[0] = house.people[0].model_copy(update={"roles": ("technician", "section_head")})
    request_id = house.requested()
    with pytest.raises(GateClosedError) as caught:
        house.engine().approve(request_id, "Fine")
    assert caught.value.detail["door"] == "self_approval"
    forged(house, request_id, "m.kouadio")
    assert door(house, request_id) == "self_approval"


@pytest.mark.parametrize(
    "other",
    [
        {"id_": "mkouadio2", "number": " 0100 "},
        {"id_": "mariam", "number": "999", "logins": ("DOUANES\\M.Kouadio",)},
        {"id_": "mariam", "number": "999", "logins": ("m.kouadio@douanes.lab",)},
    ],
)
def test_another_spelling_of_the_requester_is_still_the_requester(house, other):
    request_id = house.requested()
    house.people.append(person(other.pop("id_"), "section_head", other.pop("number"), **other))
    second = house.people[-1].id
    with pytest.raises(GateClosedError) as caught:
        house.engine(second).approve(request_id, "Fine")
    assert caught.value.detail["door"] == "self_approval"
    forged(house, request_id, second)
    assert door(house, request_id) == "self_approval"


def test_one_key_of_two_persons_signs_for_nobody(house):
    request_id = house.approved()
    house.people.append(person("z.double", "director", "900", keys=house.people[2].keys))
    assert door(house, request_id) == "ambiguous_signer"


def test_the_approver_who_runs_it_does_not_count(house):
    house.people[2] = house.people[2].model_copy(update={"roles": ("technician", "section_head")})
    request_id = house.approved()
    assert door(house, request_id, who="y.traore") == "approvals"
    assert house.engine("k.brou").run(request_id, Silent()).exit_code == 0


def test_two_approvals_by_one_person_are_one(house):
    rule = {**POLICY["operations"]["folder.fill"]["production"], "approvals": 2}
    house.policy["operations"] = {"folder.fill": {"production": rule}}
    request_id = house.approved()
    with pytest.raises(GateClosedError) as caught:
        house.engine("y.traore").approve(request_id, "Again")
    assert caught.value.detail["door"] == "twice"
    forged(house, request_id, "y.traore")
    assert door(house, request_id) == "approvals"
    house.engine("a.bamba").approve(request_id, "Fine too")
    assert house.engine().run(request_id, Silent()).exit_code == 0


def test_two_entries_of_one_human_are_one_approver(house):
    rule = {**POLICY["operations"]["folder.fill"]["production"], "approvals": 2}
    house.policy["operations"] = {"folder.fill": {"production": rule}}
    house.people.append(person("yao", "director", "0200"))
    request_id = house.approved()
    with pytest.raises(GateClosedError) as caught:
        house.engine("yao").approve(request_id, "Fine")
    assert caught.value.detail["door"] == "twice"
    forged(house, request_id, "yao")
    assert door(house, request_id) == "approvals"


def test_an_expired_approval_is_worth_nothing(house):
    request_id = house.approved()
    house.clock.forward(days=2, seconds=1)
    assert door(house, request_id) == "expired"
    assert house.engine().request_by_id(request_id).state is RequestState.EXPIRED


def test_policy_made_stricter_meanwhile_counts(house):
    request_id = house.approved()
    rule = {**POLICY["operations"]["folder.fill"]["production"], "valid_for": timedelta(hours=1)}
    house.policy["operations"] = {"folder.fill": {"production": rule}}
    house.clock.forward(hours=2)
    assert door(house, request_id) == "expired"


def test_an_approval_is_good_for_one_run(house):
    request_id = house.approved()
    run = house.engine().run(request_id, Silent())
    for file in (house.root / "targets/t1").iterdir():
        file.unlink()
    assert door(house, request_id) == "used"
    assert house.engine().request_by_id(request_id).state is RequestState.USED
    assert house.engine().run_by_id(run.id).exit_code == 0


def test_an_approval_replayed_onto_another_request_is_refused(house):
    first = house.approved()
    house.clock.forward(seconds=5)
    second = house.requested()
    stolen = house.journal.read(subject=first, kinds=[Kind.APPROVED])[0]
    with house.journal.transaction() as change:
        change.append(Draft(Kind.APPROVED, second, stolen.actor, {}, stolen.signed))
    assert door(house, second) == "decision"


@pytest.mark.parametrize("who", ["m.kouadio", "y.traore"])
def test_a_revoked_approval_is_worth_nothing(house, who):
    request_id = house.approved()
    house.engine(who).revoke(request_id, "No longer")
    assert door(house, request_id) == "revoked"


def test_a_refused_request_stays_refused(house):
    request_id = house.requested()
    house.engine("y.traore").refuse(request_id, "No")
    assert door(house, request_id) == "refused"
    with pytest.raises(GateClosedError):
        house.engine("a.bamba").approve(request_id, "Yes")


def test_a_signature_by_an_unknown_key_opens_nothing(house):
    request_id = house.requested()
    with pytest.raises(GateClosedError) as caught:
        house.engine("stranger").approve(request_id, "Fine")
    assert caught.value.detail["door"] == "unknown_signer"
    forged(house, request_id, "y.traore", key=MemoryKey("stranger"))
    assert door(house, request_id) == "unknown_signer"


def test_a_known_persons_key_does_not_sign_for_another(house):
    request_id = house.requested()
    forged(house, request_id, "y.traore", key=MemoryKey("a.bamba"))
    assert door(house, request_id) == "signer"


def test_an_unknown_key_starts_nothing(house):
    assert door(house, house.approved(), who="stranger") == "unknown_signer"


def test_a_technician_cannot_approve(house):
    request_id = house.requested()
    with pytest.raises(GateClosedError):
        house.engine("k.brou").approve(request_id, "Fine")
    forged(house, request_id, "k.brou")
    assert door(house, request_id) == "approver_role"


def test_an_approver_who_lost_the_role_or_left_no_longer_counts(house):
    request_id = house.approved()
    kept = list(house.people)
    house.people[2] = kept[2].model_copy(update={"roles": ("retired",)})
    assert door(house, request_id) == "approver_role"
    del house.people[2]
    assert door(house, request_id) == "unknown_signer"


def test_a_key_outside_its_period_does_not_sign(house):
    request_id = house.requested()
    old = PersonKey(key=MemoryKey("y.traore").public_key, valid_until="2026-11-20")
    house.people[2] = house.people[2].model_copy(update={"keys": (old,)})
    with pytest.raises(GateClosedError) as caught:
        house.engine("y.traore").approve(request_id, "Fine")
    assert caught.value.detail["door"] == "key_not_valid"
    forged(house, request_id, "y.traore")
    assert door(house, request_id) == "key_not_valid"


@pytest.mark.parametrize(
    "changes",
    [
        {"plan_digest": "0" * 64},
        {"request_sha256": "0" * 64},
        {"decision": "refuse"},
        {"journal": "another"},
        {"head": {"seq": 2, "hash": "0" * 64}},
        {"head": {"seq": 99, "hash": "0" * 64}},
    ],
)
def test_an_approval_of_anything_else_is_no_approval(house, changes):
    request_id = house.requested()
    forged(house, request_id, "y.traore", **changes)
    assert door(house, request_id) == "decision"


def test_a_signature_made_for_something_else_is_no_approval(house):
    request_id = house.requested()
    made = house.journal.read(subject=request_id)[0]
    signed = MemoryKey("y.traore").sign(made.signed.document, documents.REQUEST)
    with house.journal.transaction() as change:
        change.append(Draft(Kind.APPROVED, request_id, "y.traore", {}, signed))
    assert door(house, request_id) == "request"


def test_a_clock_moved_back_closes_the_gate(house):
    request_id = house.approved()
    house.clock.forward(days=-1)
    assert door(house, request_id) == "ClockError"


def test_a_clock_moved_back_after_expiry_closes_the_gate_too(house):
    request_id = house.approved()
    house.clock.forward(days=3)
    assert door(house, request_id) == "expired"
    other = house.requested()
    assert other != request_id
    house.clock.forward(days=-2)
    assert door(house, request_id) == "ClockError"


@pytest.mark.parametrize("what", ["people", "policy"])
def test_a_missing_file_closes_the_gate(house, what):
    request_id = house.approved()

    def missing():
        raise FileNotFoundError(what)

    house.options = {what: missing}
    assert door(house, request_id) == what


def test_an_operation_policy_does_not_list_is_refused(house):
    request_id = house.approved()
    house.policy["operations"] = {"folder.fill": {"training": POLICY["operations"]["folder.fill"]["production"]}}
    assert door(house, request_id) == "not_listed"
    with pytest.raises(GateClosedError):
        house.engine().request(house.plan(), "Because", Window())


def test_a_target_that_changed_environment_is_not_what_was_approved(house):
    request_id = house.approved()
    house.targets["t1"] = "training"
    assert door(house, request_id) == "environment"


def test_an_operation_of_another_version_is_not_what_was_approved(house):
    request_id = house.approved()
    house.fill.__class__ = type("Newer", (type(house.fill),), {"version": 2})
    assert door(house, request_id) == "version"


def test_other_targets_than_approved_are_refused(house):
    assert door(house, house.approved(), targets=["t1", "t2"]) == "targets"


def test_the_window_is_kept(house):
    opens = house.clock.now() + timedelta(hours=1)
    window = Window(opens, opens + timedelta(hours=1))
    request_id = house.engine().request(house.plan(), "Tonight", window).id
    house.engine("y.traore").approve(request_id, "Fine")
    assert door(house, request_id) == "window"
    house.clock.forward(hours=2, seconds=1)
    assert door(house, request_id) == "window"
    house.clock.forward(minutes=-30)


@pytest.mark.parametrize(
    "window",
    [
        Window(datetime(2026, 11, 21, 11, tzinfo=UTC), None),
        Window(None, datetime(2026, 11, 21, 11, tzinfo=UTC)),
        Window(datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_times_in_the_past_or_the_wrong_way_round_are_usage_errors(house, window):
    before = len(house.journal.read())
    with pytest.raises(UsageError):
        house.engine().request(house.plan(), "Because", window)
    assert len(house.journal.read()) == before


EDITS = {
    "edited": "UPDATE entries SET line = replace(line, 'Fine', 'Fein') WHERE kind = 'request.approved'",
    "actor edited": "UPDATE entries SET actor = 'a.bamba' WHERE kind = 'request.approved'",
    "removed in the middle": "DELETE FROM entries WHERE seq = 2",
    "tail cut": "DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)",
}


@pytest.mark.parametrize("statement", EDITS.values(), ids=EDITS.keys())
def test_a_journal_line_edited_removed_or_cut_off_closes_the_gate(house, statement):
    request_id = house.approved()
    meddle(house, statement)
    with pytest.raises((GateClosedError, UsageError)):
        house.engine().run(request_id, Silent())
    assert house.written() == {}


def test_a_revocation_cut_off_the_tail_does_not_bring_the_approval_back(house):
    request_id = house.approved()
    house.engine().revoke(request_id, "No longer")
    meddle(house, EDITS["tail cut"])
    assert door(house, request_id) == "TamperedError"


def test_journal_lines_swapped_close_the_gate(house):
    request_id = house.approved()
    meddle(
        house,
        "UPDATE entries SET seq = -seq",
        "UPDATE entries SET seq = 3 WHERE seq = -2",
        "UPDATE entries SET seq = 2 WHERE seq = -3",
        "UPDATE entries SET seq = -seq WHERE seq < 0",
    )
    assert door(house, request_id) == "TamperedError"


def test_a_chain_forged_from_the_edited_line_on_contradicts_the_signatures(house):
    """Somebody edits the plan and recomputes every hash after it: the requester's signature is not theirs to make."""
    request_id = house.approved()
    entries = house.journal.read()
    statements, previous = [], entries[0].hash
    for entry in entries[1:]:
        line = entry.line.replace('"file":"a"', '"file":"z"').replace(entry.prev, previous)
        statements.append((line, previous, line_hash(line), entry.seq))
        previous = line_hash(line)
    meddle(house)
    with sqlite3.connect(house.database) as connection:
        connection.executemany("UPDATE entries SET line = ?, prev = ?, hash = ? WHERE seq = ?", statements)
    connection.close()
    (house.state / "checkpoints.jsonl").unlink()
    house.journal.before.clear()
    assert door(house, request_id) == "request"


def test_an_edit_between_the_survey_and_the_claim_is_seen(house):
    """The second look, within the transaction that claims, holds against the first."""
    request_id = house.approved()

    class Meddler(MemoryKey):
        def sign(self, document, namespace):
            meddle(house, "DELETE FROM entries WHERE kind = 'request.approved'")
            house.journal.before.clear()
            return super().sign(document, namespace)

    assert door(house, request_id, who=Meddler("m.kouadio")) == "journal"


def test_a_signer_that_signs_something_else_is_not_believed(house):
    class Liar(MemoryKey):
        def sign(self, document, namespace):
            signed = super().sign(document, namespace)
            return dataclasses.replace(signed, document=document.replace("Because", "Because!"))

    with pytest.raises(GateClosedError):
        house.engine(Liar("m.kouadio")).request(house.plan(), "Because", Window())
    assert not house.journal.read(kinds=[Kind.REQUESTED])
