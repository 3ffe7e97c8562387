"""What the lab's servers, database, mail server and disks are at this moment."""

from __future__ import annotations

from typing import Any

from dsi_automation.core.text import T
from dsi_automation.lab import oracle_server
from dsi_automation.lab.database import BACKUP_ROLE, DATABASE, PORT
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.servers import CONTROLLER
from dsi_automation.lab.tomcat import PORT as APPLICATION_PORT


def server_status(lab: Lab) -> dict[str, Any]:
    """Return the servers as data: what each is, where it is, how it is reached and what it holds."""
    layout, parts = lab.layout, lab.facilities
    addresses, disks = layout.server_addresses, parts.disks
    folder = layout.server_dir
    servers = [
        ("srv1", 22, T("files and an application, over SSH"), str(folder / "srv1")),
        ("store", 22, T("the repositories of the backups, SFTP only"), str(layout.store_dir)),
        ("db1", PORT, T("PostgreSQL, database {name}", name=DATABASE), str(parts.database.data)),
        ("mail", 25, T("takes every mail and keeps it"), str(layout.mail_dir / "new")),
        ("ora1", 22, T("a stand-in for RMAN, over SSH"), str(folder / "ora1")),
    ]
    if lab.has_application:
        servers += [
            (server.name, APPLICATION_PORT, T("SYDAM World, database {name}", name=server.database), str(server.folder))
            for server in parts.application.servers
        ]
    return {
        "servers": [
            {"name": name, "address": addresses[name], "port": port, "purpose": str(purpose), "folder": where}
            for name, port, purpose, where in servers
        ],
        "ssh": {"key": str(layout.ssh_dir / CONTROLLER), "known_hosts": str(parts.servers.known_hosts)},
        "database": {
            "name": DATABASE,
            "user": BACKUP_ROLE,
            "password_file": str(lab.passwords.file(BACKUP_ROLE)),
            "archive": str(parts.database.archive),
        },
        "mail": {"behaviour": str(parts.mail.behaviour), "mails": len(parts.mail.files())},
        "application": application_status(lab) if lab.has_application else None,
        "oracle": {"scenario": oracle_server.scenario(folder / "ora1")},
        "disks": [
            {
                "name": disk.name,
                "uuid": disk.uuid,
                "file": str(disk.path),
                "device": disk.device,
                "inserted": disk.inserted,
                "folder": disk.folder,
            }
            for disk in disks.all()
        ],
        "mount_point": str(layout.disk_mount),
    }


def application_status(lab: Lab) -> list[dict[str, Any]]:
    """Return each application server as data: where it is, what runs on it and what is wrong on purpose."""
    return [
        {
            "name": server.name,
            "url": server.url,
            "database": server.database,
            "pids": server.pids(),
            "listens": server.listens(),
            "version": server.version(),
            "release": server.release,
            "faults": {str(fault): seconds for fault, seconds in server.faults.items()},
            "resident_bytes": server.resident_bytes(),
            "log": str(server.log),
        }
        for server in lab.facilities.application.servers
    ]


def server_examples(lab: Lab) -> dict[str, str]:
    """Return commands to paste that look at the servers without the toolkit, by what they show."""
    layout, addresses = lab.layout, lab.layout.server_addresses
    found = {
        "ssh": f"ssh -F none -i {layout.ssh_dir / CONTROLLER} -o UserKnownHostsFile={layout.ssh_dir / 'known_hosts'} "
        f"root@{addresses['srv1']}",
        "sql": f"PGPASSWORD=$(cat {lab.passwords.file(BACKUP_ROLE)}) psql 'host={addresses['db1']} user={BACKUP_ROLE} "
        f"dbname={DATABASE} sslmode=verify-full sslrootcert={layout.ca_file}'",
    }
    if lab.has_application:
        found["application"] = f"curl --silent --show-error {lab.facilities.application.server('app1').url}/version"
    return found
