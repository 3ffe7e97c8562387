"""What cannot be brought back is told while it is planned, before anybody approves it."""

import dataclasses

import pytest
from pydantic import ValidationError
from vault import Vault

from dsi_automation.connectors.backups.landing import survey
from dsi_automation.operations.backups import landing
from dsi_automation.operations.backups.facts import Landing
from dsi_automation.operations.backups.restore import RestoreInputs


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path / "vault")
    made.backed_up()
    return made


def reasons(plan):
    return [blocker.reason.render("en") for blocker in plan.blockers]


def test_a_folder_that_holds_something_blocks_and_an_empty_or_absent_one_does_not(vault, tmp_path):
    place = tmp_path / "place"
    assert reasons(vault.plan("backup.restore", destination=str(place))) == []
    place.mkdir()
    assert reasons(vault.plan("backup.restore", destination=str(place))) == []
    (place / "kept").write_text("mine")
    (told,) = reasons(vault.plan("backup.restore", destination=str(place)))
    assert "holds something already" in told
    (place / "kept").rename(tmp_path / "file")
    assert len(reasons(vault.plan("backup.restore", destination=str(tmp_path / "file")))) == 1


def test_what_was_approved_is_left_to_the_restore_itself_so_that_a_run_can_be_resumed(vault, tmp_path):
    place = tmp_path / "place"
    request = vault.once("backup.restore", destination=str(place))
    place.mkdir()
    (place / "half").write_text("brought back before the interruption")
    assert vault.run(request).exit_code == 0


def test_a_path_that_the_set_does_not_hold_blocks(vault, tmp_path):
    wanted = {"destination": str(tmp_path / "place")}
    assert reasons(vault.plan("backup.restore", paths=["/srv/a", "/srv/b/"], **wanted)) == []
    (told,) = reasons(vault.plan("backup.restore", paths=["/srv/a", "/srv/absent"], **wanted))
    assert "/srv/absent" in told


def test_a_disk_without_room_blocks():
    tight = Landing("SET-1", "/place", occupied=False, free=10 << 20, needed=11 << 20, absent=())
    (blocker,) = landing.blockers("srv1", tight)
    assert "10.0 MiB free, 11.0 MiB needed" in blocker.reason.render("en")
    assert list(landing.blockers("srv1", dataclasses.replace(tight, free=11 << 20))) == []
    assert list(landing.blockers("srv1", dataclasses.replace(tight, needed=None))) == []


def test_a_folder_that_is_not_there_yet_is_measured_on_the_disk_it_will_be_on(tmp_path):
    ground = survey(str(tmp_path / "not" / "yet"))
    assert ground is not None
    assert not ground.occupied
    assert ground.free > 0


def test_a_relative_destination_is_refused_at_once():
    with pytest.raises(ValidationError, match=r"whole path|chemin complet"):
        RestoreInputs(destination="place")
    assert RestoreInputs(destination="/place").destination == "/place"
