"""SOAP faults of WS-Management in all the shapes Windows sends them: pure, no I/O.

Three shapes: f:WSManFault with a code, possibly around a ProviderFault; MSFT_WmiError with an error_Code; and a
subcode with a reason only (older WinRM). Texts are in the machine's language: only codes decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.windows import markup

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NUMBER: Final = re.compile(r"-?[0-9]{1,20}\Z")
_HRESULT: Final = re.compile(r"HRESULT 0x([0-9A-Fa-f]{1,8})")
_SUBCODES: Final = {
    "DestinationUnreachable": 0x80338000,
    "ActionNotSupported": 0x80338001,
    "CannotProcessFilter": 0x8033801A,
    "TimedOut": 0x80338029,
    "InvalidSelectors": 0x8033803D,
    "QuotaLimit": 0x803381A6,
    "AccessDenied": 5,
    "EncodingLimit": 0x80338041,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What a fault says.

    Attributes:
        codes: unsigned 32-bit, the most telling first: the provider's, WMI's, then WS-Management's.
        subcode: the local name, `DestinationUnreachable`.
        reason: in the machine's language; may be empty. `__ExtendedStatus` is never read into it, because its
            ParameterInfo repeats the request.
    """

    codes: tuple[int, ...]
    subcode: str
    reason: str


def parse(body: Element) -> Fault | None:
    """Return the fault in a Body, or None when there is none."""
    fault = markup.child(body, "Fault")
    if fault is None:
        return None
    subcode = _subcode(fault)
    codes = list(dict.fromkeys(_codes(fault)))
    if not codes and subcode in _SUBCODES:
        codes.append(_SUBCODES[subcode])
    reason = markup.child(fault, "Reason")
    words = "" if reason is None else " ".join("".join(reason.itertext()).split())
    return Fault(tuple(codes), subcode, words[:300])


def _codes(fault: Element) -> list[int]:
    status = [_number(node.text) for node in markup.descendants(fault, "StatusCode")]
    wmi = [_number(node.text) for node in markup.descendants(fault, "error_Code")]
    for node in markup.descendants(fault, "MessageID"):
        found = _HRESULT.search(node.text or "")
        wmi.append(int(found[1], 16) if found else None)
    # The inner WSManFault is the provider's own word; the outer often only says that the provider failed.
    wsman = [_number(node.get("Code")) for node in reversed(markup.descendants(fault, "WSManFault"))]
    return [code for code in (*status, *wmi, *wsman) if code]


def _number(words: str | None) -> int | None:
    words = (words or "").strip()
    return int(words) & 0xFFFFFFFF if _NUMBER.match(words) else None


def _subcode(fault: Element) -> str:
    code = markup.child(fault, "Code")
    inner = None if code is None else markup.child(code, "Subcode")
    value = None if inner is None else markup.child(inner, "Value")
    return "" if value is None else (value.text or "").strip().rpartition(":")[2]
