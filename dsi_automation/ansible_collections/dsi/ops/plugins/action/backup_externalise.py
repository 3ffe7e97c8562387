"""Action plugin: `backup.externalise` for backups of the plan."""

from __future__ import annotations

from dsi_automation.ansible.action import BackupAction


class ActionModule(BackupAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "backup.externalise"
    inputs = {  # noqa: RUF012  # never changed
        "medium": {"type": "str", "default": ""},
        "set": {"type": "str", "default": ""},
    }
