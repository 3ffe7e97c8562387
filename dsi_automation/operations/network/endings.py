"""What a change that did not succeed ends with, in words: what happened, and how the router is now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.core.errors import (
    DsiError,
    RefusedError,
    StoppedError,
    UnknownOutcomeError,
    UnreachableError,
    VerificationFailedError,
    WorldChangedError,
)
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.operations.network.change import SafeChange
    from dsi_automation.operations.network.returning import Back


def changed_since(router: str) -> WorldChangedError:
    """Return the error of a router that was changed between the approval and the run."""
    return WorldChangedError(
        T("{router} was changed since the approval: what runs there is not what the plan was made from.",
          router=router),
        on=router,
        meaning=T("Nothing was sent to it."),
        next_step=T("Make a new plan and ask for a new approval."),
    )  # fmt: skip


def ended(safe: SafeChange, error: DsiError, back: Back, *, sent: bool, because: str | None = None) -> DsiError:
    """Return what a change that did not succeed ends with.

    Args:
        safe: the change.
        error: what went wrong, on this router or on another one.
        back: how it went back.
        sent: whether anything was sent to any router of the unit.
        because: the router on which it went wrong, where it is another one.
    """
    what = error.what
    if because is not None:
        what = T("{router} changes together with {other}: {why}", router=safe.name, other=because, why=error.what)
    if back.remaining is None:
        return UnknownOutcomeError(
            what, on=safe.name,
            meaning=T("{router} does not answer, although its timer should have brought it back.", router=safe.name),
            next_step=T("Reach it by its console: restarted, it starts with its former configuration."),
        )  # fmt: skip
    if not back.same:
        return VerificationFailedError(
            what, on=safe.name,
            meaning=T("{router} went back, but not to what it was: {lines}", router=safe.name,
                      lines="; ".join(back.remaining)),
            next_step=T("Compare it with the snapshot {name}, kept on the device and in the record.",
                        name=safe.snapshot_name),
        )  # fmt: skip
    if not sent:
        return error if because is None else _like(error)(what, on=safe.name, meaning=T("Nothing was sent to it."),
                                                          next_step=error.next_step)  # fmt: skip
    by = T("by itself, by its timer") if back.by == "timer" else T("at once")
    return VerificationFailedError(
        what, on=safe.name,
        meaning=T("{router} is back as it was before: it went back {how}.", router=safe.name, how=by),
        next_step=error.next_step or T(
            "Find the cause. What was approved is tried again by “dsi resume”; anything else takes a new plan and a "
            "new approval."
        ),
        detail=error.detail,
    )  # fmt: skip


def _like(error: DsiError) -> type[DsiError]:
    """Return the kind of error for a router that was left alone because of another one."""
    for kind in (WorldChangedError, StoppedError, UnreachableError):
        if isinstance(error, kind):
            return kind
    return RefusedError
