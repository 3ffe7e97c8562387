"""The order of a leased line, as a letter to the operator (procedure A, step 7), as a PDF of one page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from dsi_automation.core.text import T, Text
from dsi_automation.documents.dates import long_date
from dsi_automation.documents.faces import Faces, drawn
from dsi_automation.documents.house import BODY_SIZE, INK, LEADING, MARGIN, Heading, Sheet, Words

_RIGHT: float = 95.0
"""How far from the margin the addressee stands, millimetres: in the window of an envelope."""


@dataclass(frozen=True, slots=True)
class LineEnd:
    """One end of the line.

    Attributes:
        site: what people call it.
        code: the department's.
        latitude, longitude: decimal degrees, WGS 84; None where they are not known.
    """

    site: str
    code: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class LineOrder:
    """What the letter says.

    Attributes:
        operator: as the letter addresses it.
        address: lines of its postal address.
        mail: where its orders go, besides the post.
        contract: the framework contract's reference.
        delay_days: how long it takes to deliver, days, as agreed.
        new, other: the ends: the site that is joined, and the one it is joined to.
        bandwidth: Mbit/s, both ways.
        wanted: the day it should be in service; None for as soon as possible.
        reference: of the order.
        contact: whom the operator calls about the visit of the sites.
    """

    organisation: str
    operator: str
    address: tuple[str, ...]
    mail: str | None
    contract: str | None
    delay_days: int | None
    new: LineEnd
    other: LineEnd
    bandwidth: int
    wanted: date | None
    date: date
    reference: str
    contact: str | None = None


def line_order(order: LineOrder) -> bytes:
    """Return the letter as a PDF, in the reader's language.

    Raises:
        UnprintableError: a name holds a character that no font has.
    """
    return drawn(lambda faces: _drawn(order, faces), code=False)


def _drawn(order: LineOrder, faces: Faces | None) -> bytes:
    department = T("Information systems department")
    title = T("Order of a leased line: {site}", site=order.new.site)
    sheet = Sheet(Heading(order.organisation, department, title, order.date, order.reference), faces=faces)
    _addressee(sheet, order)
    sheet.paragraph(T("Dear Sir or Madam,"))
    sheet.ln(2)
    sheet.paragraph(_request(order))
    sheet.section(T("The line"))
    sheet.settings(list(_line(order)))
    sheet.section(T("Its ends"))
    sheet.settings(list(_ends(order)))
    sheet.ln(3)
    sheet.paragraph(
        T(
            "Please confirm this order in writing, with the circuit’s reference, the day of your visit to both sites "
            "and the day of delivery. The line is taken over once a test from end to end has been conclusive; our "
            "network section configures the router together with your technicians."
        )
    )
    sheet.ln(2)
    sheet.paragraph(T("Yours faithfully"))
    sheet.ln(4)
    sheet.signatures(
        [
            (T("For the information systems department"), T("Name, date, signature and stamp")),
            (T("Received by the operator"), T("Name, date, signature and stamp")),
        ],
        height=32,
    )
    return sheet.to_bytes()


def _addressee(sheet: Sheet, order: LineOrder) -> None:
    x = MARGIN + _RIGHT
    sheet.ink(INK, BODY_SIZE, bold=True)
    sheet.set_x(x)
    sheet.block(order.operator, 0, LEADING)
    sheet.ink(INK, BODY_SIZE)
    for line in (*order.address, *([order.mail] if order.mail else [])):
        sheet.set_x(x)
        sheet.block(line, 0, LEADING)
    sheet.ln(5)


def _request(order: LineOrder) -> Text:
    facts = {"new": order.new.site, "other": order.other.site, "bandwidth": order.bandwidth}
    if order.contract is None:
        return T("We order a leased line of {bandwidth} Mbit/s between our sites of {new} and {other}.", **facts)
    return T(
        "Under the contract {contract}, we order a leased line of {bandwidth} Mbit/s between our sites of {new} and "
        "{other}.",
        contract=order.contract,
        **facts,
    )


def _line(order: LineOrder) -> Iterator[tuple[Words, Words]]:
    yield T("Our reference"), order.reference
    if order.contract is not None:
        yield T("Contract"), order.contract
    yield T("Bandwidth"), T("{n} Mbit/s, symmetrical", n=order.bandwidth)
    yield T("In service by"), T("as soon as possible") if order.wanted is None else long_date(order.wanted)
    if order.delay_days is not None:
        yield T("Agreed time of delivery"), T("{n} days from this order", n=order.delay_days)
    if order.contact is not None:
        yield T("Contact for the visits"), order.contact


def _ends(order: LineOrder) -> Iterator[tuple[Words, Words]]:
    for title, end in ((T("End A (new site)"), order.new), (T("End B"), order.other)):
        yield title, T("{site} ({code})", site=end.site, code=end.code)
        yield T("Coordinates (WGS 84)"), _place(end)


def _place(end: LineEnd) -> Words:
    if end.latitude is None or end.longitude is None:
        return T("to be taken at the visit")
    north = T("{n}° N", n=_degrees(end.latitude)) if end.latitude >= 0 else T("{n}° S", n=_degrees(-end.latitude))
    east = T("{n}° E", n=_degrees(end.longitude)) if end.longitude >= 0 else T("{n}° W", n=_degrees(-end.longitude))
    return T("{north}, {east}", north=north, east=east)


def _degrees(value: float) -> str:
    """Return degrees with five decimals, a metre: with a point in every language, as equipment takes them."""
    return f"{value:.5f}"
