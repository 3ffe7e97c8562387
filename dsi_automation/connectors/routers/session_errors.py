"""What can go wrong in a router's session, told apart where somebody must do something else about it."""

from __future__ import annotations

from dsi_automation.connectors.routers.port import RouterEndpoint
from dsi_automation.core.errors import DsiError, RefusedError, UnknownOutcomeError, UnreachableError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T, Text


class AlgorithmsError(RefusedError):
    """The router speaks only algorithms that are not allowed for it: nothing was sent to it."""

    exit_code = ExitCode.UNREACHABLE


class PrivilegeError(RefusedError):
    """The login is let in, without the right to configure."""


class NotOneLineError(RefusedError):
    """A command is not one line of printable ASCII: nothing was sent."""


class QuestionError(RefusedError):
    """The router asks something back that nobody foresaw; the session was closed, which answers no."""


def connecting(endpoint: RouterEndpoint, error: Exception) -> DsiError:
    """Return our error for one of netmiko or paramiko while it connected."""
    import paramiko

    from dsi_automation.connectors.routers.console import ssh_endpoint
    from dsi_automation.connectors.ssh.connecting import translated

    # netmiko raises its own while it handles paramiko's.
    cause = error.__context__ if isinstance(error.__context__, Exception) else error
    if isinstance(cause, paramiko.ssh_exception.IncompatiblePeer):
        return AlgorithmsError(
            T("{router} speaks only old SSH algorithms.", router=endpoint.name),
            on=endpoint.name,
            meaning=T("They are refused unless the inventory allows them for this router."),
            next_step=T(
                "Update its software or give it a new key. Where that cannot be, name its algorithms in `legacy` of "
                "its dsi_router."
            ),
            detail={"reason": str(cause)[:300]},
        )
    return translated(ssh_endpoint(endpoint), cause)


def no_privilege(endpoint: RouterEndpoint) -> PrivilegeError:
    """Return the error for a login that ends in user EXEC mode."""
    return PrivilegeError(
        T("{router} lets {user} in without the right to configure.", router=endpoint.name, user=endpoint.user),
        on=endpoint.name,
        next_step=T("Give the account privilege level 15 (username ... privilege 15, or the AAA server's profile)."),
    )


def not_one_line(endpoint: RouterEndpoint, line: str) -> NotOneLineError:
    """Return the error for a command that holds more than one line, or characters that are keys there."""
    return NotOneLineError(
        T("A command for {router} is not one line of printable ASCII: {line}.", router=endpoint.name,
          line=redact(repr(line))[:200]),
        on=endpoint.name,
        meaning=T("Nothing was sent."),
        next_step=T("Correct the names and descriptions in the inventory: no accents, no question mark, no new line."),
    )  # fmt: skip


def lost(endpoint: RouterEndpoint, command: str, *, writing: bool) -> UnreachableError:
    """Return the error for a connection that broke before the answer."""
    what = T("The connection to {router} broke after “{command}”.", router=endpoint.name, command=redact(command))
    return _unanswered(endpoint, what, writing=writing)


def silent(endpoint: RouterEndpoint, command: str, seconds: float, *, writing: bool) -> UnreachableError:
    """Return the error for an answer that did not come, or did not end, in time."""
    what = T("{router} did not answer “{command}” within {seconds} s.", router=endpoint.name, command=redact(command),
             seconds=f"{seconds:g}")  # fmt: skip
    return _unanswered(endpoint, what, writing=writing)


def unanswered_question(endpoint: RouterEndpoint, command: str, question: str) -> QuestionError:
    """Return the error for a question nobody has a reply for."""
    return QuestionError(
        T("{router} asks after “{command}”: {question}", router=endpoint.name, command=redact(command),
          question=redact(question)),
        on=endpoint.name,
        meaning=T("The session was closed without an answer."),
        next_step=T("Type the command there by hand, and see what it wants."),
        detail={"command": redact(command), "question": redact(question)},
    )  # fmt: skip


def _unanswered(endpoint: RouterEndpoint, what: Text, *, writing: bool) -> UnreachableError:
    if writing:
        return UnknownOutcomeError(
            what,
            on=endpoint.name,
            meaning=T("What was sent may be in force, or not."),
            next_step=T("Look at the router again before anything else."),
        )
    return UnreachableError(
        what, on=endpoint.name, next_step=T("Look at the router and at the network, then try again.")
    )
