"""A set counts as verified only after it was brought back and compared; what is brought back is compared too."""

import pytest
from vault import FILES, Vault

from dsi_automation.connectors.backups.memory import network_fault
from dsi_automation.connectors.backups.port import Depth
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.engine.registry import validated
from dsi_automation.operations.backups.restore import BackupRestore


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path)


def test_the_first_verification_brings_back_all_of_it_and_the_next_a_sample(vault):
    (made,) = vault.backed_up()
    request = vault.standing("backup.verify")
    first, second = vault.run(request), vault.run(request)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [(proof.set, proof.depth) for proof in vault.catalogue().proofs] == [
        (made.id, Depth.FULL),
        (made.id, Depth.SAMPLE),
    ]
    vault.clock.forward(days=31)
    vault.run(request)
    assert vault.catalogue().proofs[-1].depth is Depth.FULL


def test_a_clock_that_went_back_makes_the_verification_a_full_one(vault):
    vault.backed_up()
    request = vault.standing("backup.verify")
    vault.run(request)
    plan_now = vault.plan("backup.verify").actions[0].title.render("en")
    vault.clock.forward(days=-1)
    assert "a part of it" in plan_now
    assert "all of it" in vault.plan("backup.verify").actions[0].title.render("en")


def test_a_flipped_bit_ends_the_run_not_verified_and_the_proof_says_so(vault):
    vault.backed_up()
    good = vault.standing("backup.verify")
    vault.run(good)
    (made,) = vault.catalogue().of("srv1")
    vault.store.snapshots[made.made.snapshot] = {**FILES, "/srv/a": b"alphb"}
    run = vault.run(good)
    assert run.exit_code == 6
    assert vault.catalogue().verified("srv1") == ()
    assert vault.catalogue().last_proof(made.id).failed


def test_a_snapshot_that_is_gone_is_a_proof_that_failed(vault):
    _, second = vault.backed_up(2)
    request = vault.standing("backup.verify")
    del vault.store.snapshots[second.made.snapshot]
    assert vault.run(request).exit_code == 6
    proof = vault.catalogue().last_proof(second.id)
    assert not proof.ok
    assert second.id in proof.failed[0]


def test_a_repository_that_cannot_be_reached_says_nothing_about_the_set(vault):
    (made,) = vault.backed_up()
    request = vault.standing("backup.verify")
    vault.store.fail("verify", *(network_fault() for _ in range(3)))
    assert vault.run(request).exit_code == 3
    assert vault.catalogue().last_proof(made.id) is None


def test_a_verification_can_be_approved_before_there_is_a_set(vault):
    request = vault.standing("backup.verify")
    assert vault.run(request).exit_code == 5
    vault.backed_up()
    assert vault.run(request).exit_code == 0


def test_a_killed_verification_is_finished_without_doing_it_twice(vault):
    vault.backed_up()
    request = vault.standing("backup.verify")
    vault.kill_at = "after note backup.proof"
    with pytest.raises(Exception, match="SystemExit"):
        vault.run(request)
    assert vault.resume().exit_code == 0
    assert len(vault.catalogue().proofs) == 1


def test_a_restore_goes_to_another_place_by_default_and_is_compared(vault):
    (made,) = vault.backed_up()
    request = vault.once("backup.restore", paths=["/srv/b"])
    assert vault.run(request).exit_code == 0
    (place,) = vault.store.places
    assert place == f"/scratch/dsi-restored/srv1/{made.id}"
    assert set(vault.store.places[place]) == {"/srv/b/c", "/srv/b/d"}
    assert vault.catalogue().restorations[0].ok


def test_a_newer_set_does_not_take_the_place_of_the_approved_one(vault):
    (made,) = vault.backed_up()
    request = vault.once("backup.restore")
    vault.backed_up()
    assert vault.run(request).exit_code == 0
    assert vault.catalogue().restorations[0].set == made.id


def test_in_place_is_another_action_that_the_approver_reads(vault):
    vault.backed_up()
    vault.store.source["/srv/a"] = b"spoiled"
    (action,) = vault.plan("backup.restore", in_place=True, paths=["/srv/a"]).actions
    assert action.kind == "restore_in_place"
    assert "IN PLACE" in action.title.render("en")
    assert vault.run(vault.once("backup.restore", in_place=True, paths=["/srv/a"])).exit_code == 0
    assert vault.store.source["/srv/a"] == FILES["/srv/a"]


def test_a_destination_that_holds_something_is_refused_and_left_as_it_is(vault):
    vault.backed_up()
    vault.store.places["/here"] = {"x": b"mine"}
    run = vault.run(vault.once("backup.restore", destination="/here"))
    assert run.exit_code == 1
    assert vault.store.places["/here"] == {"x": b"mine"}


def test_a_moment_chooses_the_newest_set_from_before_it(vault):
    first, _ = vault.backed_up(2)
    (action,) = vault.plan("backup.restore", at=iso(first.made.ended_at)).actions
    assert action.args["set"] == first.id


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"set": "SET-2000"}, "has no set"),
        ({"at": "2020-01-01T00:00:00Z"}, "from before"),
        ({"until": "2026-11-22T04:00:00Z"}, "is for databases"),
        ({"database": "sydam"}, "is for databases"),
    ],
)
def test_what_cannot_be_brought_back_is_a_blocker_in_words(vault, inputs, words):
    vault.backed_up()
    reasons = [blocker.reason.render("en") for blocker in vault.plan("backup.restore", **inputs).blockers]
    assert any(words in reason for reason in reasons)


@pytest.mark.parametrize(
    "inputs", [{"set": "SET-1", "at": "2026-01-01T00:00:00Z"}, {"in_place": True, "destination": "/x"}]
)
def test_inputs_that_contradict_each_other_are_refused(inputs):
    with pytest.raises(UsageError):
        validated(BackupRestore(), inputs)
