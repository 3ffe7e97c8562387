"""Fills the lab's directory: accounts, OUs, rights, computer objects, DNS.

Debian's own Python runs it, because Samba's modules belong to that one.

Not imported by the package: `samba.py` starts it as a program, with what to do as JSON on its standard input, so that
passwords are in no argument list. It works on the database itself, whether the controller runs or not, and can be run
again: what is there stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

import ldb  # type: ignore[import-not-found]  # Debian's python3-ldb and python3-samba; not in this environment
from samba import dckeytab, dsdb, substitute_var  # type: ignore[import-not-found]  # noqa: F401  # Net.export_keytab
from samba.auth import system_session  # type: ignore[import-not-found]
from samba.dcerpc import dnsp  # type: ignore[import-not-found]
from samba.net import Net  # type: ignore[import-not-found]
from samba.param import LoadParm  # type: ignore[import-not-found]
from samba.samdb import SamDB  # type: ignore[import-not-found]
from samba.sd_utils import SDUtils  # type: ignore[import-not-found]

WORKSTATION = dsdb.UF_WORKSTATION_TRUST_ACCOUNT
NEVER_EXPIRES = dsdb.UF_DONT_EXPIRE_PASSWD
NOT_AT_THE_START = ("adminDescription", "description", "telephoneNumber", "department", "company", "manager")
"""Attributes that nobody's account has at the start, and that work on accounts writes."""


