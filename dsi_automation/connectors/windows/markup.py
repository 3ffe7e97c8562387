"""Text into XML and XML into elements, for values and answers nobody vouches for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from dsi_automation.connectors.windows.errors import HostileValueError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of one answer. We ask for 512 000 at most (MaxEnvelopeSize), so that more is a fault or an attack."""

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)
_XSI_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class MalformedAnswerError(ValueError):
    """An answer is not what the protocol says; the client turns it into an error with the machine's name."""


def text(value: str) -> str:
    """Return a value as XML character data.

    Raises:
        HostileValueError: it holds a character that XML 1.0 (section 2.2) cannot carry, NUL for one.
    """
    return _checked(value).translate(_TEXT)


def attribute(value: str) -> str:
    """Return a value as the inside of a double-quoted XML attribute.

    Raises:
        HostileValueError: as `text`.
    """
    return _checked(value).translate(_ATTRIBUTE)


def _checked(value: str) -> str:
    found = _NOT_XML.search(value)
    if found:
        raise HostileValueError(
            T(
                "A value of {length} characters holds the character U+{code}, which cannot be sent to Windows.",
                length=len(value),
                code=f"{ord(found[0]):04X}",
            ),
            meaning=T("Nothing was sent."),
            next_step=T("Remove the control character from the input or from the inventory."),
        )
    return value


def parse(data: bytes) -> Element:
    """Return the root element of an answer.

    SOAP 1.2 (part 1, section 5) forbids a document type, and with none there are no entities to expand or fetch.
    The encoding is fixed to UTF-8, so that a document type cannot hide from the search behind another encoding.
    This is what defusedxml refuses too, at a fifth of its cost: it builds elements in Python, this in C.

    Raises:
        MalformedAnswerError: not XML, cut off, too large, or with a document type.
    """
    if len(data) > LARGEST_ANSWER:
        raise MalformedAnswerError("too large")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise MalformedAnswerError("document type")
    parser = ET.XMLParser(encoding="utf-8")  # noqa: S314  # no document type gets here, see above
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ET.ParseError as error:
        raise MalformedAnswerError(f"not XML: line {error.position[0]}, column {error.position[1]}") from error
    return root


def local(element: Element) -> str:
    """Return the name of an element without its namespace: `Items` is in two of them, depending on the answer."""
    return element.tag.rpartition("}")[2]


def child(element: Element, name: str) -> Element | None:
    """Return the first child of that local name."""
    for found in element:
        if local(found) == name:
            return found
    return None


def descendants(element: Element, name: str) -> list[Element]:
    """Return the elements of that local name at any depth, in document order."""
    return [found for found in element.iter() if local(found) == name]


def is_nil(element: Element) -> bool:
    """Tell whether an element stands for NULL."""
    return element.get(_XSI_NIL, "").strip().lower() in {"true", "1"}
