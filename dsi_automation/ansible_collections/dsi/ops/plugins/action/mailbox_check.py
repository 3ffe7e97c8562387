"""Action plugin: `mailbox.check` of people's accounts, or of all there are."""

from __future__ import annotations

from typing import Any

from dsi_automation.ansible.action import OnceAction
from dsi_automation.ansible.plugin import call_of
from dsi_automation.ansible.tasks import report_task


class ActionModule(OnceAction):
    """Reads in the controller's process; see the documentation in plugins/modules."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the accounts."""
        del tmp, task_vars
        _, args = self.validate_argument_spec(
            {
                "targets": {"type": "list", "elements": "str", "default": []},
                "fail_when_not_ready": {"type": "bool", "default": True},
            }
        )
        targets = [str(target) for target in args["targets"]]
        return report_task(call_of("mailbox.check", {}), targets, fail=args["fail_when_not_ready"])
