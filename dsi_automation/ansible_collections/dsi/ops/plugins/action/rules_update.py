"""Action plugin: `rules.update` of applications of the inventory."""

from __future__ import annotations

from dsi_automation.ansible.action import NamedAction


class ActionModule(NamedAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "rules.update"
    named = "applications"
    standing = False
    inputs = {  # noqa: RUF012  # never changed
        "rules": {"type": "str", "default": ""},
        "file": {"type": "str", "default": ""},
        "back": {"type": "bool", "default": False},
        "sha256": {"type": "str", "default": ""},
    }
