"""Reading a request, strictly: what Windows would refuse is refused here (MS-WSMV 3.1.4.1; DSP0226 section 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dsi_automation.lab.windows.soap import faults, names
from dsi_automation.lab.windows.soap.faults import SoapFaultError

SMALLEST_ENVELOPE: Final = 8192
DEFAULT_TIMEOUT: Final = 60.0
_KNOWN: Final = {
    f"{{{names.ADDRESSING}}}{name}" for name in ("To", "ReplyTo", "Action", "MessageID", "From", "FaultTo")
} | {
    f"{{{names.WSMAN}}}{name}"
    for name in ("ResourceURI", "SelectorSet", "MaxEnvelopeSize", "OperationTimeout", "OptionSet")
}
_MUST: Final = f"{{{names.SOAP}}}mustUnderstand"
_UUID: Final = re.compile(r"^uuid:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
_DURATION: Final = re.compile(
    r"^P(?:([0-9]{1,9})D)?(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?$"
)


@dataclass(frozen=True, slots=True)
class WsmanRequest:
    """A well-formed request.

    Attributes:
        selectors: keys of the instance, names as the client wrote them.
        largest_answer: bytes the client takes in one envelope.
        timeout: seconds the client gives the operation.
        body: the first child of the body, None when it is empty.
    """

    action: str
    resource_uri: str
    message_id: str
    selectors: Mapping[str, str]
    largest_answer: int
    timeout: float
    body: Element | None


@dataclass(frozen=True, slots=True)
class IdentifyRequest:
    """The question who answers here, which has no header (DSP0226 section 11)."""


def parse(data: bytes) -> WsmanRequest | IdentifyRequest:
    """Return the request in an envelope.

    Raises:
        SoapFaultError: not XML, a DTD or entities, no envelope, a header missing, wrong or not understood.
    """
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SoapFaultError(faults.SCHEMA, type(error).__name__) from error
    body = root.find(f"{{{names.SOAP}}}Body")
    if root.tag != f"{{{names.SOAP}}}Envelope" or body is None:
        raise SoapFaultError(faults.SCHEMA, "Envelope/Body")
    content = body[0] if len(body) else None
    if content is not None and content.tag == f"{{{names.IDENTITY}}}Identify":
        return IdentifyRequest()
    header = root.find(f"{{{names.SOAP}}}Header")
    if header is None:
        raise SoapFaultError(faults.MISSING_HEADER, "s:Header")
    return _with_header(header, content)


def message_id(data: bytes) -> str:
    """Return the MessageID of an envelope that was refused, as far as it can be seen."""
    found = re.search(rb"uuid:[0-9A-Fa-f-]{36}", data)
    return found.group().decode() if found else ""


def _with_header(header: Element, content: Element | None) -> WsmanRequest:
    for child in header:
        _understand(child)
    _required(header, names.ADDRESSING, "To")
    reply_to = header.find(f"{{{names.ADDRESSING}}}ReplyTo/{{{names.ADDRESSING}}}Address")
    if reply_to is None:
        raise SoapFaultError(faults.MISSING_HEADER, "a:ReplyTo")
    if (reply_to.text or "").strip() != names.ANONYMOUS:
        raise SoapFaultError(faults.UNSUPPORTED, "AddressingMode")
    identifier = _required(header, names.ADDRESSING, "MessageID")
    if not _UUID.match(identifier):
        raise SoapFaultError(faults.INVALID_HEADER, "a:MessageID")
    return WsmanRequest(
        action=_required(header, names.ADDRESSING, "Action"),
        resource_uri=_required(header, names.WSMAN, "ResourceURI"),
        message_id=identifier,
        selectors=_selectors(header),
        largest_answer=_largest(header),
        timeout=_timeout(header),
        body=content,
    )


def _understand(child: Element) -> None:
    must = child.get(_MUST, "").strip().lower() in {"1", "true"}
    if must and child.tag in {f"{{{names.WSMAN}}}Locale", f"{{{names.MICROSOFT}}}DataLocale"}:
        raise SoapFaultError(faults.UNSUPPORTED, "Locale")
    if must and child.tag not in _KNOWN:
        raise SoapFaultError(faults.NOT_UNDERSTOOD, child.tag)


def _required(header: Element, namespace: str, name: str) -> str:
    found = header.findall(f"{{{namespace}}}{name}")
    prefix = "a" if namespace == names.ADDRESSING else "w"
    if not found:
        raise SoapFaultError(faults.MISSING_HEADER, f"{prefix}:{name}")
    text = (found[0].text or "").strip()
    if len(found) > 1 or not text:
        raise SoapFaultError(faults.INVALID_HEADER, f"{prefix}:{name}")
    return text


def _selectors(header: Element) -> dict[str, str]:
    selectors: dict[str, str] = {}
    for selector in header.findall(f"{{{names.WSMAN}}}SelectorSet/{{{names.WSMAN}}}Selector"):
        name = selector.get("Name", "")
        if not name or len(selector) or name.lower() in {known.lower() for known in selectors}:
            raise SoapFaultError(faults.SELECTORS, name or "Name")
        selectors[name] = selector.text or ""
    return selectors


def _largest(header: Element) -> int:
    text = header.findtext(f"{{{names.WSMAN}}}MaxEnvelopeSize")
    if text is None:
        return 512000
    if not re.fullmatch(r"[0-9]{1,10}", text.strip()):
        raise SoapFaultError(faults.INVALID_HEADER, "w:MaxEnvelopeSize")
    if int(text) < SMALLEST_ENVELOPE:
        raise SoapFaultError(faults.ENVELOPE_TOO_SMALL)
    return int(text)


def _timeout(header: Element) -> float:
    text = header.findtext(f"{{{names.WSMAN}}}OperationTimeout")
    if text is None:
        return DEFAULT_TIMEOUT
    found = _DURATION.match(text.strip())
    if found is None or not any(found.groups()):
        raise SoapFaultError(faults.INVALID_HEADER, "w:OperationTimeout")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    # MS-WSMV 3.1.4.1: WinRM takes anything below half a second as half a second.
    return max(0.5, ((days * 24 + hours) * 60 + minutes) * 60 + seconds)
