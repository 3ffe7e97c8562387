"""The lab's workstations and what the rest of the lab holds about them."""

import json
import os
import select
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.lab.domain import workstation_ou
from dsi_automation.lab.machines import Machine
from dsi_automation.lab.status import status
from dsi_automation.lab.windows.spec import GIB


@pytest.fixture
def clean(lab):
    """The session's lab, put back as it was at the start afterwards."""
    yield lab
    lab.reset()


def computers(lab):
    """Return the DNs of the sites' computer objects."""
    return {entry["dn"] for entry in lab.search("(&(objectClass=computer)(userAccountControl=4096))", ["cn"])}


def test_the_named_workstations_are_the_cases_of_the_procedure(lab):
    ws = {machine.key: machine for machine in lab.machines}
    assert {"ws1", "ws2", "ws3", "ws4", "ws5", "ws6", "ws7"} <= set(ws)
    assert ws["ws1"].spec.computer_name == "DESKTOP-7F3K2Q1"
    assert [profile.path for profile in ws["ws1"].spec.profiles] == [r"C:\Users\awa.kone"]
    assert ws["ws2"].spec.installed_memory == 4 * GIB
    assert ws["ws2"].spec.visible_memory < 4 * GIB
    assert ws["ws3"].spec.os.version.startswith("6.1")
    assert ws["ws4"].spec.installed_memory == 2 * GIB
    assert ws["ws5"].object_ou == workstation_ou("ABJ") != workstation_ou(ws["ws5"].site)
    assert (ws["ws6"].spec.language, ws["ws6"].object_ou) == ("fr-FR", workstation_ou(ws["ws6"].site))
    assert ws["ws7"].silent


def test_joined_workstations_are_in_the_real_directory_where_the_lab_says(lab):
    assert {
        f"CN=BKE-PC-0001,{workstation_ou('ABJ')}",
        f"CN=BKE-PC-0002,{workstation_ou('BKE')}",
    } <= computers(lab)


def test_a_silent_workstation_swallows_the_connection_instead_of_refusing_it(lab):
    # A closed port would say "refused" at once, an absent address "no route": only silence runs into the timeout.
    address = lab.machine("ws7").spec.address
    with pytest.raises(TimeoutError):
        socket.create_connection((address, 5986), timeout=2)


def test_every_other_workstation_listens_on_both_ports(lab):
    for machine in lab.machines:
        if not machine.silent:
            for port in (machine.spec.http_port, machine.spec.https_port):
                socket.create_connection((machine.spec.address, port), timeout=60).close()


def test_the_certificate_of_a_workstation_is_good_for_its_address(lab):
    context = ssl.create_default_context(cafile=str(lab.layout.ca_file))
    request = urllib.request.Request(f"https://{lab.machine('ws1').spec.address}:5986/wsman", data=b"", method="POST")
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(request, context=context, timeout=60)  # noqa: S310  # an https URL of ours
    assert answer.value.code == 401
    answer.value.close()


def test_a_workstation_added_later_is_served_listed_and_in_the_directory(clean):
    added = clean.add_workstation("late1", "SPY-PC-0777", "SPY", object_site="SPY")
    assert isinstance(added, Machine)
    socket.create_connection((added.spec.address, 5985), timeout=60).close()
    assert f"CN=SPY-PC-0777,{workstation_ou('SPY')}" in computers(clean)
    assert "late1" in (clean.layout.inventory_dir / "hosts.yml").read_text()
    assert added.spec.joined.keytab.stat().st_size > 0
    with pytest.raises(UsageError):
        clean.add_workstation("late1", "SPY-PC-0778", "SPY")
    assert clean.up().changed is False


def test_faults_go_on_and_off(clean):
    clean.fault("ws2", "slow", value=0.5, count=3)
    assert status(clean)["workstations"][1]["now"]["faults"] == ["slow"]
    clean.clear_faults("ws2")
    assert status(clean)["workstations"][1]["now"]["faults"] == []
    with pytest.raises(UsageError):
        clean.fault("ws99", "slow")


def test_reset_puts_the_directory_and_the_workstations_back(lab):
    before = computers(lab)
    with lab.directory() as directory:
        connection = directory.connection
        extra = f"CN=ABJ-PC-0999,{workstation_ou('ABJ')}"
        made = connection.add(extra, "computer", {"sAMAccountName": "ABJ-PC-0999$", "userAccountControl": 4096})
        assert made, connection.result
        moved = connection.modify_dn(
            f"CN=BKE-PC-0001,{workstation_ou('ABJ')}", "CN=BKE-PC-0001", new_superior=workstation_ou("BKE")
        )
        assert moved, connection.result
        assert connection.delete(f"CN=BKE-PC-0002,{workstation_ou('BKE')}"), connection.result
    lab.fault("ws1", "hang")
    assert computers(lab) != before
    lab.reset()
    assert computers(lab) == before
    assert all(entry["now"]["faults"] == [] for entry in status(lab)["workstations"])


def test_status_names_what_exists_and_its_commands_work(lab):
    found = json.loads(json.dumps(status(lab)))
    assert found["up"] is True
    paths = [entry["password_file"] for entry in found["accounts"]] + [entry["key"] for entry in found["persons"]]
    paths += [found["files"][name] for name in ("directory", "ca", "krb5_conf", "inventory", "logs", "control_socket")]
    assert [path for path in paths if not Path(path).exists()] == []
    for port in found["domain"]["ports"].values():
        socket.create_connection((found["domain"]["address"], port), timeout=60).close()
    for shown in ("directory", "kerberos", "inventory", "workstation"):
        done = subprocess.run(["sh", "-c", found["try"][shown]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (shown, done.stderr)
        assert shown != "directory" or "CN=BKE-PC-0002" in done.stdout
        assert shown != "workstation" or "401" in done.stdout.splitlines()[0]


def test_a_user_of_the_domain_signs_in_and_reads_its_name_with_accents(lab):
    with lab.directory("awa.kone") as directory:
        assert directory.search("(sAMAccountName=awa.kone)", ["displayName"])[0]["displayName"] == ["KONÉ Awa"]


def test_samba_tool_answers_about_this_domain(lab):
    assert "awa.kone" in lab.samba_tool("user", "list").splitlines()


def test_killed_workstations_come_back_as_they_were(clean):
    clean.fault("ws2", "hang")
    handle = os.pidfd_open(clean.simulator.daemon.pid())
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])
    finally:
        os.close(handle)
    assert not clean.is_up()
    assert clean.up().changed
    assert status(clean)["workstations"][1]["now"]["faults"] == ["hang"]
