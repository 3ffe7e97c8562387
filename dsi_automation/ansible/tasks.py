"""What the action plugins of the collection do: call the operations the `dsi` command calls.

Nothing here decides whether a change is allowed: the engine does, where it hands out the write half. What is checked
here only stops a mistake early, with a sentence that says what to do.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dsi_automation.ansible.play_inventory import inventory_source
from dsi_automation.ansible.results import (
    TaskResult,
    check_result,
    error_result,
    plan_result,
    report_result,
    run_result,
)
from dsi_automation.ansible.stopping import stopped_between_actions
from dsi_automation.composition import Toolkit
from dsi_automation.core.errors import DsiError, GateClosedError, UnreachableError
from dsi_automation.core.events import Observer, Silent
from dsi_automation.core.secrets import redact_json
from dsi_automation.core.text import TN, T
from dsi_automation.engine.operation import TargetKind
from dsi_automation.engine.registry import validated

if TYPE_CHECKING:
    from dsi_automation.core.plan import Plan
    from dsi_automation.engine.model import Request
    from dsi_automation.engine.operation import AnyOperation, AnyReadOnly


@dataclass(frozen=True, slots=True)
class Call:
    """One task of a play.

    Attributes:
        sources: the inventories of the play (`-i`, or ansible.cfg).
        inputs: of the operation; what is empty counts as not given, because a role's default cannot be absent.
        files: of inputs that came from a file, which one: to say how the same is asked for.
    """

    operation: str
    sources: Sequence[str]
    inputs: Mapping[str, Any]
    observer: Observer
    files: Mapping[str, str] = field(default_factory=dict)

    def given(self) -> dict[str, Any]:
        """Return the inputs that were given, as plain values: Ansible's are tagged with where they came from."""
        plain: dict[str, Any] = json.loads(json.dumps(dict(self.inputs)))
        return {name: value for name, value in plain.items() if value not in (None, "", False, {}, [])}


def check_task(call: Call, host: str, *, fail: bool) -> TaskResult:
    """Run a read-only operation on the host of the task.

    Args:
        fail: make a machine that is not compliant a failed task.
    """

    def work(toolkit: Toolkit) -> TaskResult:
        report = toolkit.engine.check(call.operation, [host], call.given(), call.observer)
        if host in report.failures:
            raise report.failures[host]
        return check_result(report, host, fail=fail)

    try:
        return guarded(call, work)
    except UnreachableError as error:
        return {**error_result(error), "failed": False, "unreachable": True}


def report_task(call: Call, targets: Sequence[str], *, fail: bool) -> TaskResult:
    """Run a read-only operation on people's accounts or on sites, in one task.

    Args:
        targets: which; none for all there are, where the operation may look at all.
        fail: make one that is not as it should be a failed task.
    """

    def work(toolkit: Toolkit) -> TaskResult:
        return report_result(toolkit.engine.check(call.operation, targets, call.given(), call.observer), fail=fail)

    return once(call, work)


def change_task(call: Call, targets: Sequence[str], *, request: str, check_mode: bool) -> TaskResult:
    """Carry out an approved request on the targets; in check mode, plan it.

    Args:
        targets: the hosts of the play, or people's accounts; none where the request or the inputs name them.
        request: identifier, empty for none.
    """
    return once(call, lambda toolkit: change(toolkit, call, targets, request=request, check_mode=check_mode))


def change(toolkit: Toolkit, call: Call, targets: Sequence[str], *, request: str, check_mode: bool) -> TaskResult:
    """Carry out an approved request on the targets; in check mode, plan it.

    Where there is nothing to do, no approval is needed: a play that is run again ends well and changes nothing.

    Raises:
        DsiError: no approval covers it, or it cannot be done.
    """
    engine = toolkit.engine
    approved = engine.request_by_id(request) if request else None
    if approved is None:
        plan = engine.plan(call.operation, targets, call.given(), Silent())
        if not check_mode and plan.actions and not plan.blockers:
            raise _unapproved(plan, call, targets)
        return plan_result(plan, _per(toolkit, call))
    _refuse_another(toolkit, approved, call, targets)
    wanted = targets or approved.plan.targets
    if check_mode:
        plan = engine.plan(call.operation, wanted, approved.plan.inputs, Silent())
        return plan_result(plan, _per(toolkit, call))
    return _carry_out(toolkit, approved, call, wanted)


def _per(toolkit: Toolkit, call: Call) -> str:
    return "hosts" if toolkit.operations[call.operation].target_kind is TargetKind.HOST else "targets"


def _carry_out(toolkit: Toolkit, approved: Request, call: Call, targets: Sequence[str]) -> TaskResult:
    engine = toolkit.engine
    try:
        with stopped_between_actions(call.observer) as observer:
            run = engine.run(approved.id, observer, targets=targets)
    except GateClosedError:
        plan = engine.plan(call.operation, targets, approved.plan.inputs, Silent())
        if plan.actions or plan.blockers:
            raise
        return plan_result(plan, _per(toolkit, call))
    return run_result(run, approved.plan, _per(toolkit, call))


