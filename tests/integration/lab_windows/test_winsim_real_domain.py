"""Simulated workstations in the real lab: joins really happen in AD, with the codes AD's answers call for."""

import subprocess

import pytest
import winrm.exceptions
from waiting import wait_for
from winsim_wire import Pywinrm

from dsi_automation.lab.accounts import ADMINISTRATOR, JOINER, LOCAL_ADMINISTRATOR, READER
from dsi_automation.lab.domain import workstation_ou
from dsi_automation.lab.layout import DOMAIN, REALM

SYSTEM = "Win32_ComputerSystem"
SLOW = {"read_timeout_sec": 90, "operation_timeout_sec": 80}


@pytest.fixture(scope="module")
def workstation(lab):
    """A workgroup workstation that restarts quickly."""
    return lab.add_workstation("winsim", "WINSIM-OLD", reboot_seconds=0.3)


@pytest.fixture
def machine(lab, workstation):
    """The workstation as it was at the start, and nothing of it in AD."""
    yield workstation
    with lab.directory() as directory:
        for site in ("ABJ", "SPY"):
            for name in ("WINSIM-OLD", "WINSIM-PC-1", "WINSIM-PC-2"):
                directory.connection.delete(f"CN={name},{workstation_ou(site)}")
    lab.simulator.control.reset(workstation.key)


def client(lab, machine, **options):
    password = lab.passwords.get(LOCAL_ADMINISTRATOR).reveal()
    return Pywinrm(url(machine), username=LOCAL_ADMINISTRATOR, password=password, **SLOW, **options)


def url(machine, scheme="http"):
    return f"{scheme}://{machine.spec.address}:{5986 if scheme == 'https' else 5985}/wsman"


def join(lab, machine, account=JOINER, name="WINSIM-OLD", **changes):
    given = {
        "Name": DOMAIN,
        "Password": lab.passwords.get(account).reveal(),
        "UserName": f"{account}@{DOMAIN}",
        "AccountOU": workstation_ou("ABJ"),
        "FJoinOptions": "1027",
        **changes,
    }
    given = {key: value for key, value in given.items() if value is not None}
    return client(lab, machine).invoke(SYSTEM, "JoinDomainOrWorkgroup", {"Name": name}, **given)


def objects(lab, name):
    return lab.search(f"(sAMAccountName={name}$)", ["distinguishedName", "userAccountControl", "operatingSystem"])


def is_disabled(lab, name):
    (found,) = objects(lab, name)
    return bool(int(found["userAccountControl"][0]) & 2)


def restart(lab, machine, boots=1):
    client(lab, machine).invoke("Win32_OperatingSystem", "Win32Shutdown", Flags="6", Reserved="0")

    def restarted():
        shown = lab.simulator.control.workstation(machine.key)
        return shown["state"]["boots"] == boots and shown["up"]

    wait_for(restarted)


@pytest.fixture
def ticket(lab, tmp_path, monkeypatch):
    """A function that signs an account in to Kerberos, as kinit does."""
    monkeypatch.setenv("KRB5_CONFIG", str(lab.layout.krb5_conf))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")

    def sign_in(account):
        password = lab.passwords.get(account).reveal()
        command = ["kinit", f"{account}@{REALM}"]
        subprocess.run(command, input=password.encode(), capture_output=True, check=True)
        return f"{account}@{REALM}"

    return sign_in


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Password": "wrong"}, 1326),
        ({"UserName": f"nobody@{DOMAIN}"}, 1326),
        ({"AccountOU": "OU=Nowhere,DC=ad,DC=douanes,DC=lab"}, 2),
        ({"AccountOU": "not a DN"}, 2),
        ({"Name": "other.lab"}, 1355),
        ({"FJoinOptions": "1025"}, 1332),
        ({"account": READER}, 5),
        ({"AccountOU": None}, 5),
    ],
)
def test_a_join_ad_does_not_grant_returns_windows_code_and_makes_nothing(lab, machine, changes, code):
    assert join(lab, machine, **changes) == code
    assert objects(lab, "WINSIM-OLD") == []


