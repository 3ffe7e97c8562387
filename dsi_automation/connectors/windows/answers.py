"""Answers of WS-Management read into values: pure, no I/O. What real servers vary in is accepted, the rest is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsi_automation.connectors.windows import markup, values
from dsi_automation.connectors.windows.markup import MalformedAnswerError
from dsi_automation.connectors.windows.port import CimInstance, CimValue, MethodResult
from dsi_automation.connectors.windows.schema import CimClass, CimType, Method, Typed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_RETURN = {"ReturnValue": Typed(CimType.UINT32)}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query.

    Attributes:
        context: what to pull the next page with; None when this was the last.
    """

    items: tuple[Element, ...]
    context: str | None


def body(data: bytes, message_id: str) -> Element:
    """Return the Body of an answer to the request with that MessageID.

    Args:
        message_id: empty for Identify, which has no addressing headers.

    Raises:
        MalformedAnswerError: not a SOAP envelope, or the answer to another request.
    """
    root = markup.parse(data)
    if markup.local(root) != "Envelope":
        raise MalformedAnswerError("no envelope")
    found = markup.child(root, "Body")
    if found is None:
        raise MalformedAnswerError("no body")
    if message_id:
        header = markup.child(root, "Header")
        relates = None if header is None else markup.child(header, "RelatesTo")
        if relates is None or (relates.text or "").strip().lower() != message_id.lower():
            raise MalformedAnswerError("the answer to another request")
    return found


def page(content: Element) -> Page:
    """Return the items of an EnumerateResponse or PullResponse and where to go on.

    With EndOfSequence a context that is still there means nothing (OMI sends one).

    Raises:
        MalformedAnswerError: neither of these answers, or not the end and nothing to go on with.
    """
    response = _first(content)
    if markup.local(response) not in {"EnumerateResponse", "PullResponse"}:
        raise MalformedAnswerError("no page of a query")
    items = markup.child(response, "Items")
    found = () if items is None else tuple(items)
    if markup.child(response, "EndOfSequence") is not None:
        return Page(found, None)
    context = markup.child(response, "EnumerationContext")
    if context is None or not (context.text or "").strip():
        raise MalformedAnswerError("a page without end and without context")
    return Page(found, context.text)


def instance(element: Element, known: CimClass, wanted: tuple[str, ...] = ()) -> CimInstance:
    """Return an instance (`p:Class`, or an XmlFragment with bare columns) as typed values.

    Args:
        wanted: properties the result must have; one the answer leaves out is None, or an empty array.
    """
    types = {name: known.properties[name] for name in wanted} if wanted else known.properties
    found = values.read_all(element, types)
    empty: dict[str, CimValue] = {name: () if types[name].array else None for name in types}
    return {**empty, **found}


def single(content: Element, known: CimClass) -> CimInstance:
    """Return the instance a Get answered with.

    Raises:
        MalformedAnswerError: it is of another class.
    """
    element = _first(content)
    if markup.local(element).casefold() != known.name.casefold():
        raise MalformedAnswerError("an instance of another class")
    return instance(element, known)


def method_result(content: Element, method: Method) -> MethodResult:
    """Return what a method answered; the element is `Method_OUTPUT`, on OMI `Method`.

    Raises:
        MalformedAnswerError: there is no return value.
    """
    element = _first(content)
    if markup.local(element) not in {f"{method.name}_OUTPUT", method.name}:
        raise MalformedAnswerError("the answer of another method")
    code = markup.child(element, "ReturnValue")
    if code is None:
        raise MalformedAnswerError("no return value")
    # Some providers answer a signed number for an HRESULT.
    number = values.read_all(element, {"ReturnValue": Typed(CimType.SINT32)}) if _negative(code) else None
    found = number or values.read_all(element, _RETURN)
    value = found["ReturnValue"]
    if not isinstance(value, int):
        raise MalformedAnswerError("no return value")
    return MethodResult(value & 0xFFFFFFFF, values.read_all(element, method.outputs))


def class_methods(content: Element, known: CimClass | None) -> Mapping[str, tuple[str, ...]]:
    """Return the methods of a CIM-XML CLASS and their in-parameters.

    A server may leave the qualifiers out, and with them which parameters go in; what our schema knows to come out
    is then left out of the list.

    Raises:
        MalformedAnswerError: it is no class.
    """
    element = _first(content)
    if markup.local(element) != "CLASS":
        raise MalformedAnswerError("no class")
    found = {}
    for node in element:
        if markup.local(node) == "METHOD":
            name = node.get("NAME", "")
            outputs = known.methods[name].outputs if known and name in known.methods else {}
            parameters = [each for each in node if markup.local(each).startswith("PARAMETER")]
            found[name] = tuple(
                each.get("NAME", "") for each in parameters if _goes_in(each, each.get("NAME", "") in outputs)
            )
    return found


def product(content: Element) -> Mapping[str, str]:
    """Return what an IdentifyResponse says: `ProductVendor`, `ProductVersion`, `ProtocolVersion`."""
    return {markup.local(node): node.text or "" for node in _first(content)}


def _goes_in(parameter: Element, known_output: bool) -> bool:  # noqa: FBT001  # private, read at one place
    qualifiers = {node.get("NAME", "").lower() for node in parameter if markup.local(node) == "QUALIFIER"}
    return "in" in qualifiers if qualifiers & {"in", "out"} else not known_output


def _negative(element: Element) -> bool:
    return (element.text or "").strip().startswith("-")


def _first(content: Element) -> Element:
    for element in content:
        return element
    raise MalformedAnswerError("an empty body")
