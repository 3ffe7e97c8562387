"""The address and port of a server, as the controller resolves them and as Linux writes them in /proc/net."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

from dsi_automation.connectors.applications.port import ServerSettings
from dsi_automation.core.errors import UnreachableError
from dsi_automation.core.text import T

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAPPED: Final = "0000000000000000FFFF0000"
"""::ffff:0:0/96 as /proc/net/tcp6 writes its first three words on a little-endian machine."""
_CONNECT: Final = 1.0


def resolved(settings: ServerSettings) -> tuple[Address, ...]:
    """Return the addresses users reach the server at.

    Raises:
        UnreachableError: its name has no address.
    """
    try:
        found = socket.getaddrinfo(settings.address, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(
            T("{address}, where users reach {server}, has no address.", address=settings.address, server=settings.name),
            on=settings.host,
            next_step=T("See the DNS of the controller, and `address` of the server in dsi_applications."),
            detail={"reason": str(error)},
        ) from error
    # A scope (fe80::1%eth0) is the controller's own and says nothing on the server.
    texts = dict.fromkeys(str(item[4][0]).partition("%")[0] for item in found)
    return tuple(ipaddress.ip_address(text) for text in texts)


def reachable(settings: ServerSettings) -> bool:
    """Tell whether the controller gets a connection to the port, within a second."""
    try:
        with socket.create_connection((settings.address, settings.port), timeout=_CONNECT):
            return True
    except OSError:
        return False


def variables(port: int, addresses: Iterable[Address]) -> dict[str, str]:
    """Return what the scripts in `remote/` are told of the port and its addresses."""
    given = tuple(addresses)
    exact = [form for address in given for form in _forms(address)]
    own = [str(address) if address.version == 4 else address.packed.hex() for address in given]
    families = sorted({str(address.version) for address in given})
    return {
        "DSI_PORT": f"{port:04X}",
        "DSI_EXACT": " ".join(exact),
        "DSI_OWN": " ".join(own),
        "DSI_FAMILY": "".join(families),
    }


def _forms(address: Address) -> tuple[str, ...]:
    """Return an address as /proc/net/tcp and tcp6 write it: words of 32 bits, the machine's low byte first."""
    packed = address.packed
    words = "".join(packed[start : start + 4][::-1].hex().upper() for start in range(0, len(packed), 4))
    return (words, _MAPPED + words) if address.version == 4 else (words,)
