"""What `dsi doctor` says of dsi_accounts and dsi_m365, in a complete inventory that is spoilt in one place."""

import re
from datetime import UTC, datetime

import pytest

from dsi_automation.inventory.account_doctor import account_checks, tenant_checks
from dsi_automation.inventory.doctor import inventory_checks
from dsi_automation.inventory.init import init
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.problems import InventoryError
from dsi_automation.inventory.settings import load_settings

NOW = datetime(2026, 11, 21, tzinfo=UTC)

SPY_OU = "    user_ou: OU=Utilisateurs,OU=SPY,OU=Sites,DC=ad,DC=douanes,DC=example\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DSI_LANG", "en")
    folder = tmp_path / "inventory"
    init(folder)
    (folder / "secrets" / "m365.pem").write_text("key")
    (folder / "secrets" / "m365.pem").chmod(0o600)
    return folder


def change(home, old, new):
    path = home / "group_vars" / "all.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def opened(home, **environ):
    return Inventory.open(load_settings({"HOME": str(home)}, home, inventory=home), environ)


def told(home, **environ):
    inventory = opened(home, **environ)
    found = [*account_checks(inventory), *tenant_checks(inventory)]
    return {(check.target, check.name): check.observed for check in found if not check.ok}


def test_the_example_is_right(home):
    assert told(home) == {}


@pytest.mark.parametrize(
    ("old", "new", "target", "words"),
    [
        ("leavers_ou: OU=Partis,", "leavers_ou: ou=utilisateurs,ou=BKE,OU=Sites,", ("BKE", "user_ou"), "left"),
        (SPY_OU, "", ("dsi_sites", "user_ou"), "SPY"),
        ("guichet: DESKLESSPACK", "guichet: standardpack", ("dsi_accounts", "licences"), "bureau, guichet"),
        ("    Recettes: SPY", "    Recettes: SPI", ("dsi_accounts", "departments"), "SPI"),
        ("# retired_addresses:", "retired_addresses:", ("dsi_accounts", "retired_addresses"), "does not exist"),
        ("  certificate: secrets/m365.pem", "  certificate: absent.pem", ("dsi_m365", "certificate"), "does not exist"),
        ("  cloud: global", "  ca_file: absent.pem", ("dsi_m365", "ca_file"), "does not exist"),
        ("  certificate: secrets/m365.pem", "  secret: {env: ABSENT}", ("dsi_m365", "secret"), "ABSENT"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(home, old, new, target, words):
    change(home, old, new)
    found = told(home)
    assert set(found) == {target}
    assert words in found[target]


def test_a_private_key_that_others_can_read_is_found(home):
    (home / "secrets" / "m365.pem").chmod(0o640)
    assert "chmod 600" in told(home)["dsi_m365", "certificate"]


def test_the_file_of_retired_addresses_is_read_line_by_line(home):
    change(home, "# retired_addresses:", "retired_addresses:")
    path = home / "adresses-retirees.txt"
    path.write_text("# parties\n\nawa.kone@douanes.example  # 2019\nN'guessan@douanes.example\n")
    assert told(home) == {}
    path.write_text("awa.kone@douanes.example\nseydou diallo\n@douanes.example\n")
    assert "lines 2, 3" in told(home)["dsi_accounts", "retired_addresses"]
    path.write_bytes("awa.koné@douanes.example".encode("latin-1"))
    assert "UTF-8" in told(home)["dsi_accounts", "retired_addresses"]


def test_a_site_without_accounts_is_left_in_peace(home):
    path = home / "group_vars" / "all.yml"
    text = path.read_text()
    path.write_text(re.sub(r"(?ms)^dsi_accounts:.*?(?=^# Les comptes de service)", "", text))
    assert told(home) == {}
    inventory = opened(home)
    for name in ("accounts", "tenant"):
        with pytest.raises(InventoryError, match="inventories/example"):
            getattr(inventory, name)


def test_a_tenant_without_accounts_is_a_warning(home):
    change(home, "\ndsi_accounts:", "\nother_accounts:")
    assert set(told(home)) == {("dsi_accounts", "accounts")}


@pytest.mark.parametrize(("name", "part"), [("dsi_acounts", "accounts"), ("dsi_m356", "tenant")])
def test_a_misspelt_variable_is_named_where_the_right_one_is_missed(home, name, part):
    right = "dsi_accounts" if part == "accounts" else "dsi_m365"
    change(home, f"\n{right}:", f"\n{name}:")
    inventory = opened(home)
    with pytest.raises(InventoryError, match=f"{name}"):
        getattr(inventory, part)
    if part == "tenant":
        with pytest.raises(InventoryError, match=f"{name}"):
            _ = inventory.has_tenant
    checks = inventory_checks(inventory, load_settings({"HOME": str(home)}, home, inventory=home), NOW)
    assert (name, "spelling") in {(check.target, check.name) for check in checks}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("licence: bureau\n", "licence: burau\n", "bureau"),
        ("write_credential: directory_accounts", "write_credential: directory_acounts", "directory_accounts"),
    ],
)
def test_a_name_that_is_nearly_right_is_told_with_the_right_one(home, old, new, words):
    change(home, old, new)
    with pytest.raises(InventoryError, match=f"Did you mean: {words}"):
        _ = opened(home).accounts


def test_durations_of_seconds_are_understood(home):
    assert opened(home).tenant.poll.total_seconds() == 30
