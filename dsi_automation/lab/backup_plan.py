"""The backup plan of the lab's inventory: what is backed up, where to, what proves it, on which media, and when."""

from __future__ import annotations

from typing import Any, Final

from dsi_automation.lab import oracle_server, tape
from dsi_automation.lab.accounts import Passwords
from dsi_automation.lab.database import BACKUP_ROLE, DATABASE, DECLARATIONS, RESTORE_ROLE, programs
from dsi_automation.lab.disks import DISKS, Disks, uuid_of
from dsi_automation.lab.facilities import Facilities
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.server_data import DATA
from dsi_automation.lab.servers import CONTROLLER, REPOSITORIES

OPERATIONS: Final = ("server.backup", "database.backup", "backup.verify", "backup.externalise")
"""The operations of the validated plan: the schedules run them, under standing approvals that people signed."""
RESTORE: Final = "backup.restore"
LONGEST_STANDING: Final = "92d"
REPORT_TO: Final = ("y.traore", "a.bamba")
KEEPERS: Final = ("m.kouadio", "y.traore", "a.bamba")
PLACES: Final = ("Coffre BNI Plateau", "Armoire ignifugée San-Pédro")
RETRY: Final = {"tries": 3, "wait": "1s", "factor": 1, "longest": "1s"}


def hosts(layout: Layout) -> dict[str, Any]:
    """Return the group of the servers."""
    addresses = layout.server_addresses
    return {
        "hosts": {name: {"ansible_host": addresses[name]} for name in ("srv1", "db1", "ora1")},
        "vars": {
            "ansible_connection": "ssh",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(layout.ssh_dir / CONTROLLER),
            # For ansible's own ssh; the toolkit reads the file directly.
            "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={layout.ssh_dir / 'known_hosts'} "
            "-o StrictHostKeyChecking=yes",
            "dsi_ssh_known_hosts": str(layout.ssh_dir / "known_hosts"),
            "dsi_site": "ABJ",
        },
    }


def variables(layout: Layout, facilities: Facilities, passwords: Passwords) -> dict[str, Any]:
    """Return what the inventory says to all hosts about backups."""
    return {
        "dsi_repositories": {name: _repository(layout, facilities, passwords, name) for name in REPOSITORIES},
        "dsi_backups": {
            "srv1": _srv1(layout),
            "sydam": _sydam(layout, facilities, passwords),
            "sydam-oracle": _oracle(layout),
        },
        "dsi_backup": {
            "scratch_dir": str(layout.scratch_dir),
            "report_to": list(REPORT_TO),
            "courier_limit": "24h",
        },
        "dsi_media": _media(layout, facilities.disks, passwords),
        "dsi_mail": {
            "server": facilities.mail.address,
            "port": 25,
            "security": "none",
            "sender": "sauvegardes@douanes.lab",
            "prefix": "[DSI lab]",
            "timeout_seconds": 10,
        },
    }


def schedules() -> dict[str, Any]:
    """Return the schedules of the backups, by name."""
    return {
        "srv1-nuit": {
            "title": "Fichiers de srv1, chaque nuit",
            "backup": "srv1",
            "cron": "30 22 * * *",
            "jitter": "5m",
            "too_late_after": "6h",
        },
        "sydam-nuit": {
            "title": "Base SYDAM, chaque nuit",
            "backup": "sydam",
            "cron": "0 23 * * *",
            "too_late_after": "6h",
        },
    }


def policy() -> dict[str, Any]:
    """Return the rules of approval: who runs the plan's operations, and who brings something back."""
    emergency = {
        "roles": ["technician"],
        "ratifiers": ["section_head", "director"],
        "ratify_within": "24h",
    }
    rule = {
        "requesters": ["technician", CONTROLLER],
        "approvers": ["section_head", "director"],
        "approvals": 1,
        "valid_for": "7d",
        "standing": {"allowed": True, "longest": LONGEST_STANDING},
        "emergency": emergency,
    }
    restore = {**rule, "requesters": ["technician"]}
    del restore["standing"]
    return {operation: {"training": dict(rule)} for operation in OPERATIONS} | {RESTORE: {"training": restore}}


