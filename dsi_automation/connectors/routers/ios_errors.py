"""What Cisco routers refuse; each says what to do on the device."""

from __future__ import annotations

from dsi_automation.connectors.routers.port import RouterEndpoint
from dsi_automation.connectors.routers.session_errors import PrivilegeError
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T

_LONGEST = 1000


def said(endpoint: RouterEndpoint, command: str, answer: str) -> RefusedError:
    """Return the error for an answer that is not the one of a success."""
    told = " / ".join(line.strip() for line in redact(answer).splitlines() if line.strip(" ^*"))
    return RefusedError(
        T("{router} did not do “{command}”: {answer}", router=endpoint.name, command=command,
          answer=told[:_LONGEST] or T("it said nothing")),
        on=endpoint.name,
        next_step=T("Look at the router's configuration and log, then try again."),
        detail={"command": command, "answer": told[-_LONGEST:]},
    )  # fmt: skip


def no_archive(endpoint: RouterEndpoint) -> RefusedError:
    """Return the error for a router that keeps no archive: without one it has no rollback timer."""
    return RefusedError(
        T("{router} keeps no archive of its configurations: it could not go back by itself.", router=endpoint.name),
        on=endpoint.name,
        next_step=T(
            "Type there once, and save: archive / path {path} / maximum 10.", path=endpoint.archive
        ),
    )  # fmt: skip


def armed_already(endpoint: RouterEndpoint, user: str | None) -> RefusedError:
    """Return the error for a timer that is armed already."""
    return RefusedError(
        T("A rollback timer is armed already on {router}, by {user}.", router=endpoint.name, user=user or "?"),
        on=endpoint.name,
        next_step=T("Wait until it is confirmed or ran out; see “show archive config rollback timer” there."),
    )


def armed_by_another(endpoint: RouterEndpoint, user: str) -> RefusedError:
    """Return the error for a timer that another account armed: IOS lets nobody else confirm it."""
    return RefusedError(
        T("The rollback timer of {router} was armed by {user}: only that account may confirm.", router=endpoint.name,
          user=user),
        on=endpoint.name,
        meaning=T("The router goes back by itself when it runs out."),
    )  # fmt: skip


def locked(endpoint: RouterEndpoint, holder: str) -> RefusedError:
    """Return the error for a configuration that somebody keeps to himself."""
    return RefusedError(
        T("{user} holds the lock on the configuration of {router}.", user=holder, router=endpoint.name),
        on=endpoint.name,
        next_step=T("Ask them to leave configuration mode; see “show configuration lock” there."),
    )


def no_space(endpoint: RouterEndpoint, system: str, free: int, needed: int) -> RefusedError:
    """Return the error for a file system without room for snapshots."""
    return RefusedError(
        T("{router} has no room for snapshots on {system}: {free} bytes free, {needed} needed.", router=endpoint.name,
          system=system, free=free, needed=needed),
        on=endpoint.name,
        next_step=T("Delete old files there (dir {system}, delete), or choose another `archive` in its dsi_router.",
                    system=system),
    )  # fmt: skip


def privilege(endpoint: RouterEndpoint, level: int) -> PrivilegeError:
    """Return the error for an account that may not configure."""
    return PrivilegeError(
        T("{user} has privilege level {level} on {router}; 15 is needed.", user=endpoint.user, level=level,
          router=endpoint.name),
        on=endpoint.name,
        next_step=T("Give the account privilege level 15 (username ... privilege 15, or the AAA server's profile)."),
    )  # fmt: skip


def another_snapshot(endpoint: RouterEndpoint, file: str) -> RefusedError:
    """Return the error for a snapshot's name that is taken by another content."""
    return RefusedError(
        T("{router} has a snapshot {file} already, of another configuration.", router=endpoint.name, file=file),
        on=endpoint.name,
        next_step=T("Delete it there once nobody needs it any more."),
    )


def no_such_timer(endpoint: RouterEndpoint, seconds: float, most: int) -> UsageError:
    """Return the error for a timer IOS does not have."""
    return UsageError(
        T("A rollback timer of {seconds} s is not possible on {router}: 1 to {most} minutes.", seconds=seconds,
          router=endpoint.name, most=most),
        on=endpoint.name,
    )  # fmt: skip
