"""What the action plugins on people's accounts share; imported by Ansible only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from dsi_automation.ansible.plugin import call_of, told
from dsi_automation.ansible.results import TaskResult
from dsi_automation.ansible.tasks import change_task


class AccountsAction(ActionBase):  # type: ignore[misc]
    """Calls the engine in the controller's process, once for all people, whatever hosts the play has."""

    # One look, and one approval, cover all its people at once.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def change(self, operation: str, inputs: Mapping[str, Any], targets: Sequence[Any], request: Any) -> TaskResult:
        """Carry out a request; in check mode, make the plan."""
        call, names = call_of(operation, inputs, told(self._display)), [str(target) for target in targets]
        return change_task(call, names, request=str(request or ""), check_mode=bool(self._task.check_mode))
