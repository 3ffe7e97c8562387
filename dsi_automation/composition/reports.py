"""The report of a chain of backup runs, as data: what was tried, what came of it, who had approved it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.core.canonical import digest
from dsi_automation.core.clock import iso
from dsi_automation.core.results import Outcome
from dsi_automation.core.secrets import redact_json
from dsi_automation.core.text import T, Text
from dsi_automation.journal.chain import plain
from dsi_automation.operations.backups import catalogue

if TYPE_CHECKING:
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.core.errors import DsiError
    from dsi_automation.engine.model import Request, Run

FORMAT: Final = "dsi.backup_report/1"
REPORTED: Final = frozenset(
    {"server.backup", "database.backup", "backup.verify", "backup.externalise", "backup.restore"}
)
"""Operations whose every end makes a report."""
NOUNS: Final[Mapping[str, Text]] = {
    "server.backup": T("backup"),
    "database.backup": T("backup"),
    "backup.verify": T("verification"),
    "backup.externalise": T("copy off site"),
    "backup.restore": T("restore"),
}
_NOTES: Final[Mapping[str, str]] = {
    catalogue.TRY: "tries",
    catalogue.SET: "sets",
    catalogue.PROOF: "proofs",
    catalogue.COPY: "copies",
    catalogue.RESTORED: "restorations",
    catalogue.FORGOTTEN: "forgotten",
    catalogue.CLEARED: "cleared",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it all ended, in one word and one line.

    Attributes:
        word: what the subject of the mail begins with.
        proven: whether every set that was made was also verified; None where none was made.
    """

    ok: bool
    word: Text
    line: Text
    proven: bool | None


def build(toolkit: Toolkit, run_ids: Sequence[str], stopped: DsiError | None = None) -> dict[str, Any]:
    """Return the report of runs that belong together, oldest first; no secret is in it.

    Args:
        stopped: why the chain began no further run, where that is so.
    """
    engine, names = toolkit.engine, _names(toolkit)
    runs = [engine.run_by_id(run_id) for run_id in run_ids]
    told = [_run(run, engine.request_by_id(run.request_id), names) for run in runs]
    verdict = verdict_of(runs, stopped)
    seq, head = toolkit.journal_head()
    report = {
        "format": FORMAT,
        "id": run_ids[0],
        "made_at": iso(toolkit.clock.now()),
        "targets": list(dict.fromkeys(name for run in runs for name in _targets(run, told))),
        "titles": _titles(toolkit),
        "operation": runs[0].operation,
        "started_at": iso(runs[0].started_at),
        "ok": verdict.ok,
        "proven": verdict.proven,
        "verdict": verdict.line.to_json(),
        "word": verdict.word.to_json(),
        "stopped": None if stopped is None else stopped.to_json(),
        "runs": told,
        "journal": {"seq": seq, "hash": head},
    }
    clean: dict[str, Any] = redact_json(plain(report))
    return clean


def verdict_of(runs: Sequence[Run], stopped: DsiError | None = None) -> Verdict:
    """Return how runs ended together: one that did not end well, or that was not begun, is a failure."""
    made = {note.data["set"]["id"] for run in runs for note in run.notes if note.name == catalogue.SET}
    last = {
        note.data["set"]: bool(note.data["ok"]) for run in runs for note in run.notes if note.name == catalogue.PROOF
    }
    proven = None if not made else all(last.get(name, False) for name in made)
    bad = next((run for run in runs if run.exit_code != 0), None)
    if bad is not None:
        what = NOUNS.get(bad.operation, T("run"))
        if bad.outcome is Outcome.INTERRUPTED or bad.ended_at is None:
            line = T("Not finished: the {what} was interrupted ({run}).", what=what, run=bad.id)
        else:
            line = T("Failed: the {what} did not end well ({run}).", what=what, run=bad.id)
        return Verdict(ok=False, word=T("FAILED"), line=line, proven=proven)
    if stopped is not None:
        line = T("Failed: the next step was not begun: {why}", why=stopped.what)
        return Verdict(ok=False, word=T("FAILED"), line=line, proven=proven)
    if proven:
        line = T("Succeeded, and verified: what was backed up was brought back and compared.")
    elif made:
        line = T("Succeeded, not verified yet: a backup counts only when it was brought back.")
    else:
        line = T("Succeeded.")
    return Verdict(ok=True, word=T("SUCCEEDED"), line=line, proven=proven)


def subject(report: Mapping[str, Any], prefix: str) -> Text:
    """Return the subject of the mail: success or failure at its beginning."""
    started = datetime.fromisoformat(report["started_at"]).astimezone()
    facts = {
        "prefix": prefix,
        "word": Text.from_json(report["word"]),
        "what": NOUNS.get(report["operation"], T("run")),
        "names": ", ".join(report["targets"]),
        "day": f"{started:%d/%m/%Y}",
        "hour": f"{started:%H:%M}",
    }
    if report["proven"] is None:
        return T("{prefix} {word} — {what} {names} of {day} {hour}", **facts)
    proven = T("verified") if report["proven"] else T("not verified")
    return T("{prefix} {word} — {what} {names} of {day} {hour} ({proven})", proven=proven, **facts)


def _run(run: Run, request: Request, names: Mapping[str, str]) -> dict[str, Any]:
    kept: dict[str, list[Any]] = {key: [] for key in _NOTES.values()}
    for note in run.notes:
        if note.name in _NOTES:
            kept[_NOTES[note.name]].append({"target": note.target, "at": iso(note.at), **note.data})
    checks = [check.to_json() for check in run.evidence]
    ended = run.ended_at
    return {
        "run": run.id,
        "operation": run.operation,
        "targets": {name: str(outcome) for name, outcome in run.targets.items()},
        "asked": list(request.plan.targets),
        "person": {"id": run.person, "name": names.get(run.person, run.person)},
        "request": {
            "id": request.id,
            "kind": request.kind.value,
            "requester": names.get(request.requester, request.requester),
            "reason": request.reason,
            "plan_digest": run.plan_digest,
        },
        "decisions": [
            {
                "person": names.get(one.person, one.person),
                "decision": one.decision,
                "at": iso(one.at),
                "comment": one.comment,
            }
            for one in request.decisions
        ],
        "started_at": iso(run.started_at),
        "ended_at": None if ended is None else iso(ended),
        "seconds": None if ended is None else (ended - run.started_at).total_seconds(),
        "outcome": None if run.outcome is None else str(run.outcome),
        "exit_code": run.exit_code,
        "error": run.error,
        "errors": run.errors,
        **kept,
        "checks": checks,
        "evidence_sha256": digest(plain({"checks": checks, **kept})),
    }


def _targets(run: Run, told: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    return next(item["asked"] for item in told if item["run"] == run.id)


def _names(toolkit: Toolkit) -> dict[str, str]:
    return {person.id: person.name for person in toolkit.inventory.people}


def _titles(toolkit: Toolkit) -> dict[str, str]:
    return {name: job.title for name, job in toolkit.inventory.backup_plan.backups.items()}
