"""A medium goes only where it may, by one hand to another, each step signed; an auditor can check every one."""

import json
import subprocess

import pytest
from house import keygen, person
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.engine.media_custody import ALLOWED, RECEIPTS
from dsi_automation.engine.model import Held, MediumOrder, MediumState
from dsi_automation.inventory.model import PersonKey
from dsi_automation.journal.export import export
from dsi_automation.journal.findings import Fault
from dsi_automation.journal.model import Draft, Kind
from dsi_automation.journal.signatures import AllowedSigner
from dsi_automation.journal.signing import KeySource
from dsi_automation.journal.verify import verify_journal

GIVER, KEEPER, DIRECTOR = "m.kouadio", "y.traore", "a.bamba"
HOLDS = (Held("SET-20261122-0200-7F3K", "m" * 64),)


def order(state, **more):
    given_ = {"to": KEEPER, "place": "Coffre BNI", "comment": "vu"}
    wanted = {
        MediumState.COURIER: {"to"},
        MediumState.VAULT: {"place"},
        MediumState.DESTROYED: {"comment"},
    }.get(state, set())
    return MediumOrder("disque-01", "DISQUE-01", state, holds=HOLDS, **{n: given_[n] for n in wanted}, **more)


def test_a_hand_over_says_what_to_whom_under_which_seal_and_what_it_holds(house):
    made = house.engine().move_medium(order(MediumState.COURIER, seal="S-4711", carrier="véhicule 12"))
    (entry,) = house.journal.read(kinds=[Kind.MEDIUM_MOVED])
    assert (entry.subject, entry.actor) == (made.id, GIVER)
    assert dict(entry.body) == {"medium": "disque-01", "state": "courier"}
    signed = json.loads(entry.signed.document)
    assert (signed["before"], signed["to"], signed["seal"]) == ("on_site", KEEPER, "S-4711")
    assert signed["holds"] == [{"set": HOLDS[0].set, "manifest": HOLDS[0].manifest}]
    assert house.engine().medium_moves(medium="disque-01") == [made]
    assert house.engine().medium_moves(medium="disque-02") == []


def test_who_handed_it_over_cannot_receive_it(house):
    house.engine(GIVER).move_medium(order(MediumState.COURIER))
    with pytest.raises(GateClosedError) as caught:
        house.engine(GIVER).move_medium(order(MediumState.VAULT))
    assert caught.value.detail["door"] == "same_person"
    assert house.engine(KEEPER).move_medium(order(MediumState.VAULT)).person == KEEPER


def test_nobody_hands_a_medium_to_themselves_or_to_nobody(house):
    with pytest.raises(GateClosedError):
        house.engine(KEEPER).move_medium(order(MediumState.COURIER))
    for to in (None, "", "n.inconnu"):
        with pytest.raises(UsageError):
            house.engine().move_medium(MediumOrder("disque-01", "DISQUE-01", MediumState.COURIER, to=to))
    with pytest.raises(GateClosedError):
        house.engine("nobody").move_medium(order(MediumState.COURIER))
    assert house.journal.read(kinds=[Kind.MEDIUM_MOVED]) == []


def test_the_whole_way_there_and_back(house):
    hands = {
        MediumState.COURIER: GIVER,
        MediumState.VAULT: KEEPER,
        MediumState.RETRIEVE_REQUESTED: GIVER,
        MediumState.COURIER_BACK: KEEPER,
        MediumState.ON_SITE: GIVER,
        MediumState.DESTROYED: DIRECTOR,
    }
    for state, who in hands.items():
        house.engine(who).move_medium(order(state))
    assert [move.order.state for move in house.engine().medium_moves()] == list(hands)
    with pytest.raises(UsageError):
        house.engine().move_medium(order(MediumState.COURIER))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(sorted(MediumState)), st.sampled_from([GIVER, KEEPER, DIRECTOR])), max_size=9)
)
def test_no_sequence_of_orders_leaves_the_way_or_lets_one_person_give_and_receive(house, wishes):
    medium = f"disque-{len(house.engine().medium_moves())}"
    state, last = MediumState.ON_SITE, None
    for wanted, who in wishes:
        asked = MediumOrder(medium, medium, wanted, to=KEEPER, place="Coffre", comment="vu")
        allowed = wanted in ALLOWED[state] and who != KEEPER and not (wanted in RECEIPTS and who == last)
        if allowed:
            house.engine(who).move_medium(asked)
            state, last = wanted, who
        else:
            with pytest.raises((UsageError, GateClosedError)):
                house.engine(who).move_medium(asked)
    moves = house.engine().medium_moves(medium=medium)
    assert (moves[-1].order.state if moves else MediumState.ON_SITE) is state


def test_ssh_keygen_and_the_journal_verify_a_move(house):
    path = house.root / "m.kouadio"
    keygen(path)
    house.people[0] = person(
        "m.kouadio", "technician", "100", keys=(PersonKey(key=path.with_suffix(".kouadio.pub").read_text()),)
    )
    key = KeySource(path)
    house.engine(key).move_medium(order(MediumState.COURIER))
    signers = [AllowedSigner("m.kouadio", key.public_key)]
    found = verify_journal(house.journal, house.state / "checkpoints.jsonl", signers)
    assert (found.ok, found.signatures) == (True, 1)
    folder = house.root / "export"
    export(house.journal, folder, house.state / "checkpoints.jsonl", signers, folder=True)
    done = subprocess.run(["sh", "check.sh"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:3]) == (0, "OK:")


def test_a_move_without_its_signature_or_about_another_medium_is_noticed(house):
    house.engine().move_medium(order(MediumState.COURIER))
    (entry,) = house.journal.read(kinds=[Kind.MEDIUM_MOVED])
    other = {"medium": "disque-02", "state": "courier"}
    with house.journal.transaction() as change, pytest.raises(UsageError):
        change.append(Draft(Kind.MEDIUM_MOVED, "MOV-20261121-0001", GIVER, other, entry.signed))
    with house.journal.transaction() as change:
        change.append(Draft(Kind.MEDIUM_MOVED, "MOV-20261121-0000", GIVER, {"medium": "disque-01", "state": "vault"}))
    found = verify_journal(house.journal, house.state / "checkpoints.jsonl")
    assert [problem.fault for problem in found.problems] == [Fault.UNSIGNED]
    with pytest.raises(GateClosedError):
        house.engine().medium_moves()
