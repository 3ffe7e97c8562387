"""The processes of a playbook's run: found by the mark in their environment, and ended with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from dsi_automation.core.clock import Clock

MARK: Final = "DSI_PLAYBOOK_RUN"
"""The environment variable that every process of a run carries, with the path of the run's folder.

Its identifier would not do: those of two inventories on one machine are the same when they began in the same second.
"""
GRACE_SECONDS: Final = 60.0
"""What a cancelled run gets to finish the action under way and to record where it stands, before it is killed."""
_POLL_SECONDS: Final = 0.05


class Cancel:
    """Somebody's wish to stop: once, cleanly; a second time, at once. Safe to call from a signal handler."""

    def __init__(self) -> None:
        self._times = 0
        self.deadline: float | None = None

    def ask(self) -> None:
        """Ask to stop."""
        self._times += 1

    @property
    def asked(self) -> bool:
        """Tell whether to stop."""
        return self._times > 0

    @property
    def at_once(self) -> bool:
        """Tell whether to stop without waiting for anything."""
        return self._times > 1

    def begin(self, clock: Clock) -> None:
        """Let the time of grace begin."""
        self.deadline = clock.monotonic() + GRACE_SECONDS

    def is_over(self, clock: Clock) -> bool:
        """Tell whether the time of grace is over."""
        return self.at_once or (self.deadline is not None and clock.monotonic() > self.deadline)


def processes_of(mark: str) -> Iterator[int]:
    """Yield the processes of the playbook's run with this mark that are still there.

    A process that ended but was not waited for has no environment any more, so it is not among them.
    """
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


def interrupt_playbook(mark: str) -> None:
    """Send SIGINT to ansible-playbook itself: it tells its workers, once each, and waits for them."""
    for pid in processes_of(mark):
        if _parent(pid) == os.getpid():
            _signal(pid, signal.SIGINT)


def end_all(mark: str, clock: Clock, *, at_once: bool) -> None:
    """End what is left of a run: SIGTERM and time to obey, unless `at_once`; then SIGKILL.

    Returns once each of them has ended, whatever they began meanwhile included: whoever resumes a run next asks
    whether its owner is dead.
    """
    known = set[int]()
    for number in (signal.SIGKILL,) if at_once else (signal.SIGTERM, signal.SIGKILL):
        told, deadline = set[int](), clock.monotonic() + GRACE_SECONDS
        while True:
            found = set(processes_of(mark))
            for pid in found - told:
                _signal(pid, number)
            told |= found
            known |= found
            if not found and all(map(_has_ended, known)):
                return
            if clock.monotonic() >= deadline:
                break
            clock.sleep(_POLL_SECONDS)


def _has_ended(pid: int) -> bool:
    """Tell whether a process is gone, or only waited for: its environment goes first, its locks a moment later."""
    stat = _stat(pid)
    return stat is None or stat[0] in {"Z", "X"}


def _parent(pid: int) -> int | None:
    stat = _stat(pid)
    return None if stat is None else int(stat[1])


def _stat(pid: int) -> list[str] | None:
    """Return the fields of a process from its state on (proc(5)); None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name stands in parentheses before them, and may hold anything.
    return stat.rpartition(")")[2].split()


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
