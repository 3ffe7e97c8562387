"""`dsi plan`: show what an operation would do, and why; changes nothing."""

from __future__ import annotations

from dsi_automation.cli.asking import (
    DETAILS,
    Wish,
    is_read_only,
    make_plan,
    nothing_to_do,
    request_command,
    rows_read,
    targets_of,
    wish_arguments,
)
from dsi_automation.cli.base import command
from dsi_automation.cli.check import run_check
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.show_plan import show_plan
from dsi_automation.cli.views import plan_exit_code, plan_view
from dsi_automation.core.text import T


@command(
    "plan",
    T(
        "Look at the targets and show what the operation would do to each, and why. Changes nothing.\n\n"
        "On an operation that only looks, it is “dsi check”. Exit code 5 when a target is blocked because "
        "it is not compliant, 3 when one did not answer; the highest wins, and the others are shown."
    ),
)
@wish_arguments
@DETAILS
def plan(operation: str, targets: tuple[str, ...], words: tuple[str, ...], *, details: bool) -> int:
    """Plan an operation."""
    current = session()
    wish = Wish(operation, targets_of(targets), words)
    if is_read_only(current, operation):
        return run_check(current, wish, None, None)
    return run_plan(current, wish, details=details)


def run_plan(session: Session, wish: Wish, *, details: bool = False) -> int:
    """Make and show a plan; returns the exit code."""
    inputs = wish.inputs()
    made = make_plan(session, wish, inputs)
    people = rows_read(inputs)
    following = request_command(wish, made)
    code = plan_exit_code(made)
    if session.choices.json:
        session.out.data({**plan_view(made, people), "next_command": following, "exit_code": int(code)})
        return code
    show_plan(session.out, made, details=details, people=people)
    if following is not None:
        session.out.line(T("Next: {command}", command=following), bold=True)
    elif not made.blockers:
        session.out.line(nothing_to_do(made))
    return code
