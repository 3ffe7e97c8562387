"""What can go wrong with an application's database, told apart where somebody must do something else about it."""

from __future__ import annotations

from dsi_automation.core.errors import RefusedError


class DatabaseBusyError(RefusedError):
    """Somebody else holds what is asked for; later it may be free."""

    retryable = True


class LoginRefusedError(RefusedError):
    """The database lets us not in: its password, its rules (pg_hba.conf), or a certificate not to trust."""


class ScriptError(RefusedError):
    """A script cannot be run, or failed; `detail["line"]` is the line."""
