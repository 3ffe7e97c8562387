"""What goes wrong in the night: each fault is found, told with its next step, mailed as a failure; then it recovers."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from fix_vault_office import program
from waiting import wait_for

from dsi_automation.lab.mail import Behaviour

SUCCESS = "dsi_backup_last_success_timestamp_seconds"


@pytest.fixture(scope="module")
def good(vaults):
    """The office after a night that went well: what it made, and when it last succeeded by the metrics."""
    vaults.asks = vaults.standing("srv1")
    vaults.parts.disks.insert("disque-01")
    said = vaults.backup("srv1")
    assert said.code == 0, said
    (made,) = vaults.sets()
    return made["set"], vaults.gauge(SUCCESS)


def failed(office, said, code, *words):
    """Hold a failure against what everybody is told of it; return its error."""
    assert said.code == code, said
    step = said.json["steps"][-1]
    error = step["error"] or next(iter(step["run"]["errors"].values()))
    assert error["next_step"], error
    text = " ".join(str(error.get(part) or "") for part in ("what", "meaning", "next_step"))
    assert any(word in text for word in words), text
    if step["run"] is not None:
        assert "ÉCHEC" in office.subjects()[-1], office.subjects()
    return error


@contextmanager
def moved_away(place):
    aside = place.with_name(place.name + ".aside")
    place.rename(aside)
    try:
        yield aside
    finally:
        if place.exists():
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        aside.rename(place)


def test_a_repository_that_is_gone_is_told_and_not_made_anew(vaults, good):
    with moved_away(vaults.repository()):
        failed(vaults, vaults.backup("srv1"), 5, "serveurs")
        assert not vaults.repository().exists()
        health = vaults.health()
        assert health["alarming"], health
        assert health["last_verified_set"] == good[0]
        assert vaults.gauge(SUCCESS) == good[1]


def test_another_repository_in_its_place_is_told(vaults, good):
    with moved_away(vaults.repository()):
        environment = {**os.environ, "RESTIC_PASSWORD_FILE": str(vaults.secret("depot-serveurs"))}
        subprocess.run(
            ["restic", "-r", vaults.repository(), "init", "--no-cache"],
            env=environment,
            check=True,
            capture_output=True,
        )
        failed(vaults, vaults.backup("srv1"), 5, "serveurs")


def test_a_wrong_key_is_told_and_shown_to_nobody(vaults, good):
    key = vaults.secret("depot-serveurs")
    with moved_away(key):
        key.write_text("Canari-Faux-7Q2m9x")
        key.chmod(0o600)
        said = vaults.backup("srv1")
        failed(vaults, said, 5, "serveurs")
        assert "Canari-Faux" not in said.out + said.err
    assert vaults.sets()[0]["set"] == good[0]


def test_a_flipped_bit_fails_the_proof_and_no_copy_leaves_the_house(vaults, good):
    aside = vaults.folder / "copy-of-repository"
    shutil.copytree(vaults.repository(), aside)
    try:
        pack = max((vaults.repository() / "data").rglob("?" * 64), key=lambda path: path.stat().st_size)
        pack.chmod(0o600)
        content = bytearray(pack.read_bytes())
        content[len(content) // 2] ^= 1
        pack.write_bytes(content)
        asked = vaults.request("srv1", "-i", "depth=full", operation="backup.verify")["id"]
        assert vaults.dsi("approve", asked, "--comment", "vu", person="y.traore").code == 0
        said = vaults.run(asked)
        assert said.code == 6, said
        assert vaults.health()["state"] == "suspect"
        assert "ÉCHEC" in vaults.subjects()[-1]
    finally:
        shutil.rmtree(vaults.repository())
        aside.rename(vaults.repository())


def test_a_server_that_goes_off_midway_is_told_and_tried_again(vaults, good):
    server, before = vaults.parts.servers.all[0], vaults.health()["failed_tries"]
    process = vaults.start("backup", "run", "srv1", "--json")
    wait_for(lambda: program("restic", "backup")(vaults, 0) or process.poll() is not None)
    server.stop()
    try:
        failed(vaults, vaults.finish(process), 3, "srv1")
        health = vaults.health()
        assert health["alarming"]
        assert health["failed_tries"] == before + 2, health
    finally:
        server.start()
        vaults.parts.servers.wait_until_ready()
    assert vaults.quiet() == {}


def test_a_scratch_folder_that_fills_up_is_no_verdict_on_the_set(vaults, good):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", vaults.scratch], check=True)
    try:
        said = vaults.run(vaults.asks["backup.verify"])
        assert said.code not in {0, 1, 6}, said
    finally:
        subprocess.run(["umount", "--lazy", vaults.scratch], check=True)


def test_a_mail_server_that_is_down_delays_the_mail_of_a_failure_and_sends_it_once(vaults, good):
    before = len(vaults.mails())
    vaults.parts.mail.behave(Behaviour.DOWN)
    with moved_away(vaults.repository()):
        said = vaults.backup("srv1")
    assert said.code == 5, said
    waiting = vaults.dsi("mail", "list", "--json")
    assert len(waiting.json["mails"]) == 2, waiting
    vaults.parts.mail.behave(Behaviour.ACCEPT)
    for _ in range(2):
        assert vaults.dsi("mail", "flush").code == 0
    assert len(vaults.mails()) == before + 2
    assert "ÉCHEC" in vaults.subjects()[-1]


def test_after_all_of_it_the_next_night_is_good_and_nothing_was_harmed(vaults, good):
    said = vaults.backup("srv1")
    assert said.code == 0, said
    shown = {one["set"]: one for one in vaults.sets()}
    assert shown[good[0]]["proof"] is not None
    assert not shown[good[0]]["forgotten"]
    assert vaults.health()["state"] == "verified"
    assert vaults.gauge(SUCCESS) > good[1]
    assert "ÉCHEC" not in vaults.subjects()[-1]
    vaults.assert_whole()
