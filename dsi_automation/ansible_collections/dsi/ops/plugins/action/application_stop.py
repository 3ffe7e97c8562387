"""Action plugin: `application.stop` of applications of the inventory."""

from __future__ import annotations

from dsi_automation.ansible.action import InterruptionAction


class ActionModule(InterruptionAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    operation = "application.stop"
