"""Action plugin: `application.account` of applications of the inventory."""

from __future__ import annotations

from dsi_automation.ansible.action import NamedAction


class ActionModule(NamedAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "application.account"
    named = "logins"
    standing = False
    inputs = {  # noqa: RUF012  # never changed
        "case": {"type": "str", "default": ""},
        "name": {"type": "str", "default": ""},
        "profile": {"type": "str", "default": ""},
        "office": {"type": "str", "default": ""},
        "external": {"type": "bool", "default": False},
        "documents": {"type": "dict", "default": {}},
        "requester": {"type": "str", "default": ""},
    }
