"""Media as hands treat them: none in, the wrong one, one pulled out midway, one that is in the vault."""

import pytest
from fix_office import SECTION_HEAD
from waiting import wait_for


@pytest.fixture(scope="module")
def carried(vaults):
    """The standing approval of the copies, and a verified set that no medium holds yet."""
    asks = vaults.standing("srv1")
    said = vaults.backup("srv1")
    assert said.code == 5, said
    assert vaults.sets()[0]["verified"]
    return asks["backup.externalise"]


def refused(office, said, code, *words):
    assert said.code == code, said
    (error,) = said.json["errors"].values()
    text = f"{error['what']} {error['next_step']}"
    assert all(word in text for word in words), text
    assert office.sets()[0]["media"] == []


def test_without_a_medium_the_backup_is_made_and_proven_and_the_copy_says_what_is_missing(vaults, carried):
    refused(vaults, vaults.run(carried), 5, "DISQUE-01", str(vaults.lab.layout.disk_mount))


def test_a_disk_that_is_in_the_vault_by_the_record_is_not_written(vaults, carried):
    vaults.dsi("media", "handover", "disque-01", "--to", SECTION_HEAD)
    place = vaults.dsi("media", "store", "disque-01", "--place", "Coffre BNI Plateau", person=SECTION_HEAD)
    assert place.code == 0, place
    vaults.parts.disks.insert("disque-01")
    said = vaults.run(carried)
    assert said.code == 5, said
    assert "dsi media return disque-01" in str(said.json["errors"]), said
    vaults.parts.disks.remove()


def test_a_disk_pulled_out_midway_is_told_and_the_next_one_takes_the_set(vaults, carried):
    vaults.parts.disks.insert("disque-02")
    process = vaults.start("run", carried, "--json")
    mount = vaults.lab.layout.disk_mount
    wait_for(lambda: any(".partial" in str(path) for path in mount.iterdir()) or process.poll() is not None)
    vaults.parts.disks.pull()
    said = vaults.finish(process)
    assert said.code in {3, 5}, said
    assert "DISQUE-02" in str(said.json["errors"]), said
    assert vaults.sets()[0]["media"] == []
    assert "ÉCHEC" in vaults.subjects()[-1]
    wait_for(lambda: not vaults.processes())
    vaults.parts.disks.insert("disque-03")
    again = vaults.run(carried)
    assert again.code == 0, again
    assert vaults.sets()[0]["media"] == ["disque-03"]
    vaults.parts.disks.remove()
    vaults.assert_whole()
