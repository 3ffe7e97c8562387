"""`dsi application ...`: how applications are, the planned stop, stops and starts by hand, availability."""

from __future__ import annotations

from dsi_automation.cli.application_account import account
from dsi_automation.cli.application_ask import ask, restart, start, stop
from dsi_automation.cli.application_availability import availability
from dsi_automation.cli.application_check import check
from dsi_automation.cli.application_handover import handover
from dsi_automation.cli.application_list import list_, show
from dsi_automation.cli.application_look import locks, log
from dsi_automation.cli.application_status import status
from dsi_automation.cli.base import OPTIONS, Group
from dsi_automation.core.text import T

application = Group(
    "application",
    help=T("Show, check, stop and start applications; their availability."),
    options_metavar=OPTIONS,
)
for _command in (list_, show, status, check, log, locks, ask, restart, stop, start, availability, account, handover):
    application.add_command(_command)
