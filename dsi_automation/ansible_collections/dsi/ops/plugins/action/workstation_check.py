"""Action plugin: `workstation.check` on one host."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

# Ansible imports this file before it forks a worker for each host: what a check needs is imported once, not by each.
import dsi_automation.composition.equipment
import dsi_automation.composition.telling
import dsi_automation.connectors.windows.adapter
import dsi_automation.connectors.windows.client
import dsi_automation.engine.engine
import dsi_automation.inventory.ansible_source
import dsi_automation.operations.registry  # noqa: F401
from dsi_automation.ansible.plugin import call_of
from dsi_automation.ansible.tasks import check_task


class ActionModule(ActionBase):  # type: ignore[misc]
    """Reads in the controller's process; see the documentation in plugins/modules."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the host this task runs for."""
        del tmp
        _, args = self.validate_argument_spec(
            {
                "require_domain": {"type": "bool", "default": False},
                "fail_when_not_compliant": {"type": "bool", "default": True},
            }
        )
        call = call_of("workstation.check", {"require_domain": args["require_domain"]})
        host = str((task_vars or {})["inventory_hostname"])
        return check_task(call, host, fail=args["fail_when_not_compliant"])
