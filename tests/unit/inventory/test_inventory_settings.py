import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.core.secrets import redact
from dsi_automation.inventory.problems import InventoryError
from dsi_automation.inventory.settings import find_inventory, load_settings


@pytest.fixture
def folders(tmp_path):
    """Four inventories, one for each place a command may be told of."""
    found = {}
    for name in ("option", "environment", "cfg", "system"):
        found[name] = tmp_path / name / "hosts.yml"
        found[name].parent.mkdir()
        found[name].write_text("all: {hosts: {a: {}}}\n")
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = cfg/hosts.yml\n")
    return found


def test_the_inventory_is_looked_for_in_the_documented_order(folders, tmp_path):
    environ = {"DSI_INVENTORY": "environment"}
    everything = {"option": folders["option"].parent, "system": folders["system"].parent}
    assert find_inventory(environ, tmp_path, **everything).value == folders["option"]
    assert find_inventory(environ, tmp_path, system=everything["system"]).value == folders["environment"]
    assert find_inventory({}, tmp_path, system=everything["system"]).value == folders["cfg"]
    (tmp_path / "ansible.cfg").unlink()
    assert find_inventory({}, tmp_path, system=everything["system"]).value == folders["system"]
    with pytest.raises(UsageError):
        find_inventory({}, tmp_path, system=tmp_path / "absent")


@pytest.mark.parametrize("named", ["absent", "cfg/absent.yml", "empty"])
def test_an_inventory_that_was_named_and_is_not_there_is_an_error_and_not_a_reason_to_look_elsewhere(
    folders, tmp_path, named
):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=named):
        find_inventory({"DSI_INVENTORY": named}, tmp_path, system=folders["system"].parent)


def test_an_ansible_cfg_with_several_sources_or_no_form_is_refused(tmp_path):
    for text in ("[defaults]\ninventory = a,b\n", "inventory = a\n"):
        (tmp_path / "ansible.cfg").write_text(text)
        with pytest.raises(UsageError, match=r"ansible\.cfg"):
            find_inventory({}, tmp_path)


def load(folders, tmp_path, text, **environ):
    (folders["option"].parent / "dsi.yml").write_text(text)
    return load_settings({"HOME": str(tmp_path / "home"), **environ}, tmp_path, inventory=folders["option"])


def test_the_state_folder_comes_from_the_file_then_the_environment_then_the_users_own(folders, tmp_path):
    everything = {"DSI_STATE": "/a", "XDG_STATE_HOME": "/b"}
    assert load(folders, tmp_path, "state_dir: state\n", **everything).state_dir.value == tmp_path / "option/state"
    assert str(load(folders, tmp_path, "", **everything).state_dir.value) == "/a"
    assert str(load(folders, tmp_path, "", XDG_STATE_HOME="/b").state_dir.value) == "/b/dsi"
    assert load(folders, tmp_path, "").state_dir.value == tmp_path / "home/.local/state/dsi"


def test_the_database_comes_from_the_environment_then_the_file_then_is_sqlite_beside_the_state(folders, tmp_path):
    text = "database_url: postgresql://dsi@db/dsi\nstate_dir: /s\n"
    assert load(folders, tmp_path, text, DSI_DATABASE_URL="sqlite://").database_url.value == "sqlite://"
    assert load(folders, tmp_path, text).database_url.value == "postgresql://dsi@db/dsi"
    assert load(folders, tmp_path, "state_dir: /s\n").database_url.value == "sqlite:////s/journal.db"


def test_a_database_password_is_refused_in_the_file_and_masked_from_the_environment(folders, tmp_path):
    with pytest.raises(InventoryError) as raised:
        load(folders, tmp_path, "database_url: postgresql://dsi:canary-7781@db/dsi\n")
    assert "canary-7781" not in str(raised.value)
    load(folders, tmp_path, "", DSI_DATABASE_URL="postgresql://dsi:canary-7782@db/dsi")
    assert "canary-7782" not in redact("postgresql://dsi:canary-7782@db/dsi")


def test_language_key_workers_and_vault_password_say_where_they_come_from(folders, tmp_path):
    text = "language: en\nworkers: 7\nvault_password_file: v\n"
    read = load(folders, tmp_path, text)
    assert (read.language.value, read.workers.value, read.key.value) == ("en", 7, None)
    assert read.vault_password_file.value == tmp_path / "option/v"
    read = load(folders, tmp_path, text, DSI_LANG="fr_FR", DSI_KEY="k", ANSIBLE_VAULT_PASSWORD_FILE="/w")
    assert (read.language.value, read.key.value, str(read.vault_password_file.value)) == ("fr", tmp_path / "k", "/w")
    sources = {str(s.source) for s in (read.language, read.key, read.workers, load(folders, tmp_path, "").workers)}
    assert len(sources) == 4


def test_a_setting_nobody_knows_is_refused_with_its_line(folders, tmp_path):
    with pytest.raises(InventoryError) as raised:
        load(folders, tmp_path, "language: fr\nlangage: en\nworkers: 0\n")
    assert [(p.path, p.line) for p in raised.value.problems] == [("workers", 3), ("langage", 2)]
