"""TLS settings are read once for machines of one CA, and anew when a file changes; nothing less is verified for it."""

import os
import ssl

import pytest
import requests
from fix_winsim import WINSIM_ADMIN, WINSIM_PASSWORD, winsim_workstation

from dsi_automation.connectors.windows.adapter import MachineAdapter
from dsi_automation.connectors.windows.client import CimReader
from dsi_automation.connectors.windows.errors import TrustError
from dsi_automation.connectors.windows.port import Transport, WindowsEndpoint
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.ca import Authority
from dsi_automation.lab.windows.loopback import LoopbackSimulator
from dsi_automation.lab.windows.spec import SimulatorSpec, Tls


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path / "ca", SystemClock())
    made.ensure()
    return made


@pytest.fixture
def other(tmp_path):
    made = Authority(tmp_path / "other", SystemClock())
    made.ensure()
    return made


def settings(url="https://192.0.2.1:5986/wsman", verify=True, cert=None):
    request = requests.Request("POST", url).prepare()
    return MachineAdapter().build_connection_pool_key_attributes(request, verify, cert)[1]


def context(*args, **more):
    return settings(*args, **more)["ssl_context"]


def test_machines_of_one_ca_share_their_tls_settings(authority):
    ca = str(authority.certificate_file)
    assert context("https://192.0.2.1:5986/", ca) is context("https://192.0.2.2:5986/", ca)


def test_the_shared_settings_verify_the_certificate_and_the_name(authority):
    for verify in (str(authority.certificate_file), True):
        shared = context(verify=verify)
        assert (shared.verify_mode, shared.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert shared.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_another_ca_has_other_settings(authority, other):
    assert context(verify=str(authority.certificate_file)) is not context(verify=str(other.certificate_file))


def test_a_replaced_ca_counts_from_the_next_connection_on(authority, other):
    path = authority.certificate_file
    before = context(verify=str(path))
    path.write_bytes(other.certificate_file.read_bytes())
    os.utime(path, ns=(1, 1))
    after = context(verify=str(path))
    assert after is not before
    assert after.get_ca_certs() == context(verify=str(other.certificate_file)).get_ca_certs()


def test_a_client_certificate_is_not_shown_to_machines_that_did_not_ask_for_one(authority):
    ca, pair = str(authority.certificate_file), authority.issue("controller", ["controller"], [])
    certificate = tuple(str(path) for path in sorted(pair, key=lambda path: b"PRIVATE" in path.read_bytes()))
    assert context(verify=ca, cert=certificate) is not context(verify=ca)


def test_plain_http_has_no_tls_settings():
    assert "ssl_context" not in settings("http://192.0.2.1:5985/wsman")


def test_a_machine_of_a_foreign_ca_is_refused_after_one_of_the_right_ca_was_trusted(authority, other):
    def asked(made, trusted):
        tls = Tls(ca_certificate=made.certificate_file, ca_key=made.key_file)
        with LoopbackSimulator(SimulatorSpec(workstations=[winsim_workstation(https_port=0)], tls=tls)) as simulator:
            row = simulator.control.workstations()[0]
            endpoint = WindowsEndpoint(
                row["key"], row["address"], row["https_port"], "https", Transport.NTLM, WINSIM_ADMIN,
                Secret(WINSIM_PASSWORD), ca_file=str(trusted.certificate_file),
            )  # fmt: skip
            reader = CimReader(endpoint)
            try:
                return reader.query("Win32_ComputerSystem", ("Name",))[0]["Name"]
            finally:
                reader.close()

    assert asked(authority, authority)
    with pytest.raises(TrustError):
        asked(other, authority)
