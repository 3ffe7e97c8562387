"""Action plugin: `sources.integrate` at one stage."""

from __future__ import annotations

from dsi_automation.ansible.action import NamedAction


class ActionModule(NamedAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "sources.integrate"
    named = "applications"
    standing = False
    inputs = {  # noqa: RUF012  # never changed
        "release": {"type": "str", "default": ""},
        "source": {"type": "str", "default": ""},
        "planned": {"type": "bool", "default": False},
        "why": {"type": "str", "default": ""},
        "notice": {"type": "str", "default": ""},
        "end_sessions": {"type": "list", "elements": "str", "default": []},
        "downgrade": {"type": "bool", "default": False},
    }
