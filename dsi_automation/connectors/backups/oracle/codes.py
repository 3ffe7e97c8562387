"""What RMAN's and Oracle's message codes mean for a backup, and which error each becomes.

Codes: Oracle Database Error Messages Reference; how a stack is read: Backup and Recovery User's Guide, chapter
“Troubleshooting RMAN Operations” (the cause stands last).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final


class Trouble(StrEnum):
    """What kind of thing went wrong."""

    SPACE = "space"
    RECOVERY_AREA = "recovery_area"
    CORRUPT = "corrupt"
    PIECE = "piece"
    MISSING_LOG = "missing_log"
    MISSING = "missing"
    MEDIA_MANAGER = "media_manager"
    DISK = "disk"
    CONNECT = "connect"
    ACCESS = "access"
    MODE = "mode"
    KEY = "key"
    CATALOGUE = "catalogue"
    RECOVERY = "recovery"
    SYNTAX = "syntax"
    OTHER = "other"


WARNINGS: Final = frozenset({
    "RMAN-06908",  # no parallel operation: that needs the Enterprise Edition
    "RMAN-06909",
    "RMAN-07553",  # control_file_record_keep_time will be, or was, raised
    "RMAN-07554",
    "RMAN-08120",  # an archived log was not deleted: somebody still needs it
    "RMAN-08137",
    "RMAN-08138",
    "RMAN-08591",  # the policy for deleting archived logs
})  # fmt: skip
"""Codes that are told but fail nothing."""

DECORATION: Final = frozenset({"RMAN-00571", "RMAN-00569"})
"""The frame around an error stack."""

FAILOVER: Final = "RMAN-05016"
"""RMAN went to an older backup: the one that was asked for is not usable, whatever the end says."""

_MEANING: Final[dict[str, Trouble]] = {
    "ORA-19809": Trouble.RECOVERY_AREA,
    "ORA-19804": Trouble.RECOVERY_AREA,
    "ORA-19566": Trouble.CORRUPT,
    "ORA-01578": Trouble.CORRUPT,
    "ORA-19599": Trouble.PIECE,
    "ORA-19612": Trouble.PIECE,
    "ORA-19587": Trouble.PIECE,
    "ORA-19870": Trouble.PIECE,
    "RMAN-06059": Trouble.MISSING_LOG,
    "ORA-19625": Trouble.MISSING,
    "RMAN-06160": Trouble.MISSING,
    "RMAN-06023": Trouble.MISSING,
    "RMAN-06024": Trouble.MISSING,
    "RMAN-06026": Trouble.MISSING,
    "RMAN-06100": Trouble.MISSING,
    "ORA-19505": Trouble.MISSING,
    "ORA-27037": Trouble.MISSING,
    "ORA-19511": Trouble.MEDIA_MANAGER,
    "ORA-27029": Trouble.MEDIA_MANAGER,
    "ORA-19507": Trouble.MEDIA_MANAGER,
    "ORA-19506": Trouble.MEDIA_MANAGER,
    "ORA-27023": Trouble.MEDIA_MANAGER,
    "ORA-27028": Trouble.MEDIA_MANAGER,
    "ORA-19554": Trouble.MEDIA_MANAGER,
    "ORA-19502": Trouble.DISK,
    "ORA-19504": Trouble.DISK,
    "ORA-27040": Trouble.DISK,
    "ORA-27072": Trouble.DISK,
    "ORA-01017": Trouble.ACCESS,
    "ORA-01031": Trouble.ACCESS,
    "ORA-12514": Trouble.CONNECT,
    "ORA-12541": Trouble.CONNECT,
    "TNS-12541": Trouble.CONNECT,
    "ORA-12170": Trouble.CONNECT,
    "ORA-03113": Trouble.CONNECT,
    "ORA-03114": Trouble.CONNECT,
    "ORA-03135": Trouble.CONNECT,
    "ORA-01034": Trouble.CONNECT,
    "ORA-27101": Trouble.CONNECT,
    "ORA-01089": Trouble.CONNECT,
    "ORA-01033": Trouble.CONNECT,
    "RMAN-04005": Trouble.CONNECT,
    "RMAN-04006": Trouble.CONNECT,
    "RMAN-00554": Trouble.CONNECT,
    "RMAN-06817": Trouble.MODE,
    "ORA-19602": Trouble.MODE,
    "RMAN-06149": Trouble.MODE,
    "ORA-28365": Trouble.KEY,
    "ORA-28374": Trouble.KEY,
    "ORA-19913": Trouble.KEY,
    "RMAN-20002": Trouble.CATALOGUE,
    "RMAN-20020": Trouble.CATALOGUE,
    "RMAN-06004": Trouble.CATALOGUE,
    "RMAN-06054": Trouble.RECOVERY,
    "RMAN-00558": Trouble.SYNTAX,
    "RMAN-01009": Trouble.SYNTAX,
    "LRM-00101": Trouble.SYNTAX,
}

_FULL: Final = frozenset({28, 122})
"""ENOSPC and EDQUOT, as the operating system's line under ORA-27072 gives them."""

_FIRST: Final = (
    Trouble.ACCESS,
    Trouble.KEY,
    Trouble.MODE,
    Trouble.MISSING_LOG,
    Trouble.CORRUPT,
    Trouble.PIECE,
    Trouble.RECOVERY_AREA,
    Trouble.MEDIA_MANAGER,
    Trouble.RECOVERY,
    Trouble.SYNTAX,
)
"""What decides when a stack holds several: the codes around it tell where it happened, these tell why."""


def trouble(codes: Iterable[str], system_errors: Collection[int] = ()) -> Trouble:
    """Return what a stack is about.

    Args:
        codes: as they stand in it, from the top; read from the bottom.
        system_errors: numbers of the operating system's own lines in it (`Linux-x86_64 Error: 28`).
    """
    found = [_MEANING[code] for code in reversed(list(codes)) if code in _MEANING]
    if Trouble.DISK in found and _FULL.intersection(system_errors):
        return Trouble.SPACE
    for decisive in _FIRST:
        if decisive in found:
            return decisive
    return found[0] if found else Trouble.OTHER
