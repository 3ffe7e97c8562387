"""A deadline for what blocks on a socket: a peer that holds the line and says nothing must not keep us for ever."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from types import TracebackType
from typing import Self


class Watchdog:
    """Shuts a socket down when the time is over, from a thread of its own; whoever waits on it then gets an error.

    Timeouts of a socket begin again with every byte that comes; this one does not. Used as a context manager around
    what may take that long.

    Attributes:
        late: whether it had to.
    """

    def __init__(self, fileno: int, seconds: float) -> None:
        """Watch over a connected socket; the descriptor stays its owner's, and may be closed meanwhile."""
        self.late = False
        self._seconds, self._deadline = seconds, time.monotonic() + seconds
        # A descriptor of our own: the number of a closed one may belong to somebody else by then.
        self._socket = socket.socket(fileno=os.dup(fileno))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def touch(self) -> None:
        """Begin to count anew: there was progress."""
        self._deadline = time.monotonic() + self._seconds

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _watch(self) -> None:
        while (left := self._deadline - time.monotonic()) > 0:
            if self._over.wait(left):
                return
        self.late = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
