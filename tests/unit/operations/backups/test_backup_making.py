"""A backup counts when it is recorded, is tried a bounded number of times, and harms no earlier one."""

import pytest
from vault import FILES, Vault, plan_of

from dsi_automation.connectors.backups.errors import DamagedBackupError, TransientError, WrongKeyError
from dsi_automation.connectors.backups.memory import network_fault
from dsi_automation.connectors.backups.port import SourceFacts
from dsi_automation.connectors.ssh.errors import ConnectionLostError, ProgramTimeoutError
from dsi_automation.core.errors import DsiError, UnreachableError, WorldChangedError
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path)


def test_the_first_backup_makes_the_repository_and_the_set_is_in_the_record(vault):
    run = vault.run(vault.standing("server.backup"))
    assert run.exit_code == 0
    (made,) = vault.catalogue().of("srv1")
    assert made.run == run.id
    assert made.made.files == len(FILES)
    assert list(vault.store.snapshots) == [made.made.snapshot]
    assert {check.name: check.ok for check in run.evidence} == {"snapshot": True, "manifest": True}


def test_what_can_pass_is_tried_again_with_growing_waits_and_each_try_is_recorded(vault):
    request = vault.standing("server.backup")
    vault.store.fail("back_up", network_fault(), network_fault())
    assert vault.run(request).exit_code == 0
    tries = vault.catalogue().tries
    assert [(one.number, one.error is None, one.wait) for one in tries] == [
        (1, False, 120),
        (2, False, 300),
        (3, True, 0),
    ]
    assert sum(vault.clock.slept) == 420


def test_after_the_last_try_the_run_ends_unreachable_and_can_be_resumed(vault):
    request = vault.standing("server.backup")
    vault.store.fail("back_up", *(network_fault() for _ in range(3)))
    run = vault.run(request)
    assert run.exit_code == 3
    assert vault.catalogue().of("srv1") == ()
    again = vault.engine().resume(run.id, vault)
    assert again.exit_code == 0
    assert [one.run for one in vault.catalogue().of("srv1")] == [run.id]


@pytest.mark.parametrize("error", [ConnectionLostError, TransientError, UnreachableError])
def test_a_machine_that_goes_off_midway_is_tried_again_however_it_shows(vault, error):
    request = vault.standing("server.backup")
    vault.store.fail("back_up", error(T("Gone.")))
    assert vault.run(request).exit_code == 0
    assert [(one.number, one.error is None) for one in vault.catalogue().tries] == [(1, False), (2, True)]


def test_a_program_that_had_all_its_time_is_not_given_as_much_again(vault):
    request = vault.standing("server.backup")
    vault.store.fail("back_up", ProgramTimeoutError(T("Too long.")))
    assert vault.run(request).exit_code == 3
    assert vault.clock.slept == []
    assert [one.error["what"] for one in vault.catalogue().tries] == ["Too long."]


def test_what_cannot_pass_is_not_tried_again(vault):
    request = vault.standing("server.backup")
    vault.store.fail("back_up", DamagedBackupError(T("Broken.")))
    assert vault.run(request).exit_code == 1
    assert vault.clock.slept == []
    assert [one.error["what"] for one in vault.catalogue().tries] == ["Broken."]


def test_a_run_asked_to_stop_between_two_tries_is_interrupted_and_resume_finishes_it(vault):
    request = vault.standing("server.backup")
    vault.store.fail("back_up", network_fault())
    vault.interrupted = lambda: True
    run = vault.run(request)
    assert run.outcome is Outcome.INTERRUPTED
    vault.interrupted = lambda: False
    assert vault.engine().resume(run.id, vault).exit_code == 0
    assert len(vault.catalogue().of("srv1")) == 1


@pytest.mark.parametrize(
    ("point", "made"),
    [
        ("initialise", 1),
        ("after initialise", 1),
        ("back_up", 1),
        ("after back_up", 2),
        ("before note backup.set", 2),
        ("after note backup.set", 1),
    ],
)
def test_a_kill_at_any_point_leaves_nothing_that_counts_wrongly_and_resume_finishes(vault, point, made):
    request = vault.standing("server.backup")
    vault.kill_at = point
    with pytest.raises(DsiError):
        vault.run(request)
    (run,) = vault.engine().runs()
    finished = vault.resume(run)
    assert vault.killed == [point]
    assert finished.exit_code == 0
    assert len(vault.catalogue().of("srv1")) == 1
    assert len(vault.store.snapshots) == made
    assert vault.catalogue().of("srv1")[0].made.snapshot in vault.store.snapshots


def test_a_standing_approval_whose_definition_changed_is_refused_and_a_new_one_asked_for(vault):
    request = vault.standing("server.backup")
    vault.backup_plan = plan_of(paths=["/srv", "/etc"])
    with pytest.raises(WorldChangedError) as refused:
        vault.run(request)
    assert int(refused.value.exit_code) == 7
    assert "approbation" in refused.value.next_step.render("fr")
    assert vault.store.snapshots == {}


def test_a_repository_that_vanished_blocks_and_is_never_made_anew(vault):
    vault.backed_up()
    vault.store.repository_id, before = None, dict(vault.store.snapshots)
    run = vault.run(vault.engine().requests()[0].id)
    assert run.exit_code == 5
    assert vault.store.repository_id is None
    assert vault.store.snapshots == before
    (blocker,) = vault.plan("server.backup").blockers
    assert "serveurs" in blocker.reason.render("en")


