"""What the service accounts of the lab can do, and above all what they cannot, on the real directory."""

import subprocess

import ldap3
import pytest

from dsi_automation.lab.accounts import JOINER, READER, SITES
from dsi_automation.lab.domain import SERVICES_OU, SITES_OU, site_ou, users_ou, workstation_ou
from dsi_automation.lab.layout import BASE_DN

INSUFFICIENT = 50
COMPUTER = ["top", "person", "organizationalPerson", "user", "computer"]
SUFFIXES = [site.code for site in SITES]


@pytest.fixture
def joiner(lab):
    with lab.directory(JOINER) as directory:
        yield directory.connection


@pytest.fixture
def reader(lab):
    with lab.directory(READER) as directory:
        yield directory.connection


@pytest.fixture
def administrator(lab):
    with lab.directory() as directory:
        yield directory.connection


def attributes(name):
    return {"sAMAccountName": f"{name}$", "userAccountControl": 4096}


@pytest.fixture
def computer(administrator):
    """A computer object made by somebody else, in Abidjan's OU; gone afterwards wherever it went."""
    dn = f"CN=DELEG-0001,{workstation_ou('ABJ')}"
    assert administrator.add(dn, COMPUTER, attributes("DELEG-0001")), administrator.result
    yield dn
    for site in SUFFIXES:
        administrator.delete(f"CN=DELEG-0001,{workstation_ou(site)}")


@pytest.mark.parametrize("site", SUFFIXES)
def test_the_joining_account_creates_and_deletes_workstations_in_each_site(joiner, site):
    dn = f"CN=DELEG-0002,{workstation_ou(site)}"
    assert joiner.add(dn, COMPUTER, attributes("DELEG-0002")), joiner.result
    assert joiner.delete(dn), joiner.result


def test_the_joining_account_moves_a_workstation_of_somebody_else_between_sites(joiner, computer):
    moved = joiner.modify_dn(computer, "CN=DELEG-0001", new_superior=workstation_ou("SPY"))
    assert moved, joiner.result
    assert joiner.search(workstation_ou("SPY"), "(cn=DELEG-0001)")


def test_the_joining_account_prepares_a_workstation_of_somebody_else_for_a_join(joiner, computer):
    password = '"Nouveau-mot-de-passe-42"'.encode("utf-16-le")
    assert joiner.modify(computer, {"unicodePwd": [(ldap3.MODIFY_REPLACE, [password])]}), joiner.result
    changes = {
        "userAccountControl": "4096",
        "dNSHostName": "deleg-0001.ad.douanes.lab",
        "servicePrincipalName": "HOST/deleg-0001.ad.douanes.lab",
        "description": "Poste de test",
    }
    for name, value in changes.items():
        assert joiner.modify(computer, {name: [(ldap3.MODIFY_REPLACE, [value])]}), (name, joiner.result)


@pytest.mark.parametrize(
    "place", [f"CN=Computers,{BASE_DN}", users_ou("ABJ"), site_ou("ABJ"), SITES_OU, SERVICES_OU, BASE_DN]
)
def test_the_joining_account_creates_workstations_nowhere_else(joiner, place):
    assert not joiner.add(f"CN=DELEG-0003,{place}", COMPUTER, attributes("DELEG-0003"))
    assert joiner.result["result"] == INSUFFICIENT


@pytest.mark.parametrize(
    ("rdn", "classes", "fields"),
    [
        ("CN=intrus", ["user"], {"sAMAccountName": "intrus"}),
        ("CN=groupe", ["group"], {"sAMAccountName": "groupe"}),
        ("OU=Ailleurs", ["organizationalUnit"], {}),
    ],
)
def test_the_joining_account_creates_nothing_but_workstations(joiner, rdn, classes, fields):
    assert not joiner.add(f"{rdn},{workstation_ou('ABJ')}", classes, fields)
    assert joiner.result["result"] == INSUFFICIENT


