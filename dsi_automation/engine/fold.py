"""Requests and runs, folded from the journal's entries: pure, same entries same result."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from dsi_automation.core.clock import parse_iso
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Check, Outcome
from dsi_automation.core.text import Text
from dsi_automation.engine import documents
from dsi_automation.engine.model import Decision, Note, Request, RequestKind, RequestState, Run, Step
from dsi_automation.journal.model import Entry, Kind, Lease, Signed

DECISIONS: Final = {
    Kind.APPROVED: "approve",
    Kind.REFUSED: "refuse",
    Kind.REVOKED: "revoke",
    Kind.RATIFIED: "ratify",
}
_STEPS: Final = {
    Kind.ABOUT_TO: Outcome.UNKNOWN,
    Kind.ACTION_DONE: Outcome.DONE,
    Kind.ACTION_FAILED: Outcome.FAILED,
    Kind.ACTION_UNKNOWN: Outcome.UNKNOWN,
}


class Ledger:
    """Entries of the journal, found by subject."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_subject: dict[str, list[Entry]] = defaultdict(list)
        self._runs: dict[str, list[str]] = defaultdict(list)
        for entry in self.entries:
            self._by_subject[entry.subject].append(entry)
            if entry.kind is Kind.RUN_STARTED:
                self._runs[entry.body["request"]].append(entry.subject)

    def about(self, subject: str, *kinds: Kind) -> tuple[Entry, ...]:
        """Return the entries about a request or a run, of these kinds or of all."""
        return tuple(e for e in self._by_subject.get(subject, ()) if not kinds or e.kind in kinds)

    def runs_of(self, request_id: str) -> tuple[str, ...]:
        """Return the runs started under a request, oldest first."""
        return tuple(self._runs.get(request_id, ()))

    def subjects(self, kind: Kind) -> tuple[str, ...]:
        """Return the subjects that have an entry of this kind, oldest first."""
        return tuple(dict.fromkeys(entry.subject for entry in self.entries if entry.kind is kind))

    def relied_on(self, request_id: str) -> tuple[Entry, ...]:
        """Return every entry a decision about this request rests on."""
        runs = (entry for run in self.runs_of(request_id) for entry in self.about(run))
        return (*self.about(request_id), *runs)

    def hash_at(self, seq: int) -> str | None:
        """Return the hash of the line of that number."""
        if 0 < seq <= len(self.entries) and self.entries[seq - 1].seq == seq:
            return self.entries[seq - 1].hash
        return None

    @property
    def head(self) -> documents.Head:
        """Return the last line seen."""
        last = self.entries[-1]
        return documents.Head(last.seq, last.hash)

    @property
    def journal_id(self) -> str:
        """Return what names this journal and no other, as its first line says.

        Raises:
            KeyError: the first line is not that of a journal.
        """
        return str(self.entries[0].body["journal"])


def request(ledger: Ledger, request_id: str, now: datetime) -> Request:
    """Return a request as it stands at `now`.

    Raises:
        KeyError, ValueError, TypeError, IndexError: its line does not hold what it should.
    """
    made = ledger.about(request_id, Kind.REQUESTED)[0]
    document, body = documents.content(_signed(made)), made.body
    decisions = tuple(_decision(entry) for entry in ledger.about(request_id, *DECISIONS))
    kind = RequestKind(document["kind"])
    window, bounds = documents.window_of(document), documents.bounds_of(document)
    approved = [item for item in decisions if item.decision == "approve"]
    expires = _expiry(approved, timedelta(seconds=body["valid_for_seconds"]), window.not_after, kind)
    folded = Request(
        id=request_id,
        kind=kind,
        state=RequestState.PENDING,
        plan=Plan.from_json(body["plan"]),
        requester=document["person"],
        reason=document["reason"],
        made_at=made.at,
        window=window,
        environment=document["environment"],
        approvals_needed=body["approvals_needed"],
        decisions=decisions,
        expires_at=expires,
        ratify_before=parse_iso(body["ratify_before"]) if body.get("ratify_before") else None,
        bounds=bounds,
        runs=ledger.runs_of(request_id),
    )
    return _with_state(folded, ledger, now)


def used(ledger: Ledger, request_id: str) -> bool:
    """Tell whether a single approval is spent: a run of it is under way, changed something, or succeeded.

    A run that ended before its first "about to" without success (the world had changed, a target was switched
    off) did nothing, and leaves the approval as it was. See docs/decisions.
    """
    return any(spent(ledger, run_id) for run_id in ledger.runs_of(request_id))


