"""What the journal holds about a schedule: which occurrences began, how they ended, which were missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from dsi_automation.core.canonical import digest
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.journal.model import Draft, Entry, Kind


class Word(StrEnum):
    """What an entry says of an occurrence."""

    KNOWN = "known"
    """The schedule is looked after from this moment on; what was due before is not missed."""
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    MISSED = "missed"


ENDS: Final = frozenset({Word.DONE, Word.FAILED, Word.INTERRUPTED, Word.MISSED})


@dataclass(frozen=True, slots=True)
class Told:
    """One entry about a schedule.

    Attributes:
        due: the occurrence; for several missed together, the last of them; for a start by hand, when it began.
        runs: the runs of the engine.
        count: how many occurrences were missed together.
        reason: why it was missed: `late`, `superseded`, `busy`, `no_approval`.
        error: as `DsiError.to_json` writes it.
    """

    word: Word
    due: datetime
    at: datetime
    actor: str
    by_hand: bool = False
    runs: tuple[str, ...] = ()
    count: int = 1
    reason: str | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Everything known of a schedule.

    Attributes:
        rule: digest of the schedule when it was last taken up.
        cursor: what is due until then is settled, or was never looked after.
        open: the occurrence that began and has not ended, if there is one.
        tries: how often that one began.
        last: how the newest one ended.
        misses: those missed, oldest first.
    """

    rule: str | None = None
    cursor: datetime | None = None
    open: datetime | None = None
    tries: int = 0
    last: Told | None = None
    misses: tuple[Told, ...] = ()


def subject(name: str) -> str:
    """Return what entries and the lease of a schedule are filed under."""
    return f"schedule:{name}"


def rule_of(schedule: Schedule) -> str:
    """Return the digest of what decides when a schedule comes to pass."""
    body = schedule.model_dump(mode="json", include={"cron", "time_zone", "clock_change", "enabled"})
    return digest(body)[:16]


def draft(name: str, actor: str, word: Word, due: datetime, **more: Any) -> Draft:
    """Return the entry that says something of an occurrence."""
    facts = {"runs": [], "error": None, **more}
    body = {"schedule": name, "due": iso(due), "outcome": str(word), **facts}
    return Draft(Kind.SCHEDULED, subject(name), actor, body)


def told(entry: Entry) -> Told:
    """Return what an entry says."""
    body = entry.body
    return Told(
        Word(body["outcome"]),
        parse_iso(body["due"]),
        entry.at,
        entry.actor,
        by_hand=bool(body.get("by_hand")),
        runs=tuple(body.get("runs") or ()),
        count=int(body.get("count", 1)),
        reason=body.get("reason"),
        error=body.get("error"),
    )


def fold(entries: Iterable[Entry]) -> Record:
    """Return the record of a schedule from its entries, in order: same entries, same record."""
    record = Record()
    for entry in entries:
        record = _with(record, told(entry), entry)
    return record


def _with(record: Record, item: Told, entry: Entry) -> Record:
    if item.word is Word.KNOWN:
        return replace(record, rule=str(entry.body.get("rule")), cursor=_later(record.cursor, item.due))
    if item.word is Word.MISSED:
        record = replace(record, misses=(*record.misses, item))
    if item.word in ENDS:
        record = replace(record, last=item)
    if item.by_hand:
        return record  # beside the occurrences: it settles none
    if item.word is Word.STARTED:
        again = record.tries + 1 if record.open == item.due else 1
        return replace(record, open=item.due, tries=again, cursor=_later(record.cursor, item.due))
    # One that was stopped is begun again, while there is time: a controller that restarts must not cost a backup.
    still = None if record.open == item.due and item.word is not Word.INTERRUPTED else record.open
    return replace(record, open=still, tries=record.tries if still else 0, cursor=_later(record.cursor, item.due))


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other > one else one
