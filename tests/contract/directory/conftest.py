"""The two directories the contract suite runs on: one in memory, and the lab's real Samba AD."""

import base64
import os
import secrets
import subprocess
import uuid
from dataclasses import replace

import pytest

from dsi_automation.connectors.directory import names
from dsi_automation.connectors.directory.account_client import LdapAccountReader, LdapAccountWriter
from dsi_automation.connectors.directory.accounts import NewAccount
from dsi_automation.connectors.directory.client import LdapReader, LdapWriter
from dsi_automation.connectors.directory.memory import Account, MemoryDirectory
from dsi_automation.connectors.directory.memory_accounts import MemoryAccounts
from dsi_automation.connectors.directory.port import DirectoryEndpoint
from dsi_automation.core.errors import GateClosedError
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

DOMAIN = "ad.douanes.lab"
BASE = names.base_dn(DOMAIN)
CLOSED_ACCOUNTS = {"533": (514, -1), "773": (512, 0)}
"""Sub-code to the userAccountControl and pwdLastSet that cause it."""


class Permit:
    """Says yes, or no, and remembers for whom it was asked."""

    def __init__(self, *, is_open=True):
        self.is_open = is_open
        self.asked = []

    def check(self, target):
        self.asked.append(target)
        if not self.is_open:
            raise GateClosedError(T("No."), on=target)


class Place:
    """What both directories offer to the suite."""

    abj = f"OU=Postes,OU=ABJ,OU=Sites,{BASE}"
    spy = f"OU=Postes,OU=SPY,OU=Sites,{BASE}"

    def __init__(self):
        self.prefix = f"T{secrets.token_hex(3).upper()}-"
        self.permit = Permit()

    def name(self, number=1):
        return f"{self.prefix}{number:04}"


class MemoryPlace(Place):
    def __init__(self):
        super().__init__()
        self.state = MemoryDirectory(DOMAIN)
        for dn in (f"OU=Sites,{BASE}", f"OU=ABJ,OU=Sites,{BASE}", f"OU=SPY,OU=Sites,{BASE}", self.abj, self.spy):
            self.state.add_ou(dn)
        self.state.add_user("awa.kone", f"CN=Users,{BASE}", display_name="KONÉ Awa")
        self.state.principals["awa.kone@douanes.lab"] = "awa.kone"
        for login in ("svc-jonction", "svc-lecture", "773", "533"):
            writes = (self.abj, self.spy) if login == "svc-jonction" else ()
            sub_code = login if login in CLOSED_ACCOUNTS else None
            self.state.accounts[f"{login}@{DOMAIN}"] = Account(Secret(f"pw-{login}"), writes, sub_code)

    def endpoint(self, login, password=None):
        secret = Secret(password or f"pw-{login}")
        return DirectoryEndpoint(DOMAIN, "DOUANES", f"dc1.{DOMAIN}", f"{login}@{DOMAIN}", secret)

    def reader(self, login="svc-lecture", password=None):
        return self.state.reader(self.endpoint(login, password))

    def writer(self, login="svc-jonction", permit=None, target=None):
        return self.state.writer(self.endpoint(login), permit or self.permit, target=target)

    def occupy(self, name, ou):
        self.state.add_ou(f"CN={name},{ou}")

    def look(self, name):
        found = self.state.computers.get(name.casefold())
        return found and found.dn


