"""Invoke: the method's input checked against the schema, as the WMI provider checks it (MS-WSMV 3.1.4.1.32)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element

from dsi_automation.lab.windows.cim import methods, registry, services
from dsi_automation.lab.windows.cim.schema import CimClass, Method, Typed
from dsi_automation.lab.windows.joining import DomainJoiner
from dsi_automation.lab.windows.machine import Machine
from dsi_automation.lab.windows.soap import faults, names
from dsi_automation.lab.windows.soap.faults import SoapFaultError
from dsi_automation.lab.windows.soap.request import WsmanRequest
from dsi_automation.lab.windows.soap.xml import Value, output

_INTEGER: Final = re.compile(r"^[+-]?[0-9]{1,20}$")
_BITS: Final = {"uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64, "sint16": 16, "sint32": 32, "sint64": 64}


def method_of(found: CimClass, name: str, *, modern: bool) -> Method:
    """Return a class's method.

    Raises:
        SoapFaultError: there is none of that name on this system.
    """
    method = found.methods.get(name)
    if method is None or (name == "ChangeOwner" and not modern):
        raise SoapFaultError(faults.ACTION, name)
    return method


def arguments(request: WsmanRequest, method: Method) -> dict[str, object]:
    """Return the in-parameters by name; absent and nil ones are missing.

    Raises:
        SoapFaultError: another element or namespace than `Method_INPUT` of the resource, an unknown parameter, one
            given twice, a value that is not of its type.
    """
    body = request.body
    expected = f"{{{request.resource_uri}}}{method.name}_INPUT"
    if body is None or body.tag != expected:
        raise SoapFaultError(faults.SCHEMA, f"{method.name}_INPUT")
    known = {parameter.name: parameter for parameter in method.takes}
    given: dict[str, object] = {}
    for child in body:
        namespace, _, name = child.tag[1:].partition("}")
        if namespace != request.resource_uri or name not in known or name in given:
            raise SoapFaultError(faults.PARAMETER, name or child.tag)
        if child.get(f"{{{names.XSI}}}nil") in {"true", "1"}:
            continue
        given[name] = _value(known[name], child)
    return given


def _value(parameter: Typed, element: Element) -> object:
    text = element.text or ""
    if len(element):
        raise SoapFaultError(faults.PARAMETER, parameter.name)
    if parameter.type == "boolean":
        if text.lower() not in {"true", "false", "1", "0"}:
            raise SoapFaultError(faults.PARAMETER, parameter.name)
        return text.lower() in {"true", "1"}
    bits = _BITS.get(parameter.type)
    if bits is None:
        return text
    if not _INTEGER.match(text.strip()):
        raise SoapFaultError(faults.PARAMETER, parameter.name)
    number = int(text)
    signed = parameter.type.startswith("s")
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    if not low <= number < high:
        raise SoapFaultError(faults.PARAMETER, parameter.name)
    return number


async def invoke(
    machine: Machine,
    joiner: DomainJoiner,
    found: CimClass,
    method: Method,
    given: Mapping[str, object],
    keys: Mapping[str, str],
    uri: str,
) -> str:
    """Carry a method out and return the body of its answer."""
    values: Mapping[str, Value]
    if found.name == "StdRegProv":
        values = registry.call(
            machine, method.name, given.get("hDefKey"), given.get("sSubKeyName"), given.get("sValueName")
        )
    elif method.name == "ChangeOwner":
        values = {"ReturnValue": methods.change_owner(machine, keys["SID"], given)}
    elif found.name == "Win32_Service":
        values = {"ReturnValue": services.order(machine, method.name, keys["Name"])}
    else:
        values = {"ReturnValue": int(await methods.METHODS[found.name, method.name](machine, joiner, given))}
    return output(method.name, uri, values)
