"""Media and their moves as people and programs read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.moments import local
from dsi_automation.core.clock import iso
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.media_custody import STATES

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.cli.session import Session
    from dsi_automation.composition.media import MediumView
    from dsi_automation.engine.model import MediumMove
    from dsi_automation.operations.backups.catalogue import Catalogue

KINDS: Final[Mapping[str, Text]] = {
    "disk": T("external disk"),
    "folder": T("folder in place of a disk"),
    "ltfs": T("LTFS volume"),
    "tape": T("tape"),
}


def show_list(session: Session, views: Sequence[MediumView]) -> None:
    """Show all media."""
    if session.choices.json:
        session.out.data({"media": [medium_view(view) for view in views]})
        return
    if not views:
        session.out.line(T("No media: the inventory describes none in dsi_media."))
        return
    session.out.table(
        (T("Medium"), T("Rotation"), T("Where"), T("Since"), T("Sets"), T("Keep until"), T("To do")),
        [
            (
                view.name,
                view.rotation,
                _where(view),
                None if view.last is None else local(view.last.at),
                str(len(view.holds)),
                None if view.kept_until is None else local(view.kept_until),
                _to_do(view),
            )
            for view in views
        ],
        ["red" if view.overdue else "green" if view.due else "" for view in views],
    )


def show_one(session: Session, view: MediumView, moves: Sequence[MediumMove], catalogue: Catalogue) -> None:
    """Show one medium in full."""
    out = session.out
    if session.choices.json:
        out.data({**medium_view(view), "moves": [move_view(move) for move in moves]})
        return
    out.line(
        T("{name}: {title}, {kind}", name=view.name, title=view.medium.title, kind=KINDS[view.medium.kind]), bold=True
    )
    out.line(T("Identity: {identity}", identity=view.identity))
    out.line(T("Where: {where}", where=_where(view)))
    todo = _to_do(view)
    if todo is not None:
        out.line(T("To do: {words}", words=todo))
    out.line(TN("Holds {n} set.", "Holds {n} sets.", len(view.holds)))
    for name in view.holds:
        stored = catalogue.sets[name]
        words = T(
            "{set}  {job}, {when}, manifest {manifest}",
            set=name,
            job=stored.job,
            when=local(stored.made.ended_at),
            manifest=stored.made.manifest[:16],
        )
        out.line(words, indent=2)
    if view.only_proven:
        out.line(T("Nothing else is proven of: {sets}.", sets=", ".join(view.only_proven)), fg="yellow")
    for move in moves:
        out.line(T("{when}  {words}", when=local(move.at), words=move_words(move)))


def move_words(move: MediumMove) -> Text:
    """Return a move in one sentence."""
    order, facts = move.order, _facts(move)
    words = T(
        "{title}: {state}, signed by {person} ({id})",
        title=order.title,
        state=STATES[order.state],
        person=move.person,
        id=move.id,
    )
    return T("{words}; {facts}", words=words, facts=facts) if facts else words


def move_view(move: MediumMove) -> dict[str, Any]:
    """Return a move as `--json` prints it."""
    return {
        "id": move.id,
        **move.order.to_json(),
        "before": str(move.before),
        "at": iso(move.at),
        "person": move.person,
    }


def medium_view(view: MediumView) -> dict[str, Any]:
    """Return a medium as `--json` prints it."""
    return {
        "medium": view.name,
        "title": view.medium.title,
        "kind": view.medium.kind,
        "identity": view.identity,
        "rotation": view.rotation,
        "state": str(view.state),
        "since": None if view.last is None else iso(view.last.at),
        "place": None if view.last is None else view.last.order.place,
        "box": None if view.last is None else view.last.order.box,
        "with": None if view.last is None else view.last.order.to,
        "holds": list(view.holds),
        "last_written": _iso(view.last_written),
        "kept_until": _iso(view.kept_until),
        "due": view.due,
        "may_return": view.may_return,
        "overdue": view.overdue,
        "only_proven": list(view.only_proven),
        "room": view.room,
        "frees_at": _iso(view.frees),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _where(view: MediumView) -> Text:
    words, order = STATES[view.state], None if view.last is None else view.last.order
    if order is None:
        return words
    if order.place is not None:
        place: Text | str = order.place
        if order.box is not None:
            place = T("{place}, box {box}", place=order.place, box=order.box)
        return T("{state}: {detail}", state=words, detail=place)
    if order.to is not None:
        return T("{state}: {detail}", state=words, detail=order.to)
    return words


def _to_do(view: MediumView) -> Text | None:
    if view.overdue:
        return T("overdue: nobody signed that it arrived")
    if view.due and view.holds and view.room:
        return T("takes the next copy, beside what it holds: room for {n}", n=view.room)
    if view.due:
        return T("its turn to be written")
    if view.may_return:
        return T("may come back")
    if view.frees is not None:
        return T("none may be written now; this one is free first, on {when}", when=local(view.frees))
    return None


def _facts(move: MediumMove) -> Text | None:
    order, found = move.order, list[Text]()
    if order.to:
        found.append(T("to {person}", person=order.to))
    if order.carrier:
        found.append(T("carried by {carrier}", carrier=order.carrier))
    if order.seal:
        found.append(T("seal {number}", number=order.seal))
    if order.place:
        found.append(T("in {place}", place=order.place))
    if order.box:
        found.append(T("box {box}", box=order.box))
    if order.comment:
        found.append(T("“{comment}”", comment=order.comment))
    words: Text | None = None
    for one in found:
        words = one if words is None else T("{one}, {other}", one=words, other=one)
    return words
