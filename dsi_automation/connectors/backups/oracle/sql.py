"""What the database is asked through SQL*Plus, and its answers, parsed strictly: pure, no I/O.

Every answer stands between two marks of this question and begins with a name of ours; any other line, a wrong number
of values or a missing end mark is no answer. Views: Oracle Database Reference (V$RMAN_BACKUP_JOB_DETAILS,
V$BACKUP_PIECE_DETAILS, V$BACKUP_SET_DETAILS, V$BACKUP_ARCHIVELOG_DETAILS, V$DATABASE_BLOCK_CORRUPTION).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dsi_automation.connectors.backups.oracle.script import is_tag

ARGUMENTS: Final = ("-S", "-L", "/ as sysdba")

_SETUP: Final = (
    "SET PAGESIZE 0 FEEDBACK OFF HEADING OFF VERIFY OFF ECHO OFF TERMOUT ON DEFINE OFF TAB OFF",
    "SET LINESIZE 32767 TRIMOUT ON WRAP ON",
    "WHENEVER OSERROR EXIT 4",
    "WHENEVER SQLERROR EXIT 3",
)
_MOMENT: Final = "'YYYY-MM-DD\"T\"HH24:MI:SS'"


def _utc(column: str) -> str:
    zoned = f"FROM_TZ(CAST({column} AS TIMESTAMP), TO_CHAR(SYSTIMESTAMP, 'TZH:TZM'))"
    return f"TO_CHAR(SYS_EXTRACT_UTC({zoned}), {_MOMENT})"


_LOOK: Final = {
    "instance": (
        "i.STATUS||'|'||i.VERSION||'|'||d.DBID||'|'||d.LOG_MODE||'|'||d.OPEN_MODE||'|'||d.NAME",
        "V$INSTANCE i CROSS JOIN V$DATABASE d",
    ),
    "clock": (f"TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), {_MOMENT})", "DUAL"),
    "area": ("SPACE_LIMIT||'|'||SPACE_USED||'|'||SPACE_RECLAIMABLE", "V$RECOVERY_FILE_DEST"),
    "corruption": ("COUNT(*)", "V$DATABASE_BLOCK_CORRUPTION"),
}
_OF_SESSION: Final = "SESSION_KEY IN (SELECT SESSION_KEY FROM V$RMAN_BACKUP_JOB_DETAILS WHERE COMMAND_ID = '{tag}')"
_OUTCOME: Final = {
    "job": (
        "SESSION_KEY||'|'||STATUS||'|'||INPUT_BYTES||'|'||OUTPUT_BYTES",
        "V$RMAN_BACKUP_JOB_DETAILS WHERE COMMAND_ID = '{tag}'",
    ),
    "piece": (
        "BS_KEY||'|'||STATUS||'|'||BYTES||'|'||NVL(TAG, '-')||'|'||HANDLE",
        f"V$BACKUP_PIECE_DETAILS WHERE {_OF_SESSION}",
    ),
    "set": ("BS_KEY||'|'||BACKUP_TYPE||'|'||CONTROLFILE_INCLUDED", f"V$BACKUP_SET_DETAILS WHERE {_OF_SESSION}"),
    "spfile": ("BS_KEY", f"V$BACKUP_SPFILE_DETAILS WHERE {_OF_SESSION}"),
    "uncovered": (
        "FILE#||'|'||NAME",
        f"V$DATAFILE WHERE FILE# NOT IN (SELECT FILE# FROM V$BACKUP_DATAFILE_DETAILS WHERE {_OF_SESSION})",  # noqa: S608  # names of ours; the tag's form is checked
    ),
    "file": (
        "FILE#||'|'||NVL(INCREMENTAL_CHANGE#, 0)||'|'||CHECKPOINT_CHANGE#",
        f"V$BACKUP_DATAFILE_DETAILS WHERE FILE# > 0 AND {_OF_SESSION}",
    ),
    "log": (
        "||'|'||".join(
            ("THREAD#", "SEQUENCE#", "FIRST_CHANGE#", "NEXT_CHANGE#", _utc("FIRST_TIME"), _utc("NEXT_TIME"))
        ),
        f"V$BACKUP_ARCHIVELOG_DETAILS WHERE {_OF_SESSION}",
    ),
    "corruption": _LOOK["corruption"],
}
_LINE: Final = re.compile(r"DSI:([a-z]+):(.*)")
_WIDTH: Final = {
    "instance": 6,
    "clock": 1,
    "area": 3,
    "corruption": 1,
    "job": 4,
    "piece": 5,
    "set": 3,
    "spfile": 1,
    "uncovered": 2,
    "file": 3,
    "log": 6,
}
"""How many values an answer has; the last one may hold the character between them."""


class NoAnswerError(ValueError):
    """What SQL*Plus printed is no answer to what was asked; the message holds the line in doubt."""


@dataclass(frozen=True, slots=True)
class Instance:
    """The database as it is now.

    Attributes:
        areas: limit, used and reclaimable bytes of the fast recovery area, where there is one.
        corrupt: rows of V$DATABASE_BLOCK_CORRUPTION.
    """

    status: str
    version: str
    dbid: int
    name: str
    log_mode: str
    open_mode: str
    at: datetime
    corrupt: int
    areas: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class JobRow:
    """RMAN's own record of a session."""

    key: int
    status: str
    read: int
    written: int


