"""The logs of the lab's daemons: their last lines, and what comes next."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.lab import Lab
from dsi_automation.lab.layout import APPLICATION_SERVERS

POLL: Final = 0.3
"""Seconds between two looks at a log that is followed."""


def files(lab: Lab, part: str) -> list[Path]:
    """Return the log files of a part of the lab, the ones that exist.

    Args:
        lab: the lab.
        part: `dc`, `workstations`, `tenant`, or `routers`, one of them or a host behind it, or a process of the
            servers: `srv1`, `database`, `app1`, ...

    Raises:
        UsageError: there are none: the lab is not there.
    """
    candidates = [lab.controller.daemon.log]
    if part == "workstations":
        candidates = [lab.simulator.daemon.log, lab.layout.log_dir / "requests.log"]
    elif part == "tenant":
        candidates = [lab.tenant.daemon.log, lab.layout.graph_record]
    elif part in APPLICATION_SERVERS:
        server = lab.facilities.application.server(part)
        candidates = [server.log, server.ssh.daemon.log]
    elif part == "routers":
        candidates = [router.daemon.log for router in lab.routed.routers]
    elif part in {daemon.name for daemon in lab.routed.daemons}:
        candidates = [daemon.log for daemon in lab.routed.daemons if daemon.name == part]
    elif part != "dc":
        candidates = [daemon.log for daemon in lab.facilities.processes if daemon.name == part]
    found = [path for path in candidates if path.is_file()]
    if not found:
        raise UsageError(
            T("Lab {name} has no log of that.", name=lab.layout.name), next_step=T("Start it with `dsi lab up`.")
        )
    return found


def tail(lab: Lab, part: str, count: int) -> list[str]:
    """Return the last lines of each log of a part."""
    lines: list[str] = []
    for path in files(lab, part):
        with path.open(errors="replace") as source:
            lines += [line.rstrip("\n") for line in deque(source, maxlen=count)]
    return lines


def follow(lab: Lab, part: str) -> Iterator[str]:
    """Yield new lines of a part's logs as they are written; ends when the lab is taken down."""
    sources = [path.open(errors="replace") for path in files(lab, part)]
    try:
        for source in sources:
            source.seek(0, 2)
        rest = dict.fromkeys(sources, "")
        while lab.layout.log_dir.is_dir():
            for source in sources:
                *lines, rest[source] = (rest[source] + source.read()).split("\n")
                yield from lines
            lab.clock.sleep(POLL)
    finally:
        for source in sources:
            source.close()
