"""Action plugin: `backup.restore` for backups of the plan."""

from __future__ import annotations

from dsi_automation.ansible.action import BackupAction


class ActionModule(BackupAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "backup.restore"
    standing = False
    inputs = {  # noqa: RUF012  # never changed
        "set": {"type": "str", "default": ""},
        "at": {"type": "str", "default": ""},
        "paths": {"type": "list", "elements": "str", "default": []},
        "destination": {"type": "str", "default": ""},
        "in_place": {"type": "bool", "default": False},
        "database": {"type": "str", "default": ""},
        "until": {"type": "str", "default": ""},
    }
