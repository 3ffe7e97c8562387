"""Every router's configuration is a version of the repository, read back; one that is dead fails alone.

The engine, the gate, the journal and git are real; the routers are in memory.
"""

import pytest
from nethouse import ALL, MemoryLook, Office, outcomes

from dsi_automation.composition.standing import NoStandingError, standing_request
from dsi_automation.connectors.configurations.git import GitConfigurations
from dsi_automation.core.errors import StorageError, UnreachableError
from dsi_automation.core.events import Silent
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T
from dsi_automation.engine.model import Window
from dsi_automation.engine.operation import TargetKind
from dsi_automation.operations.network.backup import RouterBackup


class Archive(Office):
    """The network of the house, and its repository in git."""

    def __init__(self, root):
        super().__init__(root, right=("*",))
        (rules,) = [dict(value) for value in list(self.house.policy["operations"].values())[:1]]
        self.house.policy["operations"] = {"router.backup": rules}
        self.copies = GitConfigurations(root / "configurations")

    def engine(self, who="m.kouadio"):
        operation = RouterBackup()
        targets = {TargetKind.HOST: dict.fromkeys(self.names, "production")}
        return self.house.engine(who, operations={operation.name: operation}, tools=self, targets=targets)

    def plan(self, *targets, **inputs):
        return self.engine().plan("router.backup", targets or self.names, inputs, Silent())

    def backup(self, *targets):
        asked = self.engine().request(self.plan(*targets), "Today", Window())
        return self.run(self.engine("y.traore").approve(asked.id, "Fine").id)


@pytest.fixture
def office(tmp_path):
    made = Archive(tmp_path)
    yield made
    made.house.journal.close()


def text_of(office, name):
    return office.devices.open(name).text()


def dead(office, name):
    office.device(name).faults.unreachable = UnreachableError(T("{name} does not answer.", name=name), on=name)


def test_all_routers_are_copied_and_read_back(office):
    run = office.backup()
    assert run.exit_code == 0
    for name in ALL:
        assert office.copies.latest(name)[1] == text_of(office, name)
    assert [check.ok for check in run.evidence] == [True] * len(ALL)
    told = {name: office.stepped("copied", name) for name in ALL}
    assert {name: len(notes) for name, notes in told.items()} == dict.fromkeys(ALL, 1)
    assert all(notes[0]["changed"] for notes in told.values())
    assert told["rtr-bke"][0]["commit"] == office.copies.latest("rtr-bke")[0].commit


def test_a_second_copy_of_what_has_not_changed_makes_no_version_and_is_told(office):
    office.backup()
    versions = office.copies.history()
    run = office.backup()
    assert run.exit_code == 0
    assert office.copies.history() == versions
    assert [note["changed"] for note in office.stepped("copied", "rtr-spy")] == [True, False]
    first, second = office.stepped("copied", "rtr-spy")
    assert first["commit"] == second["commit"]


def test_the_copy_tells_the_record_in_how_many_things_each_router_has_drifted(office):
    office.device("rtr-bke").by_hand("ip route 10.99.0.0/24 198.18.0.1")  # ours to say, not saved: it drifts twice
    office.backup()
    drifted = {name: office.stepped("copied", name)[0]["drift"] for name in ALL}
    assert drifted["rtr-bke"] > 0
    assert {name: things for name, things in drifted.items() if name != "rtr-bke"} == {
        name: 0 for name in ALL if name != "rtr-bke"
    }


def test_a_record_that_cannot_be_read_keeps_no_router_from_being_copied(office, monkeypatch):
    asked = office.engine().request(office.plan(), "Today", Window())
    approved = office.engine("y.traore").approve(asked.id, "Fine").id

    def unreadable(look):
        raise StorageError(T("The journal is away."))

    monkeypatch.setattr(MemoryLook, "access_record", unreadable)
    assert office.run(approved).exit_code == 0
    assert office.stepped("copied", "rtr-spy")[0]["drift"] is None


