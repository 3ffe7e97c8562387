"""The Tab key offers the names of the inventory wherever a command takes one, and says nothing where there is none."""

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from dsi_automation.cli.main import dsi

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "example"


def offered(*words, incomplete=""):
    found = ShellComplete(dsi, {}, "dsi", "_DSI_COMPLETE").get_completions(list(words), incomplete)
    return [one.value for one in found]


@pytest.fixture
def example(monkeypatch, tmp_path):
    monkeypatch.setenv("DSI_INVENTORY", str(EXAMPLE))
    monkeypatch.setenv("DSI_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("words", "incomplete", "name"),
    [
        (("router", "show"), "rtr-", "rtr-abj"),
        (("router", "check", "rtr-abj"), "", "rtr-bke"),
        (("router", "configure", "--canary"), "RTR", "rtr-bke"),
        (("router", "interconnect"), "bke", "BKE"),
        (("access", "allow", "--from"), "AB", "ABJ"),
        (("access", "allow", "--to"), "int", "internet"),
        (("access", "allow", "--service"), "", "sydam"),
        (("access", "list", "--site"), "b", "BKE"),
        (("application", "check"), "", "sydam"),
        (("rules", "show"), "", "tarif"),
        (("sources", "show", "--source"), "", "sydam-world"),
        (("backup", "ask"), "fich", "fichiers-abj"),
    ],
)
def test_names_of_the_inventory_are_offered_in_any_case(example, words, incomplete, name):
    found = offered(*words, incomplete=incomplete)
    assert name in found
    assert all(one.lower().startswith(incomplete.lower()) for one in found)


@pytest.mark.usefixtures("example")
def test_accesses_are_offered_from_a_record_without_any():
    assert offered("access", "revoke") == []


@pytest.mark.parametrize("words", [("router", "show"), ("access", "allow", "--to"), ("rules", "show")])
def test_without_an_inventory_nothing_is_offered_and_nothing_is_said(monkeypatch, tmp_path, capsys, words):
    monkeypatch.setenv("DSI_INVENTORY", str(tmp_path / "none"))
    assert offered(*words) == []
    assert capsys.readouterr() == ("", "")