def test_another_repository_in_its_place_blocks(vault):
    vault.backed_up()
    vault.store.repository_id = "f" * 64
    (blocker,) = vault.plan("server.backup").blockers
    assert "another one" in blocker.reason.render("en")


def test_a_repository_lost_on_purpose_is_described_under_another_name(vault):
    vault.backed_up()
    vault.store.repository_id = None
    vault.store.snapshots.clear()
    moved = plan_of(repository="neuf")
    vault.backup_plan = moved
    plan = vault.plan("server.backup")
    assert [action.kind for action in plan.actions] == ["initialise_repository", "back_up", "retain"]


def test_a_wrong_key_is_told_and_writes_nothing(vault):
    vault.store.fail("repository", WrongKeyError(T("The password does not open the repository.")))
    (blocker,) = vault.plan("server.backup").blockers
    assert "password" in blocker.reason.render("en")
    assert int(blocker.exit_code) == 5


def test_another_database_or_machine_than_the_last_set_s_blocks(vault):
    vault.store.facts = SourceFacts("memory 1", details={"system_identifier": "1"})
    vault.backed_up()
    vault.store.facts = SourceFacts("memory 1", details={"system_identifier": "2"})
    (blocker,) = vault.plan("server.backup").blockers
    assert "another database" in blocker.reason.render("en")


def test_a_source_whose_clock_is_an_hour_off_is_told_and_backed_up_all_the_same(vault):
    vault.store.facts = SourceFacts("memory 1", clock_offset=-3600)
    plan = vault.plan("server.backup")
    assert [item.kind for item in plan.non_actions] == ["clock"]
    assert "60 minutes behind" in plan.non_actions[0].reason.render("en")
    assert vault.backed_up()


def test_a_source_that_shrank_fails_and_the_earlier_set_stays(vault):
    (before,) = vault.backed_up()
    vault.store.source = {"/srv/a": b"a"}
    run = vault.run(vault.engine().requests()[0].id)
    assert run.exit_code == 1
    assert vault.catalogue().of("srv1") == (before,)


def test_an_empty_source_fails_the_first_time_already(vault):
    vault.store.source = {}
    assert vault.run(vault.standing("server.backup")).exit_code == 1
    assert vault.catalogue().of("srv1") == ()


def test_sets_that_went_from_the_repository_behind_our_back_are_told(vault):
    first, _ = vault.backed_up(2)
    del vault.store.snapshots[first.made.snapshot]
    told = {item.kind: item.reason.render("en") for item in vault.plan("server.backup").non_actions}
    assert first.id in told["missing_sets"]


def test_the_wrong_operation_for_a_kind_of_backup_names_the_right_one(vault):
    (blocker,) = vault.plan("database.backup").blockers
    assert "server.backup" in blocker.next_step.render("en")


def test_nothing_is_forgotten_before_a_set_is_verified_and_then_what_the_plan_no_longer_wants(tmp_path):
    vault = Vault(tmp_path, retention={"last": 1, "daily": 0, "weekly": 0, "monthly": 0, "yearly": 0})
    assert len(vault.backed_up(3)) == 3
    proof = vault.run(vault.standing("backup.verify"))
    assert proof.exit_code == 0
    *_, third = vault.catalogue().of("srv1")
    assert vault.run(vault.engine().requests()[-1].id).exit_code == 0
    assert next(one.id for one in vault.catalogue().of("srv1")) == third.id
    assert len(vault.store.snapshots) == 2


def test_what_a_killed_run_left_in_the_repository_goes_later_and_nothing_else_does(vault):
    request = vault.standing("server.backup")
    (first,) = vault.backed_up()
    others = ("f" * 64, "e" * 64)
    for name, tags in zip(others, (("nightly",), ("dsi", "job=srv2", "run=RUN-1")), strict=True):
        vault.store.snapshots[name], vault.store.made_at[name], vault.store.tags[name] = {}, vault.clock.now(), tags

    vault.kill_at = "before note backup.set"
    with pytest.raises(DsiError, match="SystemExit"):
        vault.run(request)
    left = set(vault.store.snapshots) - {first.made.snapshot, *others}
    assert len(left) == 1
    vault.clock.forward(hours=50)  # its lease is gone
    assert vault.run(request).exit_code == 0
    kept = {one.made.snapshot for one in vault.catalogue().of("srv1")}
    assert set(vault.store.snapshots) == {*kept, *others}
    assert vault.catalogue().unfinished == {}
    # A repository is not asked again for what it no longer can hold.
    vault.points.clear()
    assert vault.run(request).exit_code == 0
    assert "drop" not in vault.points


def test_what_a_run_left_a_moment_ago_is_left_alone(vault):
    request = vault.standing("server.backup")
    vault.store.fail("after back_up", network_fault())
    assert vault.run(request).exit_code == 0
    assert vault.run(request).exit_code == 0
    assert len(vault.store.snapshots) == 3
    vault.clock.forward(hours=13)
    assert vault.run(request).exit_code == 0
    assert len(vault.store.snapshots) == 3
    assert {one.made.snapshot for one in vault.catalogue().of("srv1")} == set(vault.store.snapshots)
