"""`database.backup`: databases, with the logs that a recovery to a moment needs (procedure R)."""

from __future__ import annotations

from typing import ClassVar

from dsi_automation.core.text import T, Text
from dsi_automation.operations.backups.making import MakingOperation


class DatabaseBackup(MakingOperation):
    """Makes sets of backups of the kinds `postgresql` and `oracle`."""

    name: ClassVar[str] = "database.backup"
    procedure: ClassVar[str] = "R"
    summary: ClassVar[Text] = T("Back up databases, as the backup plan says")
