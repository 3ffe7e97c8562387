"""Action plugin: `mailbox.create` for people, under one approval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dsi_automation.ansible.action import OnceAction
from dsi_automation.ansible.plugin import people_task


class ActionModule(OnceAction):
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Carry out the request; in check mode, make the plan."""
        del tmp, task_vars
        _, args = self.validate_argument_spec(
            {
                "request": {"type": "str", "default": ""},
                "people": {"type": "list", "elements": "dict", "default": []},
                "people_file": {"type": "str", "default": ""},
                "without_seat": {"type": "bool", "default": False},
                "reset": {"type": "bool", "default": False},
                "in_cloud": {"type": "bool", "default": False},
            }
        )
        request, file = str(args.pop("request") or ""), str(args.pop("people_file") or "")
        path = Path(self._loader.path_dwim(file)) if file else None
        return people_task(args, path, self._display, request=request, check_mode=bool(self._task.check_mode))
