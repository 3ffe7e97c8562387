"""What a lab consists of and what of it runs, with all that is needed to check the toolkit's claims by other means."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.text import T
from dsi_automation.lab import inventory, network
from dsi_automation.lab.accounts import (
    ACCOUNTS,
    ADMINISTRATOR,
    JOINER,
    LOCAL_ADMINISTRATOR,
    MAIL_DOMAIN,
    READER,
    SITES,
    USERS,
)
from dsi_automation.lab.domain import LEAVERS_OU, users_ou, workstation_ou
from dsi_automation.lab.graph.settings import CLIENT_ID, TENANT_ID
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import BASE_DN, DC_NAME, DOMAIN, NETBIOS, REALM
from dsi_automation.lab.machines import Machine
from dsi_automation.lab.network_status import network_examples, network_status
from dsi_automation.lab.people import PERSONS
from dsi_automation.lab.processes import Daemon
from dsi_automation.lab.server_status import server_examples, server_status
from dsi_automation.lab.tenant import SENDER

DC_PORTS: Final = {
    "dns": 53,
    "kerberos": 88,
    "rpc": 135,
    "ldap": 389,
    "smb": 445,
    "kpasswd": 464,
    "ldaps": 636,
    "global-catalog": 3268,
    "global-catalog-tls": 3269,
}


def status(lab: Lab) -> dict[str, Any]:
    """Return the whole lab as data: addresses, ports, accounts, files, processes and commands to try."""
    layout = lab.layout
    machines = lab.machines
    return {
        "name": layout.name,
        "up": bool(machines or layout.root.exists()) and lab.is_up(),
        "network": str(layout.network),
        "interface": layout.interface,
        "controller_address": layout.controller_address,
        "namespaces": {"dc": layout.dc_namespace, "workstations": layout.ws_namespace},
        "network_complete": network.is_complete(layout),
        "processes": [_process(one) for one in _daemons(lab)],
        "domain": _domain(lab) if lab.has_domain else None,
        "sites": [
            {
                "code": site.code,
                "name": site.name,
                "workstation_ou": workstation_ou(site.code),
                "users_ou": users_ou(site.code),
            }
            for site in SITES
        ],
        "leavers_ou": LEAVERS_OU,
        "tenant": _tenant(lab) if lab.has_domain else None,
        "accounts": _accounts(lab) if lab.has_domain else [],
        "persons": [
            {"id": person.id, "name": person.name, "role": person.role, "key": str(layout.key_dir / person.key_name)}
            for person in PERSONS
        ],
        "workstations": _workstations(lab, machines),
        "servers": server_status(lab) if lab.has_servers else None,
        "routing": network_status(lab) if lab.routed.count else None,
        "files": {
            "directory": str(layout.root),
            "ca": str(layout.ca_file),
            "krb5_conf": str(layout.krb5_conf),
            "inventory": str(layout.inventory_dir / "hosts.yml"),
            "inventory_written": inventory.is_ours(layout),
            "state": str(layout.state_dir),
            "logs": str(layout.log_dir),
            "control_socket": str(layout.control_socket),
        },
        "try": examples(lab, machines),
    }


def examples(lab: Lab, machines: list[Machine]) -> dict[str, str]:
    """Return commands to paste that look at the lab without the toolkit, by what they show."""
    inventory_file = lab.layout.inventory_dir / "hosts.yml"
    found = {"inventory": f"{_program('ansible-inventory')} -i {inventory_file} --graph"}
    if lab.has_domain:
        found |= _domain_examples(lab, machines)
    if lab.routed.count:
        found |= network_examples(lab)
        found["network"] = f"{_program('dsi')} -I {lab.layout.inventory_dir} router check"
    return found


def _domain_examples(lab: Lab, machines: list[Machine]) -> dict[str, str]:
    layout = lab.layout
    reader = shlex.quote(str(lab.passwords.file(READER)))
    found = {
        "directory": f"LDAPTLS_CACERT={layout.ca_file} ldapsearch -LLL -x -H ldaps://{layout.dc_address} "
        f"-D {READER}@{DOMAIN} -y {reader} -b OU=Sites,{BASE_DN} '(objectClass=computer)' dn dNSHostName",
        "kerberos": f"KRB5_CONFIG={layout.krb5_conf} kinit {READER}@{REALM} < {reader}",
        "check": f"{_program('dsi')} -I {layout.inventory_dir} workstation check workstations",
    }
    if lab.has_servers:
        found |= server_examples(lab)
        found["backup"] = f"{_program('dsi')} -I {layout.inventory_dir} plan server.backup srv1"
    tenant = f"https://{layout.tenant_address}"
    curl = f"curl --silent --show-error --cacert {layout.ca_file}"
    found["openid"] = f"{curl} {tenant}/{TENANT_ID}/v2.0/.well-known/openid-configuration"
    # Without an assertion signed with the application's key the endpoint refuses, and says which application it knows.
    found["token"] = (
        f"{curl} {tenant}/{TENANT_ID}/oauth2/v2.0/token -d grant_type=client_credentials -d client_id={CLIENT_ID} "
        f"-d scope=https://{layout.tenant_address}/.default"
    )
    found["mailbox"] = f"{_program('dsi')} -I {layout.inventory_dir} mailbox check {USERS[0].staff_number}"
    answering = [machine for machine in machines if not machine.silent]
    if answering:
        address = answering[0].spec.address
        found["workstation"] = (
            f"curl --cacert {layout.ca_file} -X POST -H 'Content-Type: application/soap+xml;charset=UTF-8' "
            f"-H 'Content-Length: 0' -i https://{address}:{answering[0].spec.https_port}/wsman"
        )
    return found


def _program(name: str) -> str:
    """Return a program as it can be pasted: by its name when it is on PATH, else by its path beside this Python."""
    beside = Path(sys.executable).with_name(name)
    return name if shutil.which(name) or not beside.exists() else str(beside)


def _daemons(lab: Lab) -> list[Daemon]:
    found = [lab.controller.daemon, lab.tenant.daemon, lab.simulator.daemon] if lab.has_domain else []
    if lab.has_servers:
        found += lab.facilities.processes
    if lab.has_application:
        found += [server.ssh.daemon for server in lab.facilities.application.servers]
    return [*found, *lab.routed.daemons]


def _domain(lab: Lab) -> dict[str, Any]:
    return {
        "dns_name": DOMAIN,
        "realm": REALM,
        "netbios_name": NETBIOS,
        "base_dn": BASE_DN,
        "controller": DC_NAME,
        "address": lab.layout.dc_address,
        "ports": DC_PORTS,
    }


def _process(daemon: Daemon) -> dict[str, Any]:
    pid = daemon.pid()
    return {
        "name": daemon.name,
        "running": pid is not None,
        "pid": pid,
        "processes": len(daemon.members()),
        "log": str(daemon.log),
    }


def _tenant(lab: Lab) -> dict[str, Any]:
    """Return where the tenant is and who works in it; what it is now when it runs."""
    layout = lab.layout
    found: dict[str, Any] = {
        "domain": MAIL_DOMAIN,
        "base_url": f"https://{layout.tenant_address}/v1.0",
        "authority": f"https://{layout.tenant_address}",
        "tenant_id": TENANT_ID,
        "client_id": CLIENT_ID,
        "certificate": str(layout.app_certificate),
        "ca": str(layout.ca_file),
        "sender": SENDER,
        "request_record": str(layout.graph_record),
        "control_socket": str(layout.graph_socket),
        "state_file": str(lab.tenant.state_file),
        "state": "stopped",
        "hybrid": None,
        "last_sync": None,
        "users": None,
        "seats": None,
    }
    if lab.tenant.daemon.pid() is not None:
        control = lab.tenant.control
        info = control.info()
        found |= {"state": "running", **{key: info[key] for key in ("hybrid", "last_sync", "users")}}
        found["seats"] = {
            sku["skuPartNumber"]: {"total": sku["prepaidUnits"]["enabled"], "used": sku["consumedUnits"]}
            for sku in control.skus()
        }
    return found


def _accounts(lab: Lab) -> list[dict[str, Any]]:
    purposes = {
        ADMINISTRATOR: T("domain administrator"),
        JOINER: T("joins workstations: computer objects in the sites’ Postes OUs, nothing else"),
        ACCOUNTS: T("creates, disables and moves people’s accounts: Utilisateurs and Partis OUs, nothing else"),
        READER: T("reads the directory"),
        **{user.login: T("user, site {site}", site=user.site) for user in USERS},
    }
    people = {user.login: {"staff_number": user.staff_number, "address": user.address} for user in USERS}
    accounts = [
        {
            "account": f"{login}@{DOMAIN}",
            "where": "domain",
            "purpose": str(purpose),
            "password_file": str(lab.passwords.file(login)),
            **people.get(login, {}),
        }
        for login, purpose in purposes.items()
    ]
    local = {
        "account": LOCAL_ADMINISTRATOR,
        "where": "workstations",
        "purpose": str(T("local administrator of every workstation")),
        "password_file": str(lab.passwords.file(LOCAL_ADMINISTRATOR)),
    }
    return [*accounts, local]


def _workstations(lab: Lab, machines: list[Machine]) -> list[dict[str, Any]]:
    now = _now(lab)
    return [
        {
            "key": machine.key,
            "address": machine.spec.address,
            "ports": {"http": machine.spec.http_port, "https": machine.spec.https_port},
            "site": machine.site,
            "system": machine.spec.os.caption.strip(),
            "computer_name": machine.spec.computer_name,
            "joined": machine.spec.joined is not None,
            "object_ou": machine.object_ou,
            "answers": not machine.silent,
            # Whose profiles a migration may take: local accounts, and the domain has one of the same name.
            "profiles": [{"user": one.user, "path": one.path} for one in machine.spec.profiles if one.user],
            "now": now.get(machine.key),
        }
        for machine in machines
    ]


def _now(lab: Lab) -> dict[str, dict[str, Any]]:
    """Return what has become of each workstation: its name, its domain and whether it is up; empty when none runs."""
    if lab.simulator.daemon.pid() is None:
        return {}
    control = lab.simulator.control
    shown = {row["key"]: control.workstation(row["key"]) for row in control.workstations()}
    return {
        key: {
            "computer_name": data["computer_name"],
            "domain": (data["state"]["membership"] or {}).get("dns_name"),
            "up": data["up"],
            "boots": data["state"]["boots"],
            "faults": [rule["fault"] for rule in data["state"]["faults"]],
        }
        for key, data in shown.items()
    }
