"""Action plugin: `workstation.join` on the hosts of the play, under one approval."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from dsi_automation.ansible.plugin import call_of, told
from dsi_automation.ansible.tasks import change_task


class ActionModule(ActionBase):  # type: ignore[misc]
    """Calls the engine in the controller's process; see the documentation in plugins/modules."""

    # An approval covers all its machines at once, so one task does all hosts of the play.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Carry out the request; in check mode, make the plan."""
        del tmp
        _, args = self.validate_argument_spec(
            {
                "request": {"type": "str", "default": ""},
                "user": {"type": "str", "default": ""},
                "local_user": {"type": "str", "default": ""},
                "users": {"type": "dict", "default": {}},
                "leave_domain": {"type": "bool", "default": False},
                "repair_profile": {"type": "bool", "default": False},
            }
        )
        request = args.pop("request")
        call = call_of("workstation.join", args, told(self._display))
        hosts = [str(host) for host in (task_vars or {})["ansible_play_hosts"]]
        return change_task(call, hosts, request=str(request or ""), check_mode=bool(self._task.check_mode))
