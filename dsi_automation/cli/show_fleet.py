"""The report of a check of many targets: how it stands first, then only those with a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from dsi_automation.cli import labels
from dsi_automation.cli.output import Output
from dsi_automation.cli.show_report import EVERYTHING, total
from dsi_automation.cli.show_run import show_check
from dsi_automation.cli.views import by_target, states_of
from dsi_automation.core.results import Check
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.engine.operation import Report

FEW: Final = 20
"""Targets that fit a screen: up to so many, each has its row and its details."""


def show_fleet(out: Output, report: Report) -> None:
    """Write the totals, what is worth telling of the compliant ones, and a row per target with a problem."""
    states, checks = states_of(report), by_target(report)
    out.line(total(report), bold=True)
    for check in checks.get(EVERYTHING, []):
        show_check(out, check)
    warned = _counted(
        check for target in states if target != EVERYTHING for check in checks[target] if check.warning and not check.ok
    )
    if warned:
        out.line(T("Warnings, and on how many targets: {warnings}.", warnings=warned))
    problems = {target: state for target, state in states.items() if state != "compliant"}
    if problems:
        out.line()
        headers = (T("Target"), T("State"), T("Remarks"))
        rows = [(target, labels.STATES[state], _why(report, target, checks)) for target, state in problems.items()]
        out.table(headers, rows, [labels.COLORS[state] for state in problems.values()])
    wrong = [target for target, state in problems.items() if state == "not_compliant"]
    if len(wrong) <= FEW:
        for target in wrong:
            out.line()
            out.line(target, bold=True)
            for check in _failed(checks[target]):
                show_check(out, check)
    out.line()
    out.line(T("Compliant targets are not listed; --json and --format csv hold every comparison of every target."))


def _why(report: Report, target: str, checks: Mapping[str, list[Check]]) -> str:
    failure = report.failures.get(target)
    if failure is not None:
        return " ".join(str(failure.what).split())
    return ", ".join(str(check.title) for check in _failed(checks[target]))


def _failed(checks: Iterable[Check]) -> list[Check]:
    return [check for check in checks if not check.ok and not check.warning]


def _counted(checks: Iterable[Check]) -> str:
    """Return titles with how often each occurs, the most frequent first."""
    found = Counter(str(check.title) for check in checks)
    return ", ".join(f"{title} ({number})" for title, number in found.most_common())
