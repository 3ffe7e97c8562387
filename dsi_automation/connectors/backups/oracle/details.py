"""What a set's record says of an Oracle backup, so that it can be brought back without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.oracle.session import Pieces
from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.text import T


@dataclass(frozen=True, slots=True)
class Details:
    """What is needed to bring a set back; moments by the database's own clock, UTC.

    Attributes:
        folder: where the pieces were on the host: where they are in the snapshot.
        checkpoints: change number of each data file of a level 0, and those of its base for a level 1.
        base: snapshot of the level 0 that a level 1 stands on; its tag and autobackup are in that set's own record.
        first_change, next_change: the archived logs in it cover change numbers from the one to before the other.
        consistent: from here on a recovery is possible: the data files were read by then.
        logs_until: the last moment the archived logs in it reach.
        validated: names of the comparisons that agreed when it was made, RMAN's own validation among them.
    """

    tag: str
    level: int
    folder: str
    autobackup: str
    dbid: int
    database: str
    version: str
    checkpoints: Mapping[str, int]
    base: str | None
    first_change: int
    next_change: int
    consistent: str
    logs_until: str
    validated: tuple[str, ...]

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Return from when to when this set alone can bring the database back."""
        until = parse_iso(self.logs_until)
        return min(parse_iso(self.consistent), until), until

    def to_json(self) -> Mapping[str, Json]:
        """Return what the record keeps."""
        return cast("Mapping[str, Json]", asdict(self))


@dataclass(frozen=True, slots=True)
class Base:
    """The level 0 a level 1 stands on: its snapshot, and the change number of each data file in it."""

    snapshot: str
    checkpoints: Mapping[int, int]


def base_of(previous: StoredSet) -> Base:
    """Return the level 0 that a set stands on, or is."""
    said = read(previous)
    changes = {int(number): int(change) for number, change in said.checkpoints.items()}
    return Base(said.base or previous.made.snapshot, changes)


def describe(pieces: Pieces, base: Base | None, consistent: datetime) -> Details:
    """Return the record of pieces that were made."""
    made = {each.number: each.until for each in pieces.outcome.files}
    checkpoints = {str(number): change for number, change in (made if base is None else base.checkpoints).items()}
    logs = pieces.outcome.logs
    names = tuple(check.name for check in pieces.checks)
    return Details(
        tag=pieces.tag,
        level=pieces.level,
        folder=pieces.folder,
        autobackup=pieces.autobackup,
        dbid=pieces.instance.dbid,
        database=pieces.instance.name,
        version=pieces.instance.version,
        checkpoints=checkpoints,
        base=None if base is None else base.snapshot,
        first_change=min(each.first_change for each in logs),
        next_change=_reach(pieces),
        consistent=iso(consistent),
        logs_until=iso(min(max(each.next for each in logs if each.thread == thread) for thread in _threads(pieces))),
        validated=names,
    )


def read(of: StoredSet) -> Details:
    """Return what the record of a set says.

    Raises:
        BackupFailedError: it is not the record of an Oracle backup.
    """
    said = of.made.details
    try:
        values = {name: said[name] for name in Details.__slots__}
        values["validated"] = tuple(str(name) for name in cast("Sequence[Json]", values["validated"]))
        found = Details(**values)  # type: ignore[arg-type]
        _ = found.window
    except (LookupError, TypeError, ValueError) as error:
        raise BackupFailedError(
            T("The record of {set} does not say how to bring it back.", set=of.id), on=of.job
        ) from error
    return found


def window(sets: Sequence[StoredSet]) -> tuple[datetime, datetime] | None:
    """Return from when to when these sets, in the order of the record, reach without a gap in the logs.

    The newest stretch counts: a gap ends what is before it.
    """
    found: tuple[datetime, datetime] | None = None
    reached: int | None = None
    for stored in sets:
        each = read(stored)
        first, until = each.window
        joined = found is not None and reached is not None and each.first_change <= reached
        found = (found[0], until) if joined and found is not None else (first, until)
        reached = each.next_change
    return found


def _threads(pieces: Pieces) -> set[int]:
    return {each.thread for each in pieces.outcome.logs}


def _reach(pieces: Pieces) -> int:
    # With several threads (RAC) the one that ends first decides.
    logs = pieces.outcome.logs
    return min(max(each.next_change for each in logs if each.thread == thread) for thread in _threads(pieces))
