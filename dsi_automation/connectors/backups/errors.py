"""What can go wrong with a backup, told apart where somebody must do something else about it."""

from __future__ import annotations

from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T


class TransientError(UnreachableError):
    """It failed in a way that can pass by itself: the network, a lock, a connection, a full disk made free again."""


class BackupFailedError(DsiError):
    """It failed, and trying again changes nothing: key, configuration, source or engine must be seen to."""


class DamagedBackupError(BackupFailedError):
    """The repository or a set in it is not what was written: bits, files or logs are missing or changed."""


class WrongKeyError(BackupFailedError):
    """The password does not open the repository: the one of the inventory is wrong, or the repository is another.

    Foreseen, and seen to by people: 5, as a repository that is not the one of the record.
    """

    exit_code = ExitCode.NOT_COMPLIANT


class NoRepositoryError(BackupFailedError):
    """There is no repository where one should be."""

    exit_code = ExitCode.NOT_COMPLIANT


def ended_from_outside(program: str, host: str) -> TransientError:
    """Return the error for a program that a signal ended which we did not send."""
    return TransientError(
        T("{program} was ended from outside on {host}.", program=program, host=host),
        on=host,
        meaning=T("The machine was going off, somebody stopped it, or memory ran out."),
        next_step=T("See that {host} is up and what its system log says, then try again.", host=host),
    )
