"""Which restic it is, and what it can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.core.text import T, Text

REQUIRED: Final = (0, 14, 0)
RECOMMENDED: Final = (0, 19, 1)
"""The first in which a missing source is an error of its own and all broken packs are listed (changelog of restic)."""

_FIRST_LINE: Final = re.compile(r"^restic (\d+)\.(\d+)\.(\d+)", re.MULTILINE)


class VersionError(BackupFailedError):
    """This restic is too old, or it is not restic."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version of restic."""

    number: tuple[int, int, int]

    def __str__(self) -> str:
        return "restic " + ".".join(map(str, self.number))

    @property
    def warning(self) -> Text | None:
        """Return what is worth telling about it; None when it is recent."""
        if self.number >= RECOMMENDED:
            return None
        return T(
            "{version} works, but is old: {recommended} or later is recommended.",
            version=str(self),
            recommended=".".join(map(str, RECOMMENDED)),
        )


def parse(printed: str, host: str) -> Version:
    """Return the version that `restic version` prints.

    Raises:
        VersionError: it is older than 0.14, or something else answered.
    """
    found = _FIRST_LINE.search(printed)
    if found is None:
        raise VersionError(
            T("What is called restic on {host} is not restic.", host=host),
            on=host,
            next_step=T("Install restic there, or give its whole path in the inventory."),
            detail={"printed": printed[:200]},
        )
    version = Version((int(found[1]), int(found[2]), int(found[3])))
    if version.number < REQUIRED:
        raise VersionError(
            T("{host} has {version}: 0.14 or later is needed.", host=host, version=str(version)),
            on=host,
            next_step=T("Install a recent restic there (one static program), or give its path in the inventory."),
        )
    return version
