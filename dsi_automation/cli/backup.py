"""`dsi backup ...`: the backup plan, how each backup does, what there is, and how it is brought back."""

from __future__ import annotations

from dsi_automation.cli.backup_ask import ask, run
from dsi_automation.cli.backup_externalise import externalise
from dsi_automation.cli.backup_plan import list_
from dsi_automation.cli.backup_report import report
from dsi_automation.cli.backup_restore import restore, verify
from dsi_automation.cli.backup_sets import contents, sets, show
from dsi_automation.cli.backup_status import status
from dsi_automation.cli.base import OPTIONS, Group
from dsi_automation.core.text import T

backup = Group(
    "backup",
    help=T("Show the backup plan and what there is; ask, run, verify, restore."),
    options_metavar=OPTIONS,
)
for _command in (list_, status, show, sets, contents, ask, run, verify, restore, externalise, report):
    backup.add_command(_command)