class RealPlace(Place):
    def __init__(self, lab):
        super().__init__()
        self.lab = lab
        self.clients = []
        self.bind = ("-x", "-H", f"ldaps://{lab.layout.dc_address}", "-D", f"Administrator@{DOMAIN}")
        self.bind += ("-y", str(lab.passwords.file("Administrator")))

    def endpoint(self, login, password=None, **changes):
        secret = Secret(password) if password else self.lab.passwords.get(login)
        endpoint = DirectoryEndpoint(
            DOMAIN,
            "DOUANES",
            f"dc1.{DOMAIN}",
            f"{login}@{DOMAIN}",
            secret,
            address=self.lab.layout.dc_address,
            ca_file=str(self.lab.layout.ca_file),
        )
        return replace(endpoint, **changes)

    def reader(self, login="svc-lecture", password=None):
        if login in CLOSED_ACCOUNTS:
            login, password = self.closed_account(login)
        return self._opened(LdapReader(self.endpoint(login, password)))

    def writer(self, login="svc-jonction", permit=None, target=None):
        return self._opened(LdapWriter(self.endpoint(login), permit or self.permit, target=target))

    def _opened(self, client):
        self.clients.append(client)
        return client

    def occupy(self, name, ou):
        self.ldif(f"dn: CN={name},{ou}\nobjectClass: container\n")

    def closed_account(self, sub_code):
        flags, last_set = CLOSED_ACCOUNTS[sub_code]
        login, password = f"{self.prefix}{sub_code}", f"Aa1!{secrets.token_hex(12)}"
        encoded = base64.b64encode(f'"{password}"'.encode("utf-16-le")).decode()
        self.ldif(
            f"dn: CN={login},CN=Users,{BASE}\nobjectClass: user\nsAMAccountName: {login}\n"
            f"userPrincipalName: {login}@{DOMAIN}\nunicodePwd:: {encoded}\n"
            f"userAccountControl: {flags}\npwdLastSet: {last_set}\n"
        )
        return login, password

    def look(self, name):
        """Return where a computer is, by another program than ours."""
        lines = self.tool("ldapsearch", "-b", BASE, f"(sAMAccountName={name}$)", "dn").splitlines()
        return next((line.removeprefix("dn: ") for line in lines if line.startswith("dn: ")), None)

    def ldif(self, text):
        self.tool("ldapadd", stdin=text)

    def tool(self, program, *args, stdin=""):
        """Run one of OpenLDAP's programs as the domain's Administrator."""
        options = ("-LLL", "-o", "ldif-wrap=no") if program == "ldapsearch" else ()
        done = subprocess.run(
            [program, *options, *self.bind, *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env={**os.environ, "LDAPTLS_CACERT": str(self.lab.layout.ca_file)},
        )
        return done.stdout

    def clean(self):
        for client in self.clients:
            client.close()
        # Referrals to the DNS partitions come as comments: -LLL leaves them out of the DNs.
        lines = self.tool("ldapsearch", "-b", BASE, f"(cn={self.prefix}*)", "dn").splitlines()
        made = [line.removeprefix("dn: ") for line in lines if line.startswith("dn: ")]
        if made:
            self.tool("ldapdelete", stdin="".join(f"{dn}\n" for dn in made))


@pytest.fixture(params=["memory", "samba"])
def place(request):
    """A directory with two sites, a reading and a joining account; what a test makes there is removed."""
    if request.param == "memory":
        yield MemoryPlace()
        return
    real = RealPlace(request.getfixturevalue("lab"))
    yield real
    real.clean()


@pytest.fixture
def real_place(lab):
    """The real directory alone."""
    real = RealPlace(lab)
    yield real
    real.clean()


@pytest.fixture
def closed_permit():
    return Permit(is_open=False)


class People:
    """What both directories offer to the suite about people's accounts."""

    abj = f"OU=Utilisateurs,OU=ABJ,OU=Sites,{BASE}"
    spy = f"OU=Utilisateurs,OU=SPY,OU=Sites,{BASE}"
    leavers = f"OU=Partis,{BASE}"
    closed = f"CN=Users,{BASE}"

    def person(self, number=1, **changes):
        key = f"{self.prefix}{number:04}"
        given = {
            "ou": self.abj,
            "name": f"{key} N’GUESSAN, Éric",
            "login": key.lower(),
            "address": f"{key.lower()}@douanes.lab",
            "staff_number": key,
            "display_name": "N’GUESSAN Éric",
            "surname": "N’GUESSAN",
            "given_name": "Éric",
            "mark": "dsi mailbox.create",
        }
        return NewAccount(**{**given, **changes})

    def made(self, number=1, **changes):
        return self.writer().create_account(self.person(number, **changes))

    def password(self):
        return Secret(f"Aa1!{secrets.token_urlsafe(12)}")


class MemoryPeople(People):
    def __init__(self):
        self.prefix = f"T{secrets.token_hex(3).upper()}-"
        self.permit = Permit()
        self.state = MemoryAccounts(DOMAIN)
        for dn in (self.abj, self.spy, self.leavers):
            self.state.add_ou(dn)
        self.state.writes = {
            f"svc-comptes@{DOMAIN}": (self.abj, self.spy, self.leavers),
            f"svc-lecture@{DOMAIN}": (),
        }

    def reader(self):
        return self.state.reader(self.state.endpoint("svc-lecture"))

    def writer(self, login="svc-comptes", permit=None, target=None):
        return self.state.writer(permit or self.permit, self.state.endpoint(login), target=target)

    def contact(self, name, address):
        self.state.add_holder("contact", name, self.abj, address)

    def group(self, name):
        return self.state.add_holder("group", f"{self.prefix}{name}", self.abj).dn

    def moved(self, account, ou):
        self.state.change(account.guid, dn=f"{names.rdn(account.dn)},{ou}")

    def state_of(self, login):
        found = next(one for one in self.state.accounts.values() if one.login == login)
        return found.dn, found.enabled, found.must_change


class RealPeople(People, RealPlace):
    def reader(self):
        return self._opened(LdapAccountReader(self.endpoint("svc-lecture")))

    def writer(self, login="svc-comptes", permit=None, target=None):
        return self._opened(LdapAccountWriter(self.endpoint(login), permit or self.permit, target=target))

    def contact(self, name, address):
        self.ldif(f"dn: CN={name},{self.abj}\nobjectClass: contact\nproxyAddresses: SMTP:{address}\n")

    def group(self, name):
        dn = f"CN={self.prefix}{name},{self.abj}"
        self.ldif(f"dn: {dn}\nobjectClass: group\nsAMAccountName: {self.prefix}{name}\n")
        return dn

    def moved(self, account, ou):
        change = f"dn: <GUID={account.guid}>\nchangetype: modrdn\nnewrdn: {names.rdn(account.dn)}\n"
        self.tool("ldapmodify", stdin=f"{change}deleteoldrdn: 1\nnewsuperior: {ou}\n")

    def state_of(self, login):
        """Return where an account is, and its flags, by another program than ours."""
        wanted = ("userAccountControl", "pwdLastSet")
        lines = self.tool("ldapsearch", "-b", BASE, f"(sAMAccountName={login})", *wanted).splitlines()
        seen = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith("#"))
        # With characters beyond ASCII, LDIF writes the DN in base64.
        encoded = next((line[5:] for line in lines if line.startswith("dn:: ")), None)
        dn = base64.b64decode(encoded).decode() if encoded else seen["dn"]
        return dn, not int(seen["userAccountControl"]) & 2, seen["pwdLastSet"] == "0"

    def clean(self):
        for client in self.clients:
            client.close()
        encoded = self.tool("ldapsearch", "-b", BASE, f"(cn={self.prefix}*)", "objectGUID").splitlines()
        raw = [base64.b64decode(line[13:]) for line in encoded if line.startswith("objectGUID:: ")]
        if raw:
            self.tool("ldapdelete", stdin="".join(f"<GUID={uuid.UUID(bytes_le=one)}>\n" for one in raw))


@pytest.fixture(params=["memory", "samba"])
def people(request):
    """A directory with people's OUs, a reading account and one that may write there; what a test makes is removed."""
    if request.param == "memory":
        yield MemoryPeople()
        return
    real = RealPeople(request.getfixturevalue("lab"))
    yield real
    real.clean()


@pytest.fixture
def real_people(lab):
    """The real directory alone."""
    real = RealPeople(lab)
    yield real
    real.clean()
