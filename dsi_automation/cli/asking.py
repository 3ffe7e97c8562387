"""What `check`, `plan`, `request` and `emergency` share: operation, targets, inputs, and the plan they lead to."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.cli.base import argument, option
from dsi_automation.cli.inputs import gather
from dsi_automation.cli.labels import listed
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session
from dsi_automation.cli.views import plan_exit_code
from dsi_automation.core.errors import DsiError, NotCompliantError, UnreachableError, UsageError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Blocker, Plan
from dsi_automation.core.text import T, Text

DETAILS: Final = option("--details", is_flag=True, help=T("Of a batch, every action with its reason, not a table."))


@dataclass(frozen=True, slots=True)
class Wish:
    """An operation on targets with inputs, as typed."""

    operation: str
    targets: tuple[str, ...]
    words: tuple[str, ...]

    def inputs(self) -> dict[str, Any]:
        """Return the inputs.

        Raises:
            UsageError: they cannot be read.
        """
        return gather(self.words)


def wish_arguments[F: Callable[..., Any]](function: F) -> F:
    """Declare OPERATION TARGET... -i key=value."""
    for decorate in (
        option(
            "-i",
            "--input",
            "words",
            multiple=True,
            metavar=T("KEY=VALUE"),
            help=T(
                "An input of the operation, as often as needed; KEY=@FILE reads its value from a JSON or YAML file, "
                "@FILE reads many inputs."
            ),
        ),
        argument(
            "targets",
            nargs=-1,
            metavar=T("[TARGET...]"),
            help=T(
                "Names of the inventory: hosts or groups; for accounts, staff numbers, logins or addresses. "
                "None where the inputs name them."
            ),
        ),
        argument("operation", metavar=T("OPERATION"), help=T("The operation: see “dsi operations”.")),
    ):
        function = decorate(function)
    return function


def is_read_only(session: Session, operation: str) -> bool:
    """Tell whether an operation only looks.

    Raises:
        UsageError: there is no such operation.
    """
    from dsi_automation.engine.operation import ReadOnlyOperation

    known = session.toolkit.operations
    if operation not in known:
        from dsi_automation.engine.registry import unknown_operation

        raise unknown_operation(operation, known)
    return isinstance(known[operation], ReadOnlyOperation)


def make_plan(session: Session, wish: Wish, inputs: Mapping[str, Any] | None = None) -> Plan:
    """Have the engine look and decide, with progress; `inputs` are those of the wish, where they were read already."""
    if is_read_only(session, wish.operation):
        raise UsageError(
            T("{name} only looks: it needs no request and no approval.", name=wish.operation),
            next_step=T("Run: {command}", command=command_line("check", wish)),
        )
    inputs = wish.inputs() if inputs is None else inputs
    engine, targets = session.engine, session.toolkit.select(wish.operation, wish.targets)
    with Progress(targets) as progress:
        return engine.plan(wish.operation, targets, inputs, progress)


def rows_read(inputs: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the rows that were read from a file, each with its line; none where the inputs hold none."""
    rows = inputs.get("people")
    return rows if isinstance(rows, list) and all(isinstance(row, dict) and "line" in row for row in rows) else ()


def refuse_blocked(plan: Plan, *, partial: bool) -> None:
    """Make sure that a plan may be asked for although some targets are left out.

    Raises:
        DsiError: with the exit code of the worst blocker.
    """
    if not plan.blockers or (partial and plan.targets):
        return
    blocked = list(dict.fromkeys(blocker.target for blocker in plan.blockers))
    what = T("No plan can be made for {targets}: {reason}", targets=listed(blocked), reason=plan.blockers[0].reason)
    step = plan.blockers[0].next_step
    if len({(str(blocker.reason), str(blocker.next_step)) for blocker in plan.blockers}) > 1:
        what = T("No plan can be made for {targets}, each for its own reason.", targets=listed(blocked))
        step = T("Correct them as the plan says.")
    raise _kind_of(plan)(
        what,
        next_step=T("{step} Or ask for the other targets alone, with --partial.", step=step) if plan.targets else step,
        detail={"blockers": [_blocker(blocker) for blocker in plan.blockers]},
    )


def command_line(command: str, wish: Wish, *more: str) -> str:
    """Return the exact command for a shell."""
    words = [command, wish.operation, *wish.targets]
    for word in wish.words:
        words += ["-i", word]
    return " ".join(["dsi", *map(shlex.quote, [*words, *more])])


def request_command(wish: Wish, plan: Plan) -> str | None:
    """Return the command that asks for this plan; None when there is nothing to ask for."""
    if not plan.actions:
        return None
    partial = ["--partial"] if plan.blockers else []
    return command_line("request", wish, *partial, "--reason", str(T("why it is needed")))


def nothing_to_do(plan: Plan) -> Text:
    """Return the sentence for a plan without actions."""
    return T("Nothing to do: {targets} already as wanted.", targets=listed(plan.targets))


def _kind_of(plan: Plan) -> type[DsiError]:
    code = plan_exit_code(plan)
    if code is ExitCode.NOT_COMPLIANT:
        return NotCompliantError
    return UnreachableError if code is ExitCode.UNREACHABLE else DsiError


def _blocker(blocker: Blocker) -> dict[str, Any]:
    return {
        "target": blocker.target,
        "reason": str(blocker.reason),
        "next_step": str(blocker.next_step),
        "exit_code": int(blocker.exit_code),
    }


def targets_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return the targets as typed, each once."""
    return tuple(dict.fromkeys(words))
