"""A backup that never ran, fails or grew stale alarms by itself; only a verified one is good."""

import dataclasses

import pytest
from vault import START, Vault, later, plan_of, stored

from dsi_automation.connectors.backups.memory import network_fault
from dsi_automation.operations.backups.catalogue import Catalogue
from dsi_automation.operations.backups.health import HealthState, health

EMPTY = Catalogue({}, frozenset(), (), (), (), {})


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path)


def of(vault):
    job = vault.backup_plan.backups["srv1"]
    return health("srv1", job, vault.catalogue(), vault.clock.now(), vault.engine().runs())


def test_a_backup_that_never_ran_alarms(vault):
    found = of(vault)
    assert found.state is HealthState.NOT_RUN
    assert found.alarming
    assert found.age is None


def test_a_set_is_worth_nothing_until_it_is_verified_and_then_it_is_good(vault):
    vault.backed_up()
    assert of(vault).state is HealthState.OK_UNVERIFIED
    vault.run(vault.standing("backup.verify"))
    found = of(vault)
    assert found.state is HealthState.VERIFIED
    assert not found.alarming
    assert found.last_verified == found.last_success


def test_a_verified_backup_that_is_too_old_is_stale(vault):
    vault.backed_up()
    vault.run(vault.standing("backup.verify"))
    vault.clock.forward(hours=60)
    assert of(vault).state is HealthState.STALE


def test_sets_that_nobody_ever_verifies_grow_stale_too(vault):
    vault.backed_up()
    vault.clock.forward(hours=60)
    assert of(vault).state is HealthState.STALE


def test_a_failure_after_a_good_one_keeps_the_good_one_and_alarms(vault):
    (good,) = vault.backed_up()
    vault.run(vault.standing("backup.verify"))
    vault.store.fail("back_up", *(network_fault() for _ in range(3)))
    vault.run(vault.engine().requests()[-1].id)
    found = of(vault)
    assert found.state is HealthState.FAILED
    assert found.last_verified == good
    assert found.failed_tries == 3
    assert "3 tries failed" in found.reasons[-1].render("en")


def test_a_set_that_does_not_stand_its_verification_is_suspect(vault):
    (made,) = vault.backed_up()
    vault.store.snapshots[made.made.snapshot] = {"/srv/a": b"flipped"}
    vault.run(vault.standing("backup.verify"))
    assert of(vault).state is HealthState.SUSPECT


def test_a_set_from_the_future_tells_that_the_clock_was_moved():
    one = stored(1)
    catalogue = dataclasses.replace(EMPTY, sets={one.id: one}, recorded={one.id: later(hours=2)})
    found = health("srv1", plan_of().backups["srv1"], catalogue, START)
    assert found.state is HealthState.SUSPECT
    assert "120 minutes" in found.reasons[0].render("en")
