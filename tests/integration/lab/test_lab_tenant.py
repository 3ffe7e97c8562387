"""The lab's simulated Microsoft 365 tenant as a part of the lab: synchronised, kept, put back, shown, disturbed."""

import json
import os
import ssl
import subprocess
import urllib.request
from pathlib import Path

import forking
import ldap3
import pytest

from dsi_automation.lab.accounts import ACCOUNTS, USERS
from dsi_automation.lab.domain import LEAVERS_OU, users_ou
from dsi_automation.lab.status import status


@pytest.fixture
def clean(lab):
    """The session's lab, its people and its tenant put back as they were at the start afterwards."""
    yield lab
    lab.reset_tenant()


@pytest.fixture
def dsi(lab):
    """Return a function that runs `dsi lab` on the session's lab."""

    def run(*words):
        env = {"PATH": os.environ["PATH"], "HOME": "/root", "DSI_LANG": "en"}
        env["DSI_LAB_DIR"] = str(lab.layout.root.parent)
        return forking.run([forking.DSI, "lab", *words, "--name", lab.layout.name], env=env, cwd="/")

    return run


def people(lab):
    """Return the people's accounts of the directory: where each is and whether it is enabled."""
    found = lab.search("(employeeID=*)", ["employeeID", "userAccountControl", "mail"])
    return {entry["employeeID"][0]: (entry["dn"], entry["userAccountControl"], entry["mail"]) for entry in found}


def tenant(lab):
    """Return the tenant's users: by staff number, whether each has a mailbox."""
    return {user.get("employeeId"): user["mailbox"] for user in lab.tenant.control.users()}


def test_the_people_of_the_directory_are_in_the_tenant_and_two_have_mailboxes(lab):
    found = tenant(lab)
    assert {user.staff_number for user in USERS} <= set(found)
    assert [found[user.staff_number] for user in USERS[:3]] == ["ready", "ready", "none"]


