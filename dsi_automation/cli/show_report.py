"""The report of a check on the terminal: a row per target, then what is wrong where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dsi_automation.cli import labels
from dsi_automation.cli.output import Output
from dsi_automation.cli.show_run import show_check
from dsi_automation.cli.views import by_target, states_of, summary
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.engine.operation import Report

EVERYTHING: Final = "*"
"""`engine.operation.ALL`: the target of what concerns all others together (seats, say); all of it is told."""


def show_report(out: Output, report: Report) -> None:
    """Write the table, then the details of every target with something to tell."""
    states, checks = states_of(report), by_target(report)
    headers = (T("Target"), T("State"), T("Remarks"))
    rows = [
        (target, labels.STATES[state], _remarks(report, target, checks[target])) for target, state in states.items()
    ]
    out.table(headers, rows, [labels.COLORS[state] for state in states.values()])
    for target in states:
        telling = [check for check in checks[target] if not check.ok or target == EVERYTHING]
        failure = report.failures.get(target)
        if not telling and failure is None:
            continue
        out.line()
        out.line(target, bold=True)
        for check in telling:
            show_check(out, check)
        if failure is not None:
            out.line(Text("✗ {what}", {"what": failure.what}), indent=2, fg="red")
            for sentence in (failure.meaning, failure.next_step):
                if sentence is not None:
                    out.line(sentence, indent=4)
    out.line()
    out.line(total(report))


def total(report: Report) -> Text:
    """Return how many targets are in which state, in one sentence."""
    counts = summary(states_of(report))
    parts = [
        TN("{n} target compliant", "{n} targets compliant", counts["compliant"]),
        TN("{n} not compliant", "{n} not compliant", counts["not_compliant"]),
        TN("{n} unreachable", "{n} unreachable", counts["unreachable"]),
        TN("{n} refused the look", "{n} refused the look", counts["failed"]),
    ]
    numbers = [counts["compliant"], counts["not_compliant"], counts["unreachable"], counts["failed"]]
    told = [part for part, number in zip(parts, numbers, strict=True) if number] or parts[:1]
    return T("{sentence}.", sentence=", ".join(str(part) for part in told))


def _remarks(report: Report, target: str, checks: list[Check]) -> str:
    failure = report.failures.get(target)
    if failure is not None:
        return " ".join(str(failure.what).split())
    return ", ".join(str(check.title) for check in checks if not check.ok)
