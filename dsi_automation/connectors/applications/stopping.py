"""Stops a service and sees to it that nothing holds its port any more."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import Any, Final

from dsi_automation.connectors.applications.asking import Asking
from dsi_automation.connectors.applications.errors import StillRunningError
from dsi_automation.connectors.applications.port import PortHolder, Stopped
from dsi_automation.connectors.applications.remote import Said
from dsi_automation.core.clock import Clock
from dsi_automation.core.text import T, Text

_MARGIN: Final = 120.0
"""Seconds beyond `stop_within`: ending the stop command takes up to 6, the holders 20, each status command 20."""


def stop(asking: Asking, clock: Clock) -> Stopped:
    """Stop the service; see `SshServer.stop`."""
    one = asking.settings
    given = {
        "DSI_STOP": shlex.join(one.stop),
        "DSI_WITHIN": str(round(one.stop_within * 100)),
        "DSI_KILL": "1" if one.kill else "0",
    }
    said = asking.change("stop", given=given, timeout=one.stop_within + _MARGIN)
    now = clock.now()
    if said.first("result") == "already":
        return Stopped(0.0, None, now)
    killed = next(iter(asking.holders(said, "killed")), None)
    if said.first("result") != "stopped":
        raise _still_running(asking, said, killed)
    return Stopped(said.number("seconds") / 100, killed, now - timedelta(seconds=said.number("ago") / 100))


def _still_running(asking: Asking, said: Said, killed: PortHolder | None) -> StillRunningError:
    one, holders = asking.settings, asking.holders(said)
    detail: dict[str, Any] = {"service": said.first("state") or "unknown", "said": said.tail("said")}
    if holders:
        detail["holders"] = [
            {"pid": each.pid, "started": each.started_at.isoformat(timespec="seconds"), "command": each.command,
             "user": each.user}
            for each in holders
        ]  # fmt: skip
    return StillRunningError(
        T("{server} did not stop within {seconds} s.", server=one.name, seconds=round(one.stop_within)),
        on=one.host,
        meaning=_meaning(asking, said, holders),
        next_step=_next_step(asking, said, holders, killed),
        detail=detail,
    )


def _meaning(asking: Asking, said: Said, holders: tuple[PortHolder, ...]) -> Text:
    port = asking.settings.port
    if holders:
        first = holders[0]
        return T(
            "Port {port} is held by process {pid}, {command}, of {user}, since {since}.",
            port=port,
            pid=first.pid,
            command=first.command,
            user=first.user,
            since=first.started_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        )
    limited = said.first("limited")
    if said.first("seconds") is None or "elsewhere" in said:
        return T("Port {port} is held by a process that is not known for sure to be this server's.", port=port)
    if limited is not None:
        return T("{user} cannot see who holds port {port}: only root sees the processes of others.", user=limited,
                 port=port)  # fmt: skip
    return T("The service says that it still runs; nothing is known to hold port {port}.", port=port)


def _next_step(asking: Asking, said: Said, holders: tuple[PortHolder, ...], killed: PortHolder | None) -> Text:
    one = asking.settings
    if said.first("limited") is not None and not holders:
        return T("Log in to {host} as root, or with ansible_become, so that it can be seen.", host=one.host)
    if "elsewhere" in said:
        return T("Give `address` of {server} as an address of {host} itself, then try again.", server=one.name,
                 host=one.host)  # fmt: skip
    if killed is not None:
        return T("Ending it did not help: see on {host} what starts it again, or what it waits for.", host=one.host)
    if one.kill:
        return T("See on {host} what the service waits for.", host=one.host)
    return T("The inventory leaves it to a person to end it (`kill: false`): see on {host} what it waits for.",
             host=one.host)  # fmt: skip
