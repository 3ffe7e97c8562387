"""A run on the terminal: what was done to which target, and what an independent look found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli import labels
from dsi_automation.cli.handing import handover_command, is_batch_run, targets_of
from dsi_automation.cli.moments import local
from dsi_automation.cli.output import Output
from dsi_automation.cli.show_batch import show_run_rows
from dsi_automation.cli.show_notes import show_note
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Check, Outcome
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.applications.notes import ROLLED_BACK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dsi_automation.engine.model import Run, Step


GOOD: Final = frozenset({Outcome.DONE, Outcome.UNCHANGED})


def show_run(
    out: Output, run: Run, plan: Plan | None = None, *, details: bool = False, handed: Collection[str] = ()
) -> None:
    """Write a run: its targets, its steps, its evidence; of a batch a row per target, unless details are asked for.

    Args:
        out: where to.
        run: the run.
        plan: what was approved, where it is at hand: it knows the names behind the targets, and who was left out.
        details: every step and every comparison.
        handed: the targets whose accounts were handed over.
    """
    out.line(T("Run {id} of request {request}", id=run.id, request=run.request_id), bold=True)
    started = T(
        "{operation}, by {person}, {start}", operation=run.operation, person=run.person, start=local(run.started_at)
    )
    out.line(started, indent=2)
    if run.ended_at is not None:
        out.line(T("ended {end}", end=local(run.ended_at)), indent=2)
    if run.held_by is not None:
        out.line(T("under way, held by {owner}", owner=run.held_by), indent=2)
    as_table = not details and is_batch_run(run)
    if as_table:
        out.line()
        show_run_rows(out, run, targets_of(run), plan)
    else:
        _show_targets(out, run)
    if plan is not None and plan.blockers:
        _show_left_out(out, run, plan)
    out.line()
    _show_error(out, run.error, indent=0)
    good = run.outcome in GOOD
    out.line(T("Result: {outcome}", outcome=labels.run_state(run)), fg="green" if good else "red", bold=True)
    if _may_be_finished(run):
        out.line(T("To finish it: dsi resume {id}", id=run.id), bold=True)
    following = handover_command(run, handed)
    if following is not None:
        out.line(T("Next, the passwords to hand over: {command}", command=following), bold=True)
    if as_table:
        out.note(T("Each step and each comparison: dsi show {id} --details", id=run.id))


def _show_left_out(out: Output, run: Run, plan: Plan) -> None:
    """Write who was left out of the request and so out of the run, and where the reasons are."""
    left_out = list(dict.fromkeys(blocker.target for blocker in plan.blockers))
    count = TN("{n} target was left out of the request", "{n} targets were left out of the request", len(left_out))
    names = labels.listed(left_out)
    out.line(
        T("{count}: {names}. Why: dsi show {request}", count=count, names=names, request=run.request_id), fg="yellow"
    )


def _show_targets(out: Output, run: Run) -> None:
    for target in targets_of(run):
        out.line()
        out.line(T("{title}: {value}", title=target, value=labels.run_state(run, target)), bold=True)
        for step in run.steps:
            if step.target == target:
                _show_step(out, step, left=_was_left(run, target))
        for note in run.notes:
            if note.target == target:
                show_note(out, note)
        for check in run.evidence:
            if check.target == target:
                show_check(out, check)
        _show_error(out, _untold(run, target), indent=2)


def _may_be_finished(run: Run) -> bool:
    """Tell whether `dsi resume` has something to finish: a run that stopped, or ended badly after it began to act."""
    if run.ended_at is None:
        return run.held_by is None
    told = [error for error in (run.error, *run.errors.values()) if error is not None]
    if any((error.get("detail") or {}).get("door") == "revoked" for error in told):
        return False
    return bool(run.exit_code) and bool(run.steps) and not _overtaken(run) and not _gone_back(run)


def _overtaken(run: Run) -> bool:
    """Tell whether what remains takes a new plan: the world changed for every target that did not end well."""
    remain = [run.errors.get(target) for target, outcome in run.targets.items() if outcome not in GOOD]
    return bool(remain) and all(error is not None and error["exit_code"] == ExitCode.WORLD_CHANGED for error in remain)


def _gone_back(run: Run) -> bool:
    """Tell whether whatever did not end well was put back as it was: a resumed run would only say so again."""
    remain = {target for target, outcome in run.targets.items() if outcome not in GOOD}
    return bool(remain) and remain <= {note.target for note in run.notes if note.name == ROLLED_BACK}


def _untold(run: Run, target: str) -> Mapping[str, Any] | None:
    """Return why a target did not end well, unless one of its steps tells it."""
    error = run.errors.get(target)
    told = [step.error["what"] for step in run.steps if step.target == target and step.error]
    return None if error is None or error["what"] in told else error


def show_runs(out: Output, runs: Sequence[Run]) -> None:
    """Write a line per run."""
    if not runs:
        out.line(T("No run."))
        return
    headers = (T("Run"), T("Result"), T("Operation"), T("Targets"), T("By"), T("Started"), T("Request"))
    rows = [
        (
            run.id,
            labels.run_state(run),
            run.operation,
            labels.listed(targets_of(run)),
            run.person,
            local(run.started_at),
            run.request_id,
        )
        for run in runs
    ]
    out.table(headers, rows)


def show_check(out: Output, check: Check) -> None:
    """Write one comparison: what was found, what was expected, and where it was read."""
    if check.ok:
        sentence = T("{title}: {observed} ({source})", title=check.title, observed=check.observed, source=check.source)
        out.line(f"✓ {sentence}", indent=2, fg="green")
        return
    sentence = T(
        "{title}: {observed}, expected {expected} ({source})",
        title=check.title,
        observed=check.observed,
        expected=check.expected,
        source=check.source,
    )
    mark, color = ("!", "yellow") if check.warning else ("✗", "red")
    out.line(f"{mark} {sentence}", indent=2, fg=color)


def _was_left(run: Run, target: str) -> bool:
    """Tell whether a run ended with nothing of what it had announced of a target under way: it stopped before."""
    return run.ended_at is not None and run.targets.get(target) is Outcome.INTERRUPTED


def _show_step(out: Output, step: Step, *, left: bool) -> None:
    kind = step.action_id.partition("/")[2] or step.action_id
    found = T("not done") if left and step.outcome is Outcome.UNKNOWN else labels.OUTCOMES[step.outcome]
    said = T("{title}: {value}", title=labels.action(kind), value=found)
    out.line(Text("· {said}", {"said": said}), indent=2)
    _show_error(out, step.error, indent=6)


def _show_error(out: Output, error: Mapping[str, Any] | None, *, indent: int) -> None:
    for key in ("what", "meaning", "next_step"):
        if error and error.get(key):
            out.line(error[key], indent=indent, fg="red" if key == "what" else None)
