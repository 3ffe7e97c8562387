"""The errors of the whole package: each says what happened, on what, what it means and what to do next.

::

    DsiError                   1  something nobody foresaw
    ├── UsageError             2  the command, its inputs or a file of the inventory is wrong
    ├── UnreachableError       3  equipment does not answer (retrying can help)
    │   └── UnknownOutcomeError   a write whose answer was lost: look again, never repeat blindly
    ├── GateClosedError        4  no approval covers this, or some doubt about it
    ├── NotCompliantError      5  a target does not meet what the procedure asks
    │                          5  as well: a backup's repository that is gone, or that its password does not open
    ├── VerificationFailedError 6 the independent look disagrees with what was done
    ├── WorldChangedError      7  what would be done is no longer what was approved
    ├── RefusedError           1  the equipment answered and said no (no right, a rule of its own, ...)
    │   └── those that let nobody in  3  wrong password, no ticket, a certificate not to trust
    ├── StoppedError           1  asked to stop, while an action waited and nothing of it was under way
    └── StorageError           1  the journal's database or the disk (full, locked, read-only)

Foreign exceptions are translated at the connector, with `raise ... from`; one place renders errors (the CLI).
An error carries data; it never logs and never prints, and it never holds a secret.
"""

from __future__ import annotations

from typing import Any, ClassVar

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import Text


class DsiError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        what: what happened, one sentence.
        on: the target it happened on, if any: a name of the inventory.
        meaning: what it means for the person, where that is not plain.
        next_step: what to do next.
        detail: facts for whoever looks deeper (codes, identifiers), never a secret.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        what: Text,
        *,
        on: str | None = None,
        meaning: Text | None = None,
        next_step: Text | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.on = on
        self.meaning = meaning
        self.next_step = next_step
        self.detail = detail or {}

    @property
    def code(self) -> str:
        """Return the stable name of this kind of error, for programs: `gate_closed`, `unreachable`, ..."""
        return self.exit_code.name.lower()

    @property
    def look_exit_code(self) -> ExitCode:
        """Return the exit code where this error kept a target from being looked at."""
        return self.exit_code

    def __str__(self) -> str:
        parts = [self.what, self.meaning, self.next_step]
        return " ".join(str(part) for part in parts if part is not None)

    def to_json(self) -> dict[str, Any]:
        """Return the error as `--json` prints it and as the record keeps it."""
        return {
            "code": self.code,
            "exit_code": int(self.exit_code),
            "what": str(self.what),
            "on": self.on,
            "meaning": None if self.meaning is None else str(self.meaning),
            "next_step": None if self.next_step is None else str(self.next_step),
            "retryable": self.retryable,
            "detail": self.detail,
        }


class UsageError(DsiError, ValueError):
    """The command, an input or a file of the inventory is wrong; nothing was done."""

    exit_code = ExitCode.USAGE


class UnreachableError(DsiError):
    """Equipment does not answer, or not in time. For a read only: see `UnknownOutcomeError`."""

    exit_code = ExitCode.UNREACHABLE
    retryable = True


class UnknownOutcomeError(UnreachableError):
    """A write was sent and its answer never came: it may have happened. Observe again, never repeat blindly."""

    retryable = False


class RefusedError(DsiError):
    """The equipment answered and refused: wrong password, missing right, a rule of its own."""

    @property
    def look_exit_code(self) -> ExitCode:
        """Return `UNREACHABLE`: a target that does not let itself be looked at was not reached, whatever it said."""
        return ExitCode.UNREACHABLE


class GateClosedError(DsiError):
    """No valid approval covers this run, or something about it is in doubt."""

    exit_code = ExitCode.GATE_CLOSED


class NotCompliantError(DsiError):
    """A target does not meet what the procedure asks, so that no plan can be made for it."""

    exit_code = ExitCode.NOT_COMPLIANT


class VerificationFailedError(DsiError):
    """The independent look after the run does not show what should be there."""

    exit_code = ExitCode.VERIFICATION_FAILED


class WorldChangedError(DsiError):
    """What would be done now is not contained in what was approved."""

    exit_code = ExitCode.WORLD_CHANGED


class StoppedError(DsiError):
    """The run was asked to stop while an action waited, and nothing of that action was under way: it can resume."""

    retryable = True


class StorageError(DsiError):
    """The journal's database or its disk refuses: full, locked, read-only, absent."""

    retryable = True
