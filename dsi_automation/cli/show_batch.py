"""A plan or a run on many targets on the terminal: a table, then what is to be done about those left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli import labels
from dsi_automation.cli.batch import Row, rows_of
from dsi_automation.cli.output import Output
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.cli.output import Cell
    from dsi_automation.engine.model import Run

STEPS_SHOWN: Final = 20
"""Different things to do about blocked rows that fit a screen; more are told row by row with --details."""


def show_plan_rows(out: Output, plan: Plan, people: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write a row per target: who, which address and licence, what is done; then what the blocked ones need."""
    rows = rows_of(plan, people)
    columns = _columns(rows)
    headers = [title for title, _ in columns] + [T("State"), T("What will be done"), T("Remarks")]
    cells: list[list[Cell]] = [
        [
            *(_cell(row, name) for _, name in columns),
            labels.ROW_STATES[row.state],
            ", ".join(str(labels.action(kind)) for kind in row.actions),
            " ".join(" ".join(str(remark).split()) for remark in _telling(row)),
        ]
        for row in rows
    ]
    out.table(headers, cells, [labels.COLORS.get(row.state, "") for row in rows])
    counts = Counter(row.state for row in rows)
    out.line(
        T(
            "{rows}: {to_do} with something to do, {as_wanted} already right, {blocked} without a plan.",
            rows=TN("{n} row", "{n} rows", len(rows)),
            to_do=counts["to_do"],
            as_wanted=counts["as_wanted"],
            blocked=counts["blocked"],
        ),
        bold=True,
    )
    _show_next_steps(out, plan)


def _telling(row: Row) -> Sequence[Text]:
    """Return the remarks that fit a table: of what is as wanted, the last one, which sums up."""
    return row.remarks[-1:] if row.state == "as_wanted" else row.remarks


def _show_next_steps(out: Output, plan: Plan) -> None:
    """Write what to do about the blocked targets, the same advice once for all it concerns."""
    steps: dict[str, list[str]] = {}
    for blocker in plan.blockers:
        steps.setdefault(str(blocker.next_step), []).append(blocker.target)
    for step, targets in list(steps.items())[:STEPS_SHOWN]:
        names = labels.listed(list(dict.fromkeys(targets)))
        out.line(T("{targets}: {step}", targets=names, step=step), indent=2, fg="yellow")
    hidden = len(steps) - STEPS_SHOWN
    if hidden > 0:
        out.line(TN("and {n} other thing to do: --details", "and {n} other things to do: --details", hidden), indent=2)


def _columns(rows: Sequence[Row]) -> list[tuple[Text, str]]:
    """Return the columns that hold something: machines have neither a line nor an address."""
    known = (
        (T("Line"), "lines"),
        (T("Target"), "target"),
        (T("Person"), "person"),
        (T("Address"), "address"),
        (T("Licence"), "licence"),
    )
    return [(title, name) for title, name in known if any(getattr(row, name) for row in rows)]


def _cell(row: Row, name: str) -> str:
    value = labels.target(row.target) if name == "target" else getattr(row, name)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def show_run_rows(out: Output, run: Run, targets: Sequence[str], plan: Plan | None) -> None:
    """Write a row per target of a run: how it ended, what was done, what went wrong.

    Args:
        out: where to.
        run: the run.
        targets: its targets, in order.
        plan: what was approved, for the names and addresses; None when it cannot be read.
    """
    known = {} if plan is None else {row.target: row for row in rows_of(plan)}
    columns = _columns([row for row in known.values() if row.target in set(targets)]) or [(T("Target"), "target")]
    headers = [title for title, _ in columns] + [T("Result"), T("Done"), T("Remarks")]
    done: dict[str, list[str]] = {}
    for step in run.steps:
        if step.outcome in {Outcome.DONE, Outcome.UNCHANGED}:
            done.setdefault(step.target, []).append(str(labels.action(step.action_id.partition("/")[2])))
    cells: list[list[Cell]] = []
    for target in targets:
        row = known.get(target) or Row(target, (), "", "", "", "", (), ())
        error = run.errors.get(target) or {}
        remark = " ".join(str(error[key]) for key in ("what", "next_step") if error.get(key))
        cells.append(
            [
                *(_cell(row, name) for _, name in columns),
                labels.run_state(run, target),
                ", ".join(done.get(target, [])),
                remark,
            ]
        )
    good = {Outcome.DONE, Outcome.UNCHANGED}
    out.table(headers, cells, ["" if run.targets.get(target) in good else "red" for target in targets])
    counts = Counter(str(labels.run_state(run, target)) for target in targets)
    told = ", ".join(f"{state} {number}" for state, number in counts.most_common())
    out.line(T("{rows}: {states}.", rows=TN("{n} row", "{n} rows", len(targets)), states=told), bold=True)
