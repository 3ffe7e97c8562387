"""`dsi media ...`: where every medium is and what it holds; hand-overs, storage, returns, slips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import OPTIONS, Group, argument, command, option
from dsi_automation.cli.session import Session, session
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.composition.media import MediaDesk
    from dsi_automation.engine.model import MediumMove

media = Group(
    "media",
    help=T("Show where every backup medium is and what it holds; record who gave it to whom."),
    options_metavar=OPTIONS,
)


def medium_argument() -> Callable[[Any], Any]:
    """Declare the name of a medium as an argument."""
    return argument("medium", metavar=T("MEDIUM"), help=T("A name of dsi_media, or what is written on the medium."))


COMMENT = option("--comment", metavar=T("TEXT"), help=T("What is worth recording: a broken seal, a delay."))
SLIP = option("--slip", metavar=T("FILE"), help=T("Also write the slip, a PDF to print and to sign."))


@command(
    "list",
    T("List the media: where each is, since when, what it holds, whose turn it is, which may return, which is late."),
)
def list_() -> int:
    """List the media."""
    from dsi_automation.cli.show_media import show_list

    current = session()
    show_list(current, _desk(current).views())
    return 0


@command("show", T("Show one medium: what is on it by the record, and every hand it went through."))
@medium_argument()
def show(medium: str) -> int:
    """Show one medium."""
    from dsi_automation.cli.show_media import show_one

    current = session()
    desk = _desk(current)
    view = desk.view(medium)
    show_one(current, view, desk.moves(view.name), desk.catalogue())
    return 0


@command(
    "handover",
    T(
        "Hand a medium over to whoever takes it off site; your key signs it.\n\n"
        "A disk that is still mounted is refused: eject it first. Who receives it where it is stored signs with "
        "“dsi media store”, and cannot be you."
    ),
)
@medium_argument()
@option("--to", required=True, metavar=T("PERSON"), help=T("Who gets it: an id of people.yml, a keeper."))
@option("--seal", metavar=T("NUMBER"), help=T("The number of its seal."))
@option("--carrier", metavar=T("TEXT"), help=T("Who carries it, where that is somebody else: a transporter, a car."))
@SLIP
def handover(medium: str, to: str, seal: str | None, carrier: str | None, slip: str | None) -> int:
    """Hand a medium over."""
    return _moved(medium, lambda desk, view: desk.hand_over(view, to, seal, carrier), slip)


@command(
    "store", T("Record that a medium arrived where it is stored; signed by somebody else than who handed it over.")
)
@medium_argument()
@option("--place", required=True, metavar=T("PLACE"), help=T("Where: one of the rotation’s places."))
@option("--box", metavar=T("NUMBER"), help=T("In which box."))
@COMMENT
@SLIP
def store(medium: str, place: str, box: str | None, comment: str | None, slip: str | None) -> int:
    """Store a medium."""
    return _moved(medium, lambda desk, view: desk.store(view, place, box, comment), slip)


@command(
    "return",
    T(
        "Record the way back of a medium: once as it leaves where it is stored, and once, by somebody else, as it "
        "arrives in the house. With --recall it is only asked for."
    ),
)
@medium_argument()
@option("--recall", is_flag=True, help=T("Only ask for it to come back."))
@option("--carrier", metavar=T("TEXT"), help=T("Who carries it."))
@COMMENT
@SLIP
def return_(medium: str, carrier: str | None, comment: str | None, slip: str | None, *, recall: bool) -> int:
    """Bring a medium back."""
    if recall:
        return _moved(medium, lambda desk, view: desk.recall(view, comment), slip)
    return _moved(medium, lambda desk, view: desk.give_back(view, carrier, comment), slip)


@command("destroy", T("Record that a medium is gone for good, with the certificate of its destruction."))
@medium_argument()
@option("--certificate", required=True, metavar=T("TEXT"), help=T("The certificate: its number, who issued it."))
def destroy(medium: str, certificate: str) -> int:
    """Record the end of a medium."""
    return _moved(medium, lambda desk, view: desk.destroy(view, certificate), None)


@command("eject", T("Have everything written to a medium and unmount it, so that it can be taken out."))
@medium_argument()
def eject(medium: str) -> int:
    """Eject a medium."""
    current = session()
    desk = _desk(current)
    view = desk.view(medium)
    desk.eject(view)
    if current.choices.json:
        current.out.data({"medium": view.name, "ejected": True})
    else:
        current.out.line(T("{title} can be taken out.", title=view.medium.title))
    return 0


@command("slip", T("Write the slip of a medium as it is now, a PDF to print and to sign."))
@medium_argument()
@option("--output", metavar=T("FILE"), help=T("Where to; by default slip-MEDIUM.pdf here."))
def slip(medium: str, output: str | None) -> int:
    """Write a slip."""
    from dsi_automation.cli.media_slips import write_slip

    current = session()
    desk = _desk(current)
    view = desk.view(medium)
    path = write_slip(current, desk, view, Path(output or f"slip-{view.name}.pdf"))
    if current.choices.json:
        current.out.data({"medium": view.name, "slip": str(path)})
    else:
        current.out.line(T("Written: {path}", path=str(path)))
    return 0


def _desk(current: Session) -> MediaDesk:
    from dsi_automation.composition.media import MediaDesk

    return MediaDesk(current.toolkit)


def _moved(medium: str, move: Callable[[MediaDesk, Any], MediumMove], slip: str | None) -> int:
    from dsi_automation.cli.media_slips import write_slip
    from dsi_automation.cli.show_media import move_view, move_words

    current = session()
    desk = _desk(current)
    made = move(desk, desk.view(medium))
    path = None if slip is None else write_slip(current, desk, desk.view(medium), Path(slip))
    if current.choices.json:
        current.out.data({**move_view(made), "slip": None if path is None else str(path)})
        return 0
    current.out.line(move_words(made))
    if path is None:
        current.out.line(T("Next: {command}", command=f"dsi media slip {made.order.medium}"), bold=True)
    else:
        current.out.line(T("Written: {path}", path=str(path)))
    return 0


for part in (list_, show, handover, store, return_, destroy, eject, slip):
    media.add_command(part)
