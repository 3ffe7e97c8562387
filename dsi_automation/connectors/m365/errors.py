"""The errors of Microsoft 365 that a caller must tell apart.

::

    RefusedError
    ├── SignInRefusedError        the application is not let in (AADSTS...)
    ├── PermissionMissingError    it is in, and may not do that
    ├── AddressTakenError         another object has the address
    ├── StaffNumberTakenError     somebody with that staff number has another address
    ├── NoSeatError               no licence of that kind is left
    ├── UnknownLicenceError       the tenant has no such licence
    ├── LicenceConflictError      two licences bring the same service
    ├── UsageLocationError        no licence without a country, or not in that one
    ├── DirectoryMasteredError    the Active Directory is where this is changed
    └── AbsentError               the user is not in the tenant
    UnreachableError
    ├── ThrottledError            Microsoft asks to wait for longer than the deadline
    └── UntrustedError            the server's certificate is not accepted
"""

from __future__ import annotations

import ssl
from typing import Any, Final

from dsi_automation.core.errors import RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T, Text

CAUSES: Final = 10
"""Errors behind an error that are looked at; chains can be circular."""


class SignInRefusedError(RefusedError):
    """The application was not let in: its secret, its certificate, its identifier or the tenant is not right."""

    exit_code = ExitCode.UNREACHABLE


class PermissionMissingError(RefusedError):
    """The application was let in and lacks a permission, named in `detail["permission"]`."""


class AddressTakenError(RefusedError):
    """Another object of the tenant has the address."""


class StaffNumberTakenError(RefusedError):
    """A user with that staff number is there already, under another address."""


class NoSeatError(RefusedError):
    """No seat of the licence is left."""


class UnknownLicenceError(RefusedError):
    """The tenant has no subscription for the licence."""


class LicenceConflictError(RefusedError):
    """Two licences of one user bring services that exclude each other, or one that another needs is missing."""


class UsageLocationError(RefusedError):
    """A licence needs a country of use, or may not be used in that one."""


class DirectoryMasteredError(RefusedError):
    """The user is synchronised: its Active Directory is where this is changed."""


class AbsentError(RefusedError):
    """The object is not in the tenant."""


class ThrottledError(UnreachableError):
    """Microsoft asks to wait for longer than a call may take; nothing was done."""


class UntrustedError(UnreachableError):
    """The server's TLS certificate is not accepted; asking again does not change that."""

    retryable = False


def throttled(
    doing: Text, *, on: str | None, seconds: float, deadline: float, detail: dict[str, Any]
) -> ThrottledError:
    """Return the error for a Retry-After beyond the deadline: it is said at once, not waited for in vain."""
    return ThrottledError(
        T("Microsoft 365 asks to wait {seconds:.0f} s before this: {doing}.", seconds=seconds, doing=doing),
        on=on,
        meaning=T(
            "Too much was asked of the tenant lately, by this toolkit or another. Nothing was done; a call may take "
            "{deadline:.0f} s at most here.",
            deadline=deadline,
        ),
        next_step=T("Resume the run after that time: it goes on where it stopped."),
        detail=detail,
    )


def unanswered(doing: Text, *, on: str | None, server: str, detail: dict[str, Any]) -> UnreachableError:
    """Return the error for a request without a usable answer before the deadline, which did nothing."""
    return UnreachableError(
        T("Microsoft 365 does not answer: {doing}.", doing=doing),
        on=on,
        meaning=T("It was asked again and again until the deadline, at {server}.", server=server),
        next_step=T("Check the Internet connection, the proxy and the health of Microsoft 365, then run this again."),
        detail=detail,
    )


def untrusted(server: str, cause: Exception) -> UntrustedError:
    """Return the error for a server whose certificate is not accepted."""
    return UntrustedError(
        T("The certificate of {server} is not accepted.", server=server),
        meaning=T("Nothing was sent: whoever answers there may be somebody else, or this machine's clock is wrong."),
        next_step=T("Check the clock, then dsi_m365.ca_file: a proxy that opens TLS has an authority of its own."),
        detail={"cause": type(cause).__name__},
    )


def refused_certificate(error: BaseException | None) -> bool:
    """Tell whether a connection failed because of the server's certificate, whatever library says it how."""
    seen = 0
    while error is not None and seen < CAUSES:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def lost(doing: Text, *, on: str | None, server: str, detail: dict[str, Any]) -> UnknownOutcomeError:
    """Return the error for a change that was sent and whose answer never came."""
    return UnknownOutcomeError(
        T("The answer of Microsoft 365 was lost during this: {doing}.", doing=doing),
        on=on,
        meaning=T("It may have been done, or not."),
        next_step=T("Look at the tenant again before anything else; resuming the run does so."),
        detail={"server": server, **detail},
    )
