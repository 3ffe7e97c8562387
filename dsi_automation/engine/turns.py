"""Waiting for a target that another run holds: two technicians at once, and one waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dsi_automation.core.errors import StoppedError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import T
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.signals import asked_to_stop
from dsi_automation.journal.errors import LeaseHeldError

SLICE: Final = 0.5
"""Seconds between two looks at who holds the target."""


def in_turn[T_](parts: Parts, claim: Callable[[], T_], patience: float, observer: Observer) -> T_:
    """Return what `claim` returns, once whoever holds its targets has ended.

    The claim is made anew then: the gate looks again, so that what closed meanwhile is closed.

    Args:
        patience: how long to wait in all, seconds; 0 for not at all.

    Raises:
        LeaseHeldError: somebody still holds a target after that time.
        StoppedError: asked to stop while waiting; nothing was done.
    """
    until = parts.clock.monotonic() + patience
    while True:
        try:
            return claim()
        except LeaseHeldError as error:
            if parts.clock.monotonic() >= until:
                raise
            observer.notify(
                Event("run.waiting", T("{problem} This run waits for its turn.", problem=error.what), target=error.on)
            )
            _until_free(parts, str(error.detail["run"]), until)


def _until_free(parts: Parts, run: str, until: float) -> None:
    with asked_to_stop() as stop:
        while parts.clock.monotonic() < until and any(lease.run_id == run for lease in parts.journal.holders()):
            if stop.is_set():
                raise StoppedError(
                    T("The run was asked to stop while it waited for {run}.", run=run),
                    meaning=T("Nothing was done."),
                    next_step=T("Start it again when {run} has ended.", run=run),
                )
            parts.clock.sleep(SLICE)
