"""An emulated router: what runs, what it starts with, its files, its rollback timer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dsi_automation.lab.ios.configuration import Configuration
from dsi_automation.lab.ios.faults import Faults
from dsi_automation.lab.ios.texts import say

SPACE: Final = 7835619328


@dataclass(slots=True)
class Pending:
    """A rollback timer that is armed."""

    file: str
    user: str
    minutes: int
    at: datetime
    timer: threading.Timer
    warning: threading.Timer


class Device:
    """One router. Its sessions share it; `lock` is held for each command.

    Attributes:
        minute: how many seconds a minute lasts.
        files: snapshots by name.
        log: each command that was sent, in order.
        cut: the management is cut off: nothing answers.
        passable: set while it is not.
    """

    def __init__(self, running: Configuration, *, minute: float = 60.0, faults: Faults | None = None) -> None:
        """Start with a configuration, saved."""
        self.running = running
        self.startup: Configuration | None = running.copied()
        self.faults = faults or Faults()
        self.minute = minute
        self.files: dict[str, Configuration] = {}
        self.pending: Pending | None = None
        self.log: list[str] = []
        self.lock = threading.RLock()
        self.passable = threading.Event()
        self.passable.set()
        self.changed_at = datetime.now(UTC)
        self.listeners: list[Callable[[str], None]] = []
        self.routes: dict[str, str] = {}
        self.unreachable: set[str] = set()

    def arm(self, user: str, minutes: int) -> str:
        """Arm the timer, and return the file that what runs was written to."""
        at = datetime.now(UTC)
        stamp = f"{at:%b-%d-%H-%M-%S}.{at.microsecond // 1000:03d}"
        file = f"{self.running.archive}-{stamp}-{len(self.files)}"
        self.files[file] = self.running.copied()
        timer = threading.Timer(minutes * self.minute, self.fire)
        warning = threading.Timer((minutes - 1) * self.minute, self.tell, [say("one_minute")])
        self.pending = Pending(file, user, minutes, at, timer, warning)
        for one in (timer, warning):
            one.daemon = True
            one.start()
        return file

    def disarm(self) -> Pending | None:
        """Stop the timer, and return it."""
        pending, self.pending = self.pending, None
        if pending is not None:
            pending.timer.cancel()
            pending.warning.cancel()
        return pending

    def fire(self) -> str:
        """Go back to what ran when the timer was armed, and return what is printed meanwhile."""
        with self.lock:
            pending = self.disarm()
            if pending is None:
                return ""
            self.running = self.files[pending.file].copied()
            if self.faults.reverts_badly is not None:
                self.running.top.append(self.faults.reverts_badly)
        self.passable.set()
        said = say("rolling", file=pending.file)
        self.tell(said)
        return said

    def tell(self, text: str) -> None:
        """Print a message into every session."""
        for listener in tuple(self.listeners):
            listener(text)

    def cut(self) -> None:
        """Cut the management off until the device went back."""
        self.passable.clear()

    def running_text(self) -> str:
        """Return what `show running-config` prints."""
        text = self.running.text()
        at = f"{self.changed_at:%H:%M:%S UTC %a %b %-d %Y}"
        return say("running_head", size=len(text)) + say("last_change", at=at, user="netadmin") + text

    def close(self) -> None:
        """Stop its timers and let its sessions go."""
        with self.lock:
            self.disarm()
        self.passable.set()
