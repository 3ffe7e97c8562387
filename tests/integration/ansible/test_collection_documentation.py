"""`ansible-doc` tells all of every plugin of the collection: options, check mode, and what comes back."""

import json
import os
from pathlib import Path

import forking
import pytest
from forking import DSI

PLUGINS = Path(__file__).resolve().parents[3] / "dsi_automation" / "ansible_collections" / "dsi" / "ops" / "plugins"
NAMES = sorted(path.stem for path in (PLUGINS / "action").glob("*.py"))
LOOKS = {"access_list", "application_check", "mailbox_check", "router_check", "router_interconnect"}
HOSTS = {"access_allow", "access_revoke", "router_backup", "router_configure", "workstation_join"}


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doc")
    program = str(Path(DSI).with_name("ansible-doc"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = forking.run([program, "-j", *(f"dsi.ops.{name}" for name in NAMES)], env=environment, cwd=folder)
    assert done.returncode == 0, done.stderr
    return {name.removeprefix("dsi.ops."): found for name, found in json.loads(done.stdout).items()}


def test_every_action_plugin_is_documented(documented):
    assert sorted(documented) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_back_is_told_with_its_type_and_when(documented, name):
    returned = documented[name]["return"]
    if name == "workstation_check":
        assert returned.keys() == {"compliant", "checks", "facts"}
    elif name in LOOKS:
        assert returned.keys() == {"compliant", "targets", "exit_code"}
    else:
        assert returned.keys() == {"plan", "run", "exit_code", "hosts" if name in HOSTS else "targets"}
    assert all({"description", "returned", "type"} <= value.keys() for value in returned.values())


@pytest.mark.parametrize("name", NAMES)
def test_check_mode_and_the_need_of_an_approval_are_told(documented, name):
    told = documented[name]["doc"]
    assert told["attributes"]["check_mode"]["support"] == "full"
    said = " ".join([*told["description"], *told.get("notes", ())]).lower()
    changes = name not in LOOKS | {"workstation_check"}
    assert ("in check mode no approval is needed" if changes else "changes nothing and needs no approval") in said
    assert ("request" in told.get("options", {})) is changes
