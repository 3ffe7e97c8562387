"""One `dsi lab` at a time changes a lab: a lock that ends with the process that holds it and leaves no file."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lock of a lab: an abstract Unix socket (unix(7)), which two processes cannot bind at once.

    Raises:
        UsageError: another process holds it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as held:
        try:
            held.bind(f"\0dsi-lab-{name}")
        except OSError as error:
            raise UsageError(
                T("Another command is starting or stopping lab {name} at this moment.", name=name),
                next_step=T("Wait until it has finished, then try again."),
            ) from error
        yield
