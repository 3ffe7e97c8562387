"""Which standing approval covers something now: backups, their verification and the schedules run under one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dsi_automation.core.errors import GateClosedError
from dsi_automation.core.text import T, Text
from dsi_automation.engine import hours
from dsi_automation.engine.model import Request, RequestKind, RequestState

if TYPE_CHECKING:
    from dsi_automation.engine.api import Engine
    from dsi_automation.engine.operation import AnyOperation, AnyReadOnly


class NoStandingError(GateClosedError):
    """No standing approval covers this at this moment; `detail` has the operation, the targets and the reason."""


def standing_request(
    engine: Engine,
    operation: str,
    targets: Sequence[str],
    inputs: Mapping[str, Any],
    now: datetime,
    *,
    operations: Mapping[str, AnyOperation | AnyReadOnly] | None = None,
) -> Request:
    """Return the standing approval for exactly this, in force now; of several, the one that lasts longest.

    The gate looks again when the run starts: this only finds which request to run.

    Args:
        targets: exactly those of the approval, in any order.
        inputs: as a person gives them; what is not said has the operation's default.
        operations: where the operation is found; by default those of the toolkit.

    Raises:
        NoStandingError: there is none; says why, and how to ask for one.
        UsageError: the operation is unknown, or the inputs are not right.
    """
    wanted = _whole(operation, inputs, operations)
    near = [
        item
        for item in engine.requests()
        if item.kind is RequestKind.STANDING
        and item.plan.operation == operation
        and set(targets) <= set(item.plan.targets)
    ]
    same = [item for item in near if dict(item.plan.inputs) == wanted and set(item.plan.targets) == set(targets)]
    good = [item for item in same if _closed(item, now) is None]
    if good:
        return max(good, key=lambda item: (_last_day(item), item.made_at))
    wider = [item for item in near if dict(item.plan.inputs) == wanted and _closed(item, now) is None]
    if wider and not same:
        raise _wider(operation, targets, wider[0])
    raise _none(operation, targets, _reason(same, near, now))


def _whole(
    operation: str, inputs: Mapping[str, Any], operations: Mapping[str, AnyOperation | AnyReadOnly] | None
) -> dict[str, Any]:
    """Return inputs as plans hold them, defaults included."""
    from dsi_automation.engine import registry

    if operations is None:
        from dsi_automation.operations.registry import operations as all_of_them

        operations = all_of_them()
    found = operations.get(operation)
    if found is None:
        raise registry.unknown_operation(operation, operations)
    return dict(registry.validated(found, inputs).model_dump(mode="json"))


def _closed(request: Request, now: datetime) -> Text | None:
    """Return why a standing request does not cover this moment, or None when it does."""
    if request.state is not RequestState.APPROVED:
        return _STATES.get(request.state, T("It is not in force."))
    window = request.window
    if (window.not_before and now < window.not_before) or (window.not_after and now > window.not_after):
        return T("It is not within its window now.")
    return hours.outside(request.bounds, now) if request.bounds is not None else None


_STATES: Mapping[RequestState, Text] = {
    RequestState.PENDING: T("It still waits for approvals."),
    RequestState.REFUSED: T("It was refused."),
    RequestState.REVOKED: T("It was taken back."),
    RequestState.EXPIRED: T("Its last day is past."),
}


def _last_day(request: Request) -> date:
    return date.min if request.bounds is None else request.bounds.until


def _reason(same: Iterable[Request], near: Iterable[Request], now: datetime) -> Text | None:
    """Return the most telling reason: what is wrong with the newest that matches, else with the newest near it."""
    for request in same:
        why = _closed(request, now)
        if why is not None:
            return T("{id} is for this, but not now: {why}", id=request.id, why=why)
    for request in near:
        return T("{id} is for other targets or other inputs.", id=request.id)
    return None


def _wider(operation: str, targets: Sequence[str], request: Request) -> NoStandingError:
    """Return the refusal of some targets of an approval: a run is of all of them, as the gate has it."""
    names = ", ".join(targets)
    return NoStandingError(
        T("{id} covers {operation} on {targets} with other targets together, not alone.", id=request.id,
          operation=operation, targets=names),
        meaning=T("An approval is for exactly its targets: {targets}.", targets=", ".join(request.plan.targets)),
        next_step=T("Run it for all of them, or ask for a run of its own: dsi request {operation} {targets} "
                    "--reason '...'", operation=operation, targets=" ".join(targets)),
        detail={"door": "no_standing", "operation": operation, "targets": list(targets)},
    )  # fmt: skip


def _none(operation: str, targets: Sequence[str], why: Text | None) -> NoStandingError:
    names = ", ".join(targets)
    if operation.startswith(("server.backup", "database.backup", "backup.")):
        ask = T("Ask for one, and have it approved: `dsi backup ask {targets}`.", targets=" ".join(targets))
    elif operation == "application.restart":
        ask = T("Ask for one, and have it approved: `dsi application ask {targets}`.", targets=" ".join(targets))
    else:
        ask = T(
            "Ask for one, and have it approved: `dsi request {operation} {targets} --standing ...`.",
            operation=operation,
            targets=" ".join(targets),
        )
    return NoStandingError(
        T("No standing approval covers {operation} on {targets} now.", operation=operation, targets=names),
        meaning=why,
        next_step=ask,
        detail={"door": "no_standing", "operation": operation, "targets": list(targets)},
    )
