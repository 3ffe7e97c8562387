"""Action plugin: `application.check` of applications of the inventory."""

from __future__ import annotations

from typing import Any

from dsi_automation.ansible.action import OnceAction
from dsi_automation.ansible.plugin import call_of
from dsi_automation.ansible.tasks import report_task


class ActionModule(OnceAction):
    """Looks in the controller's process; see the documentation in plugins/modules."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do what a user does."""
        del tmp, task_vars
        _, args = self.validate_argument_spec(
            {
                "applications": {"type": "list", "elements": "str", "required": True},
                "servers": {"type": "list", "elements": "str", "default": []},
                "log_lines": {"type": "int", "default": 0},
                "fail_when_not_available": {"type": "bool", "default": True},
            }
        )
        inputs = {"servers": args["servers"], "log_lines": args["log_lines"]}
        targets = [str(target) for target in args["applications"]]
        return report_task(call_of("application.check", inputs), targets, fail=args["fail_when_not_available"])
