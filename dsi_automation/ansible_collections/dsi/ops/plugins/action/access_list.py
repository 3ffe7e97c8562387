"""Action plugin: `access.list` on the routers of the play."""

from __future__ import annotations

from typing import Any

from dsi_automation.ansible.action import OnceAction
from dsi_automation.ansible.plugin import call_of
from dsi_automation.ansible.tasks import report_task


class ActionModule(OnceAction):
    """Looks in the controller's process; see the documentation in plugins/modules."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look, and compare with the record."""
        del tmp
        _, args = self.validate_argument_spec({"fail": {"type": "bool", "default": True}})
        hosts = [str(host) for host in (task_vars or {})["ansible_play_hosts"]]
        return report_task(call_of("access.list", {}), hosts, fail=args["fail"])
