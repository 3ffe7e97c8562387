"""`workstation.check` over a fleet, over every system, and over every sealed channel."""

import csv
import io
import subprocess
import xml.etree.ElementTree as ET  # a report of our own making

import pytest
from fix_office import ONCE, OWNER, SECTION_HEAD

from dsi_automation.lab.accounts import ADMINISTRATOR
from dsi_automation.lab.layout import REALM
from dsi_automation.lab.windows.presets import Preset
from dsi_automation.lab.windows.spec import GIB, MemoryModule


@pytest.fixture(scope="module")
def fleet(lab):
    """Sixty workstations of the domain; one hangs, one is switched off."""
    options = {"site": "ABJ", "object_site": "ABJ", "kerberos": False}
    lab.add_workstations(
        [
            {"key": f"fleet{number}", "computer_name": f"ABJ-PC-{2000 + number}", "silent": number == 7, **options}
            for number in range(60)
        ]
    )
    lab.fault("fleet3", "hang")
    yield [f"fleet{number}" for number in range(60)]
    lab.clear_faults("fleet3")


def test_a_fleet_of_sixty_with_one_hung_and_one_dead_is_sixty_rows(office, fleet):
    for key in fleet:
        office.host(key, ansible_winrm_read_timeout_sec=3, ansible_winrm_operation_timeout_sec=2)
    said = office.dsi("check", "workstation.check", *fleet, "--format", "csv")
    assert said.code == 3, said
    rows = list(csv.DictReader(io.StringIO(said.out)))
    states = {row["target"]: row["state"] for row in rows}
    assert set(states) == set(fleet)
    assert {key for key, state in states.items() if state != "compliant"} == {"fleet3", "fleet7"}
    assert [row["state"] for row in rows if row["target"] in ("fleet3", "fleet7")] == ["unreachable", "unreachable"]

    said = office.dsi("check", "workstation.check", *fleet, "ws3", "--format", "junit", "--output", "report.xml")
    assert said.code == 5, said
    suites = ET.parse(office.folder / "report.xml").getroot()  # noqa: S314
    cases = suites.findall(".//testcase")
    assert len({case.get("classname") for case in cases}) == 61
    assert len(suites.findall(".//error")) == 2
    assert suites.findall(".//failure")


SYSTEMS = {
    Preset.WINDOWS11_PRO: True,
    Preset.WINDOWS11_ENTERPRISE: True,
    Preset.WINDOWS10_22H2: True,
    Preset.WINDOWS10_LTSC_2021: True,
}


def test_every_windows_of_the_guide_passes_whatever_its_language_and_servers_do_not(office):
    servers = [preset for preset in Preset if "server" in preset.value]
    assert servers
    keys = {}
    for number, system in enumerate([*SYSTEMS, *servers]):
        keys[system] = office.add(
            name=f"ABJ-PC-{3000 + number}", local=None, system=system, language="fr-FR" if number % 2 else "en-US",
            memory=[MemoryModule(capacity=2 * GIB), MemoryModule(capacity=2 * GIB)], visible_memory=int(3.8 * GIB),
        )  # fmt: skip
    said = office.dsi("check", "workstation.check", *keys.values(), "--json")
    checks = {(check["target"], check["name"]): check["ok"] for row in said.json["targets"] for check in row["checks"]}
    for system, key in keys.items():
        assert checks[key, "system"] is (system in SYSTEMS), system
        assert checks[key, "ram"], system
    assert said.code == 5


def ticket(office):
    """Sign the domain's administrator in to Kerberos, as `kinit` does."""
    office.environment |= {
        "KRB5_CONFIG": str(office.lab.layout.krb5_conf),
        "KRB5CCNAME": f"FILE:{office.folder / 'tickets'}",
    }
    password = office.lab.passwords.get(ADMINISTRATOR).reveal().encode()
    command = ["kinit", f"{ADMINISTRATOR}@{REALM}"]
    subprocess.run(command, input=password, env=office.env(), capture_output=True, check=True)


@pytest.mark.parametrize(("scheme", "port"), [("http", 5985), ("https", 5986)])
def test_kerberos_checks_and_moves_a_member(office, scheme, port):
    key = office.add(name=f"SPY-PC-{port}", site="SPY", object_site="SPY", kerberos=True, local="awa")
    ticket(office)
    office.host(
        key, ansible_winrm_scheme=scheme, ansible_port=port, ansible_winrm_transport="kerberos",
        ansible_winrm_kerberos_hostname_override=f"spy-pc-{port}.ad.douanes.lab", dsi_credential=None,
    )  # fmt: skip
    assert office.dsi("check", "workstation.check", key).code == 0
    if scheme == "http":
        said = office.run(office.approved(key, "-i", "user=awa.kone"))
        assert (said.code, office.methods(key)) == (0, {OWNER: 1}), said


def test_plain_http_with_sealed_ntlm_joins_as_https_does(office):
    key = office.add()
    office.host(key, ansible_winrm_scheme="http", ansible_port=5985, ansible_winrm_transport="ntlm")
    assert office.dsi("check", "workstation.check", key).code == 5
    asked = office.request(key, "-i", "user=awa.kone")["id"]
    office.dsi("approve", asked, "--comment", "vu", person=SECTION_HEAD)
    said = office.run(asked)
    assert (said.code, office.methods(key)) == (0, {**ONCE, OWNER: 1}), said
    assert office.dsi("check", "workstation.check", key).code == 0
    office.assert_whole()
