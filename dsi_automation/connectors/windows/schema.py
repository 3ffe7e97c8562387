"""The types of the CIM classes the toolkit knows: values are typed from here, never by their looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class CimType(StrEnum):
    """CIM's intrinsic types (DSP0004) as far as the known classes use them."""

    STRING = "string"
    BOOLEAN = "boolean"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    SINT32 = "sint32"
    REAL32 = "real32"
    DATETIME = "datetime"


INTEGERS: Final[Mapping[CimType, tuple[int, int]]] = {
    CimType.UINT8: (0, 2**8 - 1),
    CimType.UINT16: (0, 2**16 - 1),
    CimType.UINT32: (0, 2**32 - 1),
    CimType.UINT64: (0, 2**64 - 1),
    CimType.SINT32: (-(2**31), 2**31 - 1),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """The type of a property or a parameter."""

    type: CimType
    array: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its in- and out-parameters, in the order of the schema. All of them return a uint32.

    Attributes:
        static: called on the class, without selecting an instance.
    """

    name: str
    inputs: Mapping[str, Typed]
    outputs: Mapping[str, Typed]
    static: bool = False


@dataclass(frozen=True, slots=True)
class CimClass:
    """A class of `root/cimv2`.

    Attributes:
        keys: the key properties; empty for a singleton, which must not be selected, and for static classes.
    """

    name: str
    keys: tuple[str, ...]
    properties: Mapping[str, Typed]
    methods: Mapping[str, Method] = field(default_factory=dict)


def typed(words: str) -> dict[str, Typed]:
    """Return the types a compact description gives: `string: Name Roles[]; uint64: Size`."""
    found = {}
    for group in filter(None, (part.strip() for part in words.split(";"))):
        kind, _, names = group.partition(":")
        for name in names.split():
            found[name.removesuffix("[]")] = Typed(CimType(kind.strip()), name.endswith("[]"))
    return found


def method(name: str, inputs: str = "", outputs: str = "", *, static: bool = False) -> Method:
    """Return a method from compact descriptions, each parameter as `type Name`, comma-separated, in order."""
    return Method(name, _parameters(inputs), _parameters(outputs), static)


def _parameters(words: str) -> dict[str, Typed]:
    found = {}
    for part in filter(None, (item.strip() for item in words.split(","))):
        kind, _, name = part.partition(" ")
        found[name.removesuffix("[]")] = Typed(CimType(kind), name.endswith("[]"))
    return found
