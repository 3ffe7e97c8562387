"""What each trouble is called, what it means and what to do: the error a failed step of RMAN becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dsi_automation.connectors.backups.errors import (
    BackupFailedError,
    DamagedBackupError,
    TransientError,
    WrongKeyError,
)
from dsi_automation.connectors.backups.oracle.codes import Trouble
from dsi_automation.connectors.backups.oracle.log import RmanLog, Stack
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T, Text

_LINES: Final = 12
"""Lines of a stack that an error's detail carries."""

type _Told = tuple[type[DsiError], Text, Text]

_TOLD: Final[dict[Trouble, _Told]] = {
    Trouble.SPACE: (
        TransientError,
        T("The disk for the pieces of the Oracle backup is full."),
        T("Make room in stage_dir of the host; the next try begins from scratch."),
    ),
    Trouble.RECOVERY_AREA: (
        TransientError,
        T("The fast recovery area of the Oracle database is full."),
        T("Have the database administrator make room there or raise db_recovery_file_dest_size: once it is full, "
          "the database stops."),
    ),
    Trouble.CORRUPT: (
        DamagedBackupError,
        T("The Oracle database itself has corrupt blocks."),
        T("Tell the database administrator at once; keep the last verified set, and list the blocks with "
          "V$DATABASE_BLOCK_CORRUPTION."),
    ),
    Trouble.PIECE: (
        DamagedBackupError,
        T("A piece of the Oracle backup is not what RMAN wrote."),
        T("Check the disk of stage_dir on the host, then make another backup."),
    ),
    Trouble.MISSING_LOG: (
        DamagedBackupError,
        T("An archived log of the Oracle database is missing: without it no later moment can be recovered."),
        T("Find out who removed it; then run CROSSCHECK ARCHIVELOG ALL and make a level 0 backup."),
    ),
    Trouble.MISSING: (
        DamagedBackupError,
        T("A file that RMAN needs is not there."),
        T("Look at what removes files on the host (another script, a retention policy), then make another backup."),
    ),
    Trouble.MEDIA_MANAGER: (
        TransientError,
        T("The media manager that RMAN writes through reported an error."),
        T("Look at the log of the media manager; this backup should write to disk only."),
    ),
    Trouble.DISK: (
        BackupFailedError,
        T("RMAN could not write its pieces."),
        T("Check rights, mount and health of the disk of stage_dir on the host."),
    ),
    Trouble.CONNECT: (
        TransientError,
        T("RMAN gets no connection to the Oracle database."),
        T("Check that the instance and its listener are up, and oracle_sid and oracle_home of the plan."),
    ),
    Trouble.ACCESS: (
        BackupFailedError,
        T("The Oracle database refuses RMAN's login."),
        T("The operating-system user of the plan must belong to the group OSBACKUPDBA or OSDBA."),
    ),
    Trouble.MODE: (
        BackupFailedError,
        T("The Oracle database is in NOARCHIVELOG mode: it cannot be backed up while it is open."),
        T("Have the database administrator switch it to ARCHIVELOG mode."),
    ),
    Trouble.KEY: (
        WrongKeyError,
        T("The wallet of the Oracle database is closed, or does not hold the key."),
        T("Have the database administrator open the wallet; without its key no backup can be read."),
    ),
    Trouble.CATALOGUE: (
        BackupFailedError,
        T("RMAN's catalogue does not know the Oracle database, or gave an error."),
        T("Have the database administrator register the database again, or check the catalogue."),
    ),
    Trouble.RECOVERY: (
        DamagedBackupError,
        T("Recovery asks for a log that no backup holds."),
        T("Make a level 0 backup: the chain of logs has a gap."),
    ),
    Trouble.SYNTAX: (
        BackupFailedError,
        T("This RMAN does not understand the commands of the toolkit."),
        T("Compare the version of Oracle with the supported ones; nothing was run."),
    ),
    Trouble.OTHER: (
        BackupFailedError,
        T("RMAN reported an error."),
        T("Read the messages below from the bottom up: the cause stands last."),
    ),
}  # fmt: skip


def of_stack(stack: Stack, on: str) -> DsiError:
    """Return the error a stack of messages means."""
    kind, what, next_step = _TOLD[stack.trouble]
    return kind(
        what,
        on=on,
        meaning=T("RMAN says: {cause}", cause=stack.cause.strip()),
        next_step=next_step,
        detail={"codes": list(stack.codes), "messages": [line.strip() for line in stack.lines[-_LINES:]]},
    )


def of_log(log: RmanLog, on: str) -> DsiError | None:
    """Return the error a log means, None when nothing in it speaks against success.

    A stack that says why comes before one that only says where; without any stack, what was found without one.
    """
    if log.stacks:
        telling = [stack for stack in log.stacks if stack.trouble is not Trouble.OTHER]
        return of_stack((telling or log.stacks)[0], on)
    if log.corrupt:
        return corrupt(on, log.corrupt[:_LINES])
    if log.foreign:
        return not_english(on)
    if log.failover or log.expired or log.nothing_found:
        return DamagedBackupError(
            _TOLD[Trouble.PIECE][1],
            on=on,
            meaning=T("RMAN went to an older backup, or did not find the one it had just made."),
            next_step=_TOLD[Trouble.PIECE][2],
            detail={"expired": log.expired[:_LINES]},
        )
    if log.skipped:
        return BackupFailedError(
            T("RMAN left data files out of the backup."),
            on=on,
            next_step=T("Have the database administrator look at offline files and CONFIGURE EXCLUDE."),
            detail={"messages": log.skipped[:_LINES]},
        )
    if not log.complete:
        return cut_off(on)
    return None


def corrupt(on: str, rows: Sequence[str]) -> DsiError:
    """Return what corrupt blocks mean that were found without any error stack."""
    kind, what, next_step = _TOLD[Trouble.CORRUPT]
    return kind(
        what,
        on=on,
        meaning=T("RMAN found corrupt blocks and still ended as if all were well."),
        next_step=next_step,
        detail={"messages": list(rows)},
    )


def not_english(on: str) -> DsiError:
    """Return what a log in another language means: its codes can be read, its tables and its end cannot."""
    return BackupFailedError(
        T("RMAN's log is not in English, although NLS_LANG was set to AMERICAN."),
        on=on,
        meaning=T("Whether it ended well cannot be read from it, so that the backup does not count."),
        next_step=T("Look for what sets NLS_LANG again on the host: a wrapper around rman, or its login scripts."),
    )


def cut_off(on: str) -> TransientError:
    """Return what a log without an end means."""
    return TransientError(
        T("RMAN was cut off before it came to its end."),
        on=on,
        meaning=T("Its log has no end: it was killed, or the host went down."),
        next_step=T("Look at the host; the next try begins from scratch."),
    )


def syntax(on: str, said: str) -> DsiError:
    """Return what a command file that RMAN refuses means, when it gives no code."""
    kind, what, next_step = _TOLD[Trouble.SYNTAX]
    return kind(what, on=on, next_step=next_step, detail={"said": said[-2000:]})
