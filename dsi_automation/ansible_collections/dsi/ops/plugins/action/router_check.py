"""Action plugin: `router.check` on the routers of the play."""

from __future__ import annotations

from dsi_automation.ansible.action import HostsLookAction


class ActionModule(HostsLookAction):
    """Looks in the controller's process; see the documentation in plugins/modules."""

    operation = "router.check"
