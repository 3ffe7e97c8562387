"""One try: pieces made by RMAN in a folder of ours, and everything that must agree before they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError, TransientError
from dsi_automation.connectors.backups.oracle import failures, script, verdict
from dsi_automation.connectors.backups.oracle.host import OracleHost
from dsi_automation.connectors.backups.oracle.sql import Instance, Outcome
from dsi_automation.connectors.backups.oracle.verdict import Evidence
from dsi_automation.connectors.backups.port import Progress
from dsi_automation.connectors.backups.settings import OracleSettings
from dsi_automation.core.canonical import digest
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text

LOGS: Final = "dsi"
"""Folder beside the pieces for RMAN's command files and logs; it goes into the set with them."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a try that counts has left on the host.

    Attributes:
        folder: holds the pieces and nothing else but RMAN's command files and logs.
        autobackup: file name of the autobackup of control file and spfile.
        checks: all that agreed.
        phases: seconds: `rman`, `validate`.
    """

    tag: str
    level: int
    folder: str
    autobackup: str
    instance: Instance
    outcome: Outcome
    checks: tuple[Check, ...]
    phases: dict[str, float]


def make(
    host: OracleHost,
    target: str,
    settings: OracleSettings,
    clock: Clock,
    *,
    base: Mapping[int, int] | None,
    from_scn: int | None,
    timeout: timedelta,
    progress: Progress,
) -> Pieces:
    """Have RMAN make one backup, prove it where it lies, and hold everything against everything.

    Args:
        base: change number of each data file in the level 0 of our record that a level 1 is to stand on; None for
            a level 0. RMAN goes by the last level 0 it knows, whoever made it: that it was ours is looked at.
        from_scn: see `script.backup`.

    Raises:
        TransientError: worth another try. BackupFailedError, DamagedBackupError, WrongKeyError: not worth one.
    """
    discard_leftovers(host, target, settings, timeout)
    instance = host.instance()
    hindrances = problems(instance, settings)
    if hindrances:
        passing = instance.status != "OPEN" and len(hindrances) == 1
        raise (TransientError if passing else BackupFailedError)(
            hindrances[0], on=target, next_step=T("Tell the database administrator; nothing was written.")
        )
    tag = script.new_tag(clock.now())
    folder = f"{home(target, settings)}/{tag}"
    host.make(f"{folder}/{LOGS}")
    progress(T("RMAN is backing up the database."), None, None)
    began = clock.monotonic()
    level = 0 if base is None else 1
    commands = script.backup(settings, folder, tag, level, from_scn)
    done = host.rman(f"{folder}/{LOGS}", "backup", commands, timeout.total_seconds())
    made = clock.monotonic()
    _raise_early(done, target)
    outcome = host.outcome(tag)
    keys = sorted({piece.set_key for piece in outcome.pieces})
    proof = None
    if keys:
        progress(T("RMAN is validating what it wrote."), None, None)
        # A level 1 stands on another set and may have read but the blocks that changed.
        commands = script.prove(tag, keys, whole=level == 0, source=level == 1)
        proof = host.rman(f"{folder}/{LOGS}", "prove", commands, timeout.total_seconds())
        outcome = host.outcome(tag)
    sizes = host.sizes(folder)
    found = Evidence(target, settings.dbid, settings.database, instance, done, outcome, sizes, proof, base)
    failed = verdict.failure(found)
    if failed is not None:
        raise failed
    auto = next(p.handle for p in outcome.pieces if f"/c-{settings.dbid}-" in p.handle).rpartition("/")[2]
    phases = {"rman": made - began, "validate": clock.monotonic() - made}
    return Pieces(tag, level, folder, auto, instance, outcome, verdict.checks(found), phases)


def discard_leftovers(host: OracleHost, target: str, settings: OracleSettings, timeout: timedelta) -> None:
    """Remove what an earlier try left behind, also from RMAN's records; only folders whose names are tags of ours."""
    place = home(target, settings)
    for name in host.names(place):
        if not script.is_tag(name):
            continue
        try:
            host.make(f"{place}/{name}/{LOGS}")
            host.rman(f"{place}/{name}/{LOGS}", "discard", script.discard(name), timeout.total_seconds())
        except DsiError:
            # RMAN's records stay; they are found out by its own crosscheck. What fills the disk must go all the same.
            host.remove(f"{place}/{name}")
            continue
        host.remove(f"{place}/{name}")


def home(target: str, settings: OracleSettings) -> str:
    """Return the folder on the host that is ours alone: one for each backup of the plan."""
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in target)[:40]
    return f"{settings.stage_dir.rstrip('/')}/dsi-{safe}-{digest(target)[:6]}"


def problems(instance: Instance, settings: OracleSettings) -> Sequence[Text]:
    """Return why the database cannot be backed up as it is."""
    found: list[Text] = []
    if (instance.dbid, instance.name.upper()) != (settings.dbid, settings.database.upper()):
        found.append(
            T(
                "The host answers as database {name} (DBID {dbid}), the plan says {wanted} (DBID {expected}).",
                name=instance.name, dbid=str(instance.dbid), wanted=settings.database, expected=str(settings.dbid),
            )
        )  # fmt: skip
    if instance.status != "OPEN":
        found.append(T("The Oracle instance is not open: {status}.", status=instance.status))
    if instance.log_mode != "ARCHIVELOG":
        found.append(T("The Oracle database is in NOARCHIVELOG mode: it cannot be backed up while it is open."))
    return found


def warnings(instance: Instance) -> Sequence[Text]:
    """Return what about the database is worth telling."""
    found: list[Text] = []
    if instance.corrupt:
        found.append(T("The Oracle database knows of {count} corrupt places in its files.", count=instance.corrupt))
    for limit, used, reclaimable in instance.areas:
        share = 100 * (used - reclaimable) // limit if limit else 0
        if share >= _AREA_FULL:
            found.append(T("The fast recovery area of the Oracle database is {share} % full.", share=share))
    return found


_AREA_FULL: Final = 85
"""Percent; Oracle itself warns at 85 % and complains at 97 % (Backup and Recovery User's Guide)."""


def _raise_early(done: verdict.Step, target: str) -> None:
    # Without an end there may be an RMAN still at work, and what the records say of it means nothing.
    if not done.log.complete and not done.log.stacks:
        raise failures.not_english(target) if done.log.foreign else failures.cut_off(target)
    if done.status != 0 and (error := failures.of_log(done.log, target)) is not None:
        raise error
