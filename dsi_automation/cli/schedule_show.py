"""Schedules as people and programs read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.moments import DAYS, local
from dsi_automation.core.clock import iso
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.schedule_model import Schedule
    from dsi_automation.schedules.occurrences import Occurrence
    from dsi_automation.schedules.record import Record, Told

WORDS: Final[dict[str, Text]] = {
    "done": T("done"),
    "failed": T("failed"),
    "interrupted": T("interrupted"),
    "missed": T("missed"),
}
_COLORS: Final = {"failed": "red", "missed": "red", "interrupted": "yellow"}


def show_list(session: Session, schedules: Mapping[str, Schedule]) -> None:
    """Show all schedules, with what the record holds about each."""
    from dsi_automation.schedules.occurrences import following

    now = session.toolkit.clock.now()
    records = {name: _record(session, name) for name in schedules}
    upcoming = {name: following(name, schedule, now, 1) for name, schedule in schedules.items()}
    if session.choices.json:
        rows = [_view(name, item, upcoming[name], records[name]) for name, item in schedules.items()]
        session.out.data({"schedules": rows})
        return
    if not schedules:
        session.out.line(T("No schedules: there is no schedules.yml in the inventory, or it lists none."))
        return
    session.out.table(
        (T("Schedule"), T("Title"), T("Next"), T("Last"), T("Missed")),
        [
            (name, item.title, _when(item, upcoming[name]), _last(item, records[name]), _misses(records[name]))
            for name, item in schedules.items()
        ],
        [_color(records[name].last) for name in schedules],
    )
    for name, item in schedules.items():
        _tell_miss(session, name, item, records[name])


def next_table(session: Session, schedules: Mapping[str, Schedule], count: int) -> None:
    """Show the next occurrences of schedules, in order of time."""
    from dsi_automation.schedules.occurrences import following

    now = session.toolkit.clock.now()
    rows = [(name, item, one) for name, item in schedules.items() for one in following(name, item, now, count)]
    rows.sort(key=lambda row: (row[2].start, row[0]))
    if session.choices.json:
        data = [{"schedule": name, "due": iso(one.due), "start": iso(one.start)} for name, _, one in rows]
        session.out.data({"next": data})
        return
    session.out.table(
        (T("Starts"), T("Time zone"), T("Schedule"), T("Title")),
        [(_to_second(item, one.start), item.time_zone, name, item.title) for name, item, one in rows],
    )


def _record(session: Session, name: str) -> Record:
    from dsi_automation.schedules.record import Record, fold, subject

    toolkit = session.toolkit
    return fold(toolkit.journal.read(subject=subject(name))) if toolkit.journal_exists else Record()


def _view(name: str, schedule: Schedule, following: Sequence[Occurrence], record: Record) -> dict[str, Any]:
    return {
        "name": name,
        "title": schedule.title,
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
        "enabled": schedule.enabled,
        "next": iso(following[0].start) if following else None,
        "running": None if record.open is None else iso(record.open),
        "last": None if record.last is None else _told(record.last),
        "missed": [_told(item) for item in record.misses],
    }


def _told(item: Told) -> dict[str, Any]:
    return {
        "outcome": str(item.word),
        "due": iso(item.due),
        "at": iso(item.at),
        "by_hand": item.by_hand,
        "runs": list(item.runs),
        "count": item.count,
        "reason": item.reason,
        "error": item.error,
    }


def _when(schedule: Schedule, following: Sequence[Occurrence]) -> Text | str:
    return _to_second(schedule, following[0].start) if following else T("not enabled")


def _to_second(schedule: Schedule, moment: datetime) -> str:
    from dsi_automation.schedules.occurrences import zone_of

    there = moment.astimezone(zone_of(schedule))
    return f"{DAYS[there.weekday()]} {there:%Y-%m-%d %H:%M:%S %:z}"


def _last(schedule: Schedule, record: Record) -> Text | str:
    from dsi_automation.schedules.occurrences import zone_of

    if record.last is None:
        return T("never")
    word = WORDS.get(str(record.last.word), str(record.last.word))
    return T("{word}, {moment}", word=word, moment=local(record.last.at, zone_of(schedule)))


def _misses(record: Record) -> str:
    return str(sum(item.count for item in record.misses) or "")


def _color(last: Told | None) -> str:
    return "" if last is None else _COLORS.get(str(last.word), "")


def _tell_miss(session: Session, name: str, schedule: Schedule, record: Record) -> None:
    """Say why the newest occurrence was missed, when it was."""
    from dsi_automation.schedules.occurrences import zone_of
    from dsi_automation.schedules.telling import REASONS

    last = record.last
    if last is None or last.reason is None:
        return
    text = TN(
        "{name}: missed on {moment}: {reason}.",
        "{name}: {n} times missed, last on {moment}: {reason}.",
        last.count,
        name=name,
        moment=local(last.due, zone_of(schedule)),
        reason=REASONS.get(last.reason, last.reason),
    )
    session.out.note(text, fg="yellow")
    if last.error is not None:
        session.out.note(str(last.error.get("what") or ""), indent=2)
        session.out.note(str(last.error.get("next_step") or ""), indent=2)
