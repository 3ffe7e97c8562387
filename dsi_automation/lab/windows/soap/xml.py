"""Writing XML as Windows does: envelopes, instances, fragments."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from dsi_automation.lab.windows.soap import names

type Value = str | int | bool | datetime | Sequence[str] | Sequence[int] | None

_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_QUOTES: Final = {'"': "&quot;"}
_HEAD: Final = (
    f'<s:Envelope xmlns:s="{names.SOAP}" xmlns:a="{names.ADDRESSING}" xmlns:x="{names.TRANSFER}" '
    f'xmlns:n="{names.ENUMERATION}" xmlns:w="{names.WSMAN}" xmlns:p="{names.MICROSOFT}" '
)


def clean(text: str) -> str:
    """Return text as character data: escaped, and with control characters that XML cannot hold shown as `?`."""
    return escape(_ILLEGAL.sub("?", text), _QUOTES)


def envelope(action: str, relates_to: str, body: str, language: str) -> bytes:
    """Return a whole answer; `relates_to` is the request's MessageID, empty where it had none."""
    related = f"<a:RelatesTo>{clean(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f'{_HEAD}xml:lang="{language}"><s:Header><a:Action>{clean(action)}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{names.ANONYMOUS}</a:To>{related}"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def instance(class_name: str, uri: str, values: Mapping[str, Value]) -> str:
    """Return a whole instance: `select *`, Get, plain enumeration (MS-WSMV 3.1.4.1.26)."""
    inner = "".join(element(f"p:{name}", value, "cim:") for name, value in sorted(values.items()))
    return (
        f'<p:{class_name} xmlns:p="{clean(uri)}" xmlns:cim="{names.CIM}" xmlns:xsi="{names.XSI}" '
        f'xsi:type="p:{class_name}_Type">{inner}</p:{class_name}>'
    )


def fragment(values: Mapping[str, Value]) -> str:
    """Return chosen columns: children in no namespace, alphabetically (MS-WSMV product behaviour notes 58, 59)."""
    inner = "".join(element(name, value, "") for name, value in sorted(values.items()))
    return f'<w:XmlFragment xmlns:xsi="{names.XSI}">{inner}</w:XmlFragment>'


def output(method: str, uri: str, values: Mapping[str, Value]) -> str:
    """Return what a method gives back (MS-WSMV 4.1.4); NULL arrays are left out, other NULLs are nil."""
    inner = "".join(element(f"p:{name}", value, "cim:") for name, value in values.items())
    return (
        f'<p:{method}_OUTPUT xmlns:p="{clean(uri)}" xmlns:cim="{names.CIM}" xmlns:xsi="{names.XSI}">'
        f"{inner}</p:{method}_OUTPUT>"
    )


def element(tag: str, value: Value, datetime_prefix: str) -> str:
    """Return one property: nil for NULL, repeated for an array, a Datetime child for a moment."""
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if isinstance(value, bool):
        return f"<{tag}>{str(value).lower()}</{tag}>"
    if isinstance(value, datetime):
        moment = value.isoformat(timespec="microseconds").replace("+00:00", "Z")
        inner = f"{datetime_prefix}Datetime"
        return f"<{tag}><{inner}>{moment}</{inner}></{tag}>"
    if isinstance(value, str | int):
        return f"<{tag}>{clean(str(value))}</{tag}>"
    if not value:
        return f'<{tag} xsi:nil="true"/>'
    return "".join(element(tag, item, datetime_prefix) for item in value)