class Directory:
    """The directory's database, with the few changes the lab makes to it."""

    def __init__(self, smb_conf: str) -> None:
        """Open the database that this smb.conf names."""
        self.settings = LoadParm()
        self.settings.load(smb_conf)
        self.db = SamDB(session_info=system_session(self.settings), lp=self.settings)
        self.base = str(self.db.domain_dn())
        self.domain = self.db.domain_dns_name()

    def exists(self, dn: str) -> bool:
        """Tell whether an object is there."""
        try:
            self.db.search(dn, scope=ldb.SCOPE_BASE, attrs=["1.1"])
        except ldb.LdbError as error:
            if error.args[0] == ldb.ERR_NO_SUCH_OBJECT:
                return False
            raise
        return True

    def find(self, account: str) -> str | None:
        """Return the DN of the object with this sAMAccountName."""
        condition = f"(sAMAccountName={ldb.binary_encode(account)})"
        found = self.db.search(self.base, scope=ldb.SCOPE_SUBTREE, expression=condition, attrs=["1.1"])
        return str(found[0].dn) if found else None

    def replace(self, dn: str, **attributes: str | list[str]) -> None:
        """Set attributes of an object; one without values is removed."""
        message = ldb.Message(ldb.Dn(self.db, dn))
        for name, value in attributes.items():
            key = name.replace("_", "-")
            message[key] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, key)
        self.db.modify(message)

    def set_policy(self) -> None:
        """Passwords do not age, and nobody joins machines by mere membership: the delegation is what counts."""
        self.replace(self.base, maxPwdAge=str(-(2**63)), minPwdAge="0", ms_DS_MachineAccountQuota="0")

    def name_services(self) -> None:
        """Give the controller the service names Kerberos clients ask tickets for.

        Samba's own `samba_spnupdate` does this, some seconds after each start, in a service the lab does without.
        """
        host = self.db.host_dns_name()
        names = {
            "HOSTNAME": host,
            "NETBIOSNAME": host.split(".")[0].upper(),
            "WORKGROUP": self.db.domain_netbios_name(),
            "DNSDOMAIN": self.domain,
            "DNSFOREST": self.db.forest_dns_name(),
            "NTDSGUID": self.db.get_ntds_GUID(),
        }
        with open(self.settings.private_path("spn_update_list")) as listed:  # noqa: PTH123  # Samba gives a str
            lines = [line.strip() for line in listed]
        wanted = [substitute_var(line, names) for line in lines if line and not line.startswith("#")]
        message = ldb.Message(ldb.Dn(self.db, self.find(f"{names['NETBIOSNAME']}$")))
        key = "servicePrincipalName"
        message[key] = ldb.MessageElement(wanted, ldb.FLAG_MOD_REPLACE, key)
        self.db.modify(message)

    def add_ou(self, dn: str, description: str) -> None:
        """Create an organisational unit."""
        if not self.exists(dn):
            self.db.create_ou(dn, description=description or None)

    def add_suffixes(self, suffixes: list[str]) -> None:
        """Let userPrincipalName end with these domains too."""
        dn = f"CN=Partitions,{self.db.get_config_basedn()}"
        message = ldb.Message(ldb.Dn(self.db, dn))
        message["uPNSuffixes"] = ldb.MessageElement(suffixes, ldb.FLAG_MOD_REPLACE, "uPNSuffixes")
        self.db.modify(message)

    def add_user(self, user: dict[str, Any]) -> None:
        """Create a user with its password."""
        if self.find(user["login"]):
            return
        principal = user.get("principal", f"{user['login']}@{self.domain}")
        self.db.newuser(
            user["login"],
            user["password"],
            useusernameascn=True,
            userou=user["ou"].removesuffix("," + self.base),
            surname=user.get("surname"),
            givenname=user.get("given_name"),
            description=user.get("description"),
            mailaddress=user.get("mail"),
        )
        dn = self.find(user["login"])
        if dn is None:
            raise LookupError(principal)
        self.replace(dn, userPrincipalName=principal, displayName=user.get("display_name", user["login"]))
        if user.get("service"):
            self.replace(dn, userAccountControl=str(dsdb.UF_NORMAL_ACCOUNT | NEVER_EXPIRES))
        else:
            self.replace(dn, proxyAddresses=f"SMTP:{user['mail']}", employeeID=user["staff_number"])

    def restore_user(self, user: dict[str, Any]) -> None:
        """Put a person's account back: its place, its state, its attributes and its password."""
        present = self.find(user["login"])
        if present is None:
            self.add_user(user)
            return
        dn = f"CN={user['login']},{user['ou']}"
        if ldb.Dn(self.db, present) != ldb.Dn(self.db, dn):
            self.db.rename(present, dn)
        self.db.setpassword(f"(sAMAccountName={ldb.binary_encode(user['login'])})", user["password"])
        self.replace(
            dn,
            userAccountControl=str(dsdb.UF_NORMAL_ACCOUNT),
            userPrincipalName=user["principal"],
            mail=user["mail"],
            proxyAddresses=f"SMTP:{user['mail']}",
            employeeID=user["staff_number"],
            displayName=user["display_name"],
            sn=user["surname"],
            givenName=user["given_name"],
            **{name: [] for name in NOT_AT_THE_START},
        )

    def prune_users(self, keep: list[str], below: list[str]) -> list[str]:
        """Delete the people's accounts below these OUs that are not to be kept; return their logins."""
        gone = []
        for unit in below:
            condition = "(&(objectCategory=person)(objectClass=user))"
            for entry in self.db.search(unit, scope=ldb.SCOPE_SUBTREE, expression=condition, attrs=["sAMAccountName"]):
                login = str(entry["sAMAccountName"])
                if login not in keep:
                    self.db.delete(entry.dn, ["tree_delete:1"])
                    gone.append(login)
        return gone

    def delegate(self, account: str, ou: str, aces: list[str]) -> None:
        """Give an account these rights on an OU: entries of an access control list in SDDL, `{sid}` for its SID."""
        rights = SDUtils(self.db)
        dn = self.find(account)
        if dn is None:
            raise LookupError(account)
        sid = str(rights.get_object_sid(dn))
        # All at once: each change of a list is carried down to everything below.
        rights.dacl_add_ace(ou, "".join(aces).format(sid=sid))

    def add_computer(self, computer: dict[str, Any]) -> None:
        """Create a joined workstation's object, or put it back where it belongs."""
        name, dn = computer["name"], f"CN={computer['name']},{computer['ou']}"
        host = f"{name.lower()}.{self.domain}"
        present = self.find(f"{name}$")
        if present is None:
            entry = {
                "dn": dn,
                "objectClass": "computer",
                "sAMAccountName": f"{name}$",
                "userAccountControl": str(WORKSTATION),
                "dNSHostName": host,
                "servicePrincipalName": [f"HOST/{name}", f"HOST/{host}", f"WSMAN/{name}", f"WSMAN/{host}"],
                "operatingSystem": computer["system"],
            }
            if "password" in computer:
                entry["unicodePwd"] = f'"{computer["password"]}"'.encode("utf-16-le")
            self.db.add(entry)
        elif ldb.Dn(self.db, present) != ldb.Dn(self.db, dn):
            self.db.rename(present, dn)
        self.add_address(host, computer["address"])

    def export_keys(self, computer: dict[str, Any]) -> None:
        """Write a joined workstation's keys where its simulator reads them."""
        principal = f"{computer['name']}$@{self.domain.upper()}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(computer["keytab"])  # noqa: PTH108  # keys of an earlier life would stay in it
        Net(None, self.settings).export_keytab(keytab=computer["keytab"], principal=principal)

    def add_address(self, host: str, address: str) -> None:
        """Give a host an A record, in place of those it has."""
        record = dnsp.DnssrvRpcRecord()
        record.wType = dnsp.DNS_TYPE_A
        record.dwTtlSeconds = 900
        record.rank = dnsp.DNS_RANK_ZONE
        record.data = address
        zone = f"DC={self.domain},CN=MicrosoftDNS,DC=DomainDnsZones,{self.base}"
        node = f"DC={host.removesuffix('.' + self.domain)},{zone}"
        if not self.exists(node):
            self.db.add({"dn": node, "objectClass": "dnsNode"})
        self.db.dns_replace_by_dn(ldb.Dn(self.db, node), [record])

    def remove_computer(self, name: str) -> None:
        """Delete a workstation's object, wherever it is, with all that hangs below it."""
        dn = self.find(f"{name}$")
        if dn is not None:
            self.db.delete(dn, ["tree_delete:1"])

    def prune_computers(self, keep: list[str], below: str) -> list[str]:
        """Delete the workstation objects below an OU that are not to be kept; return their names."""
        condition = f"(&(objectClass=computer)(userAccountControl:1.2.840.113556.1.4.803:={WORKSTATION}))"
        gone = []
        for entry in self.db.search(below, scope=ldb.SCOPE_SUBTREE, expression=condition, attrs=["cn"]):
            if str(entry["cn"]) not in keep:
                self.db.delete(entry.dn, ["tree_delete:1"])
                gone.append(str(entry["cn"]))
        return gone


