"""Action plugin: `router.configure` on the hosts of the play."""

from __future__ import annotations

from dsi_automation.ansible.action import HostsAction


class ActionModule(HostsAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "router.configure"
    inputs = {  # noqa: RUF012  # never changed
        "canary": {"type": "str", "default": ""},
        "wave": {"type": "int"},
        "stop_after": {"type": "int"},
        "timer_seconds": {"type": "int"},
    }
