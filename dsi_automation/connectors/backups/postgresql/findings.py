"""Comparisons of a proof or a restore, gathered: what should be there, what is, and whether that will do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dsi_automation.connectors.backups.settings import Question
from dsi_automation.core.clock import iso
from dsi_automation.core.results import Check
from dsi_automation.core.text import Text

TOLERANCE: Final = 0.01
"""Share by which a count may differ that was taken while others were writing: it is told, and fails nothing."""


class Findings:
    """Checks of one target, in the order they were made."""

    def __init__(self, target: str) -> None:
        """Begin with none."""
        self._target = target
        self.checks: list[Check] = []

    @property
    def ok(self) -> bool:
        """Tell whether nothing failed so far."""
        return all(check.ok or check.warning for check in self.checks)

    def add(
        self, name: str, title: Text, expected: str, observed: str, *, ok: bool, source: str, warning: bool = False
    ) -> bool:
        """Add one comparison; returns whether it holds."""
        self.checks.append(Check(self._target, name, title, expected, observed, ok, source, warning))
        return ok

    def same(self, name: str, title: Text, expected: str, observed: str, source: str) -> bool:
        """Add the comparison of two values that must be the same."""
        return self.add(name, title, expected, observed, ok=expected == observed, source=source)

    def fault(self, name: str, title: Text, found: str | None, source: str) -> bool:
        """Add what a program found wrong; None for nothing."""
        return self.add(name, title, "ok", "ok" if found is None else found, ok=found is None, source=source)

    def counted(self, name: str, title: Text, expected: int, observed: int | None, *, exact: bool, source: str) -> bool:
        """Add the comparison of a count with the one taken at backup time."""
        seen = "-" if observed is None else str(observed)
        if observed is not None and not exact and expected != observed:
            near = abs(observed - expected) <= TOLERANCE * max(expected, 1)
            return self.add(name, title, f"~ {expected}", seen, ok=False, source=source, warning=near)
        return self.same(name, title, str(expected), seen, source)


def judged(question: Question, value: str | None, moment: datetime, said: datetime | None) -> tuple[str, bool]:
    """Return what the answer to a question must be, and whether it is.

    Args:
        question: with what it asks for.
        value: the answer as text; None for none (SQL's NULL, or no row).
        moment: when the backup was made, by the server's clock.
        said: the answer as a moment, where the question is about one.
    """
    wanted: list[str] = []
    holds: list[bool] = []
    if question.minimum is not None:
        wanted.append(f">= {question.minimum:g}")
        holds.append(_number(value, question.minimum))
    if question.equals is not None:
        wanted.append(f"= {question.equals}")
        holds.append(value == question.equals)
    if question.newer_than is not None:
        oldest = moment - question.newer_than
        wanted.append(f">= {iso(oldest)}")
        # A moment far ahead of the backup is no proof of freshness: a clock was wrong.
        holds.append(said is not None and oldest <= said <= moment + max(question.newer_than, timedelta(days=1)))
    return ", ".join(wanted), all(holds)


def _number(value: str | None, minimum: float) -> bool:
    try:
        return value is not None and float(value) >= minimum
    except ValueError:
        return False