@dataclass(frozen=True, slots=True)
class CataloguedPiece:
    """A piece as the control file records it; status A is available."""

    set_key: int
    status: str
    size: int
    tag: str
    handle: str


@dataclass(frozen=True, slots=True)
class ArchivedLog:
    """An archived log in a backup; moments in UTC."""

    thread: int
    sequence: int
    first_change: int
    next_change: int
    first: datetime
    next: datetime


@dataclass(frozen=True, slots=True)
class BackedUpFile:
    """A data file in a backup.

    Attributes:
        since: change number from which on blocks are in it; 0 for all blocks.
        until: change number up to which it was read.
    """

    number: int
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the control file records of a session.

    Attributes:
        jobs: rows of the session; one when all is well.
        uncovered: data files that are not in the backup.
    """

    jobs: tuple[JobRow, ...]
    pieces: tuple[CataloguedPiece, ...]
    control_file: bool
    spfile: bool
    uncovered: tuple[str, ...]
    logs: tuple[ArchivedLog, ...]
    corrupt: int
    files: tuple[BackedUpFile, ...] = ()


def look_script(mark: str) -> str:
    """Render the question about the database itself."""
    return _script(mark, _LOOK, {})


def outcome_script(mark: str, tag: str) -> str:
    """Render the question about one session of RMAN.

    Raises:
        ValueError: the tag is none of ours.
    """
    if not is_tag(tag):
        raise ValueError(tag)
    return _script(mark, _OUTCOME, {"tag": tag})


def instance(output: str, mark: str) -> Instance:
    """Read the answer about the database.

    Raises:
        NoAnswerError: it is none.
    """
    rows = _rows(output, mark)
    try:
        status, version, dbid, log_mode, open_mode, name = _one(rows, "instance")
        return Instance(
            status,
            version,
            int(dbid),
            name,
            log_mode,
            open_mode,
            _moment(_one(rows, "clock")[0]),
            int(_one(rows, "corruption")[0]),
            tuple((int(limit), int(used), int(freed)) for limit, used, freed in rows.get("area", ())),
        )
    except ValueError as error:
        raise NoAnswerError(str(error)) from error


def outcome(output: str, mark: str) -> Outcome:
    """Read the answer about one session.

    Raises:
        NoAnswerError: it is none.
    """
    rows = _rows(output, mark)
    try:
        return Outcome(
            jobs=tuple(JobRow(int(key), status, int(i), int(o)) for key, status, i, o in rows.get("job", ())),
            pieces=tuple(
                CataloguedPiece(int(key), status, int(size), tag, handle)
                for key, status, size, tag, handle in rows.get("piece", ())
            ),
            control_file=any(row[2] == "YES" for row in rows.get("set", ())),
            spfile=bool(rows.get("spfile")),
            uncovered=tuple(f"{number} {name}" for number, name in rows.get("uncovered", ())),
            logs=tuple(
                ArchivedLog(int(a), int(b), int(c), int(d), _moment(e), _moment(f))
                for a, b, c, d, e, f in rows.get("log", ())
            ),
            corrupt=int(_one(rows, "corruption")[0]),
            files=tuple(BackedUpFile(int(number), int(a), int(b)) for number, a, b in rows.get("file", ())),
        )
    except ValueError as error:
        raise NoAnswerError(str(error)) from error


def _script(mark: str, asked: Mapping[str, tuple[str, str]], values: Mapping[str, str]) -> str:
    selects = [
        f"SELECT DISTINCT 'DSI:{name}:'||{what} FROM {source};"  # noqa: S608  # nothing but constants of this file
        for name, (what, source) in asked.items()
    ]
    text = "\n".join((*_SETUP, f"PROMPT DSI-BEGIN {mark}", *selects, f"PROMPT DSI-END {mark}", "EXIT 0", ""))
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _rows(output: str, mark: str) -> dict[str, list[list[str]]]:
    lines = [line.strip() for line in output.splitlines()]
    begin, end = f"DSI-BEGIN {mark}", f"DSI-END {mark}"
    if lines.count(begin) != 1 or lines.count(end) != 1:
        raise NoAnswerError(next((line for line in lines if "ORA-" in line or "SP2-" in line), "no end mark"))
    rows: dict[str, list[list[str]]] = {}
    for line in lines[lines.index(begin) + 1 : lines.index(end)]:
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None or found[1] not in _WIDTH:
            raise NoAnswerError(line[:200])
        values = found[2].split("|", _WIDTH[found[1]] - 1)
        if len(values) != _WIDTH[found[1]]:
            raise NoAnswerError(line[:200])
        rows.setdefault(found[1], []).append(values)
    return rows


def _one(rows: Mapping[str, Sequence[list[str]]], name: str) -> list[str]:
    found = rows.get(name, ())
    if len(found) != 1:
        raise NoAnswerError(f"{len(found)} × {name}")
    return found[0]


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
