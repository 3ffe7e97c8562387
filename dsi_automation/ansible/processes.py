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
"""The environment variable that every process of a run carries, with the run's identifier."""
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


def processes_of(run_id: str) -> Iterator[int]:
    """Yield the processes of a playbook's run that are still there.

    A process that ended but was not waited for has no environment any more, so it is not among them.
    """
    wanted = f"{MARK}={run_id}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)


def interrupt_playbook(run_id: str) -> None:
    """Send SIGINT to ansible-playbook itself: it tells its workers, once each, and waits for them."""
    for pid in processes_of(run_id):
        if _parent(pid) == os.getpid():
            _signal(pid, signal.SIGINT)


def end_all(run_id: str, clock: Clock, *, at_once: bool) -> None:
    """End what is left of a run: SIGTERM and time to obey, unless `at_once`; then SIGKILL."""
    steps = [(signal.SIGKILL, GRACE_SECONDS)]
    if not at_once:
        steps.insert(0, (signal.SIGTERM, GRACE_SECONDS))
    for number, patience in steps:
        deadline = clock.monotonic() + patience
        alive = list(processes_of(run_id))
        for pid in alive:
            _signal(pid, number)
        while alive and clock.monotonic() < deadline:
            clock.sleep(_POLL_SECONDS)
            alive = list(processes_of(run_id))
        if not alive:
            return


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    # The command's name stands in parentheses and may hold anything; the parent is the second field after it.
    return int(stat.rpartition(")")[2].split()[1])


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
