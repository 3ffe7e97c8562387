"""Having a router back as it was before a change: at once where it answers, else by its own timer."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.routers.port import TimerState
from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import T
from dsi_automation.operations.network.comparing import compare

if TYPE_CHECKING:
    from dsi_automation.operations.network.change import SafeChange
    from dsi_automation.operations.tools import Look

AGAIN: Final = 0.5
"""Seconds between two looks whether it is as it should be."""
SLACK: Final = 120.0
"""Seconds a device may take to go back once its timer is over, until it answers again."""


@dataclass(frozen=True, slots=True)
class Back:
    """How a router went back.

    Attributes:
        by: `timer` or `controller`; `nothing` where nothing had been sent to it.
        remaining: lines in which it still differs from what ran before; None while it does not answer.
    """

    by: str
    remaining: tuple[str, ...] | None

    @property
    def same(self) -> bool:
        """Tell whether it is as it was."""
        return self.remaining == ()


def take_back(safe: SafeChange, why: str) -> Back:
    """Take a change back, wait until the router is back, and compare it with what ran before.

    What was confirmed is taken back from the named snapshot; what is armed by the device itself, told to or not.
    """
    if not safe.armed:
        return Back("nothing", ())
    told = _told_to_go_back(safe)
    # Told after its timer was over, it only said that it had gone back already.
    by = "controller" if told and (safe.confirmed or safe.clock.monotonic() < safe.deadline - SLACK) else "timer"
    back = Back(by, _remaining(safe, late=by == "timer" and safe.sent))
    safe.returned(why, back)
    return back


def settled(target: str, look: Look, observer: Observer, timer: float) -> None:
    """Wait until a router answers and no timer of it is armed: confirmed, or back by itself.

    Args:
        target: the router; the driver opens a new connection where the last one broke.
        look: the read half.
        observer: is told once, where it is waited for at all.
        timer: how long one is armed at most, seconds.

    Raises:
        UnreachableError: it did not answer in time, or its timer is armed still.
    """
    deadline, told = look.clock.monotonic() + timer + SLACK, False
    with look.router(target) as router:
        while True:
            try:
                if router.timer().state is TimerState.NONE:
                    return
                error = UnreachableError(T("The timer of {router} is still armed.", router=target), on=target)
            except UnreachableError as silent:
                error = silent
            if look.clock.monotonic() >= deadline:
                raise error
            if not told:
                text = T("waits until its rollback timer is over, or it was confirmed")
                observer.notify(Event("wait", text, target=target))
                told = True
            look.clock.sleep(AGAIN)


def _told_to_go_back(safe: SafeChange) -> bool:
    """Tell the router to go back; returns whether it could be told."""
    safe.router.close()
    try:
        if safe.confirmed:
            safe.router.restore(safe.snapshot_name)
        else:
            safe.router.revert()
    except DsiError:
        safe.router.close()
        return False
    return True


def _remaining(safe: SafeChange, *, late: bool) -> tuple[str, ...] | None:
    """Return in which lines it differs from what ran before; None when it does not answer until the end.

    Args:
        late: whether lines may have reached it once its timer was over: the controller stood still. No timer takes
            them back; the named snapshot does.
    """
    told, found = False, None
    while True:
        try:
            found = _differing(safe)
            if found and late:
                late = False
                safe.router.restore(safe.snapshot_name)
                continue
            if found == () or (found is not None and not safe.confirmed):
                return found
        except DsiError:
            safe.router.close()
        if safe.clock.monotonic() >= safe.deadline:
            return found
        if not told:
            safe.waiting()
            told = True
        safe.clock.sleep(AGAIN)
        if safe.confirmed:  # no timer brings it back: only being told again
            with contextlib.suppress(DsiError):
                safe.router.restore(safe.snapshot_name)


def _differing(safe: SafeChange) -> tuple[str, ...] | None:
    """Return in which lines it differs from what ran before; None as long as it is not quiet."""
    if safe.router.timer().state is not TimerState.NONE:
        return None
    wanted = safe.change.running if safe.before is None else safe.before.digest
    running = safe.as_it_was(safe.router.running(), wanted)
    if safe.before is None:
        return () if running.digest == wanted else ("-",)
    return compare(safe.before, running).lines()