def spent(ledger: Ledger, run_id: str) -> bool:
    """Tell whether this run used its approval."""
    ended = ledger.about(run_id, Kind.RUN_ENDED)
    return not ended or bool(ledger.about(run_id, Kind.ABOUT_TO)) or ended[-1].body["exit_code"] == ExitCode.DONE


def run(ledger: Ledger, run_id: str, leases: Sequence[Lease] = ()) -> Run:
    """Return a run as its entries tell it; `leases` are those held now."""
    entries = ledger.about(run_id)
    started = next(entry for entry in entries if entry.kind is Kind.RUN_STARTED)
    ended = _last_end(entries)
    body = ended.body if ended else {}
    checks = [entry for entry in entries if entry.kind is Kind.EVIDENCE]
    return Run(
        id=run_id,
        request_id=started.body["request"],
        operation=started.body["operation"],
        plan_digest=started.body["plan_digest"],
        person=started.actor,
        started_at=started.at,
        ended_at=ended.at if ended else None,
        outcome=Outcome(body["outcome"]) if ended else None,
        targets={name: Outcome(value) for name, value in body.get("targets", {}).items()},
        steps=steps(entries),
        evidence=tuple(_check(item) for item in (checks[-1].body["checks"] if checks else ())),
        exit_code=body.get("exit_code"),
        errors=dict(body.get("errors", {})),
        notes=tuple(note(entry) for entry in entries if entry.kind is Kind.NOTED),
        error=body.get("error"),
        held_by=next((lease.owner for lease in leases if lease.run_id == run_id), None),
    )


def note(entry: Entry) -> Note:
    """Return what a line of the kind `NOTED` tells."""
    return Note(entry.body["target"], entry.body["note"], entry.at, entry.body["data"])


def steps(entries: Iterable[Entry]) -> tuple[Step, ...]:
    """Return what became of each action, in the order they were announced; one without an end is unknown."""
    found: dict[str, Step] = {}
    for entry in entries:
        outcome = _STEPS.get(entry.kind)
        if outcome is not None:
            action_id = entry.body["action"]
            found[action_id] = Step(action_id, entry.body["target"], outcome, entry.at, entry.body.get("error"))
    return tuple(found.values())


def unresolved(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the actions announced whose outcome nobody knows, by name."""
    return tuple(step.action_id for step in steps(entries) if step.outcome is Outcome.UNKNOWN)


def _last_end(entries: Sequence[Entry]) -> Entry | None:
    """Return the end of a run, unless it was resumed after it."""
    marks = [entry for entry in entries if entry.kind in (Kind.RUN_ENDED, Kind.RUN_RESUMED)]
    return marks[-1] if marks and marks[-1].kind is Kind.RUN_ENDED else None


def _with_state(folded: Request, ledger: Ledger, now: datetime) -> Request:
    return dataclasses.replace(folded, state=_state(folded, ledger, now))


def _state(folded: Request, ledger: Ledger, now: datetime) -> RequestState:
    said = {item.decision for item in folded.decisions}
    if folded.kind is RequestKind.EMERGENCY:
        if "ratify" in said:
            return RequestState.RATIFIED
        return RequestState.REFUSED if "refuse" in said else RequestState.RATIFICATION_DUE
    for word, state in (("revoke", RequestState.REVOKED), ("refuse", RequestState.REFUSED)):
        if word in said:
            return state
    if folded.kind is RequestKind.SINGLE and used(ledger, folded.id):
        return RequestState.USED
    if _expired(folded, now):
        return RequestState.EXPIRED
    approvers = {item.person for item in folded.decisions if item.decision == "approve"}
    return RequestState.APPROVED if len(approvers) >= folded.approvals_needed else RequestState.PENDING


def _expired(folded: Request, now: datetime) -> bool:
    if folded.bounds is not None and now.date() > folded.bounds.until + timedelta(days=1):
        return True
    last = folded.expires_at or folded.window.not_after
    return last is not None and now > last


def _expiry(
    approved: Sequence[Decision], valid_for: timedelta, not_after: datetime | None, kind: RequestKind
) -> datetime | None:
    if not approved or kind is not RequestKind.SINGLE:
        return not_after
    last = max(item.at for item in approved) + valid_for
    return last if not_after is None else min(last, not_after)


def _decision(entry: Entry) -> Decision:
    document = documents.content(_signed(entry))
    return Decision(document["person"], document["decision"], document["comment"], entry.at)


def _signed(entry: Entry) -> Signed:
    if entry.signed is None:
        raise ValueError(entry.seq)
    return entry.signed


def _check(item: Mapping[str, object]) -> Check:
    data = dict(item)
    return Check(**{**data, "title": Text.from_json(data["title"])})  # type: ignore[arg-type]
