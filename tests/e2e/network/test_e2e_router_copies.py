"""Configurations of real FRRouting routers: asked for, approved, copied, read back, compared, by the `dsi` command."""

import json
import shutil
import subprocess

import pytest

from dsi_automation.cli.main import run


@pytest.fixture
def dsi(network, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DSI_LANG", "fr")
    home = tmp_path / "inventory"
    shutil.copytree(network.inventory, home)
    (home / "dsi.yml").write_text(f"state_dir: {tmp_path / 'state'}\n")
    keys = network.layout.inventory_dir.parent / "keys"

    def call(who, *words, code=0):
        capsys.readouterr()
        answered = run([*words, "--inventory", str(home), "--key", str(keys / who)])
        answer = capsys.readouterr()
        assert answered == code, answer.out + answer.err
        return answer.out

    return call


def copy(dsi, *routers):
    asked = json.loads(dsi("m.kouadio", "router", "backup", *routers, "-m", "Copie", "--json"))["id"]
    dsi("y.traore", "approve", asked, "--comment", "D’accord")
    return json.loads(dsi("m.kouadio", "run", asked, "--json"))


def test_real_routers_are_copied_and_a_change_by_hand_is_the_next_version(dsi, network, tmp_path):
    done = copy(dsi)
    assert set(done["targets"].values()) == {"done"}
    assert len(done["targets"]) == len(network.names)
    folder = tmp_path / "state" / "configurations"
    listed = subprocess.run(
        ["git", "-C", folder, "ls-tree", "--name-only", "main"], capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == sorted(f"{name}.cfg" for name in network.names)

    copy(dsi, "rtr-bke")
    versions = json.loads(dsi("m.kouadio", "router", "history", "rtr-bke", "--json"))["versions"]
    assert len(versions) == 1

    network.configure_by_hand("rtr-bke", ["ip route 203.0.113.0/24 Null0"])
    try:
        copy(dsi, "rtr-bke")
        newer, older = json.loads(dsi("m.kouadio", "router", "history", "rtr-bke", "--json"))["versions"]
        shown = dsi("m.kouadio", "router", "history", "rtr-bke", "--diff", older["version"], newer["version"])
        assert "+ip route 203.0.113.0/24 Null0" in shown
    finally:
        network.configure_by_hand("rtr-bke", ["no ip route 203.0.113.0/24 Null0"])
