"""CIM values to and from XML, by the type the schema gives."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.windows import markup
from dsi_automation.connectors.windows.errors import HostileValueError
from dsi_automation.connectors.windows.markup import MalformedAnswerError
from dsi_automation.connectors.windows.port import CimScalar, CimValue
from dsi_automation.connectors.windows.schema import INTEGERS, CimType, Typed
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}\Z")
_MOMENT: Final = re.compile(
    r"([0-9]{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.([0-9]{1,6})[0-9]*)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII
)


def read_all(element: Element, types: Mapping[str, Typed]) -> dict[str, CimValue]:
    """Return the known properties among an element's children, typed.

    An array is the element repeated, once with nil for NULL; empty arrays are left out by some servers.

    Raises:
        MalformedAnswerError: a value is not of its type.
    """
    found: dict[str, CimValue] = {}
    arrays: dict[str, list[CimScalar]] = {}
    for node in element:
        name = markup.local(node)
        kind = types.get(name)
        if kind is None:
            continue
        value = None if markup.is_nil(node) else read(node, kind.type)
        if not kind.array:
            found[name] = value
        elif value is None and name not in arrays:
            found[name] = None
        else:
            arrays.setdefault(name, []).append(value)
    found.update({name: tuple(items) for name, items in arrays.items()})
    return found


def read(node: Element, kind: CimType) -> CimScalar:
    """Return one value that is not NULL.

    Raises:
        MalformedAnswerError: it is not of that type.
    """
    if kind is CimType.STRING:
        return node.text or ""
    if kind is CimType.DATETIME:
        return _read_datetime(node)
    words = (node.text or "").strip()
    if kind is CimType.BOOLEAN and words.lower() in _BOOLEANS:
        return _BOOLEANS[words.lower()]
    if kind in INTEGERS and _INTEGER.match(words):
        least, most = INTEGERS[kind]
        if least <= int(words) <= most:
            return int(words)
    if kind is CimType.REAL32:
        try:
            return float(words)
        except ValueError:
            pass
    raise MalformedAnswerError(f"{markup.local(node)} is no {kind}")


def _read_datetime(node: Element) -> CimScalar:
    inner = markup.child(node, "Datetime")
    words = ((node if inner is None else inner).text or "").strip()
    interval = markup.child(node, "Interval")
    if interval is not None or words.startswith("P"):
        return words or (interval.text if interval is not None else None)
    return moment(words)


def moment(words: str) -> datetime:
    """Return a moment of WS-Management in UTC: 0 to 6 digits of a second, `Z` or an offset.

    Raises:
        MalformedAnswerError: it is no such moment.
    """
    found = _MOMENT.match(words)
    try:
        if found:
            whole, fraction, zone = found.groups()
            offset = "+00:00" if zone == "Z" else zone
            return datetime.fromisoformat(f"{whole}.{(fraction or '0').ljust(6, '0')}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise MalformedAnswerError("not a date")


def write(value: CimScalar | Secret, kind: CimType, name: str) -> str:
    """Return the inside of the element that carries a value, escaped.

    Raises:
        HostileValueError: the value is not of the parameter's type, or cannot be carried by XML.
    """
    if isinstance(value, Secret):
        return markup.text(value.reveal())
    if kind is CimType.STRING and isinstance(value, str):
        return markup.text(value)
    if kind is CimType.BOOLEAN and isinstance(value, bool):
        return "true" if value else "false"
    if kind in INTEGERS and isinstance(value, int) and not isinstance(value, bool):
        least, most = INTEGERS[kind]
        if least <= value <= most:
            return str(value)
    if kind is CimType.REAL32 and isinstance(value, int | float) and math.isfinite(value):
        return repr(float(value))
    if kind is CimType.DATETIME and isinstance(value, datetime) and value.tzinfo is not None:
        stamp = value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return f"<cim:Datetime>{stamp}</cim:Datetime>"
    raise HostileValueError(
        T("The value given for {name} is not of the type {type}.", name=name, type=kind.value),
        meaning=T("Nothing was sent."),
    )
