"""The slip that goes with a medium when it changes hands, as a PDF (procedures D and R)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dsi_automation.core.text import TN, T, Text
from dsi_automation.documents.faces import Faces, drawn
from dsi_automation.documents.house import Heading, Sheet, Words


@dataclass(frozen=True, slots=True)
class SlipSet:
    """One set on the medium; `manifest` is the SHA-256 of its manifest, hexadecimal."""

    id: str
    title: str
    made: str
    amount: str
    manifest: str


@dataclass(frozen=True, slots=True)
class MediaSlip:
    """What the slip says; moments are written as people read them.

    Attributes:
        title: what is written on the medium.
        identity: its UUID or serial.
        reference: the move of the record this slip belongs to; None before the first.
        giver, receiver: names of people.
        kept_until: until when what it holds must be kept.
    """

    organisation: str
    title: str
    kind: Text
    identity: str
    rotation: str
    state: Text
    moved: str | None
    giver: str | None
    receiver: str | None
    carrier: str | None
    seal: str | None
    place: str | None
    box: str | None
    sets: tuple[SlipSet, ...]
    kept_until: str | None
    date: date
    reference: str | None = None


def media_slip(slip: MediaSlip) -> bytes:
    """Return the slip as a PDF, in the reader's language; blank lines where a hand writes what is not known yet.

    Raises:
        UnprintableError: a name holds a character that no font has.
    """
    return drawn(lambda faces: _drawn(slip, faces), code=False)


def _drawn(slip: MediaSlip, faces: Faces | None) -> bytes:
    heading = Heading(
        slip.organisation,
        T("Information systems department"),
        T("Slip of a backup medium: {title}", title=slip.title),
        slip.date,
        slip.reference,
    )
    sheet = Sheet(heading, faces=faces)
    sheet.section(T("The medium"))
    sheet.settings(list(_medium(slip)))
    sheet.section(T("Its way"))
    sheet.settings(list(_way(slip)))
    sheet.section(TN("What it holds: {n} set", "What it holds: {n} sets", len(slip.sets)))
    _sets(sheet, slip.sets)
    sheet.ln(3)
    sheet.notice(
        T("For whoever carries it"),
        [
            T("The seal is checked at each hand-over; a broken seal is told at once, and the medium goes back."),
            T("Who receives it signs in the toolkit too, with their own key: dsi media store or dsi media return."),
        ],
    )
    sheet.ln(3)
    blank = "…………………………"
    sheet.signatures(
        [
            (T("Handed over by"), T("{name}, date and signature", name=slip.giver or blank)),
            (T("Received by"), T("{name}, date and signature", name=slip.receiver or blank)),
        ]
    )
    return sheet.to_bytes()


def _medium(slip: MediaSlip) -> Iterator[tuple[Words, Words]]:
    yield T("Medium"), slip.title
    yield T("Kind"), slip.kind
    yield T("Identity"), slip.identity
    yield T("Rotation"), slip.rotation
    yield T("To be kept until"), slip.kept_until or "—"


def _way(slip: MediaSlip) -> Iterator[tuple[Words, Words]]:
    yield T("Where it is"), slip.state
    yield T("Since"), slip.moved or "—"
    yield T("Seal"), slip.seal or "—"
    yield T("Carried by"), slip.carrier or "—"
    if slip.place:
        yield (
            T("Stored in"),
            slip.place if slip.box is None else T("{place}, box {box}", place=slip.place, box=slip.box),
        )


def _sets(sheet: Sheet, sets: Sequence[SlipSet]) -> None:
    if not sets:
        sheet.paragraph(T("Nothing, by the record."))
        return
    sheet.settings(
        [
            (
                item.id,
                T(
                    "{title}, {made}, {amount}; SHA-256 of its manifest: {manifest}",
                    title=item.title,
                    made=item.made,
                    amount=item.amount,
                    manifest=item.manifest,
                ),
            )
            for item in sets
        ]
    )
