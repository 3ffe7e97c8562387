"""What can go wrong with an application server, told apart where somebody must do something else about it."""

from __future__ import annotations

from dsi_automation.core.errors import DsiError, RefusedError


class StillRunningError(DsiError):
    """The service did not stop in time, or a process still holds its port."""


class NotStartedError(DsiError):
    """The service ended again, or its port did not answer in time."""


class ReleaseError(RefusedError):
    """A release is not what was approved, or cannot be put where it belongs."""