def once(call: Call, work: Callable[[Toolkit], TaskResult]) -> TaskResult:
    """Run `work`, one task for all its targets, with the toolkit of the play's inventory."""
    try:
        return guarded(call, work)
    except UnreachableError as error:
        # Not Ansible's `unreachable`: that would blame the host the task happens to be counted for.
        return error_result(error)


def guarded(call: Call, work: Callable[[Toolkit], TaskResult]) -> TaskResult:
    """Run `work` with the toolkit of the play's inventory.

    Raises:
        UnreachableError: something did not answer; what that means is the caller's to say.
    """
    try:
        toolkit = Toolkit(inventory=inventory_source(call.sources))
        # Each task is a process of its own, so this concerns its own sentences only.
        os.environ.setdefault("DSI_LANG", toolkit.language)
        result = work(toolkit)
    except UnreachableError:
        raise
    except DsiError as error:
        result = error_result(error)
    redacted: TaskResult = redact_json(result)
    return redacted


def _refuse_another(toolkit: Toolkit, approved: Request, call: Call, targets: Sequence[str]) -> None:
    """Stop early when the request is plainly not what the play is about.

    Raises:
        GateClosedError: another operation, other inputs or other targets.
        UsageError: the inputs of the play are not right.
    """
    if approved.plan.operation != call.operation:
        raise GateClosedError(
            T(
                "{request} is for {operation}, not for {task}.",
                request=approved.id,
                operation=approved.plan.operation,
                task=call.operation,
            ),
            next_step=T("Give the identifier of a request made for it: dsi requests lists them."),
        )
    given = call.given()
    held = approved.plan.inputs
    # As the schema holds them, which is how the request has them; those it needs may be in the request alone.
    wanted = validated(toolkit.operations[call.operation], {**held, **given}).model_dump(mode="json")
    other = sorted(name for name in given if unordered(held.get(name)) != unordered(wanted[name]))
    if other:
        raise GateClosedError(
            T("{request} was made with other inputs: {names}.", request=approved.id, names=", ".join(other)),
            next_step=T("Leave them out of the play, they are in the request; or ask for a new plan."),
        )
    if targets:
        _refuse_other_targets(toolkit.operations[call.operation], approved, targets)


def unordered(value: Any) -> Any:
    """Return a value to compare: rows of a table without their order and the lines they stood on."""
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return sorted(json.dumps({key: row[key] for key in row if key != "line"}, sort_keys=True) for row in value)
    return value


def _refuse_other_targets(operation: AnyOperation | AnyReadOnly, approved: Request, targets: Sequence[str]) -> None:
    asked = set(approved.plan.targets)
    if asked == set(targets):
        return
    missing, more = sorted(asked - set(targets)), sorted(set(targets) - asked)
    if operation.target_kind is TargetKind.HOST:
        following = T(
            "Run the play on exactly these hosts (--limit {limit}), or ask for a plan for the others.",
            limit=",".join(approved.plan.targets),
        )
    else:
        following = T("Name exactly these, or none: the request says who; or ask for a plan for the others.")
    raise GateClosedError(
        T(
            "{request} covers {targets}, all of them and no other; of these the play leaves out: {missing}; "
            "it adds: {more}.",
            request=approved.id,
            targets=", ".join(approved.plan.targets),
            missing=", ".join(missing) or "-",
            more=", ".join(more) or "-",
        ),
        next_step=following,
    )


def _unapproved(plan: Plan, call: Call, targets: Sequence[str]) -> GateClosedError:
    words = ["dsi", "request", call.operation, *targets]
    for name, value in call.given().items():
        words += ["-i", f"{name}={_typed(name, value, call)}"]
    command = shlex.join([*words, "--reason", str(T("why it is needed"))])
    return GateClosedError(
        T(
            "No approval was given for {operation} on {targets}.",
            operation=call.operation,
            targets=", ".join(plan.targets),
        ),
        meaning=TN(
            "Nothing was done. {n} action would be needed; --check shows it.",
            "Nothing was done. {n} actions would be needed; --check shows them.",
            len(plan.actions),
        ),
        next_step=T(
            "Ask: {command}. Once somebody else has approved it: dsi playbook NAME --request ID, or "
            "ansible-playbook -e dsi_request=ID.",
            command=command,
        ),
    )


def _typed(name: str, value: Any, call: Call) -> str:
    """Return an input as a person types it after `-i NAME=`."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return str(value[0]) if len(value) == 1 else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        # Rows of a table: as a file, which is how a person gives them too.
        return f"@{call.files.get(name, f'{name}.yml')}"
    if isinstance(value, dict):
        return ",".join(f"{key}:{item}" for key, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
