"""Action plugin: `access.revoke` on the routers that enforce an access."""

from __future__ import annotations

from typing import Any

from dsi_automation.ansible.accesses import revoke_task
from dsi_automation.ansible.action import OnceAction
from dsi_automation.ansible.plugin import call_of, told


class ActionModule(OnceAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Carry out the request; in check mode, make the plan."""
        del tmp, task_vars
        _, args = self.validate_argument_spec(
            {
                "request": {"type": "str", "default": ""},
                "ids": {"type": "list", "elements": "str", "default": []},
                "expired": {"type": "bool", "default": False},
            }
        )
        request = str(args.pop("request") or "")
        call = call_of("access.revoke", args, told(self._display))
        return revoke_task(call, request=request, check_mode=bool(self._task.check_mode))
