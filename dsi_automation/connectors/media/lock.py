"""One writer per medium: a lock of the kernel, given back by a killed process as by a living one."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path
from typing import Final

from dsi_automation.connectors.media.errors import MediumBusyError
from dsi_automation.core.text import T

PATIENCE: Final = 2 * 3600.0
"""Seconds to wait for another backup of the same run, or of another, to be done with the medium."""
_PAUSE: Final = 0.5


class MediumLock:
    """The lock of one medium on this controller."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        """Use a file beside the medium's scratch folder."""
        self._path = path
        self._patience = patience
        self._handle: weakref.finalize[..., MediumLock] | None = None

    def take(self, owner: str) -> None:
        """Take it, or wait for it; taking it again is nothing.

        Args:
            owner: who wants it, for whoever waits: the run.

        Raises:
            MediumBusyError: it was not given back in time.
        """
        if self._handle is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait(handle)
            os.ftruncate(handle, 0)
            os.pwrite(handle, owner.encode(), 0)
        except BaseException:
            os.close(handle)
            raise
        # Given back with the object too: whoever copies and never reads back must hold nobody up.
        self._handle = weakref.finalize(self, os.close, handle)

    def give_back(self) -> None:
        """Give it back; nothing when it is not held."""
        if self._handle is not None:
            self._handle()
            self._handle = None

    def _wait(self, handle: int) -> None:
        limit = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= limit:
                    holder = os.pread(handle, 200, 0).decode(errors="replace") or "?"
                    raise MediumBusyError(
                        T("Another run is writing on the medium: {run}.", run=holder),
                        next_step=T("Wait for it to end, then run the same command again."),
                    ) from error
                time.sleep(_PAUSE)
            else:
                return
