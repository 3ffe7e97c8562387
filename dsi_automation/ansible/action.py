"""What the action plugins share whose targets are not hosts; imported by Ansible only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from dsi_automation.ansible.plugin import call_of, told
from dsi_automation.ansible.results import TaskResult
from dsi_automation.ansible.standing import standing_hosts, standing_task
from dsi_automation.ansible.tasks import change_task, once, report_task


def hosts_of_play(task_vars: Mapping[str, Any] | None) -> list[str]:
    """Return the hosts of the play that have not failed."""
    return [str(host) for host in (task_vars or {})["ansible_play_hosts"]]


class OnceAction(ActionBase):  # type: ignore[misc]
    """Calls the engine in the controller's process, once for all targets, whatever hosts the play has."""

    # One look, and one approval, cover all its targets at once.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def change(self, operation: str, inputs: Mapping[str, Any], targets: Sequence[Any], request: Any) -> TaskResult:
        """Carry out a request; in check mode, make the plan."""
        call, names = call_of(operation, inputs, told(self._display)), [str(target) for target in targets]
        return change_task(call, names, request=str(request or ""), check_mode=bool(self._task.check_mode))


class NamedAction(OnceAction):
    """Carries out one operation on things the inventory names, under a request or a standing approval in force."""

    operation: str
    named: str
    """The option that names them: `backups`, `applications`."""
    standing: bool = True
    """Whether a standing approval may be given for it at all."""
    inputs: Mapping[str, Any] = {}  # never changed
    """The operation's inputs, as an Ansible argument specification."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Carry out the request; in check mode, make the plan."""
        del tmp, task_vars
        given = {
            "request": {"type": "str", "default": ""},
            self.named: {"type": "list", "elements": "str", "default": []},
        }
        _, args = self.validate_argument_spec({**given, **self.inputs})
        call = call_of(self.operation, {name: args[name] for name in self.inputs}, told(self._display))
        targets = [str(name) for name in args[self.named]]
        request, check_mode = str(args["request"] or ""), bool(self._task.check_mode)
        if self.standing and not request and not check_mode:
            return standing_task(call, targets)
        return change_task(call, targets, request=request, check_mode=check_mode)


class HostsAction(OnceAction):
    """Carries out one operation on the hosts of the play, under a request or a standing approval in force."""

    operation: str
    standing: bool = False
    """Whether a standing approval may be given for it at all."""
    inputs: Mapping[str, Any] = {}  # never changed
    """The operation's inputs, as an Ansible argument specification."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Carry out the request; in check mode, make the plan."""
        del tmp
        _, args = self.validate_argument_spec({"request": {"type": "str", "default": ""}, **self.inputs})
        hosts = hosts_of_play(task_vars)
        inputs = {name: args[name] for name in self.inputs}
        if self.standing and not args["request"] and not self._task.check_mode:
            call = call_of(self.operation, inputs, told(self._display))
            return once(call, lambda toolkit: standing_hosts(toolkit, call, hosts))
        return self.change(self.operation, inputs, hosts, args["request"])


class HostsLookAction(OnceAction):
    """Looks at the hosts of the play, all at once, and compares."""

    operation: str

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Look, and compare."""
        del tmp
        _, args = self.validate_argument_spec({"fail": {"type": "bool", "default": True}})
        return report_task(call_of(self.operation, {}), hosts_of_play(task_vars), fail=args["fail"])


class BackupAction(NamedAction):
    """Carries out one operation on backups of the plan."""

    named = "backups"


class InterruptionAction(NamedAction):
    """Carries out one operation that interrupts applications; a stop and a restart are asked for alike."""

    named = "applications"
    inputs = {  # noqa: RUF012  # never changed
        "planned": {"type": "bool", "default": False},
        "why": {"type": "str", "default": ""},
        "since": {"type": "str", "default": ""},
        "servers": {"type": "list", "elements": "str", "default": []},
        "end_sessions": {"type": "list", "elements": "str", "default": []},
        "notice": {"type": "str", "default": ""},
    }
