"""The directory's errors that a caller must tell apart."""

from __future__ import annotations

from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text


class BindRefusedError(RefusedError):
    """The account was not let in: wrong password, disabled, locked, expired, outside its hours."""

    exit_code = ExitCode.UNREACHABLE

    @property
    def sub_code(self) -> str | None:
        """Return AD's reason as it writes it: `52e`, `773`; None when it gave none."""
        return self.detail.get("sub_code")


class PasswordRefusedError(RefusedError):
    """A new password does not meet the domain's policy."""


class AccessDeniedError(RefusedError):
    """The account has not the right to do that there."""


class AlreadyExistsError(RefusedError):
    """Another object has that name, or that value which must be unique."""


class NotFoundError(RefusedError):
    """The object, or the container it should go to, is not there."""


class BusyError(UnreachableError):
    """The controller answered that it cannot now; nothing was done."""


class CertificateRefusedError(UnreachableError):
    """The server's certificate does not prove that it is the one meant, so nothing was sent to it."""

    retryable = False


def computer_exists(name: str, dn: str) -> AlreadyExistsError:
    """Return the error for a name that an object has already, somewhere in the domain."""
    return AlreadyExistsError(
        T("An account named {name} exists already: {dn}.", name=name, dn=dn),
        on=name,
        next_step=T("Plan again: an existing object is moved, not created; or choose the next free name."),
        detail={"dn": dn},
    )


def absent(dn: str, doing: Text) -> NotFoundError:
    """Return the error for an object or container that a write needs and that is not there."""
    return NotFoundError(
        T("{dn} does not exist in the directory.", dn=dn),
        on=dn,
        meaning=T("Nothing was done: {doing}.", doing=doing),
        next_step=T("Check the name in the inventory; the object may have been moved since: plan again."),
        detail={"dn": dn},
    )


def unknown_outcome(doing: Text, *, on: str, server: str) -> UnknownOutcomeError:
    """Return the error for a write that was sent and whose answer never came."""
    return UnknownOutcomeError(
        T("The answer of {server} was lost during this: {doing}.", server=server, doing=doing),
        on=on,
        meaning=T("It may have been done, or not."),
        next_step=T("Look at the directory again before anything else; resuming the run does so."),
        detail={"server": server},
    )
