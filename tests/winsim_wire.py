"""Envelopes written by hand, after the examples of MS-WSMV 4.1, and unmodified pywinrm as the client."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import winrm.protocol
import xmltodict
from defusedxml import ElementTree
from fix_winsim import WINSIM_ADMIN, WINSIM_PASSWORD, winsim_domain, winsim_workstation

from dsi_automation.lab.windows.machine import Caller, Machine
from dsi_automation.lab.windows.service import Answer, Service
from dsi_automation.lab.windows.state import StateStore

R = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
SCHEMA_URI = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"
NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": WSMAN,
    "n": ENUMERATION,
    "cim": "http://schemas.dmtf.org/wbem/wscim/1/common",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "e": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError",
}
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
ADMIN = Caller("Administrateur", administrator=True)


def envelope(action: str, uri: str, body: str = "", *, selectors: dict[str, str] | None = None, **parts: str) -> bytes:
    """Return a request; `parts` replaces a header element by name, an empty string leaves it out."""
    chosen = "".join(f'<w:Selector Name="{k}">{escape(v)}</w:Selector>' for k, v in (selectors or {}).items())
    header = {
        "To": "<a:To>http://server:5985/wsman</a:To>",
        "ResourceURI": f'<w:ResourceURI s:mustUnderstand="true">{uri}</w:ResourceURI>',
        "ReplyTo": f"<a:ReplyTo><a:Address>{NAMESPACES['a']}/role/anonymous</a:Address></a:ReplyTo>",
        "Action": f'<a:Action s:mustUnderstand="true">{action}</a:Action>',
        "MaxEnvelopeSize": '<w:MaxEnvelopeSize s:mustUnderstand="true">512000</w:MaxEnvelopeSize>',
        "MessageID": f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>",
        "OperationTimeout": "<w:OperationTimeout>PT60.000S</w:OperationTimeout>",
        "SelectorSet": f"<w:SelectorSet>{chosen}</w:SelectorSet>" if chosen else "",
        **parts,
    }
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in NAMESPACES.items())
    return (
        f'<s:Envelope {spaces} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<s:Header>{''.join(header.values())}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def query(text: str, *, most: int = 32000, **options: Any) -> bytes:
    """Return an optimized WQL enumeration."""
    body = (
        f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>{most}</w:MaxElements>"
        f'<w:Filter Dialect="{WQL}">{escape(text)}</w:Filter></n:Enumerate>'
    )
    return envelope(f"{ENUMERATION}/Enumerate", f"{R}/*", body, **options)


def invoke(class_name: str, method: str, selectors: dict[str, str] | None = None, **given: str) -> bytes:
    """Return an invocation whose parameters are text."""
    inner = "".join(f"<p:{name}>{escape(value)}</p:{name}>" for name, value in given.items())
    body = f'<p:{method}_INPUT xmlns:p="{R}/{class_name}">{inner}</p:{method}_INPUT>'
    return envelope(f"{R}/{class_name}/{method}", f"{R}/{class_name}", body, selectors=selectors)


class Bench:
    """One workstation's service without a network."""

    def __init__(self, **changes: Any) -> None:
        self.spec = winsim_workstation(**changes)
        self.domain = winsim_domain()
        self.machine = Machine(self.spec, StateStore(None), None)
        self.service = Service(self.machine, self.domain)
        self.restarts: list[bool] = []
        self.machine.restart = self.restarts.append

    def ask(self, *requests: bytes, caller: Caller = ADMIN) -> Answer:
        """Return the answer to the last of the requests, which run on one loop, one after the other."""

        async def all_of_them() -> list[Answer]:
            return [await self.service.handle(request, caller) for request in requests]

        return asyncio.run(all_of_them())[-1]

    def body(self, *requests: bytes) -> Element:
        """Return the body of an answer that must be a success."""
        answer = self.ask(*requests)
        assert answer.status == 200, answer.body.decode()
        return body_of(answer.body)

    def fault(self, *requests: bytes, caller: Caller = ADMIN) -> dict[str, Any]:
        """Return the parts of a fault."""
        answer = self.ask(*requests, caller=caller)
        assert answer.status == 500, answer
        return fault_of(answer.body)


def body_of(data: bytes) -> Element:
    """Return the body element of an envelope."""
    body = ElementTree.fromstring(data).find("s:Body", NAMESPACES)
    assert body is not None
    return body


def fault_of(data: bytes) -> dict[str, Any]:
    """Return what a fault says, by the names of its parts."""
    body = body_of(data)
    code = body.find(".//s:Detail/f:WSManFault", NAMESPACES)
    inner = body.find(".//f:ProviderFault/f:WSManFault", NAMESPACES)
    return {
        "value": body.findtext(".//s:Code/s:Value", None, NAMESPACES),
        "subcode": body.findtext(".//s:Subcode/s:Value", None, NAMESPACES),
        "code": None if code is None else int(code.get("Code", "0")),
        "provider": None if inner is None else int(inner.get("Code", "0")),
        "detail": body.findtext(".//w:FaultDetail", None, NAMESPACES),
        "wmi": body.findtext(".//e:MSFT_WmiError/e:error_Code", None, NAMESPACES),
        "reason": body.findtext(".//s:Reason/s:Text", None, NAMESPACES),
    }


def returned(body: Element) -> int:
    """Return a method's ReturnValue."""
    value = next(child for child in body[0] if child.tag.endswith("}ReturnValue"))
    return int(value.text or "")


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


class Pywinrm:
    """Unmodified pywinrm, asking what the tests ask."""

    def __init__(self, url: str, transport: str = "ntlm", **options: Any) -> None:
        options = {
            "username": WINSIM_ADMIN,
            "password": WINSIM_PASSWORD,
            "proxy": None,
            "ca_trust_path": None,
            **options,
        }
        self.protocol = winrm.protocol.Protocol(url, transport=transport, **options)

    def query(self, text: str, *, most: int = 32000) -> Element:
        """Return the body of a WQL query's first page."""
        filtered = {"@Dialect": WQL, "#text": text}
        body = {"n:Enumerate": {"w:OptimizeEnumeration": None, "w:MaxElements": str(most), "w:Filter": filtered}}
        return self._send(f"{ENUMERATION}/Enumerate", f"{R}/*", body)

    def pull(self, context: str, *, most: int = 32000) -> Element:
        """Return the body of a further page."""
        body = {"n:Pull": {"n:EnumerationContext": context, "n:MaxElements": str(most)}}
        return self._send(f"{ENUMERATION}/Pull", f"{R}/*", body)

    def invoke(self, class_name: str, method: str, selectors: dict[str, str] | None = None, **given: str) -> int:
        """Return a method's ReturnValue."""
        inner = {"@xmlns:p": f"{R}/{class_name}", **{f"p:{name}": value for name, value in given.items()}}
        body = self._send(f"{R}/{class_name}/{method}", f"{R}/{class_name}", {f"p:{method}_INPUT": inner}, selectors)
        return returned(body)

    def _send(self, action: str, uri: str, body: dict[str, Any], selectors: dict[str, str] | None = None) -> Element:
        header = self.protocol.build_wsman_header(action, uri)
        if selectors:
            chosen = [{"@Name": name, "#text": value} for name, value in selectors.items()]
            header["env:Header"]["w:SelectorSet"] = {"w:Selector": chosen}
        request = xmltodict.unparse({"env:Envelope": {**header, "env:Body": body}})
        return body_of(self.protocol.send_message(request))