def test_a_router_that_is_dead_when_the_run_begins_keeps_no_other_from_being_copied(office):
    asked = office.engine().request(office.plan(), "Today", Window())
    approved = office.engine("y.traore").approve(asked.id, "Fine").id
    dead(office, "rtr-bke")
    run = office.run(approved)
    assert run.exit_code == 3
    assert outcomes(run) == {name: "unreachable" if name == "rtr-bke" else "done" for name in ALL}
    assert office.copies.latest("rtr-bke") is None
    assert office.copies.latest("rtr-man")[1] == text_of(office, "rtr-man")


def test_a_plan_names_the_dead_router_and_copies_the_others(office):
    dead(office, "rtr-spy")
    plan = office.plan()
    assert [blocker.target for blocker in plan.blockers] == ["rtr-spy"]
    assert plan.targets == ("rtr-abj", "rtr-bke", "rtr-man")


def test_what_is_being_tried_out_is_never_copied(office):
    office.devices.open("rtr-bke").arm(300)
    plan = office.plan()
    assert [blocker.target for blocker in plan.blockers] == ["rtr-bke"]
    assert "rtr-bke" in str(plan.blockers[0].next_step)


def test_the_approval_does_not_depend_on_what_runs(office):
    before = office.plan()
    office.device("rtr-bke").by_hand("ip route 10.99.0.0/24 198.18.0.1")
    after = office.plan()
    assert before.digest == after.digest
    assert office.backup().exit_code == 0
    assert "10.99.0.0/24" in office.copies.latest("rtr-bke")[1]


def test_some_routers_of_a_standing_approval_are_told_what_covers_them_and_what_to_do(office):
    approval = office.standing()
    known = {"router.backup": RouterBackup()}
    now = office.clock.now()
    assert standing_request(office.engine(), "router.backup", ALL, {}, now, operations=known).id == approval
    with pytest.raises(NoStandingError) as refused:
        standing_request(office.engine(), "router.backup", ["rtr-spy"], {}, now, operations=known)
    assert refused.value.what.render("en").startswith(f"{approval} covers router.backup on rtr-spy")
    assert "dsi request router.backup rtr-spy" in refused.value.next_step.render("en")


def test_a_repository_that_refuses_is_a_failure_and_the_next_run_makes_up_for_it(office, monkeypatch):
    real = office.copies.keep

    def refuse(*_arguments, **_others):
        raise StorageError(T("the disk is full"))

    monkeypatch.setattr(office.copies, "keep", refuse)
    run = office.backup("rtr-abj")
    assert run.outcome is Outcome.FAILED
    assert office.stepped("copied") == []
    monkeypatch.setattr(office.copies, "keep", real)
    assert office.backup("rtr-abj").exit_code == 0


def test_a_copy_that_is_not_what_runs_fails_its_evidence(office, monkeypatch):
    monkeypatch.setattr(office.copies, "latest", lambda _router: None)
    run = office.backup("rtr-abj")
    assert run.exit_code != 0
    monkeypatch.undo()
    real = office.copies.latest
    version, _ = real("rtr-abj") or (None, None)
    assert version is not None
    monkeypatch.setattr(office.copies, "latest", lambda router: (version, real(router)[1] + "!\n"))
    run = office.backup("rtr-abj")
    assert run.exit_code == 6
    assert not run.evidence[0].ok


def test_killed_after_the_version_a_resumed_run_tells_of_it(office):
    asked = office.engine().request(office.plan("rtr-abj"), "Today", Window())
    approved = office.engine("y.traore").approve(asked.id, "Fine").id
    office.die(approved, "rtr-abj before note router.copied")
    assert office.copies.latest("rtr-abj") is not None
    run = office.resume()
    assert run.exit_code == 0
    assert [note["changed"] for note in office.stepped("copied", "rtr-abj")] == [False]
