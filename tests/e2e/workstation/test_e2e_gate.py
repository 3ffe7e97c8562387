"""The gate as people meet it at the command line: every closed door is exit 4, a sentence, and nothing done."""

import base64
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from fix_office import DIRECTOR, ONCE, SECTION_HEAD

OPERATION = "workstation.join"


@pytest.fixture
def key(office):
    """Return a workstation to be joined, without a profile."""
    return office.add(local=None)


def closed(said, *words):
    """Hold that the gate was closed, in French, for the reason told."""
    assert said.code == 4, said
    shown = (said.out + said.err).replace("\u00a0", " ").replace("\u202f", " ")
    for word in words:
        assert word in shown, said
    assert "Traceback" not in said.err
    return True


def policy(office, **changes):
    office.edit("approval_policy.yml", lambda held: held["operations"][OPERATION]["training"].update(changes))


def second_key(office, person):
    """Give a person another key; return its path."""
    path = office.folder / "second"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    public = path.with_suffix(".pub").read_text().rsplit(" ", 1)[0]

    def add(held):
        entry = next(one for one in held["people"] if one["id"] == person)
        entry["keys"].append({"key": public})
        entry["roles"] = ["technician", "section_head"]

    office.edit("people.yml", add)
    return str(path)


def test_nobody_approves_their_own_request_with_any_of_their_keys_or_logins(office, key):
    asked = office.request(key)["id"]
    other = second_key(office, "m.kouadio")
    assert closed(office.dsi("approve", asked, "--comment", "moi", person=other), "m.kouadio")
    stranger = office.folder / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(stranger)], check=True)
    closed(office.dsi("approve", asked, "--comment", "moi", person=str(stranger)), "personne")

    # The same person once more in people.yml, under another name but the same staff number.
    def twin(held):
        first = next(one for one in held["people"] if one["id"] == "m.kouadio")
        public = stranger.with_suffix(".pub").read_text().rsplit(" ", 1)[0]
        held["people"].append(
            {**first, "id": "mkouadio2", "logins": [], "roles": ["director"], "keys": [{"key": public}]}
        )

    office.edit("people.yml", twin)
    said = office.dsi("approve", asked, "--comment", "moi", person=str(stranger))
    closed(said)
    closed(office.run(asked))
    assert office.methods(key) == {}
    assert "request.approved" not in office.kinds()


def test_expired_revoked_refused_and_used(office, key):
    policy(office, valid_for="60m")
    asked = office.approved(key)
    closed(office.dsi("run", asked, faketime="+2h"), "jusqu")
    office.dsi("revoke", asked, "--comment", "trop tard", person=DIRECTOR)
    closed(office.run(asked), "a.bamba")
    refused = office.request(key)["id"]
    assert office.dsi("refuse", refused, "--comment", "non", person=SECTION_HEAD).code == 0
    closed(office.run(refused), "y.traore")
    assert office.methods(key) == {}


def test_windows_not_yet_open_and_closed(office, key):
    now = datetime.now(UTC)
    later, end = (now + timedelta(hours=1)).isoformat(), (now + timedelta(hours=2)).isoformat()
    asked = office.request(key, "--not-before", later, "--not-after", end)["id"]
    office.dsi("approve", asked, "--comment", "vu", person=SECTION_HEAD)
    closed(office.run(asked), "avant")
    closed(office.dsi("run", asked, faketime="+3h"), "après")
    assert office.methods(key) == {}


def test_times_in_the_past_are_a_usage_error_and_write_nothing(office, key):
    now = datetime.now(UTC)
    past, future = (now - timedelta(hours=1)).isoformat(), (now + timedelta(hours=1)).isoformat()
    wish = ("request", OPERATION, key, "--reason", "essai")
    for option in (
        ["--not-before", past],
        ["--not-after", past],
        ["--not-before", future, "--not-after", (now + timedelta(minutes=30)).isoformat()],
        ["--standing", "--until", "2020-01-01", "--hours", "00:00-23:59"],
        ["--not-after", "bientôt"],
    ):
        said = office.dsi(*wish, *option)
        assert said.code == 2, said
        assert "Traceback" not in said.err
    assert "request.made" not in office.kinds()


def test_a_clock_set_back_closes_the_gate(office, key):
    asked = office.approved(key)
    closed(office.dsi("run", asked, faketime="-2h"), "horloge")
    closed(office.dsi("approve", asked, "--comment", "x", person=DIRECTOR, faketime="-2d"), "horloge")
    assert office.methods(key) == {}
    assert office.run(asked).code == 0


def rewrite(office, change, *, kind="request.made"):
    """Edit a line of the journal as somebody with the file does: triggers off, columns kept as they were."""
    with closing(sqlite3.connect(office.journal_file, isolation_level=None)) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{name}"')
        seq, line = database.execute("select seq, line from entries where kind = ? order by seq", [kind]).fetchone()
        database.execute("update entries set line = ? where seq = ?", [change(line), seq])


