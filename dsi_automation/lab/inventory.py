"""The inventory the lab generates: an ordinary Ansible inventory, with people, policy and settings beside it.

Secrets are in it as paths of files only. A mark in the folder says whose it is, so that nothing else is ever removed.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab import application_plan, backup_plan, network_plan
from dsi_automation.lab.accounts import (
    ACCOUNTS,
    JOINER,
    LOCAL_ADMINISTRATOR,
    MAIL_DOMAIN,
    READER,
    SITES,
    Passwords,
)
from dsi_automation.lab.domain import LEAVERS_OU, SERVICES_OU, users_ou, workstation_ou
from dsi_automation.lab.facilities import Facilities
from dsi_automation.lab.layout import DC_NAME, DOMAIN, NETBIOS, Layout
from dsi_automation.lab.machines import Machine
from dsi_automation.lab.network_topology import Topology
from dsi_automation.lab.people import PERSONS, ROLES, public_key
from dsi_automation.lab.tenant import HELP_DESK, SENDER

MARK: Final = ".dsi-lab"
HEADER: Final = "# Written by `dsi lab up`, removed by `dsi lab down`: changes made here are lost.\n"
HTTPS_PORT: Final = 5986
OPERATIONS: Final = ("workstation.join", "mailbox.create", "account.disable", "licence.assign", "licence.remove")
"""The operations that change something: each may be asked for by the technician and approved by the two others."""

OF_DOMAIN: Final = ("dsi_accounts", "dsi_m365")
"""What a lab of routers alone says nothing of; the directory must be described in every inventory."""


def write(
    layout: Layout,
    machines: Sequence[Machine],
    passwords: Passwords,
    *,
    servers: bool = False,
    application: bool = False,
    routers: int = 0,
    domain: bool = True,
) -> None:
    """Write the lab's inventory.

    Args:
        layout: the lab's.
        machines: its workstations.
        passwords: its passwords, named by the files they are in.
        servers, application: whether it has them.
        routers: how many it has.
        domain: whether it has a directory, workstations and tenant.

    Raises:
        UsageError: something that is not the lab's is in its place.
    """
    folder = layout.inventory_dir
    if folder.exists() and any(folder.iterdir()) and not is_ours(layout):
        raise UsageError(
            T("{folder} is not empty and is not this lab's.", folder=str(folder)),
            next_step=T("Move it away: the lab writes its inventory there."),
        )
    (folder / "group_vars").mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(f"{layout.root}\n")
    hosts, everywhere, policy = _hosts(machines), _everywhere(layout, passwords), _policy()
    if domain:
        _dump(folder / "group_vars" / "workstations.yml", _workstations(layout))
    else:
        everywhere = {key: value for key, value in everywhere.items() if key not in OF_DOMAIN}
        for account in (READER, JOINER, ACCOUNTS, LOCAL_ADMINISTRATOR):
            # The domain has them too, when the lab gets it later.
            passwords.get(account)
    planned: dict[str, Any] = {}
    if servers:
        _add_backups(layout, passwords, hosts, everywhere)
        planned |= backup_plan.schedules()
        if application:
            _add_application(layout, passwords, hosts, everywhere)
            planned |= application_plan.schedules()
    if routers:
        topology = Topology(layout, routers)
        _add_network(topology, hosts, everywhere)
        planned |= network_plan.schedules(topology)
    if planned:
        schedules = {"version": 1, "time_zone": "Africa/Abidjan", "schedules": planned}
        _dump(folder / "schedules.yml", schedules)
    policy["operations"] |= backup_plan.policy() | application_plan.policy() | network_plan.policy()
    _dump(folder / "hosts.yml", hosts)
    _dump(folder / "group_vars" / "all.yml", everywhere)
    _dump(folder / "people.yml", _people(layout))
    _dump(folder / "approval_policy.yml", policy)
    _dump(folder / "dsi.yml", {"state_dir": str(layout.state_dir)})


def _add_backups(layout: Layout, passwords: Passwords, hosts: dict[str, Any], everywhere: dict[str, Any]) -> None:
    hosts["all"]["children"]["servers"] = backup_plan.hosts(layout)
    everywhere |= backup_plan.variables(layout, Facilities(layout, SystemClock()), passwords)


def _add_application(layout: Layout, passwords: Passwords, hosts: dict[str, Any], everywhere: dict[str, Any]) -> None:
    hosts["all"]["children"]["application_servers"] = application_plan.hosts(layout)
    everywhere |= application_plan.variables(layout, Facilities(layout, SystemClock()), passwords)
    everywhere["dsi_credentials"] |= application_plan.credentials(passwords)


def _add_network(topology: Topology, hosts: dict[str, Any], everywhere: dict[str, Any]) -> None:
    hosts["all"]["children"]["routers"] = network_plan.routers(topology)
    hosts["all"]["children"]["probes"] = network_plan.probes(topology)
    everywhere |= network_plan.variables(topology)
    known = everywhere["dsi_sites"]
    known |= {code: _site(code, name) for code, name in network_plan.sites(topology).items() if code not in known}


def is_ours(layout: Layout) -> bool:
    """Tell whether the inventory folder was written by this lab."""
    try:
        return (layout.inventory_dir / MARK).read_text().strip() == str(layout.root)
    except OSError:
        return False


def remove(layout: Layout) -> bool:
    """Remove the generated inventory, if it is this lab's.

    Returns:
        Whether it was there.
    """
    if not is_ours(layout):
        return False
    shutil.rmtree(layout.inventory_dir)
    parent = layout.inventory_dir.parent
    if parent.name == "inventories" and not any(parent.iterdir()):
        parent.rmdir()
    return True


def _dump(path: Path, content: object) -> None:
    import yaml

    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)
    path.write_text(HEADER + text, encoding="utf-8")


def _hosts(machines: Sequence[Machine]) -> dict[str, Any]:
    children: dict[str, Any] = {}
    for site in SITES:
        hosts = {machine.key: _host(machine) for machine in machines if machine.site == site.code}
        children[site.code.lower()] = {"hosts": hosts, "vars": {"dsi_site": site.code}}
    return {"all": {"children": {"workstations": {"children": children}}}}


def _host(machine: Machine) -> dict[str, Any]:
    variables: dict[str, Any] = {"ansible_host": machine.spec.address}
    # A machine of the fleet has no keys: no ticket would open it.
    if machine.spec.joined is not None and machine.spec.joined.keytab is not None:
        variables["ansible_winrm_kerberos_hostname_override"] = machine.host_name
    return variables


def _workstations(layout: Layout) -> dict[str, Any]:
    return {
        "ansible_connection": "winrm",
        "ansible_port": HTTPS_PORT,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_server_cert_validation": "validate",
        "ansible_winrm_ca_trust_path": str(layout.ca_file),
        "ansible_winrm_operation_timeout_sec": 20,
        "ansible_winrm_read_timeout_sec": 30,
        "ansible_winrm_connection_timeout": 5,
        "dsi_credential": "local_administrator",
    }


def _everywhere(layout: Layout, passwords: Passwords) -> dict[str, Any]:
    def credential(user: str, account: str) -> dict[str, Any]:
        return {"user": user, "password": {"file": str(passwords.file(account))}}

    return {
        "dsi_environment": "training",
        "dsi_directory": {
            "domain": DOMAIN,
            "netbios": NETBIOS,
            "server": DC_NAME,
            "address": layout.dc_address,
            "ca_file": str(layout.ca_file),
            "read_credential": "directory_read",
            "join_credential": "directory_join",
        },
        "dsi_sites": {site.code: _site(site.code, site.name) for site in SITES},
        "dsi_workstation": {
            "minimum_windows": "10.0",
            "minimum_ram_gib": 4,
            "reboot_timeout_seconds": 120,
            "settle_seconds": 3,
        },
        "dsi_accounts": _accounts(),
        "dsi_m365": _tenant(layout),
        "dsi_credentials": {
            "directory_read": credential(f"{READER}@{DOMAIN}", READER),
            "directory_join": credential(f"{JOINER}@{DOMAIN}", JOINER),
            "directory_accounts": credential(f"{ACCOUNTS}@{DOMAIN}", ACCOUNTS),
            "local_administrator": credential(LOCAL_ADMINISTRATOR, LOCAL_ADMINISTRATOR),
        },
    }


def _site(code: str, name: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "workstation_ou": workstation_ou(code),
        "user_ou": users_ou(code),
        "naming": {"template": f"{code}-PC-{{number:04}}"},
    }


def _accounts() -> dict[str, Any]:
    return {
        "environment": "training",
        "domain": MAIL_DOMAIN,
        "write_credential": "directory_accounts",
        "licence": "bureau",
        "licences": {"bureau": "STANDARDPACK", "guichet": "DESKLESSPACK", "cadre": "ENTERPRISEPACK"},
        "departments": {"Informatique": "ABJ", "Recettes": "SPY"},
        "leavers_ou": LEAVERS_OU,
        "service_ous": [SERVICES_OU],
        "leaver_licence": "free",
        "help_desk": {"name": "Hotline DSI", "phone": "+225 27 20 25 15 15", "mail": HELP_DESK},
    }


def _tenant(layout: Layout) -> dict[str, Any]:
    from dsi_automation.lab.graph.settings import CLIENT_ID, SYNC_JOB, SYNC_PRINCIPAL, SYNC_RULE, TENANT_ID

    return {
        "tenant_id": TENANT_ID,
        "client_id": CLIENT_ID,
        "certificate": str(layout.app_certificate),
        "base_url": f"https://{layout.tenant_address}/v1.0",
        "authority": f"https://{layout.tenant_address}",
        "ca_file": str(layout.ca_file),
        "sender": SENDER,
        "sync_job": {"service_principal": SYNC_PRINCIPAL, "job": SYNC_JOB, "rule": SYNC_RULE},
        "sync_deadline": "60s",
        "ready_deadline": "60s",
        "poll": "1s",
    }


def _people(layout: Layout) -> dict[str, Any]:
    return {
        "version": 1,
        "roles": ROLES,
        "people": [
            {
                "id": person.id,
                "name": person.name,
                "staff_number": person.staff_number,
                "roles": [person.role],
                "mail": person.mail,
                "logins": [f"{NETBIOS}\\{person.id.replace('.', '')}", f"{person.id}@{DOMAIN}"],
                "keys": [{"key": public_key(layout.key_dir, person)}],
            }
            for person in PERSONS
        ],
    }


def _policy() -> dict[str, Any]:
    rule = {
        "requesters": ["technician"],
        "approvers": ["section_head", "director"],
        "approvals": 1,
        "valid_for": "7d",
        "standing": {"allowed": True, "longest": "30d"},
        "emergency": {
            "roles": ["technician"],
            "ratifiers": ["section_head", "director"],
            "ratify_within": "24h",
        },
    }
    return {"version": 1, "operations": {operation: {"training": rule} for operation in OPERATIONS}}
