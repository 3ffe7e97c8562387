"""Action plugin: `application.stop` of applications of the inventory."""

from __future__ import annotations

from dsi_automation.ansible.action import NamedAction


class ActionModule(NamedAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "application.stop"
    named = "applications"
    inputs = {  # noqa: RUF012  # never changed
        "planned": {"type": "bool", "default": False},
        "why": {"type": "str", "default": ""},
        "since": {"type": "str", "default": ""},
        "servers": {"type": "list", "elements": "str", "default": []},
        "end_sessions": {"type": "list", "elements": "str", "default": []},
        "notice": {"type": "str", "default": ""},
    }
