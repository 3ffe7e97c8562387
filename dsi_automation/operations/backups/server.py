"""`server.backup`: files and applications of servers (procedure D)."""

from __future__ import annotations

from typing import ClassVar

from dsi_automation.core.text import T, Text
from dsi_automation.operations.backups.making import MakingOperation


class ServerBackup(MakingOperation):
    """Makes sets of backups of the kind `files`."""

    name: ClassVar[str] = "server.backup"
    procedure: ClassVar[str] = "D"
    summary: ClassVar[Text] = T("Back up files and applications of servers, as the backup plan says")
