"""`python -m benchmarks.application_probe ADDRESS:PORT...`: tells when ports close and open, until it is ended.

A process of its own, so that nothing of what is measured can slow the clock down. Each line it prints is one change:
the port, `open` or `closed`, and the moment by CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import socket
import sys
import time
from typing import Final

EVERY: Final = 0.005
"""Seconds between two connections to a port, so that an edge is known to that."""
REST: Final = 1.0
"""Seconds for which a port that has just opened is left alone: a server that begins takes few connections at once."""
PATIENCE: Final = 0.5
"""Seconds a connection may take: a closed port refuses at once, so one that is only slow is not closed."""


def main() -> None:
    """Connect again and again."""
    known: dict[str, bool] = {}
    rests = dict.fromkeys(sys.argv[1:], 0.0)
    while True:
        began = time.monotonic()
        for port in sys.argv[1:]:
            if began < rests[port]:
                continue
            at, found = time.monotonic(), is_open(port)
            if known.get(port) is not found:
                known[port], rests[port] = found, at + REST * found
                print(port, "open" if found else "closed", at, flush=True)
        time.sleep(max(0.0, began + EVERY - time.monotonic()))


def is_open(port: str) -> bool:
    """Tell whether a connection is not refused."""
    host, _, number = port.rpartition(":")
    try:
        socket.create_connection((host, int(number)), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    except (TimeoutError, ConnectionResetError):
        return True
    return True


if __name__ == "__main__":
    main()
