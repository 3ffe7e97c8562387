"""What can go wrong with a backup, told apart where somebody must do something else about it."""

from __future__ import annotations

from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode


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
