"""`dsi runs`: what was carried out, and how it ended."""

from __future__ import annotations

from dsi_automation.cli.base import command
from dsi_automation.cli.session import session
from dsi_automation.cli.show_run import show_runs
from dsi_automation.cli.views import run_view
from dsi_automation.core.text import T


@command("runs", T("List the runs, newest first."))
def runs() -> None:
    """List runs."""
    current = session()
    found = current.engine.runs()
    if current.choices.json:
        current.out.data({"runs": [run_view(run, with_steps=False) for run in found]})
        return
    show_runs(current.out, found)
