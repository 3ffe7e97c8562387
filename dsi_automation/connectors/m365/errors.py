"""The tenant's errors that a caller must tell apart."""

from __future__ import annotations

from dsi_automation.core.errors import RefusedError


class AddressTakenError(RefusedError):
    """Another object of the tenant has that address."""


class NoSeatError(RefusedError):
    """No seat of that licence is left."""
