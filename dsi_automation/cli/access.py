"""`dsi access ...`: who may reach what through the routers, until when: asked for, taken away, listed."""

from __future__ import annotations

from dsi_automation.cli.access_ask import allow, revoke
from dsi_automation.cli.access_list import list_
from dsi_automation.cli.base import OPTIONS, Group
from dsi_automation.core.text import T

access = Group(
    "access",
    help=T("Ask for accesses through the routers, take them away, list them."),
    options_metavar=OPTIONS,
)
for _command in (allow, revoke, list_):
    access.add_command(_command)
