"""What `dsi doctor` says of the inventory's backup plan: secrets, folders, programs, hosts, media, who is told."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.inventory.backup_model import AnyJob, BackupPlan, BackupSettings, FilesBackup, PostgresBackup
from dsi_automation.inventory.load import Inventory
from dsi_automation.inventory.model import SecretSource
from dsi_automation.inventory.people import FILE as PEOPLE
from dsi_automation.inventory.people import load_people

BACKUPS: Final = "dsi_backups"
SETTINGS: Final = "dsi_backup"
MEDIA: Final = "dsi_media"
MAIL: Final = "dsi_mail"
LEAST_RESTIC: Final = (0, 14)
"""The oldest restic the engines know how to read."""
PROGRAM_SECONDS: Final = 20.0
"""How long a program may take to say its version."""


def backup_checks(inventory: Inventory) -> Iterator[Check]:
    """Yield what there is to say of the backup plan; nothing where there is none."""
    plan = inventory.backup_plan
    if not plan.backups:
        if plan.repositories:
            observed = T("dsi_repositories describes repositories, and dsi_backups no backup")
            yield _check(BACKUPS, "backups", T("Backup plan"), observed, ok=False, warning=True)
        return
    settings = inventory.backup_settings
    yield _check(BACKUPS, "backups", T("Backup plan"), TN("{n} backup", "{n} backups", len(plan.backups)))
    yield from _repositories(inventory, plan)
    yield from _programs(plan, settings)
    for name, job in plan.backups.items():
        yield from _job(inventory, name, job)
    yield from _scratch(settings)
    yield from _media(inventory, plan)
    yield from _recipients(inventory, settings)


def _repositories(inventory: Inventory, plan: BackupPlan) -> Iterator[Check]:
    for name, repository in plan.repositories.items():
        yield _secret(inventory, "dsi_repositories", name, repository.password)
        place = repository.read_url or repository.url
        title = T("Repository {name}, as the controller reads it", name=name)
        if place.startswith("/"):
            there = Path(place).is_dir()
            observed = (
                T("{place}", place=place)
                if there
                else T("{place} is not there yet: the first backup makes it", place=place)
            )
            yield _check("dsi_repositories", name, title, observed, ok=there, warning=True)
        else:
            yield _check("dsi_repositories", name, title, place)


def _programs(plan: BackupPlan, settings: BackupSettings) -> Iterator[Check]:
    yield _restic(settings.restic)
    for name, job in plan.backups.items():
        if isinstance(job, PostgresBackup):
            for program in ("pg_basebackup", "pg_verifybackup", "pg_ctl", "pg_amcheck"):
                if not shutil.which(str(Path(job.bin_dir) / program)):
                    title = T("Programs of PostgreSQL for {name}", name=name)
                    observed = T("{program} is not in {folder}", program=program, folder=job.bin_dir)
                    yield _check(BACKUPS, f"{name}.bin_dir", title, observed, ok=False)


def _restic(program: str) -> Check:
    title = T("Program {name}", name=program)
    found = shutil.which(program)
    if found is None:
        return _check(SETTINGS, "restic", title, T("not found: install the package restic"), ok=False)
    try:
        said = subprocess.run(
            [found, "version"], capture_output=True, text=True, check=False, timeout=PROGRAM_SECONDS
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return _check(SETTINGS, "restic", title, T("it does not say its version"), ok=False)
    version = re.match(r"restic (\d+)\.(\d+)(\S*)", said)
    if version is None:
        return _check(SETTINGS, "restic", title, T("it does not say its version"), ok=False)
    number = (int(version[1]), int(version[2]))
    if number < LEAST_RESTIC:
        observed = T("{version}: 0.14 at least is needed", version=version[0])
        return _check(SETTINGS, "restic", title, observed, ok=False)
    return _check(SETTINGS, "restic", title, version[0])


def _job(inventory: Inventory, name: str, job: AnyJob) -> Iterator[Check]:
    """Yield whether the machine of a backup is one of the inventory, and its folders of the controller are there."""
    if isinstance(job, PostgresBackup):
        if job.password is not None:
            yield _secret(inventory, BACKUPS, name, job.password)
        for field in ("stage_dir", "wal_archive"):
            folder = getattr(job, field)
            if not Path(folder).is_dir():
                title = T("Folder {field} of {name}", field=field, name=name)
                yield _check(
                    BACKUPS, f"{name}.{field}", title, T("{place} is not there", place=folder), ok=False, warning=True
                )
        return
    title = T("Machine of {name}", name=name)
    try:
        host = inventory.target(job.host)
    except DsiError as error:
        yield _check(BACKUPS, f"{name}.host", title, str(error.what), ok=False)
        return
    reached = host.ssh is not None or (isinstance(job, FilesBackup) and host.windows is not None)
    observed = T("{host}", host=job.host) if reached else T("{host} is not reached over SSH", host=job.host)
    yield _check(BACKUPS, f"{name}.host", title, observed, ok=reached)


def _scratch(settings: BackupSettings) -> Iterator[Check]:
    place = Path(settings.scratch_dir)
    near = next(folder for folder in (place, *place.parents) if folder.is_dir())
    free = shutil.disk_usage(near).free / 2**30
    title = T("Folder for verifications")
    yield _check(
        SETTINGS, "scratch_dir", title, T("{place}: {free:.1f} GiB free", place=settings.scratch_dir, free=free)
    )


def _media(inventory: Inventory, plan: BackupPlan) -> Iterator[Check]:
    used = {job.media for job in plan.backups.values() if job.media is not None}
    people = _mails(inventory)
    for name, rotation in plan.media.rotations.items():
        yield _secret(inventory, MEDIA, name, rotation.password)
        title = T("Rotation {name}", name=name)
        if name not in used:
            yield _check(MEDIA, name, title, T("no backup is carried to it"), ok=False, warning=True)
        unknown = [person for person in rotation.keepers if person not in people]
        if unknown:
            observed = T("people.yml knows no {people}", people=", ".join(unknown))
            yield _check(MEDIA, f"{name}.keepers", title, observed, ok=False)
        elif len(rotation.keepers) == 1:
            observed = T("one keeper alone: whoever hands a medium over may not receive it as well")
            yield _check(MEDIA, f"{name}.keepers", title, observed, ok=False, warning=True)
        if len(rotation.media) == 1:
            observed = T("one medium alone: while it is away, nothing is carried out of the house")
            yield _check(MEDIA, f"{name}.media", title, observed, ok=False, warning=True)


def _recipients(inventory: Inventory, settings: BackupSettings) -> Iterator[Check]:
    title, people = T("Who gets the mail of status"), _mails(inventory)
    if not settings.report_to:
        observed = T("nobody: set report_to in dsi_backup")
        yield _check(SETTINGS, "report_to", title, observed, ok=False, warning=True)
        return
    unknown = [person for person in settings.report_to if person not in people]
    without = [person for person in settings.report_to if person in people and not people[person]]
    if unknown:
        observed = T("people.yml knows no {people}", people=", ".join(unknown))
        yield _check(SETTINGS, "report_to", title, observed, ok=False)
    if without:
        observed = T("no mail address in people.yml: {people}", people=", ".join(without))
        yield _check(SETTINGS, "report_to", title, observed, ok=False)
    if not unknown and not without:
        addresses = [str(people[person]) for person in settings.report_to]
        yield _check(SETTINGS, "report_to", title, ", ".join(addresses))
    mail = inventory.mail
    if mail is None:
        observed = T("missing: reports are kept, and sent to nobody")
        yield _check(MAIL, "server", T("Mail relay"), observed, ok=False, warning=True)
        return
    yield _check(MAIL, "server", T("Mail relay"), T("{server}, as {sender}", server=mail.server, sender=mail.sender))


def _mails(inventory: Inventory) -> Mapping[str, str | None]:
    return {person.id: person.mail for person in load_people(inventory.home / PEOPLE)}


def _secret(inventory: Inventory, target: str, name: str, source: SecretSource) -> Check:
    title = T("Password of {name}", name=name)
    try:
        inventory.secret(source)
    except DsiError as error:
        return _check(target, f"{name}.password", title, str(error), ok=False)
    return _check(target, f"{name}.password", title, T("there"))


def _check(
    target: str, name: str, title: Text, observed: Text | str, *, ok: bool = True, warning: bool = False
) -> Check:
    return Check(target, name, title, "", str(observed), ok=ok, source=target, warning=warning)
