import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dsi_automation.core.errors import StorageError
from dsi_automation.core.text import T
from dsi_automation.inventory.doctor import inventory_checks
from dsi_automation.inventory.init import EXAMPLE, init
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.reference import SECTIONS, attributes, reference
from dsi_automation.inventory.settings import load_settings

NOW = datetime(2026, 6, 15, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
PASSWORD = "canary-9023"


@pytest.fixture
def home(tmp_path):
    """Make a complete inventory of the example: what is not in Git is there too."""
    folder = tmp_path / "inventory"
    init(folder)
    (folder / "ca.pem").write_text("a certificate")
    applications = ("sydam_exploitation", "sydam_test_exploitation", "sydam_test", "routers")
    backups = ("depot_serveurs", "depot_bases", "sydam_sauvegarde", "supports")
    for name in ("local_administrator", "directory_accounts", "m365.pem", *backups, *applications):
        (folder / "secrets" / name).write_text(PASSWORD)
        (folder / "secrets" / name).chmod(0o600)
    vault = tmp_path / "vault-password"
    vault.write_text("vault")
    command = [Path(sys.executable).parent / "ansible-vault", "encrypt_string", "--vault-password-file", vault]
    value = subprocess.run([*command, "--stdin-name", "vault_directory_join"], input=PASSWORD, text=True, check=True,
                           capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout  # fmt: skip
    described = folder / "group_vars" / "all.yml"
    text = described.read_text().replace("/srv/sauvegardes", str(tmp_path / "sauvegardes"))
    described.write_text(text.replace("/srv/versions", str(tmp_path / "versions")))
    (tmp_path / "versions").mkdir()
    for name in ("serveurs", "bases", "etape/sydam", "journaux/sydam"):
        (tmp_path / "sauvegardes" / name).mkdir(parents=True)
    with (folder / "group_vars" / "all.yml").open("a") as file:
        file.write(f"\n{value}\n")
    return folder


def checks(home, **environ):
    environ = {"DSI_DIRECTORY_READ_PASSWORD": PASSWORD, "HOME": str(home),
               "ANSIBLE_VAULT_PASSWORD_FILE": str(home.parent / "vault-password")} | environ  # fmt: skip
    settings = load_settings(environ, home, inventory=home)
    return inventory_checks(Inventory.open(settings, environ), settings, NOW)


def failures(home, **environ):
    return {(check.target, check.name) for check in checks(home, **environ) if not check.ok}


def test_a_complete_inventory_passes_and_no_secret_is_shown(home):
    found = checks(home)
    assert [check for check in found if not check.ok] == []
    assert {"secret", "hosts", "people", "policy", "directory", "sites", "accounts", "tenant"} <= {
        check.name for check in found
    }
    assert PASSWORD not in str([check.to_json() for check in found])


def test_what_is_missing_or_open_to_others_is_found(home):
    (home / "ca.pem").unlink()
    (home / "secrets" / "local_administrator").chmod(0o644)
    (home / "approval_policy.yml").chmod(0o666)
    (home / "group_vars").chmod(0o775)
    found = failures(home, DSI_DIRECTORY_READ_PASSWORD="", ANSIBLE_VAULT_PASSWORD_FILE=str(home / "absent"))
    secrets = {(name, "secret") for name in ("local_administrator", "directory_read", "directory_join")}
    assert found >= secrets | {("dsi_directory", "file"), (str(home), "writable_by_others")}
    assert (str(home), "writable_by_group") in found


def test_people_without_keys_and_rules_nobody_can_follow_are_found(home):
    people = home / "people.yml"
    people.write_text(people.read_text().replace("2036-12-31", "2026-06-14"))
    policy = home / "approval_policy.yml"
    policy.write_text(policy.read_text().replace("approvals: 1", "approvals: 3"))
    assert failures(home) == {("a.konan", "key"), ("approval_policy.yml", "satisfiable")}


def test_wrong_hosts_are_all_told_and_a_misspelt_variable_is_noticed(home):
    hosts = home / "hosts.yml"
    text = hosts.read_text().replace("dsi_environment: training", "dsi_environment: trainings")
    hosts.write_text(text.replace("dsi_site: SPY", "dsi_sit: SPY", 1))
    assert failures(home) == {("bke-guichet-01", "variables"), ("spy-guichet-01", "site"), ("dsi_sit", "spelling")}


def test_an_unreadable_hosts_file_is_told_once_and_the_rest_is_still_looked_at(home):
    (home / "hosts.yml").write_text("all: [\n")
    found = checks(home)
    assert sum(not check.ok for check in found) == 1
    assert any(check.name == "people" for check in found)


def test_init_writes_the_example_as_it_is_and_a_folder_for_secrets_that_is_closed(tmp_path):
    report = init(tmp_path / "new" / "inventory", [lambda directory: T("prepared {d}", d=directory.name)])
    directory = tmp_path / "new" / "inventory"
    for path in report.written:
        assert path.read_bytes() == (ROOT / "inventories/example" / path.relative_to(directory)).read_bytes()
    assert {path.relative_to(directory) for path in report.written} == {
        path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file()
    }
    assert (directory / "secrets").stat().st_mode & 0o777 == 0o700
    assert [str(text) for text in report.prepared] == ["prepared inventory"]
    assert len(Inventory(directory / "hosts.yml", {}).targets(["all"])) == 16


def test_init_leaves_an_inventory_that_exists_as_it_is_and_says_what_is_there(tmp_path):
    (tmp_path / "hosts.ini").write_text("mine")
    report = init(tmp_path)
    assert report.existing == (tmp_path / "hosts.ini",)
    assert report.written == ()
    assert [path.name for path in tmp_path.iterdir()] == ["hosts.ini"]


def test_init_takes_away_again_what_it_could_not_write_completely(tmp_path):
    (tmp_path / "group_vars").write_text("a file where a folder should be")
    with pytest.raises(StorageError):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["group_vars"]


def test_the_example_names_everything_the_models_offer():
    text = "\n".join(path.read_text() for path in EXAMPLE.rglob("*.yml"))
    skipped = {"code", "ansible_winrm_path", "ansible_winrm_server_cert_validation"}
    missing = [
        name
        for _, _, model in SECTIONS
        for name in model.model_fields
        if f"{name}:" not in text and name not in skipped
    ]
    assert missing == []


def test_the_reference_page_says_what_the_models_say_and_explains_every_key():
    assert (ROOT / "docs/reference/inventory.md").read_text() == reference()
    for _, _, model in SECTIONS:
        assert set(attributes(model)) == set(model.model_fields)


def test_the_wheel_and_the_source_tree_share_one_example(tmp_path):
    assert EXAMPLE.resolve() == ROOT / "inventories/example"
    shutil.copytree(EXAMPLE, tmp_path / "copy")
    assert (tmp_path / "copy" / "people.yml").is_file()


def test_a_backup_plan_that_cannot_work_is_found(home):
    described = home / "group_vars" / "all.yml"
    text = described.read_text()
    text = text.replace("report_to: [f.ouattara, j.gnagne]", "report_to: [controleur, nobody]")
    text = text.replace("host: srv-fichiers-abj", "host: srv-absent")
    text = text.replace("bin_dir: /usr/lib/postgresql/15/bin", "bin_dir: /usr/lib/postgresql/0")
    text = text.replace("keepers: [k.yeo, f.ouattara]", "keepers: [k.yeo]")
    text = text.replace("  restic: restic\n", "  restic: restic-absent\n")
    described.write_text(text)
    (home / "secrets" / "depot_bases").unlink()
    assert failures(home) == {
        ("dsi_repositories", "bases.password"),
        ("dsi_backup", "restic"),
        ("dsi_backup", "report_to"),
        ("dsi_backups", "fichiers-abj.host"),
        ("dsi_backups", "sydam.bin_dir"),
        ("dsi_media", "externe.keepers"),
    }
