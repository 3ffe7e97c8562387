"""Values as `nft -j` prints them (libnftables-json(5)): it makes prefixes of ranges, and the other way round."""

from __future__ import annotations

import ipaddress
from typing import Any


class Unknown(Exception):  # noqa: N818  # never leaves the reader: it means "not one of ours"
    """A value that is none of those the filter is made of."""


def network(value: Any) -> str:
    """Return a network: from an address, a prefix, or a range that is exactly one network.

    Raises:
        Unknown: it is no IPv4 network.
    """
    try:
        if isinstance(value, str):
            return str(ipaddress.IPv4Network(value))
        if "prefix" in value:
            return str(ipaddress.IPv4Network(f"{value['prefix']['addr']}/{value['prefix']['len']}"))
        first, last = (ipaddress.IPv4Address(end) for end in value["range"])
        (whole,) = ipaddress.summarize_address_range(first, last)
    except (ValueError, KeyError, TypeError) as error:
        raise Unknown from error
    return str(whole)


def ports(value: Any) -> tuple[int, int]:
    """Return the first and the last of some ports: from a number, a range, or a prefix of 16 bits.

    Raises:
        Unknown: they are no ports.
    """
    if isinstance(value, int):
        return value, value
    try:
        if "prefix" in value:
            first, length = int(value["prefix"]["addr"]), int(value["prefix"]["len"])
            return first, first + (1 << (16 - length)) - 1
        first, last = value["range"]
        return int(first), int(last)
    except (KeyError, TypeError, ValueError) as error:
        raise Unknown from error
