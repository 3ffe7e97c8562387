"""`dsi router ...`: how routers are, what they should be, changing them without cutting the branch."""

from __future__ import annotations

from dsi_automation.cli.base import OPTIONS, Group
from dsi_automation.cli.router_check import check
from dsi_automation.cli.router_configure import configure
from dsi_automation.cli.router_copies import backup, history
from dsi_automation.cli.router_interconnect import interconnect
from dsi_automation.cli.router_list import list_, show
from dsi_automation.core.text import T

router = Group(
    "router",
    help=T("Show, check and configure routers; their configurations, and new sites."),
    options_metavar=OPTIONS,
)
for _command in (list_, show, check, configure, backup, history, interconnect):
    router.add_command(_command)
