"""Finding an operation, validating what is asked of it, and keeping it to its contract."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Blocker, Plan
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import (
    ALL,
    AnyOperation,
    AnyReadOnly,
    Inputs,
    Operation,
    ReadOnlyOperation,
    TargetKind,
)
from dsi_automation.engine.parts import Parts
from dsi_automation.inventory.near import did_you_mean, near
from dsi_automation.inventory.problems import dotted, explain


def changing(parts: Parts, name: str) -> AnyOperation:
    """Return an operation that changes things.

    Raises:
        UsageError: there is none of that name, or it only looks.
    """
    found = _named(parts, name)
    if isinstance(found, ReadOnlyOperation):
        raise UsageError(
            T("The operation {name} only looks; there is nothing to plan or to approve.", name=name),
            next_step=T("Use `dsi check {name}`.", name=name),
        )
    return found


def looking(parts: Parts, name: str) -> AnyReadOnly:
    """Return an operation that only looks.

    Raises:
        UsageError: there is none of that name, or it changes things.
    """
    found = _named(parts, name)
    if isinstance(found, Operation):
        raise UsageError(
            T("The operation {name} changes its targets; it is not a check.", name=name),
            next_step=T("See what it would do with `dsi plan {name}`.", name=name),
        )
    return found


def unknown_operation(name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that no operation has, with those whose names are near it, or else all."""
    names = sorted(known)
    if near(name, names):
        following = did_you_mean(name, names)
    else:
        following = T("The operations are: {names}.", names=", ".join(names) or "-")
    return UsageError(T("There is no operation {name}.", name=name), next_step=following)


def known_targets(
    parts: Parts, operation: AnyOperation | AnyReadOnly, targets: Sequence[str], inputs: Inputs
) -> tuple[str, ...]:
    """Return the targets as a tuple: those named, else those the inputs name, else everything where that is allowed.

    Raises:
        UsageError: none, one twice, or one the inventory does not know.
    """
    targets = targets or inputs.targets()
    if not targets and isinstance(operation, ReadOnlyOperation) and operation.may_look_at_all:
        return (ALL,)
    if not targets:
        raise UsageError(T("No target was named."), next_step=_name_one(operation.target_kind))
    known = parts.targets[operation.target_kind]
    unknown = sorted({name for name in targets if name not in known})
    if unknown and operation.target_kind is TargetKind.ACCOUNT:
        raise UsageError(
            T("No account can be called {names}.", names=", ".join(unknown)),
            next_step=T("Name each by its staff number, its login or its address."),
        )
    if unknown:
        raise UsageError(
            T("The inventory does not know {names}.", names=", ".join(unknown)),
            next_step=T("Check the spelling, or add it to the inventory."),
        )
    twice = sorted({name for name in targets if list(targets).count(name) > 1})
    if twice:
        raise UsageError(T("Named twice: {names}.", names=", ".join(twice)), next_step=T("Name each target once."))
    return tuple(targets)


def validated(operation: AnyOperation | AnyReadOnly, given: Mapping[str, Any]) -> Inputs:
    """Return the inputs as the operation's closed schema holds them.

    Raises:
        UsageError: with every problem found, not the first alone.
    """
    model = operation.inputs_model
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        told = zip(explain(error), error.errors(include_url=False), strict=True)
        problems = [_problem(dotted(path), text, item, model.model_fields) for (path, text), item in told]
        raise UsageError(
            T("The inputs of {name} are not right: {problems}", name=operation.name, problems=_joined(problems)),
            next_step=T("`dsi operations {name}` shows the inputs and their types.", name=operation.name),
            detail={"problems": [str(problem) for problem in problems]},
        ) from error


def look_and_plan(
    parts: Parts,
    operation: AnyOperation,
    targets: Sequence[str],
    inputs: Inputs,
    observer: Observer,
    approved: Plan | None = None,
    run: str | None = None,
) -> Plan:
    """Observe and decide, with the read half of the connectors alone.

    Args:
        approved: the plan under which this is decided again, in a run.
        run: the run in which this is decided.

    Raises:
        DsiError: the operation broke its contract: another name, targets or inputs than asked.
    """
    observer.notify(Event("look.started", T("Looking at the targets."), total=len(targets), done=0))
    observed = dataclasses.replace(operation.observe(targets, inputs, parts.tools.look(), observer), run=run)
    if approved is None:
        plan = operation.plan(targets, inputs, observed)
    else:
        plan = operation.replan(targets, inputs, observed, approved)
    spoken_for = {*plan.targets, *(blocker.target for blocker in plan.blockers)}
    missing = [name for name in targets if name not in spoken_for]
    lost = [Blocker(n, observed.failures[n].what, _next(observed.failures[n]), observed.failures[n].look_exit_code)
            for n in missing if n in observed.failures]  # fmt: skip
    plan = dataclasses.replace(plan, blockers=(*plan.blockers, *lost))
    if not _keeps_contract(operation, plan, targets, inputs) or len(lost) != len(missing):
        raise DsiError(
            T("The operation {name} made a plan that is not for what was asked.", name=operation.name),
            meaning=T("This is a defect of the operation; nothing was done."),
            detail={"targets": list(plan.targets), "missing": missing},
        )
    observer.notify(Event("look.done", T("The look is done."), total=len(targets), done=len(targets)))
    return plan


def _named(parts: Parts, name: str) -> AnyOperation | AnyReadOnly:
    try:
        return parts.operations[name]
    except KeyError:
        raise unknown_operation(name, parts.operations) from None


def _keeps_contract(operation: AnyOperation, plan: Plan, targets: Sequence[str], inputs: Inputs) -> bool:
    return (
        (plan.operation, plan.version) == (operation.name, operation.version)
        and set(plan.targets) <= set(targets)
        and len(set(plan.targets)) == len(plan.targets)
        and not {blocker.target for blocker in plan.blockers} & set(plan.targets)
        and {action.target for action in plan.actions} <= set(plan.targets)
        and dict(plan.inputs) == inputs.model_dump(mode="json")
    )


def _next(error: DsiError) -> Text:
    return error.next_step or T("See to the target, then plan again.")


def _name_one(kind: TargetKind) -> Text:
    if kind is TargetKind.ACCOUNT:
        return T("Name at least one account: a staff number, a login or an address.")
    if kind is TargetKind.BACKUP:
        return T("Name at least one backup of the plan: `dsi backup list` shows them.")
    return T("Name at least one site.") if kind is TargetKind.SITE else T("Name at least one host of the inventory.")


def _problem(name: str, expected: Text, item: Mapping[str, Any], known: Iterable[str]) -> Text:
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, DsiError):
        return T("{name}: {problem}", name=name or "-", problem=cause.what)
    if item["type"] == "extra_forbidden":
        return T("{name} is not an input; the inputs are: {known}.", name=name, known=", ".join(sorted(known)))
    if item["type"] == "missing":
        return T("{name} is missing.", name=name)
    return T("{name}: {problem}", name=name or "-", problem=expected)


def _joined(problems: Sequence[Text]) -> Text:
    joined = problems[-1]
    for problem in reversed(problems[:-1]):
        joined = T("{first} {rest}", first=problem, rest=joined)
    return joined
