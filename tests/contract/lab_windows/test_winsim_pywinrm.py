"""Unmodified pywinrm against the simulated workstations on loopback: NTLM sealed, HTTPS, pages, methods, faults."""

import socket
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests
import winrm.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fix_winsim import (
    WINSIM_ADMIN,
    WINSIM_JOIN_PASSWORD,
    WINSIM_JOINER,
    WINSIM_OU,
    WINSIM_PASSWORD,
    winsim_domain,
    winsim_workstation,
)
from waiting import wait_for
from winsim_wire import NAMESPACES, Pywinrm, query

from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.lab.windows.faults import Fault
from dsi_automation.lab.windows.loopback import LoopbackSimulator
from dsi_automation.lab.windows.spec import LocalUser, SimulatorSpec, Tls

SERVICES = "select Name from Win32_Service"
ME = {"Name": "DESKTOP-7F3K2Q1"}
JOIN = {
    "Name": "ad.douanes.lab",
    "Password": WINSIM_JOIN_PASSWORD,
    "UserName": f"{WINSIM_JOINER}@ad.douanes.lab",
    "AccountOU": WINSIM_OU,
    "FJoinOptions": "1027",
}
SHORT = {"read_timeout_sec": 3, "operation_timeout_sec": 2}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA, and a client certificate it issued."""
    folder = tmp_path_factory.mktemp("ca")
    key = ec.generate_private_key(ec.SECP256R1())

    def certificate(common_name, public_key, *, is_ca):
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")]))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(usage(signs=is_ca), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .sign(key, hashes.SHA256())
        )

    def usage(*, signs):
        off = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
        only = {"encipher_only": False, "decipher_only": False, "crl_sign": signs}
        return x509.KeyUsage(digital_signature=True, key_cert_sign=signs, **off, **only)

    def write(name, *parts):
        (folder / name).write_bytes(b"".join(parts))
        return folder / name

    def private(owned):
        form = serialization.PrivateFormat.PKCS8
        return owned.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    pem = serialization.Encoding.PEM
    client = ec.generate_private_key(ec.SECP256R1())
    ca = write("ca.pem", certificate("Test CA", key.public_key(), is_ca=True).public_bytes(pem))
    write("client.pem", certificate("client", client.public_key(), is_ca=False).public_bytes(pem))
    write("client.key", private(client))
    tls = Tls(ca_certificate=ca, ca_key=write("ca.key", private(key)), client_ca=ca)
    return folder, tls


def names(body):
    return [element.text for element in body.iter("Name")]


def raw_connection(url):
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname, parts.port, timeout=60)


def test_ntlm_seals_what_is_said_and_reads_work(winsim):
    client = Pywinrm(winsim().url("ws1"))
    assert "WinRM" in names(client.query(SERVICES))
    assert client.protocol.transport.encryption is not None
    assert "Spooler" in names(client.query("select Name from Win32_Service where Name like 'S%'"))


def test_one_connection_and_one_exchange_per_read_once_signed_in(winsim):
    simulator = winsim()
    client = Pywinrm(simulator.url("ws1"))
    for _ in range(5):
        client.query(SERVICES)
    assert simulator.control.workstation("ws1")["requests"] == {"Enumerate": 5}


@pytest.mark.parametrize(
    ("user", "password"), [(WINSIM_ADMIN, "wrong"), ("nobody", WINSIM_PASSWORD), (f"x@{WINSIM_ADMIN}", "x")]
)
def test_a_wrong_sign_in_is_refused(winsim, user, password):
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        Pywinrm(winsim().url("ws1"), username=user, password=password).query(SERVICES)


def test_a_local_administrator_other_than_rid_500_is_filtered(winsim):
    client = Pywinrm(winsim().url("ws1"), username="second", password="second-pass")
    with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
        client.query(SERVICES)
    assert caught.value.wmierror_code == 0x80041003


def test_an_ordinary_user_is_refused(winsim):
    client = Pywinrm(winsim().url("ws1"), username="awa", password="awa-pass")
    with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
        client.query(SERVICES)
    assert caught.value.wsman_fault_code == 5


def test_plain_text_over_http_is_refused_signed_in_or_not(winsim):
    simulator = winsim()
    with pytest.raises(winrm.exceptions.WinRMTransportError) as caught:
        Pywinrm(simulator.url("ws1"), message_encryption="never").query(SERVICES)
    assert caught.value.code == 500
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        Pywinrm(simulator.url("ws1"), "basic", password="ascii").query(SERVICES)
    assert simulator.control.workstation("ws1")["requests"] == {}


@pytest.mark.parametrize("transport", ["ntlm", "basic"])
def test_https_with_the_sites_ca(winsim, authority, transport):
    folder, tls = authority
    url = winsim(ascii_workstation(), tls=tls).url("ws1", secure=True)
    client = Pywinrm(url, transport, password="Lab-Pass-1", ca_trust_path=str(folder / "ca.pem"))
    assert "WinRM" in names(client.query(SERVICES))
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        Pywinrm(url, transport, password="wrong", ca_trust_path=str(folder / "ca.pem")).query(SERVICES)


def ascii_workstation():
    """A password that Basic can carry: requests sends it in Latin-1."""
    return winsim_workstation(users=[LocalUser(name=WINSIM_ADMIN, rid=500, password="Lab-Pass-1")], profiles=[])


def test_https_with_a_client_certificate(winsim, authority):
    folder, tls = authority
    url = winsim(tls=tls).url("ws1", secure=True)
    files = {"cert_pem": str(folder / "client.pem"), "cert_key_pem": str(folder / "client.key")}
    client = Pywinrm(url, "certificate", ca_trust_path=str(folder / "ca.pem"), **files)
    assert "WinRM" in names(client.query(SERVICES))


def test_credssp_seals_what_is_said_and_reads_work(winsim):
    client = Pywinrm(winsim(winsim_workstation(credssp=True)).url("ws1"), "credssp")
    assert "WinRM" in names(client.query(SERVICES))
    assert client.protocol.transport.encryption is not None


def test_https_of_another_ca_is_not_believed(winsim, authority):
    url = winsim(tls=authority[1]).url("ws1", secure=True)
    with pytest.raises(requests.exceptions.SSLError):
        Pywinrm(url, ca_trust_path=None).query(SERVICES)


def test_a_list_comes_in_pages(winsim):
    client = Pywinrm(winsim().url("ws1"))
    body = client.query(SERVICES, most=4)
    context = body.findtext(".//n:EnumerationContext", None, NAMESPACES)
    assert len(names(body)) == 4
    assert len(names(client.pull(context))) == 2


def test_the_whole_way_of_a_join_with_one_restart(winsim):
    domain = winsim_domain()
    simulator = winsim(joiner=domain)
    client = Pywinrm(simulator.url("ws1"))
    assert client.invoke("Win32_ComputerSystem", "Rename", ME, Name="ABJ-PC-0001") == 0
    assert client.invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", ME, **JOIN) == 0
    before = client.query("select LastBootUpTime from Win32_OperatingSystem").findtext(".//Datetime")
    assert client.invoke("Win32_OperatingSystem", "Win32Shutdown", Flags="6", Reserved="0") == 0
    back = wait_for_restart(simulator, "ws1", boots=1)
    assert back["state"]["computer_name"] == "ABJ-PC-0001"
    assert back["methods"] == {
        "Win32_ComputerSystem.Rename": 1,
        "Win32_ComputerSystem.JoinDomainOrWorkgroup": 1,
        "Win32_OperatingSystem.Win32Shutdown": 1,
    }
    after = Pywinrm(simulator.url("ws1")).query("select LastBootUpTime from Win32_OperatingSystem")
    assert after.findtext(".//Datetime") > before
    assert set(domain.computers) == {"ABJ-PC-0001"}


def wait_for_restart(simulator, key, boots):
    """Return the workstation once it has restarted so many times and listens again."""

    def restarted():
        shown = simulator.control.workstation(key)
        return shown if shown["state"]["boots"] == boots and shown["up"] else None

    return wait_for(restarted)


def test_a_restart_cuts_connections_and_closes_the_ports(winsim):
    simulator = winsim(winsim_workstation(faults=[{"fault": "reboot_never_returns"}]))
    url = simulator.url("ws1")
    client = Pywinrm(url)
    client.invoke("Win32_OperatingSystem", "Reboot")
    wait_for(lambda: not simulator.control.workstation("ws1")["up"])
    with pytest.raises(requests.exceptions.ConnectionError):
        client.query(SERVICES)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((urlsplit(url).hostname, urlsplit(url).port))
    simulator.control.reboot("ws1")
    assert "WinRM" in names(Pywinrm(simulator.url("ws1")).query(SERVICES))


def test_cut_after_the_write_the_write_has_happened_once(winsim):
    domain = winsim_domain()
    simulator = winsim(joiner=domain)
    simulator.control.fault("ws1", Fault.RESET_AFTER_WRITE, count=1, method="JoinDomainOrWorkgroup")
    with pytest.raises(requests.exceptions.ConnectionError):
        Pywinrm(simulator.url("ws1")).invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", ME, **JOIN)
    assert [code for _, code in domain.joins] == [0]
    assert simulator.control.requests("ws1")[-1]["outcome"] == "cut"


def test_cut_before_the_write_nothing_has_happened(winsim):
    domain = winsim_domain()
    simulator = winsim(joiner=domain)
    simulator.control.fault("ws1", Fault.RESET_BEFORE, count=1, method="JoinDomainOrWorkgroup")
    client = Pywinrm(simulator.url("ws1"))
    client.query(SERVICES)
    with pytest.raises(requests.exceptions.ConnectionError):
        client.invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", ME, **JOIN)
    assert domain.joins == []


def test_timed_out_after_the_join_the_join_has_happened(winsim):
    domain = winsim_domain()
    simulator = winsim(joiner=domain)
    simulator.control.fault("ws1", Fault.TIMEOUT_AFTER_JOIN)
    with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
        Pywinrm(simulator.url("ws1")).invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", ME, **JOIN)
    assert [code for _, code in domain.joins] == [0]


def test_another_method_can_be_told_to_time_out_after_it_happened(winsim):
    simulator = winsim()
    simulator.control.fault("ws1", Fault.TIMEOUT_AFTER_JOIN, method="Rename", count=1)
    with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
        Pywinrm(simulator.url("ws1")).invoke("Win32_ComputerSystem", "Rename", ME, Name="NEW")
    assert simulator.control.workstation("ws1")["state"]["pending_name"] == "NEW"


def test_a_client_that_gives_up_does_not_stop_the_method(winsim):
    simulator = winsim()
    simulator.control.fault("ws1", Fault.SLOW, value=2.5, method="Rename")
    client = Pywinrm(simulator.url("ws1"), read_timeout_sec=2, operation_timeout_sec=1)
    client.protocol.operation_timeout_sec = 60  # asks the server for a minute, and hangs up after two seconds
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.invoke("Win32_ComputerSystem", "Rename", ME, Name="NEW")
    wait_for(lambda: simulator.control.workstation("ws1")["state"]["pending_name"] == "NEW")


def test_a_machine_that_hangs_answers_nobody_until_it_is_cured(winsim):
    simulator = winsim()
    simulator.control.fault("ws1", Fault.HANG)
    with pytest.raises(requests.exceptions.ReadTimeout):
        Pywinrm(simulator.url("ws1"), **SHORT).query(SERVICES)
    simulator.control.clear_faults("ws1")
    assert "WinRM" in names(Pywinrm(simulator.url("ws1")).query(SERVICES))


def test_an_empty_400_and_quotas_are_answered_as_often_as_told(winsim):
    simulator = winsim()
    client = Pywinrm(simulator.url("ws1"))
    simulator.control.fault("ws1", Fault.EMPTY_400, count=1)
    with pytest.raises(winrm.exceptions.WinRMTransportError) as caught:
        client.query(SERVICES)
    assert (caught.value.code, caught.value.response_text) == (400, "")
    simulator.control.fault("ws1", Fault.QUOTA, count=1)
    with pytest.raises(winrm.exceptions.WSManFaultError) as quota:
        client.query(SERVICES)
    assert quota.value.wsman_fault_code == 2150859174
    assert "WinRM" in names(client.query(SERVICES))


def test_a_session_that_outlives_its_connection_gets_an_empty_400(winsim):
    simulator = winsim()
    client = Pywinrm(simulator.url("ws1"))
    client.query(SERVICES)
    client.protocol.transport.session.close()  # what a long idle time does: a new connection, the old keys
    with pytest.raises(winrm.exceptions.WinRMTransportError) as caught:
        client.query(SERVICES)
    assert caught.value.code == 400


def test_a_request_over_the_envelope_limit_is_refused(winsim):
    client = Pywinrm(winsim().url("ws1"))
    with pytest.raises(winrm.exceptions.WinRMTransportError) as caught:
        client.invoke("Win32_ComputerSystem", "Rename", ME, Name="x" * 600_000)
    assert caught.value.code == 413


def test_hostile_values_stay_data(winsim):
    domain = winsim_domain()
    hostile = "p<&>\"']]>\n$(reboot) {0} %s ä€"
    domain.passwords[WINSIM_JOINER] = hostile
    simulator = winsim(joiner=domain)
    client = Pywinrm(simulator.url("ws1"))
    given = {**JOIN, "Password": hostile, "FJoinOptions": "3"}
    assert client.invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", ME, **given) == 0


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/wsman", 405), ("POST", "/other", 404), ("POST", "/wsman", 401)]
)
def test_strangers_get_no_further_than_http(winsim, method, path, status):
    connection = raw_connection(winsim().url("ws1"))
    connection.request(method, path, query(SERVICES), {"Content-Type": "application/soap+xml;charset=UTF-8"})
    answer = connection.getresponse()
    assert answer.status == status
    if status == 401:
        assert answer.headers.get_all("WWW-Authenticate") == ["Negotiate"]
    connection.close()


@pytest.mark.parametrize(
    "authorization",
    [
        "Negotiate",
        "Negotiate !!!",
        "Negotiate AAAA",
        "Negotiate TlRMTVNTUAABAAAA",
        "Basic QTpC",
        "Digest x",
        "Bearer y",
    ],
)
def test_a_malformed_sign_in_is_a_401(winsim, authorization):
    connection = raw_connection(winsim().url("ws1"))
    connection.request("POST", "/wsman", b"", {"Authorization": authorization})
    assert connection.getresponse().status == 401
    connection.close()


def test_anybody_may_ask_who_answers_here(winsim):
    connection = raw_connection(winsim().url("ws1"))
    body = '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>'
    data = f'<s:Envelope xmlns:s="{NAMESPACES["s"]}"><s:Header/><s:Body>{body}</s:Body></s:Envelope>'
    connection.request("POST", "/wsman", data.encode(), {"WSMANIDENTIFY": "unauthenticated"})
    answer = connection.getresponse()
    assert (answer.status, b"Microsoft Corporation" in answer.read()) == (200, True)
    connection.close()


def test_while_one_machine_is_slow_the_others_answer(winsim):
    simulator = winsim(winsim_workstation("slow"), winsim_workstation("quick"))
    simulator.control.fault("slow", Fault.HANG)
    with pytest.raises(requests.exceptions.ReadTimeout):
        Pywinrm(simulator.url("slow"), **SHORT).query(SERVICES)
    assert "WinRM" in names(Pywinrm(simulator.url("quick"), **SHORT).query(SERVICES))


def test_workstations_come_go_and_are_reset_while_it_runs(winsim):
    simulator = winsim()
    control = simulator.control
    control.add(winsim_workstation("ws2"))
    client = Pywinrm(simulator.url("ws2"))
    assert client.invoke("Win32_ComputerSystem", "Rename", ME, Name="NEW") == 0
    control.reset("ws2")
    assert control.workstation("ws2")["state"]["pending_name"] is None
    control.remove("ws2")
    assert [row["key"] for row in control.workstations()] == ["ws1"]
    with pytest.raises(RefusedError):
        control.workstation("ws2")


def test_an_address_that_is_not_there_is_told_of(winsim):
    with pytest.raises(UsageError):
        winsim(winsim_workstation(address="192.0.2.1"))


def test_no_secret_is_in_what_the_control_socket_shows(winsim):
    simulator = winsim()
    client = Pywinrm(simulator.url("ws1"))
    client.invoke("Win32_ComputerSystem", "JoinDomainOrWorkgroup", ME, **JOIN)
    shown = repr(simulator.control.workstation("ws1")) + repr(simulator.control.requests("ws1"))
    assert "JoinDomainOrWorkgroup" in shown
    for secret in (WINSIM_PASSWORD, WINSIM_JOIN_PASSWORD, "awa-pass"):
        assert secret not in shown


def test_the_state_survives_a_restart_of_the_simulator(winsim, tmp_path):
    workstation = winsim_workstation()
    with LoopbackSimulator(SimulatorSpec(workstations=[workstation]), winsim_domain(), tmp_path) as first:
        assert Pywinrm(first.url("ws1")).invoke("Win32_ComputerSystem", "Rename", ME, Name="KEPT") == 0
    assert winsim(workstation, state=tmp_path).control.workstation("ws1")["state"]["pending_name"] == "KEPT"
