"""The inventory a lab generates: valid for the toolkit and for Ansible alike, without any secret in it."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.policy import unsatisfiable
from dsi_automation.inventory.settings import load_settings
from dsi_automation.lab import inventory, people
from dsi_automation.lab.accounts import SITES, Passwords
from dsi_automation.lab.domain import LEAVERS_OU, users_ou, workstation_ou
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.machines import Builder


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A lab's files without the lab: keys, passwords and the inventory of the named workstations and a small fleet."""
    layout = Layout("paper", IPv4Network("198.18.0.0/16"), tmp_path_factory.mktemp("lab") / "paper")
    passwords = Passwords(layout.password_dir)
    people.ensure_keys(layout.key_dir)
    builder = Builder(layout, passwords)
    machines = [*builder.named(), *builder.fleet(4, joined=True)]
    inventory.write(layout, machines, passwords)
    for account in ("svc-lecture", "svc-jonction", "svc-comptes", "Administrateur"):
        passwords.get(account)
    return layout, machines, passwords


@pytest.fixture(scope="module")
def loaded(written):
    settings = load_settings({}, Path("/"), inventory=written[0].inventory_dir)
    return settings, Inventory.open(settings, {})


def test_every_workstation_is_a_target_of_its_site(written, loaded):
    targets = {target.name: target for target in loaded[1].targets(["workstations"])}
    assert set(targets) == {machine.key for machine in written[1]}
    for machine in written[1]:
        target = targets[machine.key]
        assert target.site == machine.site
        assert target.environment == "training"
        assert target.windows.host == machine.spec.address


def test_a_name_for_tickets_is_given_where_there_are_keys_to_open_them(written, loaded):
    targets = {target.name: target.windows.kerberos_host for target in loaded[1].targets(["workstations"])}
    named = {key: host for key, host in targets.items() if host}
    assert named == {"ws5": "bke-pc-0001.ad.douanes.lab", "ws6": "bke-pc-0002.ad.douanes.lab"}


def test_the_sites_name_the_units_of_the_directory_and_the_rule_of_the_names(written, loaded):
    assert set(loaded[1].sites) == {site.code for site in SITES}
    for code, site in loaded[1].sites.items():
        assert site.workstation_ou == workstation_ou(code)
        assert site.naming.template == code + "-PC-{number:04}"


def test_it_says_how_accounts_are_made_and_which_tenant_they_are_made_in(written, loaded):
    accounts, tenant = loaded[1].accounts, loaded[1].tenant
    assert (accounts.environment.value, accounts.domain, accounts.licence) == ("training", "douanes.lab", "bureau")
    assert accounts.licences["bureau"] == "STANDARDPACK"
    assert accounts.leavers_ou == LEAVERS_OU
    assert loaded[1].credential(accounts.write_credential).user == "svc-comptes@ad.douanes.lab"
    assert {site.user_ou for site in loaded[1].sites.values()} == {users_ou(site.code) for site in SITES}
    assert tenant.base_url == f"https://{written[0].tenant_address}/v1.0"
    assert (tenant.certificate, tenant.ca_file) == (str(written[0].app_certificate), str(written[0].ca_file))
    assert tenant.sync_job is not None


def test_the_credentials_are_the_passwords_of_the_lab(written, loaded):
    directory = loaded[1].directory
    for name, account in ((directory.read_credential, "svc-lecture"), (directory.join_credential, "svc-jonction")):
        credential = loaded[1].credential(name)
        assert loaded[1].secret(credential.password) == written[2].get(account)
        assert credential.user == f"{account}@ad.douanes.lab"


def test_the_technician_asks_and_two_others_may_decide(loaded):
    known = loaded[1].people
    for operation in ("workstation.join", "mailbox.create", "account.disable", "licence.assign", "licence.remove"):
        rule = loaded[1].policy.operations[operation]["training"]
        assert [person.id for person in known.with_role(rule.requesters)] == ["m.kouadio"]
        assert {person.id for person in known.with_role(rule.approvers)} == {"y.traore", "a.bamba"}
    assert unsatisfiable(loaded[1].policy, known, datetime.now(UTC)) == []


def test_the_state_is_kept_in_the_lab_and_goes_with_it(written, loaded):
    assert loaded[0].state_dir.value == written[0].state_dir


def test_ansible_reads_the_same(written):
    # A home of its own: Ansible must not read the settings of whoever runs the tests.
    env = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(written[0].root),
        "LANG": "C.UTF-8",
    }
    command = ["ansible-inventory", "-i", str(written[0].inventory_dir / "hosts.yml"), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, cwd="/")
    found = json.loads(done.stdout)
    assert set(found["workstations"]["children"]) == {"abj", "spy", "bke"}
    one = found["_meta"]["hostvars"]["ws1"]
    assert (one["ansible_host"], one["ansible_connection"], one["dsi_site"]) == ("198.18.1.1", "winrm", "ABJ")


def test_no_file_of_the_inventory_holds_a_password(written):
    layout = written[0]
    text = "".join(path.read_text() for path in layout.inventory_dir.rglob("*") if path.is_file())
    secrets = [path.read_text() for path in layout.password_dir.iterdir()]
    assert len(secrets) >= 4
    assert not [secret for secret in secrets if secret in text]
    assert not [key for key in layout.key_dir.glob("*") if key.suffix == "" and key.read_text() in text]


def test_somebody_elses_folder_is_neither_written_nor_removed(tmp_path, written):
    layout = Layout("paper", IPv4Network("198.18.0.0/16"), tmp_path / "paper")
    layout.inventory_dir.mkdir(parents=True)
    (layout.inventory_dir / "hosts.yml").write_text("all: {}\n")
    with pytest.raises(UsageError):
        inventory.write(layout, written[1], written[2])
    assert inventory.remove(layout) is False
    assert (layout.inventory_dir / "hosts.yml").read_text() == "all: {}\n"