def secret(passwords: Passwords, name: str) -> dict[str, str]:
    """Return where one of the lab's passwords is; it is made when there is none."""
    passwords.get(name)
    return {"file": str(passwords.file(name))}


def _repository(layout: Layout, facilities: Facilities, passwords: Passwords, name: str) -> dict[str, Any]:
    return {
        "url": f"sftp:root@{layout.server_addresses['store']}:/{name}",
        # The controller reads the storage itself: the proof does not go the way of the write.
        "read_url": str(layout.store_dir / name),
        "password": secret(passwords, f"depot-{name}"),
        "sftp_command": facilities.servers.sftp_command,
    }


def _srv1(layout: Layout) -> dict[str, Any]:
    root = layout.server_dir / "srv1"
    application = root / DATA / "application"
    return {
        "kind": "files",
        "title": "Serveur de fichiers et application de srv1",
        "environment": "training",
        "repository": "serveurs",
        "host": "srv1",
        "paths": [str(root / DATA), str(root / "etc")],
        "exclude": ["*.tmp", "*.new"],
        "before": str(application / "avant-sauvegarde"),
        "after": str(application / "apres-sauvegarde"),
        "minimum_files": 100,
        "retry": RETRY,
        "media": "externe",
    }


def _sydam(layout: Layout, facilities: Facilities, passwords: Passwords) -> dict[str, Any]:
    return {
        "kind": "postgresql",
        "title": "Base de données SYDAM",
        "environment": "training",
        "repository": "bases",
        "server": facilities.database.address,
        "user": BACKUP_ROLE,
        "password": secret(passwords, BACKUP_ROLE),
        "restore_user": RESTORE_ROLE,
        "restore_password": secret(passwords, RESTORE_ROLE),
        "ca_file": str(layout.ca_file),
        "bin_dir": str(programs()),
        "stage_dir": str(layout.scratch_dir / "stage-sydam"),
        "wal_archive": str(facilities.database.archive),
        "archive_timeout": "60s",
        "databases": [DATABASE],
        "count_tables": {DATABASE: ["public.declarations", "public.articles", "public.taxes", "public.journal"]},
        "checks": [
            {
                "title": "Les déclarations sont là",
                "database": DATABASE,
                "query": "SELECT count(*) FROM declarations",
                "minimum": DECLARATIONS,
            },
            {
                "title": "Chaque article a ses taxes",
                "database": DATABASE,
                "query": "SELECT count(*) FROM articles a WHERE NOT EXISTS"
                " (SELECT FROM taxes t WHERE t.declaration = a.declaration AND t.rang = a.rang)",
                "equals": "0",
            },
        ],
        "retry": RETRY,
        "media": "externe",
    }


def _oracle(layout: Layout) -> dict[str, Any]:
    return {
        "kind": "oracle",
        "title": "Base Oracle SYDAM (RMAN simulé)",
        "environment": "training",
        "repository": "bases",
        "host": "ora1",
        **oracle_server.settings(layout.server_dir / "ora1"),
        "retry": RETRY,
        "media": "bandes",
    }


def _media(layout: Layout, found: Disks, passwords: Passwords) -> dict[str, Any]:
    disks = {
        name: {"kind": found.kind(name), "title": name.upper(), "uuid": uuid_of(layout, name), "label": name.upper()}
        for name in DISKS
    }
    rotation = {"keepers": list(KEEPERS), "places": list(PLACES), "keep": "28d", "copies": 10}
    bande = {
        "kind": "tape",
        "title": tape.NAME.upper(),
        "serial": tape.SERIAL,
        "device": str(tape.device(layout)),
        "capacity_gib": tape.CAPACITY_GIB,
    }
    return {
        "media": {**disks, tape.NAME: bande},
        "rotations": {
            "bandes": {
                "title": "Bandes mensuelles",
                "media": [tape.NAME],
                "password": secret(passwords, "supports-bandes"),
                **rotation,
            },
            "externe": {
                "title": "Disques externes hebdomadaires",
                "media": list(disks),
                "password": secret(passwords, "supports-externe"),
                "mount_point": str(layout.disk_mount),
                **rotation,
            },
        },
    }
