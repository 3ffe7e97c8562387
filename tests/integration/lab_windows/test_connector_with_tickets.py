"""Our connector with real Kerberos tickets: signed in, sealed, read and written, against the lab's own controller."""

import subprocess

import pytest

from dsi_automation.connectors.windows import errors
from dsi_automation.connectors.windows.client import CimReader, CimWriter
from dsi_automation.connectors.windows.port import Hive, Transport, WindowsEndpoint
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.accounts import ADMINISTRATOR, JOINER, READER
from dsi_automation.lab.layout import DOMAIN, REALM

NAME = ("Win32_ComputerSystem", ("Name", "Domain"))
PENDING = r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"
WAYS = {"sealed over http": ("http", 5985), "https": ("https", 5986)}


class Permit:
    def check(self, target):
        assert target == "ws6"


@pytest.fixture
def ticket(lab, tmp_path, monkeypatch):
    """A function that signs an account in to Kerberos, as kinit does."""
    monkeypatch.setenv("KRB5_CONFIG", str(lab.layout.krb5_conf))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")

    def sign_in(account, *options):
        password = lab.passwords.get(account).reveal()
        command = ["kinit", *options, f"{account}@{REALM}"]
        subprocess.run(command, input=password.encode(), capture_output=True, check=True)

    return sign_in


@pytest.fixture
def endpoint(lab):
    def make(account, way="sealed over http", host=f"bke-pc-0002.{DOMAIN}"):
        scheme, port = WAYS[way]
        address = lab.machine("ws6").spec.address
        user = f"{account}@{REALM}"
        ca = str(lab.layout.ca_file)
        return WindowsEndpoint(
            "ws6", address, port, scheme, Transport.KERBEROS, user, ca_file=ca, kerberos_host=host, read_timeout=60.0
        )

    return make


@pytest.mark.parametrize("way", WAYS)
def test_a_ticket_is_enough_to_read_in_one_exchange_each(lab, ticket, endpoint, way):
    ticket(ADMINISTRATOR)
    reader = CimReader(endpoint(ADMINISTRATOR, way))
    assert reader.query(*NAME) == [{"Name": "BKE-PC-0002", "Domain": DOMAIN}]
    before = sum(lab.simulator.control.workstation("ws6")["requests"].values())
    assert reader.registry_value(Hive.LOCAL_MACHINE, PENDING, "ComputerName") == "BKE-PC-0002"
    assert sum(lab.simulator.control.workstation("ws6")["requests"].values()) == before + 1
    reader.close()


def test_a_write_with_its_own_secret_goes_sealed_by_the_ticket(lab, ticket, endpoint):
    ticket(ADMINISTRATOR)
    writer = CimWriter(endpoint(ADMINISTRATOR), Permit())
    account = {"UserName": f"{JOINER}@{DOMAIN}", "Password": lab.passwords.get(JOINER)}
    try:
        done = writer.invoke(
            "Win32_ComputerSystem", "Rename", {"Name": "BKE-PC-0042", **account}, {"Name": "BKE-PC-0002"}
        )
        assert done.return_value == 0
        assert writer.registry_value(Hive.LOCAL_MACHINE, PENDING, "ComputerName") == "BKE-PC-0042"
        assert lab.search("(cn=BKE-PC-0042)", ["cn"])
        wrong = {**account, "Password": Secret("not-the-password-1")}
        refused = writer.invoke(
            "Win32_ComputerSystem", "Rename", {"Name": "BKE-PC-0043", **wrong}, {"Name": "BKE-PC-0002"}
        )
        assert refused.return_value == 1326
    finally:
        writer.close()
        lab.reset()


@pytest.mark.parametrize("case", ["no ticket", "another name"])
def test_without_the_right_ticket_it_says_how_to_get_one_and_counts_as_not_reached(ticket, endpoint, case):
    host = f"bke-pc-0002.{DOMAIN}"
    if case == "another name":
        ticket(ADMINISTRATOR)
        host = f"absent.{DOMAIN}"
    with pytest.raises(errors.AuthenticationError) as caught:
        CimReader(endpoint(ADMINISTRATOR, host=host)).query(*NAME)
    assert f"HTTP/{host}" in str(caught.value)
    assert "kinit" in str(caught.value)
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_ticket_of_somebody_without_the_right_is_known_and_refused(ticket, endpoint):
    ticket(READER)
    reader = CimReader(endpoint(READER))
    with pytest.raises(errors.AccessDeniedError) as caught:
        reader.query(*NAME)
    assert caught.value.look_exit_code is ExitCode.UNREACHABLE
    reader.close()
