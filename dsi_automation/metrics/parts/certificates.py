"""Certificates of the inventory: until when each is good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.inventory.backup_model import PostgresBackup
from dsi_automation.metrics.spec import Part, Sheet, gauge

if TYPE_CHECKING:
    from dsi_automation.inventory.load import Inventory
    from dsi_automation.metrics.view import View

NOT_AFTER = gauge("dsi_certificate_not_after_timestamp_seconds", "When a certificate's time is over.", "name")
READABLE = gauge("dsi_certificate_readable", "1 when the certificate's file could be read.", "name")


def fill(view: View, sheet: Sheet) -> None:
    """Write the end of each certificate that the inventory names; of several in one file, the first to end."""
    inventory = view.inventory()
    for name, path in named(inventory):
        try:
            end = ends(path)
        except (OSError, ValueError):
            sheet.put(READABLE, 0, name)
            continue
        sheet.put(READABLE, 1, name)
        sheet.put(NOT_AFTER, end, name)


def named(inventory: Inventory) -> Iterator[tuple[str, Path]]:
    """Yield the files of certificates, by what names them in the inventory: no path is a label."""
    if inventory.has("dsi_directory") and inventory.directory.ca_file is not None:
        yield "dsi_directory", Path(inventory.directory.ca_file)
    if inventory.has("dsi_m365"):
        tenant = inventory.tenant
        for field, file in (("certificate", tenant.certificate), ("ca_file", tenant.ca_file)):
            if file is not None:
                yield f"dsi_m365.{field}", Path(file)
    if inventory.mail is not None and inventory.mail.ca_file is not None:
        yield "dsi_mail", Path(inventory.mail.ca_file)
    for name, job in inventory.backup_plan.backups.items():
        if isinstance(job, PostgresBackup) and job.ca_file is not None:
            yield f"dsi_backups.{name}", Path(job.ca_file)
    yield from _of_hosts(inventory)


def _of_hosts(inventory: Inventory) -> Iterator[tuple[str, Path]]:
    files: dict[str, str] = {}
    for target in inventory.targets(inventory.select(["all"])):
        if target.windows is not None:
            for path in (target.windows.ca_file, target.windows.certificate):
                if path is not None:
                    files.setdefault(path, f"winrm.{Path(path).stem}")
    taken: dict[str, int] = {}
    for path, name in files.items():
        number = taken[name] = taken.get(name, 0) + 1
        yield name if number == 1 else f"{name}.{number}", Path(path)


def ends(path: Path) -> datetime:
    """Return when the first of a file's certificates ends.

    Raises:
        OSError: the file cannot be read. ValueError: it holds no certificate.
    """
    from cryptography import x509

    return min(found.not_valid_after_utc for found in x509.load_pem_x509_certificates(path.read_bytes()))


PART = Part("certificates", (NOT_AFTER, READABLE), fill)
