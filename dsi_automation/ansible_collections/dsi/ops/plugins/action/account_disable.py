"""Action plugin: `account.disable` for people who leave, under one approval."""

from __future__ import annotations

from typing import Any

from dsi_automation.ansible.action import OnceAction


class ActionModule(OnceAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Carry out the request; in check mode, make the plan."""
        del tmp, task_vars
        _, args = self.validate_argument_spec(
            {
                "request": {"type": "str", "default": ""},
                "targets": {"type": "list", "elements": "str", "default": []},
                "licence": {"type": "str", "choices": ["", "keep", "free"], "default": ""},
            }
        )
        return self.change("account.disable", {"licence": args["licence"]}, args["targets"], args["request"])