def test_the_certificate_of_the_tenant_is_good_for_its_address_and_names(lab):
    context = ssl.create_default_context(cafile=str(lab.layout.ca_file))
    authority, number = status(lab)["tenant"]["authority"], status(lab)["tenant"]["tenant_id"]
    url = f"{authority}/{number}/v2.0/.well-known/openid-configuration"
    with urllib.request.urlopen(url, context=context, timeout=60) as answer:  # noqa: S310  # an https URL of ours
        assert json.load(answer)["token_endpoint"].startswith(authority)
    names = subprocess.run(
        ["openssl", "x509", "-in", str(lab.layout.ca_dir / "graph.pem"), "-noout", "-ext", "subjectAltName"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert all(name in names for name in ("graph.douanes.lab", "login.douanes.lab", lab.layout.tenant_address))


def test_the_applications_key_is_readable_by_its_owner_only(lab):
    assert oct(lab.layout.app_certificate.stat().st_mode & 0o777) == "0o600"
    assert "PRIVATE KEY" in lab.layout.app_certificate.read_text()


def test_status_names_what_exists_and_its_commands_work(lab):
    found = json.loads(json.dumps(status(lab)))
    shown = found["tenant"]
    assert (shown["state"], shown["hybrid"], shown["domain"]) == ("running", True, "douanes.lab")
    assert shown["seats"]["STANDARDPACK"]["total"] == 300
    assert shown["last_sync"]
    paths = [shown[name] for name in ("certificate", "ca", "request_record", "control_socket")]
    assert [path for path in paths if not Path(path).exists()] == []
    assert "svc-comptes@ad.douanes.lab" in {entry["account"] for entry in found["accounts"]}
    for name, words in (("openid", "token_endpoint"), ("token", "AADSTS7000218")):
        done = subprocess.run(["sh", "-c", found["try"][name]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (name, done.stderr)
        assert words in done.stdout


def test_each_request_is_recorded_in_the_file_that_the_status_names(lab):
    record = Path(status(lab)["tenant"]["request_record"])
    before = len(record.read_text().splitlines()) if record.exists() else 0
    subprocess.run(["sh", "-c", status(lab)["try"]["token"]], capture_output=True, check=True)
    lines = [json.loads(line) for line in record.read_text().splitlines()[before:]]
    assert any(line["path"].endswith("/oauth2/v2.0/token") for line in lines)


def test_reset_puts_people_and_tenant_back(clean):
    before, cloud = people(clean), tenant(clean)
    awa, moussa = f"CN=awa.kone,{users_ou('ABJ')}", f"CN=moussa.toure,{users_ou('SPY')}"
    with clean.directory(ACCOUNTS) as directory:
        connection = directory.connection
        for unit, number in ((users_ou("ABJ"), "910001A"), (LEAVERS_OU, "910002B")):
            fields = {"sAMAccountName": number.lower(), "employeeID": number, "mail": f"{number.lower()}@douanes.lab"}
            assert connection.add(f"CN={number},{unit}", "user", fields), connection.result
        gone = {"userAccountControl": [(ldap3.MODIFY_REPLACE, ["514"])], "adminDescription": [(ldap3.MODIFY_ADD, "x")]}
        assert connection.modify(awa, gone), connection.result
        secret = '"Un-autre-mot-de-passe-42"'.encode("utf-16-le")
        assert connection.modify(awa, {"unicodePwd": [(ldap3.MODIFY_REPLACE, [secret])]}), connection.result
        assert connection.modify_dn(awa, "CN=awa.kone", new_superior=LEAVERS_OU), connection.result
        assert connection.delete(moussa), connection.result
    control = clean.tenant.control
    control.sync()
    control.take_address("pris@douanes.lab")
    control.seats("STANDARDPACK", 2)
    assert people(clean) != before
    assert tenant(clean) != cloud
    clean.reset_tenant()
    assert people(clean) == before
    assert tenant(clean) == cloud
    assert clean.search("(&(sAMAccountName=awa.kone)(adminDescription=*))") == []
    assert status(clean)["tenant"]["seats"]["STANDARDPACK"] == {"total": 300, "used": 2}
    with clean.directory("awa.kone") as directory:
        assert directory.search("(sAMAccountName=moussa.toure)")


def test_a_killed_tenant_comes_back_as_it_was(clean):
    clean.tenant.control.take_address("reste@douanes.lab")
    pid = clean.tenant.daemon.pid()
    clean.tenant.stop()
    assert not clean.is_up()
    assert status(clean)["tenant"]["state"] == "stopped"
    assert clean.up().changed
    assert clean.tenant.daemon.pid() not in {None, pid}
    assert clean.tenant.control.user("reste@douanes.lab")
    assert clean.up().changed is False


def test_the_commands_look_at_the_tenant_and_disturb_it(dsi, clean):
    control = clean.tenant.control
    shown = dsi("m365", "status")
    assert shown.returncode == 0, shown.stderr
    assert "awa.kone@douanes.lab" in shown.stdout
    assert {"skus", "users", "hybrid"} <= set(json.loads(dsi("m365", "status", "--json").stdout))
    assert "0 added" in dsi("m365", "sync").stdout
    assert dsi("m365", "seats", "STANDARDPACK", "3").returncode == 0
    assert "somebody else" in dsi("m365", "take", "prise@douanes.lab").stdout
    assert control.user("prise@douanes.lab")
    assert "throttle" in dsi("m365", "fault").stdout
    assert dsi("m365", "fault", "throttle", "--count", "1", "--retry-after", "0.1").returncode == 0
    assert dsi("m365", "clear").returncode == 0
    assert dsi("m365", "delays", "--mailbox", "0.2").returncode == 0
    assert dsi("m365", "hybrid", "off").returncode == 0
    assert status(clean)["tenant"]["hybrid"] is False
    assert "No mail" in dsi("m365", "mails").stdout
    assert dsi("reset", "--m365").returncode == 0
    assert status(clean)["tenant"]["hybrid"] is True
    for wrong in (("m365", "fault", "nonsense"), ("m365", "delays"), ("reset", "ws1", "--m365")):
        assert dsi(*wrong).returncode == 2
    assert dsi("m365", "seats", "NOTHING", "3").returncode != 0
    assert "serving the tenant" in dsi("logs", "tenant").stdout
