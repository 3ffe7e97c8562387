"""SSH connections that stay open while something goes on: a login costs more than most of what is run after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsi_automation.connectors.ssh.port import Shell


class Shells:
    """One connection to each machine while anybody keeps them; else one for each use. For several threads.

    A connection that broke meanwhile is made anew by the shell itself, when it is next used.
    """

    def __init__(self, open_shell: Callable[[str], Shell]) -> None:
        """Make connections with `open_shell`."""
        self._open = open_shell
        self._lock = threading.Lock()
        self._keepers = 0
        self._kept: dict[str, Shell] = {}

    @contextmanager
    def kept(self) -> Generator[None]:
        """Keep what is used in this block open until it ends; blocks of several threads share them."""
        with self._lock:
            self._keepers += 1
        try:
            yield
        finally:
            with self._lock:
                self._keepers -= 1
                closing = [] if self._keepers else list(self._kept.values())
                if not self._keepers:
                    self._kept.clear()
            for shell in closing:
                shell.close()

    @contextmanager
    def at(self, host: str) -> Generator[Shell]:
        """Use the connection to a machine; nothing is connected before it is first used."""
        with self._lock:
            keeps = self._keepers > 0
            kept = self._kept.get(host)
        shell = kept or self._open(host)
        if keeps and kept is None:
            with self._lock:
                # Another thread may have come first: its connection is the one.
                shell = self._kept.setdefault(host, shell) if self._keepers else shell
                keeps = host in self._kept
        try:
            yield shell
        finally:
            if not keeps:
                shell.close()
