"""`dsi backup` on the example's plan: what it lists, what alarms, and what it says to do next."""

import json
import shutil

import pytest

from dsi_automation.cli.main import run
from dsi_automation.inventory.init import EXAMPLE


@pytest.fixture
def dsi(tmp_path, monkeypatch, capsys):
    """Return a function that runs `dsi backup` on a copy of the example and returns code, output and errors."""
    inventory = tmp_path / "inventory"
    shutil.copytree(EXAMPLE, inventory)
    monkeypatch.setenv("DSI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DSI_LANG", "en")
    monkeypatch.delenv("DSI_KEY", raising=False)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)

    def called(*words):
        code = run(["-I", str(inventory), "backup", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    called.inventory = inventory
    return called


def test_the_plan_is_listed_with_what_nobody_signed_yet(dsi):
    code, out, _ = dsi("list", "--json")
    rows = {row["backup"]: row for row in json.loads(out)["backups"]}
    assert code == 0
    assert set(rows) == {"fichiers-abj", "sydam", "sydam-oracle"}
    steps = [one["operation"] for one in rows["sydam"]["approvals"]]
    assert steps == ["database.backup", "backup.verify", "backup.externalise"]
    assert all(one["request"] is None for row in rows.values() for one in row["approvals"])


def test_what_is_signed_is_listed_what_when_how_long_and_on_which_media(dsi):
    (dsi.inventory / "schedules.yml").write_text(
        "version: 1\ntime_zone: Africa/Abidjan\n"
        "schedules:\n  nuit: {title: Nuit, backup: fichiers-abj, cron: '30 22 * * *'}\n"
    )
    row = next(one for one in json.loads(dsi("list", "--json")[1])["backups"] if one["backup"] == "fichiers-abj")
    assert "/srv/partages" in row["source"]
    assert row["retention"]["daily"] > 0
    table, shown = dsi("list")[1], dsi("show", "fichiers-abj")[1]
    assert "Kept" in table
    assert row["rhythm"] == ["30 22 * * * Africa/Abidjan"]
    assert "When: 30 22 * * * Africa/Abidjan" in shown


def test_a_plan_that_never_ran_is_an_alarm_for_programs_and_people(dsi):
    code, out, _ = dsi("status", "--json")
    assert code == 5
    assert {row["state"] for row in json.loads(out)["backups"]} == {"not_run"}
    code, out, _ = dsi("status", "sydam")
    assert code == 5
    assert "dsi backup run sydam" in out
    assert "fichiers-abj" not in out


def test_looking_at_the_plan_makes_no_journal(dsi, tmp_path):
    for words in (["list"], ["status"], ["sets"], ["show", "sydam"]):
        dsi(*words)
    assert not (tmp_path / "state").exists()


def test_one_backup_is_shown_with_what_is_kept_and_what_it_lacks(dsi):
    code, out, _ = dsi("show", "fichiers-abj")
    assert code == 0
    assert "/srv/partages" in out
    assert "14 daily" in out
    assert "server.backup: no standing approval" in out


def test_no_secret_s_place_is_shown(dsi):
    shown = "".join(dsi(*words)[1] for words in (["list", "--json"], ["show", "sydam", "--json"], ["show", "sydam"]))
    assert "secrets/" not in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "sydan"], "sydam"),
        (["show", "SET-2026"], "dsi backup sets"),
        (["contents", "SET-2026"], "dsi backup sets"),
        (["ask", "sydam", "--until", "2099-12-31", "-m", " "], "reason"),
        (["ask", "sydam", "--until", "tomorrow", "-m", "Nightly"], "2026-12-31"),
        (["restore", "sydam", "--until", "yesterday"], "2026-11-30T18:00:00"),
    ],
)
def test_what_is_typed_wrong_is_refused_with_what_to_do(dsi, words, said):
    code, _, err = dsi(*words)
    assert code == 2
    assert said in err


def test_without_a_plan_it_is_said_where_to_describe_one(dsi):
    described = dsi.inventory / "group_vars" / "all.yml"
    lines = described.read_text().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith("dsi_repositories:"))
    end = next(number for number, line in enumerate(lines) if line.startswith("dsi_credentials:"))
    described.write_text("".join(lines[:start] + lines[end:]))
    (dsi.inventory / "schedules.yml").unlink(missing_ok=True)
    code, _, err = dsi("status")
    assert code == 2
    assert "dsi_backups" in err
