"""Who says that a release has passed a stage: signed, by a role the inventory names, never by who brought it there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.engine import chain, documents, fold
from dsi_automation.engine.closed import closed, taken
from dsi_automation.engine.desk import Desk, entitled, in_good_time
from dsi_automation.engine.fold import Ledger
from dsi_automation.engine.identifiers import ACCEPTANCE, find_id, new_id
from dsi_automation.engine.model import Acceptance, AcceptanceOrder, Note, Run, Verdict
from dsi_automation.engine.parts import Parts
from dsi_automation.engine.persons import read_people, same_person
from dsi_automation.inventory.model import Person
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.source_model import Stage
from dsi_automation.journal.model import Draft, Entry, Kind

DEPLOYED: Final = "release.deployed"
"""The note that a run leaves once a release is in use somewhere and its connection test was conclusive there."""


class Acceptances:
    """Records words on releases, each in the name of the person whose key signs it."""

    def __init__(self, parts: Parts, desk: Desk) -> None:
        self._parts = parts
        self._desk = desk

    def accept(self, order: AcceptanceOrder) -> Acceptance:
        """Record one word on a release at a stage; it is in the journal on return.

        Raises:
            UsageError: unknown line, stage or run, no comment, or not what the record shows there.
            GateClosedError: the journal or the signer does not allow it.
        """
        if not order.comment.strip():
            raise UsageError(
                T("An acceptance needs a comment."), next_step=T("Say what was tested: --comment TEXT."), on=order.stage
            )
        stage = self._stage(order)
        now = self._desk.now()
        ledger = chain.survey(self._parts)
        person = self._desk.me(now)
        people = read_people(self._parts.people)
        self._checked(order, stage, person, people, ledger)
        name = new_id(ACCEPTANCE, now, set(ledger.subjects(Kind.ACCEPTANCE)))
        document = documents.acceptance_document(
            journal=ledger.journal_id, acceptance=name, order=order, person=person.id, at=now, head=ledger.head
        )
        body = {"source": order.source, "release": order.release, "stage": order.stage, "verdict": str(order.verdict)}
        signed = self._desk.sign(document, documents.ACCEPTANCE)
        draft = Draft(Kind.ACCEPTANCE, name, person.id, body, signed)
        with self._parts.journal.transaction() as change:
            if change.entries(subject=name):
                raise taken(name)
            in_good_time(change.now, now)
            # Something else may have been deployed there while this was being signed.
            noted = change.entries(kinds=[Kind.NOTED])
            _still_there(order, stage, [fold.note(entry) for entry in noted])
            made = change.append(draft)
        return acceptances([made])[0]

    def _stage(self, order: AcceptanceOrder) -> Stage:
        lines = self._parts.sources()
        if order.source not in lines:
            raise UsageError(
                T("dsi_sources has no “{name}”.", name=order.source), next_step=did_you_mean(order.source, lines)
            )
        stages = {stage.name: stage for stage in lines[order.source].stages}
        if order.stage not in stages:
            raise UsageError(
                T("{source} has no stage “{name}”.", source=order.source, name=order.stage),
                next_step=did_you_mean(order.stage, stages),
            )
        return stages[order.stage]

    def _checked(
        self, order: AcceptanceOrder, stage: Stage, person: Person, people: Sequence[Person], ledger: Ledger
    ) -> None:
        """Make sure that this person may say this about what the record shows."""
        run = fold.run(ledger, find_id(order.run, ledger.subjects(Kind.RUN_STARTED)))
        if not any(_is_it(order, stage, note) for note in run.notes):
            raise UsageError(
                T(
                    "{run} did not deploy and test {release} in {stage}.",
                    run=run.id,
                    release=order.release,
                    stage=order.stage,
                ),
                next_step=T("See which release is where: dsi sources status"),
            )
        if order.verdict is Verdict.ACCEPTED:
            if run.exit_code != 0:
                raise UsageError(
                    T("{run} has not ended well, so that what it deployed cannot be accepted.", run=run.id),
                    next_step=T("Finish it: dsi resume {run}", run=run.id),
                )
            _still_there(order, stage, [fold.note(entry) for entry in ledger.entries if entry.kind is Kind.NOTED])
        entitled(person, stage.acceptors)
        for name in _hands(ledger, run):
            if _is_person(name, person, people):
                raise closed(
                    "same_person",
                    T(
                        "{person} asked for {run} or ran it, and cannot judge what it deployed.",
                        person=person.id,
                        run=run.id,
                    ),
                    T("Somebody else with one of these roles must do it: {roles}.", roles=", ".join(stage.acceptors)),
                )


def acceptances(entries: Iterable[Entry]) -> list[Acceptance]:
    """Return the words on releases that entries tell of, oldest first.

    Raises:
        GateClosedError: a line does not hold what it should.
    """
    return [_folded(entry) for entry in entries if entry.kind is Kind.ACCEPTANCE]


def _hands(ledger: Ledger, run: Run) -> tuple[str, ...]:
    """Return everybody who asked for a run, started it or resumed it."""
    asked = ledger.about(run.request_id, Kind.REQUESTED)
    ran = ledger.about(run.id, Kind.RUN_STARTED, Kind.RUN_RESUMED)
    return tuple(dict.fromkeys(entry.actor for entry in (*asked, *ran)))


def _is_person(name: str, person: Person, people: Sequence[Person]) -> bool:
    other = next((one for one in people if one.id == name), None)
    # Somebody who left people.yml is compared by name alone.
    return name == person.id if other is None else same_person(other, person)


def _is_it(order: AcceptanceOrder, stage: Stage, note: Note) -> bool:
    said = (note.data.get("source"), note.data.get("stage"), note.data.get("release"), note.data.get("sha256"))
    wanted = (order.source, order.stage, order.release, order.sha256)
    return note.name == DEPLOYED and note.target == stage.application and said == wanted


def _still_there(order: AcceptanceOrder, stage: Stage, notes: Iterable[Note]) -> None:
    if order.verdict is not Verdict.ACCEPTED:
        return
    there = [note for note in notes if note.name == DEPLOYED and note.target == stage.application]
    if not there or not _is_it(order, stage, there[-1]):
        raise UsageError(
            T("{release} is no longer what is in use in {stage}.", release=order.release, stage=order.stage),
            next_step=T("See which release is where: dsi sources status"),
        )


def _folded(entry: Entry) -> Acceptance:
    document = documents.read(entry, documents.ACCEPTANCE)
    try:
        order = AcceptanceOrder(
            source=document["source"],
            release=document["release"],
            sha256=document["sha256"],
            stage=document["stage"],
            run=document["run"],
            verdict=Verdict(document["verdict"]),
            comment=document["comment"],
        )
    except (KeyError, ValueError, TypeError) as error:
        raise closed(
            "document",
            T("Line {seq} of the journal does not hold the signed document it should.", seq=entry.seq),
            T("Have the journal looked at: `dsi journal verify`."),
        ) from error
    return Acceptance(entry.subject, order, entry.actor, entry.at)
