"""Requests of WS-Management (DMTF DSP0226, MS-WSMV) as bytes: pure, no I/O.

Envelopes are filled templates: a third of the cost of building a tree, and what is sent can be read here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dsi_automation.connectors.windows import markup, values
from dsi_automation.connectors.windows.errors import HostileValueError
from dsi_automation.connectors.windows.port import CimValue
from dsi_automation.connectors.windows.schema import CimType, Method
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T

MAX_ENVELOPE: Final = 512000
"""Bytes of one message: MaxEnvelopeSizekb of WinRM since Windows 8 is 500."""
PAGE: Final = 32000
"""Items asked for per page: Windows' own upper limit (MaxBatchItems)."""

CIMV2: Final = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
CLASS_SCHEMA: Final = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"
WQL_DIALECT: Final = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
ANONYMOUS: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
ENUMERATION: Final = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
TRANSFER: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
IDENTITY: Final = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"

_ENVELOPE: Final = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    f' xmlns:n="{ENUMERATION}" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"'
    ' xmlns:l="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd">'
    "<s:Header><a:To>{to}</a:To>"
    '<w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>'
    f'<a:ReplyTo><a:Address s:mustUnderstand="true">{ANONYMOUS}</a:Address></a:ReplyTo>'
    '<a:Action s:mustUnderstand="true">{action}</a:Action>'
    f'<w:MaxEnvelopeSize s:mustUnderstand="true">{MAX_ENVELOPE}</w:MaxEnvelopeSize>'
    "<a:MessageID>{id}</a:MessageID>"
    '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/><l:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>'
    "<w:OperationTimeout>PT{timeout}S</w:OperationTimeout>{selectors}</s:Header>"
    "<s:Body>{body}</s:Body></s:Envelope>"
)
_IDENTIFY: Final = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    f' xmlns:i="{IDENTITY}"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>'
)


@dataclass(frozen=True, slots=True)
class Message:
    """A request ready to send.

    Attributes:
        id: its MessageID, which the answer's RelatesTo must repeat.
        data: UTF-8; may hold a secret, so it is not shown.
    """

    id: str
    data: bytes = field(repr=False)


def query(to: str, wql: str, timeout: float) -> Message:
    """Return an optimised Enumerate: the first page comes with the answer (MS-WSMV 3.1.4.8)."""
    body = (
        f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>{PAGE}</w:MaxElements>"
        f'<w:Filter Dialect="{WQL_DIALECT}">{markup.text(wql)}</w:Filter></n:Enumerate>'
    )
    return _message(to, f"{CIMV2}/*", f"{ENUMERATION}/Enumerate", timeout, body)


def pull(to: str, context: str, timeout: float) -> Message:
    """Return the request for the next page of a query."""
    body = (
        f"<n:Pull><n:EnumerationContext>{markup.text(context)}</n:EnumerationContext>"
        f"<n:MaxElements>{PAGE}</n:MaxElements></n:Pull>"
    )
    return _message(to, f"{CIMV2}/*", f"{ENUMERATION}/Pull", timeout, body)


def release(to: str, context: str, timeout: float) -> Message:
    """Return the request that drops the rest of a query; left open it counts against the quota of operations."""
    body = f"<n:Release><n:EnumerationContext>{markup.text(context)}</n:EnumerationContext></n:Release>"
    return _message(to, f"{CIMV2}/*", f"{ENUMERATION}/Release", timeout, body)


def get(to: str, class_name: str, selectors: Mapping[str, str], timeout: float) -> Message:
    """Return the request for one instance."""
    return _message(to, f"{CIMV2}/{class_name}", f"{TRANSFER}/Get", timeout, "", selectors)


def class_schema(to: str, class_name: str, timeout: float) -> Message:
    """Return the request for a class's schema in CIM-XML (MS-WSMV 3.1.4.1.38)."""
    selectors = {"__cimnamespace": "root/cimv2", "ClassName": class_name}
    return _message(to, CLASS_SCHEMA, f"{TRANSFER}/Get", timeout, "", selectors)


def invoke(
    to: str,
    class_name: str,
    method: Method,
    parameters: Mapping[str, CimValue | Secret],
    selectors: Mapping[str, str],
    timeout: float,
) -> Message:
    """Return the call of a method; a parameter that is None is left out, which is how NULL is said.

    Raises:
        HostileValueError: a value does not fit its parameter, or XML cannot carry it.
    """
    uri = f"{CIMV2}/{class_name}"
    inner: list[str] = []
    for name, kind in method.inputs.items():
        value = parameters.get(name)
        if value is None:
            continue
        items = value if isinstance(value, tuple) else (value,)
        inner += [f"<p:{name}>{values.write(item, kind.type, name)}</p:{name}>" for item in items]
    body = f'<p:{method.name}_INPUT xmlns:p="{uri}">{"".join(inner)}</p:{method.name}_INPUT>'
    return _message(to, uri, f"{uri}/{method.name}", timeout, body, selectors)


def identify() -> Message:
    """Return the question every WS-Management service answers, whatever it manages (DSP0226, section 11)."""
    return Message("", _IDENTIFY.encode())


def _message(
    to: str, uri: str, action: str, timeout: float, body: str, selectors: Mapping[str, str] | None = None
) -> Message:
    chosen = "".join(
        f'<w:Selector Name="{markup.attribute(name)}">{values.write(value, CimType.STRING, name)}</w:Selector>'
        for name, value in (selectors or {}).items()
    )
    message_id = f"uuid:{str(uuid.uuid4()).upper()}"
    data = _ENVELOPE.format(
        to=markup.text(to),
        uri=uri,
        action=action,
        id=message_id,
        timeout=f"{timeout:.3f}",
        selectors=f"<w:SelectorSet>{chosen}</w:SelectorSet>" if chosen else "",
        body=body,
    ).encode()
    if len(data) > MAX_ENVELOPE:
        raise HostileValueError(
            T("A request of {size} bytes is more than Windows accepts ({limit}).", size=len(data), limit=MAX_ENVELOPE),
            meaning=T("Nothing was sent."),
            next_step=T("Look at the inputs: one of the values is far too long."),
        )
    return Message(message_id, data)
