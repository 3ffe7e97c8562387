"""Trying an access out as a user would: a connection from an address of the LAN to a server's port."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Tried(StrEnum):
    """How a try ended."""

    OPEN = "open"
    """Connected."""
    REFUSED = "refused"
    """The machine asked answered that nobody listens there: the way is open."""
    BLOCKED = "blocked"
    """No answer, or a router said that it is forbidden."""


class Probe(Protocol):
    """The machine of a site's LAN from which accesses are tried out."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses it owns in the LAN."""
        ...

    @property
    def borrows(self) -> bool:
        """Tell whether it may take another free address of the LAN for one try."""
        ...

    def connect(self, source: str, destination: str, port: int, *, timeout: float = 3.0) -> Tried:
        """Open a TCP connection from `source` and close it again.

        An address it does not own is borrowed: asked for in the LAN first (ARP, RFC 5227), taken, given back.

        Raises:
            RefusedError: the address is in use by another machine, or may not be borrowed.
            UnreachableError: the probe itself does not answer.
        """
        ...
