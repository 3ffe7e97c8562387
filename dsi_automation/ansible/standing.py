"""What a play does under the standing approvals in force: each target in turn, as `dsi backup run` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsi_automation.ansible.results import TaskResult, error_result, plan_result, run_result
from dsi_automation.ansible.stopping import stopped_between_actions
from dsi_automation.ansible.tasks import Call, once
from dsi_automation.composition import Toolkit
from dsi_automation.composition.chain import Step, StepResult, run_chain
from dsi_automation.composition.standing import NoStandingError, standing_request
from dsi_automation.core.errors import UsageError
from dsi_automation.core.events import Silent
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T
from dsi_automation.engine.signals import asked_to_stop


def standing_task(call: Call, targets: Sequence[str]) -> TaskResult:
    """Carry out an operation on targets, each under the standing approval in force for it alone.

    Nothing is begun while one of them has none; after that, each has its turn whatever became of the one before.
    """

    def work(toolkit: Toolkit) -> TaskResult:
        if not targets:
            raise UsageError(
                T("The play names nothing of the inventory and no request."),
                next_step=T("Name what it is for (“dsi backup list”, “dsi application list”), or give dsi_request=ID."),
            )
        for target in targets:
            try:
                standing_request(
                    toolkit.engine,
                    call.operation,
                    [target],
                    call.given(),
                    toolkit.clock.now(),
                    operations=toolkit.operations,
                )
            except NoStandingError:
                # What stands in the way of the plan itself (a database is no server) is said first: no approval helps.
                plan = toolkit.engine.plan(call.operation, [target], call.given(), Silent())
                if plan.blockers:
                    return plan_result(plan, "targets")
                raise
        return _together(_in_turn(toolkit, call, targets))

    return once(call, work)


def standing_hosts(toolkit: Toolkit, call: Call, hosts: Sequence[str]) -> TaskResult:
    """Carry out an operation on hosts under the one standing approval in force for exactly these.

    Raises:
        DsiError: none is, and something would be done.
    """
    try:
        standing_request(
            toolkit.engine, call.operation, hosts, call.given(), toolkit.clock.now(), operations=toolkit.operations
        )
    except NoStandingError:
        plan = toolkit.engine.plan(call.operation, hosts, call.given(), Silent())
        if plan.blockers or not plan.actions:
            return plan_result(plan)
        raise
    with stopped_between_actions(call.observer) as observer:
        (done,) = run_chain(toolkit, [Step(call.operation, tuple(hosts), call.given())], observer)
    return _result(toolkit, done, "hosts")


def _in_turn(toolkit: Toolkit, call: Call, targets: Sequence[str]) -> dict[str, TaskResult]:
    results: dict[str, TaskResult] = {}
    with stopped_between_actions(call.observer) as observer, asked_to_stop() as stop:
        for target in targets:
            (done,) = run_chain(toolkit, [Step(call.operation, (target,), call.given())], observer)
            results[target] = _result(toolkit, done)
            if stop.is_set() or done.interrupted:
                break
    left = [target for target in targets if target not in results]
    return results | {target: _not_begun(target) for target in left}


def _result(toolkit: Toolkit, done: StepResult, per: str = "targets") -> TaskResult:
    if done.error is not None:
        return error_result(done.error)
    if done.run is None or done.request_id is None:
        return _not_begun(done.step.targets[0])
    return run_result(done.run, toolkit.engine.request_by_id(done.request_id).plan, per)


def _not_begun(target: str) -> TaskResult:
    text = T("{target}: not begun, the play was asked to stop.", target=target)
    return {"changed": False, "failed": True, "msg": str(text), "exit_code": int(ExitCode.UNEXPECTED)}


def _together(results: dict[str, TaskResult]) -> TaskResult:
    """Return the one result, or what several have in common: `plan` and `run` of each are under `targets`."""
    if len(results) == 1:
        return next(iter(results.values()))
    targets: dict[str, Any] = {
        name: {**found.get("targets", {}).get(name, {}), **{key: found[key] for key in ("plan", "run") if key in found}}
        for name, found in results.items()
    }
    together: TaskResult = {
        "changed": any(found["changed"] for found in results.values()),
        "targets": targets,
        "diff": {"prepared": "".join(found["diff"]["prepared"] for found in results.values() if "diff" in found)},
    }
    wrong = {name: found for name, found in results.items() if found.get("failed")}
    if not wrong:
        return together
    for name, found in wrong.items():
        targets[name]["error"] = found["msg"]
    return together | {
        "failed": True,
        "msg": " ".join(found["msg"] for found in wrong.values()),
        "exit_code": max(found["exit_code"] for found in wrong.values()),
    }
