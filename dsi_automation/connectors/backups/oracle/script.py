"""The command files RMAN is given: rendered from settings whose every value is checked, so that none is a command.

Syntax: Oracle Database Backup and Recovery Reference (BACKUP, CROSSCHECK, VALIDATE, RESTORE). RMAN's command files
know no way to quote a quote: a value that could end a string or a command is refused, never escaped.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dsi_automation.connectors.backups.settings import OracleSettings
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

ENVIRONMENT: Final = {"NLS_LANG": "AMERICAN_AMERICA.AL32UTF8", "NLS_DATE_FORMAT": "YYYY-MM-DD HH24:MI:SS"}
"""Messages in English and dates without doubt: the words of a log follow the language of its client."""

_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._+-]+/)*[A-Za-z0-9._+-]+")
_SID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")
_DATABASE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_$#]{0,29}")
_TAG: Final = re.compile(r"DSI_[0-9]{8}T[0-9]{6}_[0-9A-F]{6}")
_PROGRAM: Final = re.compile(r"[A-Za-z0-9._+-]+|/(?:[A-Za-z0-9._+-]+/)*[A-Za-z0-9._+-]+")
_CODE: Final = re.compile(r"(?:RMAN|ORA)-[0-9]{5}")
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_LONGEST_FOLDER: Final = 180
"""Characters of stage_dir: a piece's whole name must stay below the 513 of V$BACKUP_PIECE, with room to spare."""


def check(settings: OracleSettings) -> None:
    """Make sure that nothing in the settings can be more than the value it is meant to be.

    Raises:
        UsageError: a value holds characters that it may not hold.
    """
    _need(settings.stage_dir, _PATH, "stage_dir")
    _need(settings.oracle_home, _PATH, "oracle_home")
    _need(settings.oracle_sid, _SID, "oracle_sid")
    _need(settings.database, _DATABASE, "database")
    _need(settings.rman, _PROGRAM, "rman")
    _need(settings.user, _USER, "user")
    for code in settings.warnings:
        _need(code, _CODE, "warnings")
    if len(settings.stage_dir) > _LONGEST_FOLDER:
        raise _refused("stage_dir", settings.stage_dir)


def program(settings: OracleSettings, name: str | None = None) -> str:
    """Return the absolute path of RMAN, or of another program of the same Oracle home."""
    wanted = settings.rman if name is None else name
    return wanted if wanted.startswith("/") else f"{settings.oracle_home}/bin/{wanted}"


def new_tag(now: datetime) -> str:
    """Return a name for one try: also its folder and RMAN's COMMAND ID; at most 30 characters, as RMAN wants tags."""
    return f"DSI_{now:%Y%m%dT%H%M%S}_{secrets.token_hex(3).upper()}"


def is_tag(name: str) -> bool:
    """Tell whether a folder's name is a tag of ours."""
    return _TAG.fullmatch(name) is not None


def backup(settings: OracleSettings, folder: str, tag: str, level: int, from_scn: int | None) -> str:
    """Render the backup: data files, archived logs, control file, server parameter file.

    Args:
        folder: where the pieces go.
        tag: of this try.
        level: 0 for all; 1 for all changes since the last level 0 (cumulative: it needs no other level 1).
        from_scn: archived logs are taken from this change number on; None for all there are. The number comes from
            our record and not from `NOT BACKED UP`: a try that failed may have marked logs whose pieces are gone.
    """
    _need(folder, _PATH, "stage_dir")
    _need(tag, _TAG, "tag")
    channels = [f"c{number}" for number in range(1, settings.channels + 1)]
    logs = "ALL" if from_scn is None else f"FROM SCN {int(from_scn)}"
    cumulative = " CUMULATIVE" if level else ""
    return _lines(
        "RUN {",
        f"  SET COMMAND ID TO '{tag}';",
        f"  SET CONTROLFILE AUTOBACKUP FORMAT FOR DEVICE TYPE DISK TO '{folder}/%F';",
        *(f"  ALLOCATE CHANNEL {name} DEVICE TYPE DISK FORMAT '{folder}/%d_%T_%U.bkp';" for name in channels),
        f"  BACKUP AS COMPRESSED BACKUPSET FORCE CHECK LOGICAL INCREMENTAL LEVEL {int(level)}{cumulative}"
        f" TAG '{tag}' DATABASE;",
        "  SQL 'ALTER SYSTEM ARCHIVE LOG CURRENT';",
        f"  BACKUP AS COMPRESSED BACKUPSET FORCE TAG '{tag}' ARCHIVELOG {logs};",
        f"  BACKUP TAG '{tag}' CURRENT CONTROLFILE;",
        f"  BACKUP TAG '{tag}' SPFILE;",
        *(f"  RELEASE CHANNEL {name};" for name in channels),
        "}",
    )


