"""What a run leaves behind is what an auditor can check: real keys, `ssh-keygen`, the journal's own verification."""

import threading

import pytest
from house import House, keygen, person

from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.core.events import Silent
from dsi_automation.core.secrets import Secret
from dsi_automation.engine.fold import Ledger, run, unresolved
from dsi_automation.engine.model import Window
from dsi_automation.inventory.model import PersonKey
from dsi_automation.journal.model import Kind
from dsi_automation.journal.signatures import AllowedSigner, verify
from dsi_automation.journal.signing import KeySource
from dsi_automation.journal.verify import verify_journal


@pytest.fixture
def keyed(house):
    """The house, with keys made by ssh-keygen; people sign with their files."""
    keys = {}
    for number, (name, role) in enumerate([("m.kouadio", "technician"), ("y.traore", "section_head")]):
        path = house.root / name
        keygen(path)
        keys[name] = KeySource(path)
        public = PersonKey(key=path.with_suffix(path.suffix + ".pub").read_text())
        house.people[number] = person(name, role, str(number), keys=(public,))
    house.people = house.people[:2]
    return house, keys


def test_the_whole_record_verifies_by_ssh_keygen_and_by_the_journal(keyed):
    house, keys = keyed
    asked = house.engine(keys["m.kouadio"]).request(house.plan(), "Parce qu’il le faut", Window())
    house.engine(keys["y.traore"]).approve(asked.id, "D’accord")
    assert house.engine(keys["m.kouadio"]).run(asked.id, Silent()).exit_code == 0
    signers = [AllowedSigner(name, key.public_key) for name, key in keys.items()]
    verification = verify_journal(house.journal, house.state / "checkpoints.jsonl", signers)
    assert verification.ok, verification.problems
    assert verification.signatures == 3
    for entry in house.journal.read():
        if entry.signed:
            verify(entry.signed, entry.actor, signers, entry.at)


def test_a_journal_with_every_kind_of_entry_verifies(house):
    engine, head, director = house.engine(), house.engine("y.traore"), house.engine("a.bamba")
    house.fill.faults["t1/b"] = ["lost before", "lost before"]
    engine.resume(engine.run(house.approved(), Silent()).id, Silent())
    for file in (house.root / "targets/t1").iterdir():
        file.unlink()
    house.clock.forward(seconds=9)
    engine.emergency(house.plan(), "Fire", Silent())
    director.ratify(engine.open_emergencies()[0].id, "Yes")
    (house.root / "targets/t1/a").unlink()
    for decide in (head.refuse, head.revoke):
        house.clock.forward(seconds=9)
        decide(house.requested(), "No")
    verification = verify_journal(house.journal, house.state / "checkpoints.jsonl")
    assert verification.ok, verification.problems
    kinds = {entry.kind for entry in house.journal.read()}
    elsewhere = {Kind.PLAYBOOK, Kind.HANDED_OVER, Kind.MEDIUM_MOVED, Kind.NOTED, Kind.SCHEDULED, Kind.ACCEPTANCE}
    assert kinds == set(Kind) - elsewhere - {Kind.ACTION_FAILED}


def test_a_plan_that_holds_a_secret_is_never_written(house):
    canary = Secret("canary-s3cret")
    plan = house.plan(files=("a", canary.reveal()))
    with pytest.raises(UsageError):
        house.engine().request(plan, "Because", Window())
    assert canary.reveal().encode() not in b"".join(p.read_bytes() for p in house.state.iterdir() if p.is_file())


def test_a_run_under_way_is_folded_as_held_and_not_yet_known(house):
    seen = []

    def look():
        engine = house.engine()
        (under_way,) = engine.runs()
        entries = house.journal.read(subject=under_way.id)
        seen.append((under_way, unresolved(entries), engine.request_by_id(under_way.request_id).state))

    house.fill.faults["t1/b"] = [look]
    house.engine().run(house.approved(), Silent())
    ((under_way, unknown, state),) = seen
    assert (under_way.ended_at, under_way.outcome, under_way.exit_code) == (None, None, None)
    assert under_way.held_by is not None
    assert [str(step.outcome) for step in under_way.steps] == ["done", "unknown"]
    assert unknown == ("t1/create-b",)
    assert state == "used"


def test_folding_is_pure(house):
    house.engine().run(house.approved(), Silent())
    entries = house.journal.read()
    run_id = house.engine().runs()[0].id
    assert run(Ledger(entries), run_id) == run(Ledger(reversed(list(reversed(entries)))), run_id)


def test_many_targets_are_worked_on_at_once(tmp_path):
    """All three must be in their first action at the same time, or the barrier breaks and they fail."""
    house = House(tmp_path, targets=("t1", "t2", "t3"))
    together = threading.Barrier(3, timeout=60)
    for target in house.targets:
        house.fill.faults[f"{target}/a"] = [together.wait]
    assert house.engine().run(house.approved(), Silent()).exit_code == 0
    house.journal.close()


def test_targets_of_two_environments_need_two_requests(tmp_path):
    house = House(tmp_path, targets=("t1", "t2"))
    house.targets["t2"] = "training"
    with pytest.raises(GateClosedError) as caught:
        house.engine().request(house.plan(), "Because", Window())
    assert caught.value.detail["door"] == "environment"
    house.journal.close()
