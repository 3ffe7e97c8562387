"""What svc-comptes can do to people's accounts in the lab, and above all what it cannot, on the real directory."""

import ldap3
import pytest

from dsi_automation.lab.accounts import ACCOUNTS
from dsi_automation.lab.domain import (
    ACCOUNT_ATTRIBUTES,
    LEAVERS_OU,
    SERVICES_OU,
    SITES_OU,
    account_ous,
    site_ou,
    users_ou,
    workstation_ou,
)
from dsi_automation.lab.layout import BASE_DN

INSUFFICIENT = 50
PASSWORD = '"Nouveau-mot-de-passe-42"'.encode("utf-16-le")
USER = ["top", "person", "organizationalPerson", "user"]
AWA = f"CN=awa.kone,{users_ou('ABJ')}"


def values(number):
    """Return the attributes of an account that is created whole, disabled, as the toolkit does it."""
    return {
        "sAMAccountName": number.lower(),
        "userAccountControl": "514",
        "userPrincipalName": f"{number.lower()}@douanes.lab",
        "mail": f"{number.lower()}@douanes.lab",
        "proxyAddresses": [f"SMTP:{number.lower()}@douanes.lab"],
        "employeeID": number,
        "displayName": "ESSAI Délégation",
        "sn": "ESSAI",
        "givenName": "Délégation",
        "telephoneNumber": "+2250102030405",
        "department": "Essais",
        "company": "Douanes",
        "manager": AWA,
        "description": "essai",
        "adminDescription": "dsi mailbox.create",
    }


def change(connection, dn, **attributes):
    return connection.modify(dn, {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in attributes.items()})


@pytest.fixture
def accounts(lab):
    with lab.directory(ACCOUNTS) as directory:
        yield directory.connection


@pytest.fixture
def administrator(lab):
    with lab.directory() as directory:
        yield directory.connection


@pytest.fixture
def somebody(administrator):
    """An account that an administrator made in Abidjan; gone afterwards wherever it went."""
    dn = f"CN=DELEGATION A,{users_ou('ABJ')}"
    assert administrator.add(dn, USER, values("990001A")), administrator.result
    yield dn
    for unit in account_ous():
        administrator.delete(f"CN=DELEGATION A,{unit}")


@pytest.mark.parametrize("unit", account_ous())
def test_it_creates_an_account_whole_gives_it_a_password_enables_it_and_deletes_it(accounts, unit):
    dn = f"CN=DELEGATION B,{unit}"
    assert accounts.add(dn, USER, values("990002B")), accounts.result
    assert change(accounts, dn, unicodePwd=PASSWORD), accounts.result
    assert change(accounts, dn, userAccountControl="512", pwdLastSet="0"), accounts.result
    assert accounts.delete(dn), accounts.result


def test_it_disables_and_moves_the_account_of_somebody_whom_it_did_not_create(accounts, somebody):
    assert change(accounts, somebody, unicodePwd=PASSWORD), accounts.result
    assert change(accounts, somebody, userAccountControl="514", adminDescription="parti"), accounts.result
    assert accounts.modify_dn(somebody, "CN=DELEGATION A", new_superior=LEAVERS_OU), accounts.result


def test_it_writes_each_attribute_it_was_given_and_no_other(accounts, administrator, somebody):
    given = values("990001A")
    for name in sorted(set(ACCOUNT_ATTRIBUTES) & set(given)):
        value = given[name] if isinstance(given[name], str) else given[name][0]
        assert change(accounts, somebody, **{name: value}), (name, accounts.result)
    others = {
        "servicePrincipalName": "HTTP/intrus",
        "scriptPath": "intrus.bat",
        "homeDirectory": r"\\intrus\c",
        "msDS-AllowedToDelegateTo": "ldap/dc1.ad.douanes.lab",
        "accountExpires": "0",
        "mobile": "+2250102030405",
        "title": "Directeur",
        "sIDHistory": bytes.fromhex("01050000 00000005 15000000 01000000 01000000 01000000 f4010000"),
    }
    for name, value in others.items():
        assert not change(accounts, somebody, **{name: value}), name
        assert accounts.result["result"] == INSUFFICIENT, (name, accounts.result)
    assert administrator.search(somebody, "(!(mobile=*))", ldap3.BASE)


@pytest.mark.parametrize(
    "place",
    [f"CN=Users,{BASE_DN}", workstation_ou("ABJ"), site_ou("ABJ"), SITES_OU, SERVICES_OU, BASE_DN],
)
def test_it_creates_accounts_nowhere_else_and_takes_none_there(accounts, somebody, place):
    assert not accounts.add(f"CN=DELEGATION C,{place}", USER, values("990003C"))
    assert accounts.result["result"] == INSUFFICIENT
    assert not accounts.modify_dn(somebody, "CN=DELEGATION A", new_superior=place)
    assert accounts.result["result"] == INSUFFICIENT


@pytest.mark.parametrize(
    ("rdn", "classes", "fields"),
    [
        ("CN=DELEGPC", ["top", "person", "organizationalPerson", "user", "computer"], {"sAMAccountName": "DELEGPC$"}),
        ("CN=groupe", ["group"], {"sAMAccountName": "groupe"}),
        ("CN=contact", ["contact"], {}),
        ("OU=Ailleurs", ["organizationalUnit"], {}),
    ],
)
@pytest.mark.parametrize("unit", [users_ou("ABJ"), LEAVERS_OU])
def test_it_creates_nothing_but_accounts(accounts, unit, rdn, classes, fields):
    assert not accounts.add(f"{rdn},{unit}", classes, fields)
    assert accounts.result["result"] == INSUFFICIENT


@pytest.mark.parametrize(
    ("dn", "attribute", "value"),
    [
        (f"CN=Administrator,CN=Users,{BASE_DN}", "unicodePwd", PASSWORD),
        (f"CN=Administrator,CN=Users,{BASE_DN}", "userAccountControl", "514"),
        (f"CN=svc-lecture,{SERVICES_OU}", "unicodePwd", PASSWORD),
        (f"CN=svc-jonction,{SERVICES_OU}", "userAccountControl", "514"),
        (f"CN=Domain Admins,CN=Users,{BASE_DN}", "member", f"CN={ACCOUNTS},{SERVICES_OU}"),
        (f"CN=DC1,OU=Domain Controllers,{BASE_DN}", "description", "changé"),
        (f"CN=BKE-PC-0002,{workstation_ou('BKE')}", "description", "changé"),
        (users_ou("ABJ"), "description", "changé"),
        (LEAVERS_OU, "description", "changé"),
        (BASE_DN, "ms-DS-MachineAccountQuota", "10"),
        (f"CN=Partitions,CN=Configuration,{BASE_DN}", "uPNSuffixes", "intrus.lab"),
    ],
)
def test_it_changes_nothing_else(accounts, dn, attribute, value):
    assert not change(accounts, dn, **{attribute: value})
    assert accounts.result["result"] == INSUFFICIENT


def test_it_deletes_neither_service_accounts_nor_workstations(accounts):
    for dn in (f"CN=svc-lecture,{SERVICES_OU}", f"CN=BKE-PC-0002,{workstation_ou('BKE')}", LEAVERS_OU):
        assert not accounts.delete(dn), dn
        assert accounts.result["result"] == INSUFFICIENT, (dn, accounts.result)
