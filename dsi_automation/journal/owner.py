"""Who a process is, so that a lease whose owner died is recognised by others on the same machine."""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_FIELDS: Final = 5


def this_process() -> str:
    """Return `host/pid/start time/boot/scope` of this process.

    The start time is in clock ticks since boot (proc(5), field 22); the scope is the machine's identifier and the
    PID namespace, so that a process of a container, or of a machine with the same name, is never judged by
    somebody who cannot see it.
    """
    pid = os.getpid()
    return f"{socket.gethostname().replace('/', '-')}/{pid}/{_start_time(pid) or 0}/{_boot_id()}/{_scope()}"


def is_dead(owner: str) -> bool:
    """Tell whether `owner` is certainly gone: false where this process cannot know."""
    parts, mine = owner.split("/"), this_process().split("/")
    if len(parts) != _FIELDS or not parts[1].isdecimal():
        return False
    machine, _, namespace = parts[4].partition("-")
    my_machine, _, my_namespace = mine[4].partition("-")
    if parts[0] != mine[0] or machine != my_machine:
        return False
    if parts[3] != mine[3]:
        return True  # the same machine has restarted since
    return namespace == my_namespace and _start_time(int(parts[1])) != parts[2]


def describe(owner: str) -> str:
    """Return an owner as people read it: `host, pid 123`."""
    parts = owner.split("/")
    return f"{parts[0]}, pid {parts[1]}" if len(parts) == _FIELDS else owner


def _start_time(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command's name stands in parentheses and may hold anything, spaces and parentheses included.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X", "x"} else fields[19]


@cache
def _boot_id() -> str:
    return _read(_PROC / "sys/kernel/random/boot_id")


@cache
def _scope() -> str:
    machine = hashlib.sha256(_read(Path("/etc/machine-id")).encode()).hexdigest()[:12]
    try:
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        namespace = 0
    return f"{machine}-{namespace}"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"
