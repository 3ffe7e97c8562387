"""What can go wrong with a medium, told apart where somebody must do something else about it."""

from __future__ import annotations

from dsi_automation.core.errors import DsiError, RefusedError, UnreachableError


class MediumRefusedError(RefusedError):
    """The medium may not be written: wrong, unknown, full, read-only, absent, or holding what must be kept."""


class MediumBusyError(UnreachableError):
    """Another run writes on it."""


class MediumLostError(UnreachableError):
    """The medium went away, or stopped answering, while it was used: what is half on it counts for nothing."""


class MediumDamagedError(DsiError):
    """What was read back from the medium is not what was written on it."""
