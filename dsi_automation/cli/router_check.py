"""`dsi router check`: how routers differ from the inventory and from the record of accesses; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.base import command, option
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.router_names import router_argument, routers_of
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.views import by_target, report_exit_code, report_view
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dsi_automation.core.results import Check

OPERATION: Final = "router.check"


@command(
    "check",
    T(
        "Compare routers with the inventory and with the record of accesses, all at once: circuits, routes, filter, "
        "accesses, what is not saved, timers that run. Changes nothing.\n\n"
        "Exit code 5 when one has drifted, 3 when one did not answer. The short form of “dsi check router.check”, "
        "which also writes CSV and JUnit XML."
    ),
)
@router_argument(many=True, required=False)
@option("--all", "everything", is_flag=True, help=T("Say of each router what is as it should be as well."))
def check(names: tuple[str, ...], *, everything: bool) -> int:
    """Check routers."""
    current = session()
    known = routers_of(current, names)
    with Progress(list(known)) as progress:
        report = current.engine.check(OPERATION, tuple(known), {}, progress)
    code = report_exit_code(report)
    if current.choices.json:
        current.out.data(report_view(OPERATION, report))
        return code
    checks = by_target(report)
    for name in report.targets:
        failure = report.failures.get(name)
        if failure is not None:
            current.out.line(T("{router}: {why}", router=name, why=failure.what), fg="red")
            if failure.next_step is not None:
                current.out.line(failure.next_step, indent=4)
            continue
        _show(current, name, checks[name], report.facts[name], everything=everything)
    return code


def _show(session: Session, name: str, checks: Sequence[Check], facts: Mapping[str, Any], *, everything: bool) -> None:
    """Write what is wrong with a router, line by line."""
    wrong = [one for one in checks if not one.ok]
    serious = [one for one in wrong if not one.warning]
    if serious:
        session.out.line(T("{router}: DRIFT", router=name), fg="red", bold=True)
    elif wrong:
        session.out.line(T("{router}: as it should be, with remarks", router=name), fg="yellow")
    else:
        session.out.line(T("{router}: as it should be", router=name), fg="green")
    for one in checks if everything else wrong:
        lines = _lines(one, facts)
        color = None if one.ok else "yellow" if one.warning else "red"
        if not lines:
            said = T("{title}: expected {expected}, found {observed}", title=one.title, expected=one.expected,
                     observed=one.observed)  # fmt: skip
            if one.ok:
                said = T("{title}: {value}", title=one.title, value=one.observed)
            session.out.line(said, indent=2, fg=color)
            continue
        session.out.line(_heading(one, len(lines)), indent=2, fg=color)
        for line in lines:
            session.out.line(line, indent=4)


def _heading(check: Check, count: int) -> Text:
    if check.name == "unsaved":
        return T("Runs and is not saved (+), or the other way round (-):")
    return TN("{title}: {n} line would bring it to what the inventory wants:",
              "{title}: {n} lines would bring it to what the inventory wants:", count, title=check.title)  # fmt: skip


def _lines(check: Check, facts: Mapping[str, Any]) -> Sequence[str]:
    """Return the lines a check is about, one by one; none where it is about a single value."""
    if check.ok:
        return ()
    found: Sequence[str] = facts["unsaved"] if check.name == "unsaved" else facts["drift"].get(check.name, ())
    return found
