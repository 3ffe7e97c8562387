"""What the action plugins of the collection do: call the operations the `dsi` command calls.

Nothing here decides whether a change is allowed: the engine does, where it hands out the write half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dsi_automation.composition import Toolkit
from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.events import Silent
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Outcome
from dsi_automation.core.secrets import redact_json
from dsi_automation.core.text import T

type TaskResult = dict[str, Any]


def check_task(operation: str, task_vars: Mapping[str, Any], inputs: Mapping[str, Any], *, fail: bool) -> TaskResult:
    """Run a read-only operation on the host of the task.

    Args:
        fail: make a machine that is not compliant a failed task.
    """
    host = str(task_vars["inventory_hostname"])

    def work(toolkit: Toolkit) -> TaskResult:
        report = toolkit.engine.check(operation, [host], inputs, Silent())
        if host in report.failures:
            raise report.failures[host]
        wrong = [check for check in report.checks if not check.ok and not check.warning]
        result: TaskResult = {
            "changed": False,
            "compliant": not wrong,
            "checks": [check.to_json() for check in report.checks],
            "facts": dict(report.facts[host]),
        }
        if wrong and fail:
            result |= {"failed": True, "msg": "; ".join(f"{c.title}: {c.observed} ({c.expected})" for c in wrong)}
        return result

    return _guarded(task_vars, work)


def change_task(
    operation: str,
    task_vars: Mapping[str, Any],
    inputs: Mapping[str, Any],
    *,
    request: str | None,
    check_mode: bool,
) -> TaskResult:
    """Carry out an approved request on the hosts of the play, or plan it in check mode."""
    hosts = [str(host) for host in task_vars["ansible_play_hosts"]]

    def work(toolkit: Toolkit) -> TaskResult:
        if check_mode:
            return _planned(toolkit.engine.plan(operation, hosts, inputs, Silent()))
        if not request:
            return _unapproved(operation, hosts)
        approved = toolkit.engine.request_by_id(request)
        if approved.plan.operation != operation:
            text = T("{request} is for {operation}.", request=approved.id, operation=approved.plan.operation)
            return {"failed": True, "msg": str(text), "exit_code": 4}
        other = sorted(key for key, value in inputs.items() if approved.plan.inputs.get(key) != value)
        if other:
            text = T("{request} was approved with other inputs: {names}.", request=approved.id, names=", ".join(other))
            return {"failed": True, "msg": str(text), "exit_code": 4}
        run = toolkit.engine.run(approved.id, Silent(), targets=hosts)
        changed = any(step.outcome is Outcome.DONE for step in run.steps)
        result: TaskResult = {
            "changed": changed,
            "plan": approved.plan.to_json(),
            "run": {
                "id": run.id,
                "outcome": None if run.outcome is None else run.outcome.value,
                "exit_code": run.exit_code,
                "targets": {target: outcome.value for target, outcome in run.targets.items()},
                "evidence": [check.to_json() for check in run.evidence],
            },
            "diff": _diff(approved.plan),
        }
        if run.exit_code:
            text = T("Run {run} did not succeed; details: dsi show {run}; to finish it: dsi resume {run}", run=run.id)
            result |= {"failed": True, "msg": str(text), "exit_code": run.exit_code}
        return result

    return _guarded(task_vars, work)


def _guarded(task_vars: Mapping[str, Any], work: Callable[[Toolkit], TaskResult]) -> TaskResult:
    try:
        result = work(Toolkit(inventory=_inventory(task_vars)))
    except UnreachableError as error:
        result = {"unreachable": True, "msg": str(error), "exit_code": int(error.exit_code)}
    except DsiError as error:
        result = {"failed": True, "msg": str(error), "exit_code": int(error.exit_code), "error": error.to_json()}
    redacted: TaskResult = redact_json(result)
    return redacted


def _inventory(task_vars: Mapping[str, Any]) -> str | None:
    # The inventory of the play, whatever the environment says: one source of truth for both.
    source = task_vars.get("inventory_file") or task_vars.get("inventory_dir")
    return str(source) if source else None


def _planned(plan: Plan) -> TaskResult:
    result: TaskResult = {"changed": bool(plan.actions), "plan": plan.to_json(), "diff": _diff(plan)}
    if plan.blockers:
        worst = max(plan.blockers, key=lambda blocker: blocker.exit_code)
        sentences = [f"{blocker.target}: {blocker.reason} {blocker.next_step}" for blocker in plan.blockers]
        result |= {"failed": True, "msg": " ".join(sentences), "exit_code": int(worst.exit_code)}
    return result


def _diff(plan: Plan) -> dict[str, str]:
    lines = [f"+ {action.target}: {action.title} ({action.reason})" for action in plan.actions]
    lines += [f"  {item.target}: {item.reason}" for item in plan.non_actions]
    return {"prepared": "\n".join(lines) + "\n"}


def _unapproved(operation: str, hosts: list[str]) -> TaskResult:
    targets = " ".join(hosts)
    text = T(
        "No approval was given for {operation}. Ask for one with: dsi request {operation} {targets} --reason TEXT; "
        "once somebody else has approved it, give its identifier: dsi playbook NAME --request ID, or "
        "ansible-playbook -e dsi_request=ID.",
        operation=operation,
        targets=targets,
    )
    return {"failed": True, "msg": str(text), "exit_code": 4}