def prove(tag: str, keys: Sequence[int], *, whole: bool, source: bool) -> str:
    """Render what RMAN can say about a set while its pieces are where it wrote them.

    Args:
        keys: of the backup sets, the autobackup's among them, which has a tag of its own.
        whole: the set needs no other: what RMAN would restore from it is walked through as well.
        source: every block of the database is read: a level 1 may have read but the changed ones.
    """
    _need(tag, _TAG, "tag")
    listed = ", ".join(str(int(key)) for key in keys)
    restores = (
        f"RESTORE DATABASE FROM TAG '{tag}' VALIDATE;",
        f"RESTORE CONTROLFILE FROM TAG '{tag}' VALIDATE;",
        f"RESTORE SPFILE FROM TAG '{tag}' VALIDATE;",
    )
    return _lines(
        f"CROSSCHECK BACKUPSET {listed};",
        f"VALIDATE BACKUPSET {listed} CHECK LOGICAL;",
        *(restores if whole else ()),
        *(("BACKUP VALIDATE CHECK LOGICAL DATABASE;",) if source else ()),
    )


def discard(tag: str) -> str:
    """Render what makes RMAN forget the pieces of a try of ours that came to nothing, and remove them."""
    _need(tag, _TAG, "tag")
    return _lines(f"DELETE FORCE NOPROMPT BACKUP TAG '{tag}';")


def restore(settings: OracleSettings, folder: str, until: datetime | None, autobackup: str) -> str:
    """Render a restore for a person to read and run on an instance of their own; the toolkit never runs it.

    Args:
        folder: where the pieces were put.
        until: the moment to recover to, in the database's time zone; None for the end of the logs.
        autobackup: file name of the autobackup of control file and spfile.
    """
    _need(folder, _PATH, "destination")
    _need(autobackup, _PROGRAM, "autobackup")
    place = folder.rstrip("/")
    moment = None if until is None else f"{until:%Y-%m-%d %H:%M:%S}"
    return _lines(
        "# Run it by hand, with ORACLE_SID of an EMPTY instance, never of the one in production:",
        "#   rman target / cmdfile=restore.rman log=restore.log",
        "# Every SET NEWNAME, and the folders of the spfile, are to be looked at first.",
        f"SET DBID {settings.dbid};",
        "STARTUP FORCE NOMOUNT;",
        f"RESTORE SPFILE FROM '{place}/{autobackup}';",
        "STARTUP FORCE NOMOUNT;",
        f"RESTORE CONTROLFILE FROM '{place}/{autobackup}';",
        "ALTER DATABASE MOUNT;",
        f"CATALOG START WITH '{place}/' NOPROMPT;",
        "RUN {",
        *(() if moment is None else (f"  SET UNTIL TIME \"TO_DATE('{moment}','YYYY-MM-DD HH24:MI:SS')\";",)),
        "  RESTORE DATABASE;",
        "  RECOVER DATABASE;",
        "}",
        "# Only when the log above shows no error: ALTER DATABASE OPEN RESETLOGS;",
    )


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def _need(value: str, form: re.Pattern[str], name: str) -> None:
    if form.fullmatch(value) is None or ".." in value.split("/"):
        raise _refused(name, value)


def _refused(name: str, value: str) -> UsageError:
    return UsageError(T("“{value}” cannot be the {name} of an Oracle backup.", value=value, name=name), next_step=_NEXT)


_NEXT: Final[Text] = T(
    "Use letters, digits, “_”, “-”, “+” and “.” only: the value becomes part of a command that RMAN reads."
)
