"""Action plugin: `workstation.join` on the hosts of the play, under one approval."""

from __future__ import annotations

from dsi_automation.ansible.action import HostsAction


class ActionModule(HostsAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "workstation.join"
    inputs = {  # noqa: RUF012  # never changed
        "user": {"type": "str", "default": ""},
        "local_user": {"type": "str", "default": ""},
        "users": {"type": "dict", "default": {}},
        "leave_domain": {"type": "bool", "default": False},
        "repair_profile": {"type": "bool", "default": False},
    }
