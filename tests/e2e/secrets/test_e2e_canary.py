"""Passwords planted in every place that may hold one are found nowhere else, in none of the shapes they travel in."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from canary import Watcher, files_below, shapes
from fix_office import ONCE, OWNER

from dsi_automation.lab.accounts import JOINER, LOCAL_ADMINISTRATOR, READER

PLANTED = (JOINER, READER, LOCAL_ADMINISTRATOR)
WRONG = "Canari-Faux-9f3k2<&>'\"é"


@pytest.fixture
def planted(lab):
    """Return the shapes of the lab's passwords that a join uses."""
    return set().union(*(shapes(lab.passwords.get(account).reveal()) for account in PLANTED))


def vault(office, name, value):
    """Put a value into the inventory as `ansible-vault encrypt_string` writes it."""
    secret = office.folder / "vault-password"
    secret.write_text("Coffre-Canari-77\n")
    secret.chmod(0o600)
    program = Path(sys.executable).with_name("ansible-vault")
    done = subprocess.run(
        [program, "encrypt_string", "--vault-password-file", str(secret), "--stdin-name", name],
        input=value, capture_output=True, text=True, check=True,
    )  # fmt: skip
    with (office.inventory / "group_vars" / "all.yml").open("a") as file:
        file.write(done.stdout)
    office.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(secret)


def source(office, kind):
    """Have the joining account's password come from a file, an environment variable or the vault."""
    value = office.lab.passwords.get(JOINER).reveal()
    if kind == "env":
        office.environment["DSI_TEST_JOIN"] = value
        place = {"env": "DSI_TEST_JOIN"}
    elif kind == "vault":
        place = {"vault": "join_password"}
    else:
        place = {"file": str(office.lab.passwords.file(JOINER))}
    office._apply("group_vars/all.yml", lambda held: held["dsi_credentials"]["directory_join"].update(password=place))
    if kind == "vault":
        vault(office, "join_password", value)


@pytest.mark.parametrize("kind", ["file", "env", "vault"])
def test_no_password_of_a_join_is_anywhere_but_where_it_was_put(office, planted, kind):
    lab, key = office.lab, office.add()
    source(office, kind)
    asked = office.approved(key, "-i", "user=awa.kone")
    lab.fault(key, "reset_after_write", count=1, method="JoinDomainOrWorkgroup")
    with Watcher(planted | shapes("Coffre-Canari-77")) as watcher:
        said = office.dsi("run", asked, "--debug", "--json")
    assert (said.code, office.methods(key)) == (0, {**ONCE, OWNER: 1}), said
    assert watcher.samples > 5
    # The process that was handed the variable has it, as has ssh-keygen or any other child of it: nobody else.
    allowed = {"environ"} if kind == "env" else set()
    assert {name for name, _ in watcher.seen} <= allowed
    office.dsi("show", asked, "--debug")
    office.dsi("journal", "export", "export.tar.gz")
    subprocess.run(["tar", "-xzf", "export.tar.gz"], cwd=office.folder, check=True)
    logged = office.folder / "requests.log"
    logged.write_text(str(lab.simulator.control.requests(key)) + str(office.shown(key)))
    kept = {
        *(path for path in files_below(office.folder) if path.name != "vault-password"),
        *files_below(lab.layout.log_dir),
    }
    assert any(path.name == "journal.db" for path in kept)
    assert any(path.name == "check.sh" for path in kept)
    leaks = [path for path in kept for shape in planted if shape in path.read_bytes()]
    assert leaks == []
    spoken = "".join(office.said).encode()
    assert [shape for shape in planted | shapes("Coffre-Canari-77") if shape in spoken] == []


def test_a_wrong_password_is_not_repeated_by_any_error(office):
    key = office.add(local=None)
    asked = office.approved(key)
    wrong = office.folder / "wrong"
    wrong.write_text(WRONG)
    wrong.chmod(0o600)
    all_yml = office.inventory / "group_vars" / "all.yml"
    right = all_yml.read_text()
    for name in ("directory_read", "local_administrator", "directory_join"):
        held = yaml.safe_load(right)
        held["dsi_credentials"][name]["password"] = {"file": str(wrong)}
        all_yml.write_text(yaml.safe_dump(held))
        for command in (["plan", "workstation.join", key], ["run", asked]):
            office.dsi(*command, "--debug")
    assert office.dsi("doctor", "--debug").code in (0, 1, 2, 3, 5)
    spoken = "".join(office.said).encode()
    assert b"1326" in spoken
    assert [shape for shape in shapes(WRONG) if shape in spoken] == []
    kept = [path for path in files_below(office.state, office.lab.layout.log_dir) if path.name != "wrong"]
    assert [path for path in kept for shape in shapes(WRONG) if shape in path.read_bytes()] == []


def test_a_password_at_hand_that_is_typed_into_a_reason_reaches_neither_record_nor_screen(office):
    value = office.lab.passwords.get(READER).reveal()
    key = office.add(local=None)
    said = office.dsi("request", "workstation.join", key, "--reason", f"le mot de passe est {value}")
    assert value not in said.out + said.err, said
    assert value.encode() not in b"".join(path.read_bytes() for path in files_below(office.state))
    assert office.dsi("journal", "verify").code == 0
