"""Action plugin: `database.backup` for backups of the plan."""

from __future__ import annotations

from dsi_automation.ansible.action import BackupAction


class ActionModule(BackupAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "database.backup"
