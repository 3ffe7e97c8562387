"""What can go wrong with a Windows machine, beyond the errors everybody knows.

::

    UnreachableError
    ├── ConnectionFailedError   nothing was sent: no such name, refused, no answer to the connection
    ├── ConnectionLostError     sent, and the connection broke before the answer was whole
    │   └── SessionEndedError   the machine no longer knows the session (idle for minutes): read again
    └── AnswerTimeoutError      sent, and no answer in time
    RefusedError
    ├── AuthenticationError     wrong user or password, or the method is not offered
    ├── AccessDeniedError       known, but without the right
    ├── TrustError              the machine's certificate does not hold
    ├── FeatureAbsentError      this Windows does not have that class or method
    ├── NotFoundError           no such instance
    ├── BusyError               a quota is used up, or WMI is starting or stopping (retrying can help)
    ├── BadAnswerError          the answer is not what the protocol says
    └── MethodFailedError       a method answered with a code other than 0
    UsageError
    ├── UnsealedChannelError    a secret would have gone out readable
    └── HostileValueError       a value that cannot be sent as it is
"""

from __future__ import annotations

from dsi_automation.core.errors import RefusedError, UnreachableError, UsageError
from dsi_automation.core.exit_codes import ExitCode


class ConnectionFailedError(UnreachableError):
    """No connection could be made, so that nothing was sent."""


class ConnectionLostError(UnreachableError):
    """The connection broke after something was sent."""


class SessionEndedError(ConnectionLostError):
    """The machine no longer knows the session; WinRM does that after some minutes without a call."""


class AnswerTimeoutError(UnreachableError):
    """A request was sent and no answer came in time."""


class AuthenticationError(RefusedError):
    """The machine does not accept who asks: there is no way in, so that it counts as not reached."""

    exit_code = ExitCode.UNREACHABLE


class AccessDeniedError(RefusedError):
    """The machine knows who asks, and refuses what is asked."""


class TrustError(RefusedError):
    """The machine's certificate is not one to trust; nothing was sent, so that it counts as not reached."""

    exit_code = ExitCode.UNREACHABLE


class FeatureAbsentError(RefusedError):
    """This Windows has no such class, property or method."""


class NotFoundError(RefusedError):
    """There is no such instance."""


class BusyError(RefusedError):
    """The machine turned the request away for now; it was not carried out."""

    retryable = True


class BadAnswerError(RefusedError):
    """The answer is not what the protocol says."""


class MethodFailedError(RefusedError):
    """A CIM method was carried out and answered with a code other than 0."""


class UnsealedChannelError(UsageError):
    """A secret would have travelled readable; nothing was sent."""


class HostileValueError(UsageError):
    """A value cannot be sent as it is; nothing was sent."""
