"""Security identifiers and GUIDs, from the octets the directory sends to the text people and Windows use."""

from __future__ import annotations

import uuid
from typing import Final

HEADER: Final = 8
"""Octets before the sub-authorities: revision, their count, and a six-octet authority (MS-DTYP 2.4.2.2)."""
LONGEST: Final = 15
"""Sub-authorities a SID may have."""


def sid_text(octets: bytes) -> str:
    """Return a SID as `S-1-5-21-...`: authority big-endian, sub-authorities little-endian (MS-DTYP 2.4.2.2).

    Raises:
        ValueError: these octets are not a SID.
    """
    if len(octets) < HEADER or octets[0] != 1 or octets[1] > LONGEST or len(octets) != HEADER + 4 * octets[1]:
        raise ValueError(octets.hex())
    authority = int.from_bytes(octets[2:HEADER], "big")
    # MS-DTYP 2.4.2.1: an authority that does not fit 32 bits is written in hexadecimal.
    shown = str(authority) if authority < 2**32 else f"0x{authority:012X}"
    parts = (int.from_bytes(octets[at : at + 4], "little") for at in range(HEADER, len(octets), 4))
    return "-".join(["S", "1", shown, *(str(part) for part in parts)])


def sid_octets(text: str) -> bytes:
    """Return the octets of a SID written `S-1-5-21-...`.

    Raises:
        ValueError: this is not a SID.
    """
    head, revision, authority, *parts = text.split("-")
    if head.upper() != "S" or revision != "1" or len(parts) > LONGEST:
        raise ValueError(text)
    number = int(authority, 16 if authority[:2].lower() == "0x" else 10)
    try:
        body = b"".join(int(part).to_bytes(4, "little") for part in parts)
        return bytes((1, len(parts))) + number.to_bytes(6, "big") + body
    except OverflowError as error:
        raise ValueError(text) from error


def guid_text(octets: bytes) -> str:
    """Return an objectGUID as Windows writes it: the first three fields are little-endian (MS-DTYP 2.3.4.2).

    Raises:
        ValueError: these are not sixteen octets.
    """
    return str(uuid.UUID(bytes_le=octets))
