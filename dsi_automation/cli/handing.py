"""What is known of a run without showing it: its targets, whether they make a table, and what follows."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from dsi_automation.cli.batch import few
from dsi_automation.core.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from dsi_automation.engine.model import Run

HANDED_OVER: Final = "mailbox.create"
"""The operation whose result is handed over by a command of its own."""
LOGINS: Final = "application.account"
"""The operation whose logins are handed over, each by its name."""
GIVES_PASSWORD: Final = ("/create", "/change")
"""Its actions that seal a password."""


def is_batch_run(run: Run) -> bool:
    """Tell whether a run is better read as a table."""
    return len(targets_of(run)) > few(run.operation)


def handover_command(run: Run, handed: Collection[str] = ()) -> str | None:
    """Return the command that opens the envelopes a run sealed; None when it sealed none that is still closed.

    Args:
        handed: the targets that the journal says were handed over.
    """
    good = {Outcome.DONE, Outcome.NOT_VERIFIED}
    if run.operation == LOGINS:
        ready = {s.target: None for s in run.steps if s.action_id.endswith(GIVES_PASSWORD) and s.outcome in good}
        names = " ".join(shlex.quote(name) for name in ready if name not in handed)
        return f"dsi application handover {names}" if names else None
    if run.operation != HANDED_OVER:
        return None
    sealed = {step.target for step in run.steps if step.action_id.endswith("/hand_over") and step.outcome in good}
    return f"dsi mailbox handover {run.id}" if sealed - set(handed) else None


def targets_of(run: Run) -> list[str]:
    """Return the targets of a run; of one that has not ended, those something was done to."""
    return list(dict.fromkeys([*run.targets, *(step.target for step in run.steps)]))
