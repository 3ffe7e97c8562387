"""Where every medium is, who gave it to whom and when: each move signed, and only along the way it may go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.engine import chain, documents
from dsi_automation.engine.closed import closed, taken
from dsi_automation.engine.desk import Desk, in_good_time
from dsi_automation.engine.identifiers import MOVE, new_id
from dsi_automation.engine.model import Held, MediumMove, MediumOrder, MediumState
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.persons import read_people, same_person
from dsi_automation.inventory.model import Person
from dsi_automation.journal.model import Draft, Entry, Kind

_S = MediumState
ALLOWED: Final[Mapping[MediumState, frozenset[MediumState]]] = {
    _S.ON_SITE: frozenset({_S.COURIER, _S.DESTROYED}),
    # A courier who could not deliver turns round: the medium is then on its way back.
    _S.COURIER: frozenset({_S.VAULT, _S.COURIER_BACK}),
    _S.VAULT: frozenset({_S.RETRIEVE_REQUESTED, _S.COURIER_BACK, _S.DESTROYED}),
    _S.RETRIEVE_REQUESTED: frozenset({_S.COURIER_BACK}),
    _S.COURIER_BACK: frozenset({_S.ON_SITE}),
    _S.DESTROYED: frozenset(),
}
"""Where a medium may go from where it is: forward only; a mistake is mended by going on, never by going back."""

RECEIPTS: Final = frozenset({_S.VAULT, _S.ON_SITE})
"""Moves that somebody receives: never who handed it over."""

UNDER_WAY: Final = frozenset({_S.COURIER, _S.COURIER_BACK})
"""Between two signatures: somebody has it, and nobody received it yet."""

STATES: Final[Mapping[MediumState, Text]] = {
    _S.ON_SITE: T("on site"),
    _S.COURIER: T("with the courier"),
    _S.VAULT: T("off site"),
    _S.RETRIEVE_REQUESTED: T("asked to come back"),
    _S.COURIER_BACK: T("on its way back"),
    _S.DESTROYED: T("destroyed"),
}


class MediaCustody:
    """Records moves of media, each in the name of the person whose key signs it."""

    def __init__(self, parts: Parts, desk: Desk) -> None:
        self._parts = parts
        self._desk = desk

    def move(self, order: MediumOrder) -> MediumMove:
        """Record one move; it is in the journal on return.

        Raises:
            UsageError: the medium cannot go there from where it is, or something is not said that must be.
            GateClosedError: the journal or the signer does not allow it.
        """
        check_order(order)
        now = self._desk.now()
        ledger = chain.survey(self._parts)
        person = self._desk.me(now)
        people = read_people(self._parts.people)
        before = self._checked(order, person, people, moves(ledger.entries))
        move = new_id(MOVE, now, set(ledger.subjects(Kind.MEDIUM_MOVED)))
        document = documents.medium_document(
            journal=ledger.journal_id,
            move=move,
            order=order,
            before=before,
            person=person.id,
            at=now,
            head=ledger.head,
        )
        body = {"medium": order.medium, "state": str(order.state)}
        draft = Draft(Kind.MEDIUM_MOVED, move, person.id, body, self._desk.sign(document, documents.CUSTODY))
        with self._parts.journal.transaction() as change:
            if change.entries(subject=move):
                raise taken(move)
            in_good_time(change.now, now)
            # Somebody else may have moved it while this was being signed.
            self._checked(order, person, people, moves(change.entries(kinds=[Kind.MEDIUM_MOVED])))
            made = change.append(draft)
        return moves([made])[0]

    def _checked(
        self, order: MediumOrder, person: Person, people: Sequence[Person], known: Sequence[MediumMove]
    ) -> MediumState:
        """Return where the medium is, after making sure that this person may move it as ordered."""
        last = next((move for move in reversed(known) if move.order.medium == order.medium), None)
        before = state_of(last)
        if order.state not in ALLOWED[before]:
            raise UsageError(
                T(
                    "{medium} is {state}, so that it cannot be {wanted} next.",
                    medium=order.title,
                    state=STATES[before],
                    wanted=STATES[order.state],
                ),
                on=order.medium,
                next_step=T("See where it is and who has it: dsi media show {medium}", medium=order.medium),
            )
        receiver = self._person(order.to, people)
        if receiver is not None and same_person(receiver, person):
            raise closed(
                "same_person",
                T("{person} cannot hand a medium over to themselves.", person=person.id),
                T("Name who gets it: another person of people.yml."),
            )
        if order.state in RECEIPTS and last is not None and _gave(last, person, people):
            raise closed(
                "same_person",
                T(
                    "{person} handed {medium} over, and cannot receive it as well.",
                    person=person.id,
                    medium=order.title,
                ),
                T("Somebody else must sign that it arrived."),
            )
        return before

    @staticmethod
    def _person(name: str | None, people: Sequence[Person]) -> Person | None:
        if name is None:
            return None
        found = next((person for person in people if person.id == name), None)
        if found is None:
            raise UsageError(
                T("Nobody in people.yml is called {name}.", name=name),
                next_step=T("Use the id of people.yml: {ids}.", ids=", ".join(person.id for person in people)),
            )
        return found


def state_of(last: MediumMove | None) -> MediumState:
    """Return where a medium is after its last move; one that never moved is on site."""
    return MediumState.ON_SITE if last is None else last.order.state


def overdue(state: MediumState | str, since: datetime | None, limit: timedelta, now: datetime) -> bool:
    """Tell whether a medium is under way for longer than the plan allows; one that never moved is not.

    Args:
        since: when its last move was signed.
        limit: `courier_limit` of the plan.
    """
    return state in UNDER_WAY and since is not None and now - since > limit


def places(known: Iterable[MediumMove]) -> dict[str, MediumMove]:
    """Return the last move of each medium that ever moved."""
    return {move.order.medium: move for move in known}


def moves(entries: Iterable[Entry]) -> list[MediumMove]:
    """Return the moves of media that entries tell of, oldest first.

    Raises:
        GateClosedError: a line does not hold what it should.
    """
    return [_folded(entry) for entry in entries if entry.kind is Kind.MEDIUM_MOVED]


def check_order(order: MediumOrder) -> None:
    """Make sure that a move says what it must.

    Raises:
        UsageError: it does not.
    """
    if order.state is MediumState.COURIER and not order.to:
        raise UsageError(T("A medium is handed over to somebody."), next_step=T("Say to whom: --to PERSON."))
    if order.state is MediumState.VAULT and not order.place:
        raise UsageError(T("A medium is stored somewhere."), next_step=T("Say where: --place PLACE."))
    if order.state is MediumState.DESTROYED and not order.comment:
        raise UsageError(
            T("The destruction of a medium needs its certificate."), next_step=T("Name it: --certificate TEXT.")
        )


def _gave(last: MediumMove, person: Person, people: Sequence[Person]) -> bool:
    giver = next((one for one in people if one.id == last.person), None)
    # A giver who left people.yml is compared by name alone.
    return last.person == person.id if giver is None else same_person(giver, person)


def _folded(entry: Entry) -> MediumMove:
    document = documents.read(entry, documents.CUSTODY)
    try:
        order = MediumOrder(
            medium=document["medium"],
            title=document["title"],
            state=MediumState(document["state"]),
            to=document["to"],
            carrier=document["carrier"],
            seal=document["seal"],
            place=document["place"],
            box=document["box"],
            comment=document["comment"],
            holds=tuple(Held(item["set"], item["manifest"]) for item in document["holds"]),
        )
        return MediumMove(entry.subject, order, MediumState(document["before"]), entry.actor, entry.at)
    except (KeyError, ValueError, TypeError) as error:
        raise closed(
            "document",
            T("Line {seq} of the journal does not hold the signed document it should.", seq=entry.seq),
            T("Have the journal looked at: `dsi journal verify`."),
        ) from error