def main() -> None:
    """Do what standard input says; print what was found out as JSON."""
    order = json.load(sys.stdin)
    directory = Directory(order["smb_conf"])
    directory.db.transaction_start()
    try:
        answer = apply(directory, order)
    except BaseException:
        directory.db.transaction_cancel()
        raise
    directory.db.transaction_commit()
    # Through a connection of Samba's own, which sees only what is committed.
    for computer in order.get("computers", []):
        if "keytab" in computer:
            directory.export_keys(computer)
    json.dump(answer, sys.stdout)


def apply(directory: Directory, order: dict[str, Any]) -> dict[str, Any]:
    """Carry out an order: its parts, in the order in which they need each other."""
    if order.get("administrator"):
        directory.set_policy()
        directory.name_services()
        directory.add_suffixes(order["upn_suffixes"])
        directory.db.setpassword("(sAMAccountName=Administrator)", order["administrator"])
    for unit in order.get("ous", []):
        directory.add_ou(unit["dn"], unit.get("description", ""))
    for user in order.get("users", []):
        directory.add_user(user)
    for right in order.get("delegations", []):
        directory.delegate(right["account"], right["ou"], right["aces"])
    for name in order.get("remove", []):
        directory.remove_computer(name)
    for computer in order.get("computers", []):
        directory.add_computer(computer)
    pruned = []
    if "prune_below" in order:
        pruned = directory.prune_computers([c["name"] for c in order.get("computers", [])], order["prune_below"])
    if "people" in order:
        pruned += restore_people(directory, order["people"], order["prune_users_below"])
    return {"pruned": pruned}


def restore_people(directory: Directory, people: list[dict[str, Any]], below: list[str]) -> list[str]:
    """Put these people's accounts back and delete the others below these OUs; return the latter's logins."""
    pruned = directory.prune_users([person["login"] for person in people], below)
    for person in people:
        directory.restore_user(person)
    return pruned


if __name__ == "__main__":
    main()
