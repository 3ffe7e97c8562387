"""The report of the directory as a technician asks for it: `dsi directory check` on the lab's real Active Directory."""

import csv

import pytest


@pytest.fixture
def fresh(office):
    """The office in a directory that holds the lab's own objects alone, whatever other tests added."""
    office.lab.reset()
    added = [machine.spec.computer_name for machine in office.lab.machines if not machine.key.startswith("ws")]
    office.lab.controller.populate({"remove": added})
    office.refresh()
    return office


def test_what_breaks_the_rules_is_told_with_its_place_and_the_exit_code_is_5(fresh):
    said = fresh.dsi("directory", "check", "--json")
    assert said.code == said.json["exit_code"] == 5
    wrong = {
        (row["target"], check["name"])
        for row in said.json["targets"]
        for check in row["checks"]
        if not check["ok"] and not check["warning"]
    }
    # ws5 of the lab is joined, named right, and in the wrong OU; service accounts are left out by the inventory.
    assert wrong == {("BKE-PC-0001", "computer_ou")}
    assert "svc-lecture" not in {row["target"] for row in said.json["targets"]}


def test_a_site_without_faults_is_reported_as_such_and_a_file_holds_every_object(fresh, tmp_path):
    assert fresh.dsi("directory", "check", "SPY").code == 0
    said = fresh.dsi("directory", "check", "SPY", "BKE", "--format", "csv", "-o", str(tmp_path / "r.csv"))
    assert said.code == 5
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["target"] for row in rows} == {
        "adjoua.brou", "moussa.toure", "fatou.ouattara", "ibrahim.cisse", "BKE-PC-0001", "BKE-PC-0002",
    }  # fmt: skip


def test_a_site_nobody_knows_is_a_usage_error(fresh):
    assert fresh.dsi("directory", "check", "XYZ").code == 2
