"""Action plugin: `workstation.check` on one host."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from dsi_automation.ansible.tasks import check_task


class ActionModule(ActionBase):  # type: ignore[misc]
    """Reads in the controller's process; see the documentation in plugins/modules."""

    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"require_domain", "fail_when_not_compliant"})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the host this task runs for."""
        del tmp
        variables = task_vars or {}
        _, args = self.validate_argument_spec(
            {
                "require_domain": {"type": "bool", "default": False},
                "fail_when_not_compliant": {"type": "bool", "default": True},
            }
        )
        return check_task(
            "workstation.check",
            variables,
            {"require_domain": args["require_domain"]},
            fail=args["fail_when_not_compliant"],
        )
