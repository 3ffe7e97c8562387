"""`dsi request` and `dsi emergency`: put a plan forward, or run it now and answer for it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dsi_automation.cli import times
from dsi_automation.cli.asking import (
    Wish,
    make_plan,
    nothing_to_do,
    refuse_blocked,
    rows_read,
    targets_of,
    wish_arguments,
)
from dsi_automation.cli.base import command, option
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.running import finish
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.show_plan import show_plan
from dsi_automation.cli.show_request import next_step, show_request
from dsi_automation.cli.views import plan_view, request_view
from dsi_automation.core.errors import UsageError
from dsi_automation.core.plan import Plan
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dsi_automation.engine.model import StandingBounds, Window

    type Rows = Sequence[Mapping[str, Any]]

_REASON = option("--reason", required=True, metavar=T("TEXT"), help=T("Why; the approver and the record read it."))
_PARTIAL = option("--partial", is_flag=True, help=T("Leave out the targets no plan can be made for."))


@dataclass(frozen=True, slots=True)
class When:
    """When a request may run, read and checked before any machine is looked at."""

    window: Window
    bounds: StandingBounds | None


@command(
    "request",
    T(
        "Make the plan and ask for its approval, signed with your key.\n\n"
        "Moments are written 2026-11-30T18:00, 2026-11-30 (the whole day), 18:00 (today) or +2h."
    ),
)
@wish_arguments
@_REASON
@option("--not-before", metavar=T("MOMENT"), help=T("Do not run before."))
@option("--not-after", metavar=T("MOMENT"), help=T("Do not run after."))
@_PARTIAL
@option("--standing", is_flag=True, help=T("Ask for a permission to run again and again, within bounds."))
@option("--until", metavar=T("DATE"), help=T("Standing: the last day."))
@option("--hours", metavar="HH:MM-HH:MM", help=T("Standing: the hours of the day."))
@option(
    "--time-zone",
    default="Africa/Abidjan",
    metavar=T("ZONE"),
    help=T("Standing: the zone of the hours."),
    show_default=True,
)
@option("--weekdays", metavar=T("DAYS"), help=T("Standing: mon-fri, or mon,wed; every day by default."))
def request(operation: str, targets: tuple[str, ...], words: tuple[str, ...], reason: str, **given: Any) -> int:
    """Ask for a plan."""
    current = session()
    when = _when(current, given)
    return ask_for(current, Wish(operation, targets_of(targets), words), reason, when, partial=given["partial"])


@command(
    "emergency",
    T(
        "Make the plan and run it now, without waiting for an approval.\n\n"
        "Somebody entitled has to ratify it within the time the policy sets; until then every "
        "command says so."
    ),
)
@wish_arguments
@_REASON
@_PARTIAL
def emergency(operation: str, targets: tuple[str, ...], words: tuple[str, ...], reason: str, *, partial: bool) -> int:
    """Run now, to be ratified."""
    current = session()
    made, people = _askable(current, Wish(operation, targets_of(targets), words), reason, partial=partial)
    if not made.actions:
        return _say_nothing_to_do(current, made, people)
    with Progress() as progress:
        done = current.engine.emergency(made, reason, progress)
    current.out.note(
        T("To be ratified by somebody entitled: dsi ratify {id} --comment '...'", id=done.request_id), fg="yellow"
    )
    return finish(current, done)


def ask_for(session: Session, wish: Wish, reason: str, when: When, *, partial: bool = False) -> int:
    """Make the plan, ask for it, and show the request with what comes next; returns the exit code."""
    made, people = _askable(session, wish, reason, partial=partial)
    if not made.actions and (when.bounds is None or not made.targets):
        return _say_nothing_to_do(session, made, people)
    asked = session.engine.request(made, reason, when.window, standing=when.bounds)
    if session.choices.json:
        session.out.data(request_view(asked))
        return 0
    show_request(session.out, asked, people=people)
    following = next_step(asked)
    if following is not None:
        session.out.line(following, bold=True)
    return 0


def _when(session: Session, given: dict[str, Any]) -> When:
    window = times.window(given["not_before"], given["not_after"], session.clock.now())
    if given["standing"]:
        from dsi_automation.engine.hours import check_bounds

        bounds = times.bounds(given["until"], given["hours"], given["time_zone"], given["weekdays"])
        check_bounds(bounds, session.clock.now())  # before anything is looked at
        return When(window, bounds)
    if any(given[name] is not None for name in ("until", "hours", "weekdays")):
        raise UsageError(
            T("--until, --hours and --weekdays belong to a standing request."), next_step=T("Add --standing.")
        )
    return When(window, None)


def _askable(session: Session, wish: Wish, reason: str, *, partial: bool) -> tuple[Plan, Rows]:
    """Return the plan to ask for, and the rows of the file it was made from."""
    if not reason.strip():
        raise UsageError(T("The reason is empty."), next_step=T("Say in a few words why it is needed: --reason '...'."))
    inputs = wish.inputs()
    made, people = make_plan(session, wish, inputs), rows_read(inputs)
    # A plan that is not refused is shown with its request.
    if made.blockers and not session.choices.json and not (partial and made.targets):
        show_plan(session.out, made, people=people)
    refuse_blocked(made, partial=partial)
    return made, people


def _say_nothing_to_do(session: Session, plan: Plan, people: Rows) -> int:
    if session.choices.json:
        session.out.data({"nothing_to_do": True, "plan": plan_view(plan)})
        return 0
    show_plan(session.out, plan, people=people)
    session.out.line(nothing_to_do(plan))
    session.out.line(T("No request was made: there is nothing to approve."))
    return 0
