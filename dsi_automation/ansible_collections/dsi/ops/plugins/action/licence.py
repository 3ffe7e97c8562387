"""Action plugin: `licence.assign` and `licence.remove`, under one approval."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from dsi_automation.ansible.plugin import call_of, told
from dsi_automation.ansible.tasks import change_task


class ActionModule(ActionBase):  # type: ignore[misc]
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    # An approval covers all its people at once, whatever hosts the play has.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Carry out the request; in check mode, make the plan."""
        del tmp, task_vars
        _, args = self.validate_argument_spec(
            {
                "request": {"type": "str", "default": ""},
                "targets": {"type": "list", "elements": "str", "default": []},
                "licence": {"type": "str", "default": ""},
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            }
        )
        operation = "licence.assign" if args["state"] == "present" else "licence.remove"
        call = call_of(operation, {"licence": args["licence"]}, told(self._display))
        targets = [str(target) for target in args["targets"]]
        return change_task(call, targets, request=str(args["request"] or ""), check_mode=bool(self._task.check_mode))
