"""Action plugin: `application.start` of applications of the inventory."""

from __future__ import annotations

from dsi_automation.ansible.action import NamedAction


class ActionModule(NamedAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "application.start"
    named = "applications"
    inputs = {  # noqa: RUF012  # never changed
        "why": {"type": "str", "default": ""},
        "since": {"type": "str", "default": ""},
        "servers": {"type": "list", "elements": "str", "default": []},
    }
