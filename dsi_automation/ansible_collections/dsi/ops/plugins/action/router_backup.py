"""Action plugin: `router.backup` on the hosts of the play."""

from __future__ import annotations

from dsi_automation.ansible.action import HostsAction


class ActionModule(HostsAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "router.backup"
    standing = True