def test_rename_join_and_one_restart_make_the_object_where_it_was_asked_for(lab, machine, ticket):
    assert client(lab, machine).invoke(SYSTEM, "Rename", {"Name": "WINSIM-OLD"}, Name="WINSIM-PC-1") == 0
    assert join(lab, machine) == 0
    assert join(lab, machine) == 2691
    (found,) = objects(lab, "WINSIM-PC-1")
    assert str(found["dn"]).lower() == f"cn=winsim-pc-1,{workstation_ou('ABJ')}".lower()
    restart(lab, machine)
    options = {"password": None, "kerberos_hostname_override": f"winsim-pc-1.{DOMAIN}"}
    administrator = Pywinrm(url(machine), "kerberos", username=ticket(ADMINISTRATOR), **options)
    shown = administrator.query("select Name,Domain,PartOfDomain from Win32_ComputerSystem")
    assert [shown.findtext(f".//{name}") for name in ("Name", "Domain", "PartOfDomain")] == [
        "WINSIM-PC-1",
        DOMAIN,
        "true",
    ]
    assert administrator.protocol.transport.encryption is not None
    secure = Pywinrm(
        url(machine, "https"),
        "kerberos",
        username=ticket(ADMINISTRATOR),
        ca_trust_path=str(lab.layout.ca_file),
        **options,
    )
    assert secure.query("select Name from Win32_Service").findtext(".//Name") == "WinRM"
    ordinary = Pywinrm(url(machine), "kerberos", username=ticket(READER), **options)
    with pytest.raises(winrm.exceptions.WSManFaultError) as caught:
        ordinary.query("select Name from Win32_Service")
    assert caught.value.wsman_fault_code == 5


def test_before_the_restart_there_is_no_kerberos(lab, machine, ticket):
    assert join(lab, machine) == 0
    client_ = Pywinrm(
        url(machine),
        "kerberos",
        username=ticket(ADMINISTRATOR),
        password=None,
        kerberos_hostname_override=f"winsim-old.{DOMAIN}",
    )
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        client_.query("select Name from Win32_Service")


def test_an_unjoin_disables_the_object_and_its_maker_may_reuse_it_in_its_place_only(lab, machine):
    assert join(lab, machine) == 0
    given = {"UserName": JOINER, "Password": lab.passwords.get(JOINER).reveal(), "FUnjoinOptions": "4"}
    unjoin = ("UnjoinDomainOrWorkgroup", {"Name": "WINSIM-OLD"})
    assert client(lab, machine).invoke(SYSTEM, *unjoin, **given) == 0
    assert is_disabled(lab, "WINSIM-OLD")
    assert join(lab, machine, AccountOU=workstation_ou("SPY")) == 2224
    assert join(lab, machine, FJoinOptions=str(3 | 0x20000)) == 2224
    assert join(lab, machine, account=READER) == 2732
    assert join(lab, machine) == 0
    assert not is_disabled(lab, "WINSIM-OLD")


def test_the_rename_of_a_member_renames_its_object(lab, machine):
    assert join(lab, machine) == 0
    restart(lab, machine)
    given = {"UserName": f"DOUANES\\{JOINER}", "Password": lab.passwords.get(JOINER).reveal()}
    code = client(lab, machine).invoke(SYSTEM, "Rename", {"Name": "WINSIM-OLD"}, Name="WINSIM-PC-2", **given)
    assert code == 0
    assert objects(lab, "WINSIM-OLD") == []
    assert len(objects(lab, "WINSIM-PC-2")) == 1


def test_without_a_controller_a_join_answers_1355(lab, machine):
    lab.simulator.control.fault(machine.key, "no_dc", count=1)
    assert join(lab, machine) == 1355


def test_the_joining_password_is_in_no_log_and_no_state(lab, machine):
    assert join(lab, machine) == 0
    password = lab.passwords.get(JOINER).reveal().encode()
    kept = [path for folder in (lab.layout.ws_dir, lab.layout.log_dir) for path in folder.rglob("*") if path.is_file()]
    assert any(b"JoinDomainOrWorkgroup" in path.read_bytes() for path in kept)
    assert [path for path in kept if password in path.read_bytes()] == []