def test_the_joining_account_takes_no_workstation_out_of_the_sites(joiner, computer):
    assert not joiner.modify_dn(computer, "CN=DELEG-0001", new_superior=f"CN=Computers,{BASE_DN}")
    assert joiner.result["result"] == INSUFFICIENT


@pytest.mark.parametrize(
    ("dn", "attribute", "value"),
    [
        (f"CN=awa.kone,{users_ou('ABJ')}", "description", "changé"),
        (f"CN=awa.kone,{users_ou('ABJ')}", "unicodePwd", '"Nouveau-mot-de-passe-42"'.encode("utf-16-le")),
        (f"CN=Administrator,CN=Users,{BASE_DN}", "unicodePwd", '"Nouveau-mot-de-passe-42"'.encode("utf-16-le")),
        (f"CN=DC1,OU=Domain Controllers,{BASE_DN}", "description", "changé"),
        (f"CN=Domain Admins,CN=Users,{BASE_DN}", "member", f"CN=svc-jonction,{SERVICES_OU}"),
        (workstation_ou("ABJ"), "description", "changé"),
        (BASE_DN, "ms-DS-MachineAccountQuota", "10"),
    ],
)
@pytest.mark.parametrize("account", [JOINER, READER])
def test_the_service_accounts_change_nothing_else(lab, account, dn, attribute, value):
    with lab.directory(account) as directory:
        assert not directory.connection.modify(dn, {attribute: [(ldap3.MODIFY_REPLACE, [value])]})
        assert directory.connection.result["result"] == INSUFFICIENT


def test_the_reading_account_reads_and_writes_nothing(reader, computer):
    assert reader.search(SITES_OU, "(cn=DELEG-0001)")
    assert not reader.add(f"CN=DELEG-0004,{workstation_ou('ABJ')}", COMPUTER, attributes("DELEG-0004"))
    assert reader.result["result"] == INSUFFICIENT
    assert not reader.modify_dn(computer, "CN=DELEG-0001", new_superior=workstation_ou("SPY"))
    assert reader.result["result"] == INSUFFICIENT
    assert not reader.delete(computer)
    assert reader.result["result"] == INSUFFICIENT
    assert not reader.modify(computer, {"description": [(ldap3.MODIFY_REPLACE, ["changé"])]})
    assert reader.result["result"] == INSUFFICIENT


def adcli_join(lab, tmp_path, name, site):
    """Join from the workstations' namespace as svc-jonction, as a real machine would."""
    password = lab.passwords.get(JOINER).reveal()
    return subprocess.run(
        [
            *("ip", "netns", "exec", lab.layout.ws_namespace, "adcli", "join", "--domain", "AD.DOUANES.LAB"),
            *("--domain-controller", "dc1.ad.douanes.lab", "--login-user", JOINER, "--stdin-password"),
            *("--computer-name", name, "--host-fqdn", f"{name.lower()}.ad.douanes.lab"),
            *("--domain-ou", workstation_ou(site), "--host-keytab", str(tmp_path / f"{name}.keytab")),
            *("--os-name", "Windows 11 Pro", "--verbose"),
        ],
        input=password,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KRB5_CONFIG": str(lab.layout.krb5_conf)},
    )


def test_a_real_join_succeeds_with_these_rights_alone(lab, tmp_path, administrator):
    done = adcli_join(lab, tmp_path, "DELEG-0005", "BKE")
    dn = f"CN=DELEG-0005,{workstation_ou('BKE')}"
    found = administrator.search(dn, "(operatingSystem=Windows 11 Pro)", ldap3.BASE)
    administrator.delete(dn)
    assert done.returncode == 0, done.stderr
    assert found


def test_a_real_join_takes_over_an_object_that_somebody_else_made(lab, tmp_path, computer):
    done = adcli_join(lab, tmp_path, "DELEG-0001", "ABJ")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "DELEG-0001.keytab").stat().st_size > 0