def test_a_plan_edited_in_the_database_after_the_approval(office, key):
    asked = office.approved(key)
    kept = office.folder / "kept.db"
    shutil.copy(office.journal_file, kept)

    def other_name(line):
        held = json.loads(line)
        for action in held["body"]["plan"]["actions"]:
            action["args"] = {**action["args"], **({"to": "ABJ-PC-9998"} if "to" in action["args"] else {})}
        return json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    rewrite(office, other_name)
    closed(office.run(asked), "journal")
    verified = office.dsi("journal", "verify")
    assert (verified.code, "2" in verified.out) == (6, True), verified
    assert office.methods(key) == {}
    shutil.copy(kept, office.journal_file)
    assert office.run(asked).code == 0


def test_a_journal_whose_end_was_cut_off(office, key):
    asked = office.approved(key)
    office.dsi("revoke", asked, "--comment", "non", person=SECTION_HEAD)
    with closing(sqlite3.connect(office.journal_file, isolation_level=None)) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{name}"')
        database.execute("delete from entries where kind = 'request.revoked'")
    said = office.run(asked)
    assert said.code in (4, 6), said
    assert "jalon" in said.err or "point de contrôle" in said.err, said
    assert office.dsi("journal", "verify").code == 6
    assert office.methods(key) == {}


def test_policy_and_people_that_are_missing_broken_or_edited(office, key):
    asked = office.approved(key)
    for name, content in (
        ("approval_policy.yml", None),
        ("approval_policy.yml", "version: 1\noperations: ["),
        ("approval_policy.yml", "version: 1\noperations: {}\n"),
        ("people.yml", None),
        ("people.yml", "people: 3"),
    ):
        path = office.inventory / name
        before = path.read_bytes()
        path.unlink() if content is None else path.write_text(content)
        closed(office.dsi("run", asked), "Erreur")
        path.write_bytes(before)

    def demoted(held):
        next(one for one in held["people"] if one["id"] == SECTION_HEAD)["roles"] = ["technician"]

    kept = (office.inventory / "people.yml").read_bytes()
    office._apply("people.yml", demoted)
    closed(office.run(asked), "y.traore")
    (office.inventory / "people.yml").write_bytes(kept)

    def other_key(held):
        entry = next(one for one in held["people"] if one["id"] == SECTION_HEAD)
        entry["keys"] = [
            {"key": "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"k" * 32).decode()}
        ]

    office._apply("people.yml", other_key)
    assert office.run(asked).code == 4
    (office.inventory / "people.yml").write_bytes(kept)
    assert office.methods(key) == {}
    assert office.run(asked).code == 0
    assert office.methods(key) == ONCE


def test_a_standing_approval_runs_again_and_again_within_its_hours_only(office, key):
    now = datetime.now(UTC)
    until = (now + timedelta(days=5)).date().isoformat()
    hours = f"{now - timedelta(minutes=5):%H:%M}-{now + timedelta(minutes=50):%H:%M}"
    asked = office.request(key, "--standing", "--until", until, "--hours", hours, "--time-zone", "UTC")["id"]
    closed(office.run(asked))
    office.dsi("approve", asked, "--comment", "vu", person=SECTION_HEAD)
    first = office.run(asked)
    assert (first.code, first.json["outcome"]) == (0, "done"), first
    second = office.run(asked)
    assert (second.code, second.json["outcome"], office.methods(key)) == (0, "unchanged", ONCE), second
    closed(office.dsi("run", asked, faketime="+3h"))
    closed(office.dsi("run", asked, faketime="+9d"))
    office.assert_whole()


def test_an_emergency_runs_at_once_is_shown_everywhere_and_ratified_by_somebody_else(office, key):
    wish = ("emergency", OPERATION, key, "--reason", "panne au guichet", "--json")
    closed(office.dsi(*wish, person=DIRECTOR), "a.bamba")
    said = office.dsi(*wish)
    assert (said.code, office.methods(key)) == (0, ONCE), said
    asked = said.json["request_id"]
    for command in (["requests"], ["runs"], ["check", "workstation.check", "ws6"]):
        banner = office.dsi(*command).err
        assert "URGENCE" in banner, banner
        assert f"dsi ratify {asked}" in banner
    overdue = office.dsi("runs", faketime="+3d").err
    assert "RETARD" in overdue.upper(), overdue
    closed(office.dsi("ratify", asked, "--comment", "moi"), "m.kouadio")
    assert office.dsi("ratify", asked, "--comment", "justifié", person=SECTION_HEAD).code == 0
    assert "URGENCE" not in office.dsi("runs").err
    closed(office.run(asked))
    office.assert_whole()
