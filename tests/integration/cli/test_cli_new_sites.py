"""`dsi router interconnect|history|backup` on the example's inventory: what is proposed fits into it."""

import io
import json
import shutil
from pathlib import Path

import pypdf
import pytest
import yaml

from dsi_automation.cli.main import run
from dsi_automation.connectors.configurations.git import GitConfigurations

EXAMPLE = Path(__file__).resolve().parents[3] / "inventories" / "example"
KORHOGO = {
    "name": "Bureau de Korhogo",
    "workstation_ou": "OU=Postes,OU=KGO,OU=Sites,DC=ad,DC=douanes,DC=example",
    "naming": {"template": "KGO-PC-{number:04}"},
}
NEAR_BOUAKE = ("--at", "7.75", "-5.10")


class Loader(yaml.SafeLoader):
    """Reads Ansible's `!vault` as the text it is."""


Loader.add_constructor("!vault", lambda loader, node: loader.construct_scalar(node))


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "inventory"
    shutil.copytree(EXAMPLE, folder)
    change(folder / "group_vars" / "all.yml", lambda found: found["dsi_sites"].update(KGO=KORHOGO))
    return folder


@pytest.fixture
def dsi(home, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DSI_LANG", "fr")
    monkeypatch.setenv("DSI_STATE", str(tmp_path / "state"))

    def call(*words, code=0):
        capsys.readouterr()
        assert run(["router", *words, "--inventory", str(home)]) == code
        answer = capsys.readouterr()
        return answer.out + answer.err

    return call


def change(path, how):
    found = yaml.load(path.read_text(), Loader)  # noqa: S506  # safe but for one tag
    how(found)
    path.write_text(yaml.safe_dump(found, allow_unicode=True))


def test_a_neighbour_is_proposed_with_every_candidate_and_why(dsi):
    shown = dsi("interconnect", "KGO", "--bandwidth", "10", *NEAR_BOUAKE)
    assert "liaison de 10 Mbit/s vers rtr-bke (BKE)" in shown
    assert "trop loin" in shown
    assert "10.72.0.0/23" in shown
    assert "supposition" in shown
    assert "dsi router configure rtr-kgo" in shown


@pytest.mark.parametrize("where", [NEAR_BOUAKE, ()])
def test_what_is_written_goes_into_the_inventory_as_it_is(dsi, home, tmp_path, where):
    file = tmp_path / "kgo.yml"
    dsi("interconnect", "KGO", "--bandwidth", "10", *where, "--write", str(file))
    new = yaml.safe_load(file.read_text())

    def merge(found):
        found["dsi_network"]["sites"] |= new["dsi_network"]["sites"]
        found["dsi_links"] |= new["dsi_links"]

    change(home / "group_vars" / "all.yml", merge)
    change(
        home / "hosts.yml", lambda found: found["all"]["children"]["routers"]["hosts"].update(new["routers"]["hosts"])
    )
    known = json.loads(dsi("show", "rtr-kgo", "--json"))
    assert known["site"] == "KGO"
    assert known["path"][-1] == "rtr-abj"
    again = dsi("interconnect", "KGO", "--bandwidth", "10", code=2)
    assert "a déjà une liaison" in again


def test_the_letter_is_the_order_of_the_line_that_is_proposed(dsi, tmp_path):
    letter = tmp_path / "kgo.pdf"
    answer = json.loads(
        dsi("interconnect", "KGO", "--bandwidth", "10", "--at", "9.4578", "-5.6294", "--letter", str(letter),
            "--reference", "DSI/2026/117", "--wanted", "2027-02-01", "--json")
    )  # fmt: skip
    assert answer["files"] == {"letter": str(letter)}
    text = " ".join(pypdf.PdfReader(io.BytesIO(letter.read_bytes())).pages[0].extract_text().split())
    for words in ("Opérateur A", "CC-2026-014", "Bureau de Korhogo", "Abidjan", "DSI/2026/117", "1er février 2027"):
        assert words in text
    (target,) = answer["targets"]
    assert target["facts"]["kind"] == "leased"


def test_no_letter_is_written_where_no_line_is_ordered(dsi, tmp_path):
    letter = tmp_path / "kgo.pdf"
    shown = dsi("interconnect", "KGO", "--bandwidth", "10", *NEAR_BOUAKE, "--letter", str(letter), code=2)
    assert "--leased" in shown
    assert not letter.exists()
    assert "--letter" in dsi("interconnect", "KGO", "--bandwidth", "10", "--contact", "Réseau", code=2)


def test_a_day_that_is_past_is_not_asked_of_an_operator(dsi, tmp_path):
    letter = tmp_path / "kgo.pdf"
    words = ("--bandwidth", "10", "--leased", "--letter", str(letter), "--wanted", "2020-02-01")
    assert "--wanted" in dsi("interconnect", "KGO", *words, code=2)
    assert not letter.exists()


def test_a_site_without_any_way_is_an_exit_code(dsi, home):
    def change_it(found):
        found["dsi_network"]["lan_ranges"] = []

    change(home / "group_vars" / "all.yml", change_it)
    assert "lan_ranges" in dsi("interconnect", "KGO", "--bandwidth", "10", code=5)
    answer = json.loads(dsi("interconnect", "KGO", "--bandwidth", "10", "--json", code=5))
    assert answer["files"] == {}


def test_versions_are_listed_and_compared(dsi, home, tmp_path):
    change(
        home / "group_vars" / "all.yml",
        lambda found: found["dsi_network"].update(configurations=str(tmp_path / "copies")),
    )
    assert "dsi router backup" in dsi("history")
    assert "dsi router backup" in dsi("history", "rtr-bke")
    assert "rtr-bke" in dsi("history", "rtr-bek", code=2)
    repository = GitConfigurations(tmp_path / "copies")
    first = repository.keep({"rtr-bke": "hostname a\n"}, "rtr-bke: copie", author="RUN-1")
    second = repository.keep({"rtr-bke": "hostname b\n"}, "rtr-bke: copie", author="RUN-2")
    shown = dsi("history", "rtr-bke")
    assert shown.index(second.commit[:12]) < shown.index(first.commit[:12])
    assert [one["version"] for one in json.loads(dsi("history", "--json"))["versions"]] == [
        second.commit, first.commit,
    ]  # fmt: skip
    difference = dsi("history", "rtr-bke", "--diff", first.commit[:8], second.commit[:8])
    assert "-hostname a" in difference
    assert "+hostname b" in difference
    assert "Nommez-le" in dsi("history", "--diff", first.commit, second.commit, code=2)
    assert "dsi router history" in dsi("history", "rtr-bke", "--diff", "ffffffff", second.commit, code=2)


def test_a_copy_without_its_standing_approval_says_how_to_ask_for_one(dsi):
    shown = dsi("backup", code=4)
    assert "router.backup" in shown
    assert "--standing" in shown


def test_a_name_that_is_near_is_proposed(dsi):
    assert "rtr-bke" in dsi("backup", "rtr-bek", code=2)
