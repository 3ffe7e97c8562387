"""The fold of notes into the catalogue: pure; passes over notes of other rooms, is strict about its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dsi_automation.connectors.backups.port import Depth, StoredSet
from dsi_automation.core.errors import StorageError
from dsi_automation.core.text import T
from dsi_automation.operations.backups.catalogue import (
    BEGUN,
    CLEARED,
    COPY,
    DROPPED,
    FORGOTTEN,
    PROOF,
    RESTORED,
    SET,
    TRY,
    Catalogue,
    Copy,
    Noted,
    Proof,
    Restoration,
    Try,
)
from dsi_automation.operations.backups.records import copied_from_json, set_from_json


@dataclass(slots=True)
class _Folding:
    """The catalogue while it is being folded."""

    sets: dict[str, StoredSet] = field(default_factory=dict)
    recorded: dict[str, datetime] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    proofs: list[Proof] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    restorations: list[Restoration] = field(default_factory=list)
    begun: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)
    on_medium: dict[str, list[str]] = field(default_factory=dict)


def fold(notes: Iterable[Noted]) -> Catalogue:
    """Return the catalogue that notes make, in the order of the record.

    Raises:
        StorageError: a note of backups is not one this version writes: nothing may be decided from half a record.
    """
    folding = _Folding()
    for note in notes:
        kept = _FOLDS.get(note.name)
        if kept is None:
            continue
        try:
            kept(folding, note)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StorageError(
                T("The note {name} of {run} cannot be read.", name=note.name, run=note.run),
                on=note.target,
                meaning=T("What there is of backups cannot be told from the record; nothing may be decided from it."),
                next_step=T("Verify the journal with “dsi journal verify”, and use the version that wrote it."),
            ) from error
    return Catalogue(
        sets=folding.sets,
        forgotten=frozenset(folding.forgotten),
        proofs=tuple(folding.proofs),
        copies=tuple(folding.copies),
        tries=tuple(folding.tries),
        on_medium={medium: tuple(held) for medium, held in folding.on_medium.items() if held},
        recorded=folding.recorded,
        restorations=tuple(folding.restorations),
        unfinished=_unfinished(folding),
    )


def _unfinished(folding: _Folding) -> dict[str, dict[str, datetime]]:
    found: dict[str, dict[str, datetime]] = {}
    made = Counter((stored.job, stored.run) for stored in folding.sets.values())
    for (job, run), moments in folding.begun.items():
        if len(moments) > made[job, run]:
            found.setdefault(job, {})[run] = moments[-1]
    return found


def _begun(folding: _Folding, note: Noted) -> None:
    folding.begun.setdefault((note.target, note.run), []).append(note.at)


def _dropped(folding: _Folding, note: Noted) -> None:
    for run in note.data["runs"]:
        folding.begun.pop((note.target, str(run)), None)


def _set(folding: _Folding, note: Noted) -> None:
    stored = set_from_json(note.data["set"])
    if stored.id in folding.sets or stored.job != note.target:
        raise ValueError(stored.id)
    folding.sets[stored.id] = stored
    folding.recorded[stored.id] = note.at


def _known(folding: _Folding, note: Noted) -> str:
    """Return the set a note is about; a set of another backup is none of its business."""
    stored = folding.sets[note.data["set"]]
    if stored.job != note.target:
        raise ValueError(stored.id)
    return stored.id


def _try(folding: _Folding, note: Noted) -> None:
    data, error = note.data, note.data["error"]
    folding.tries.append(
        Try(
            job=note.target,
            run=note.run,
            at=note.at,
            number=int(data["number"]),
            of=int(data["of"]),
            error=None if error is None else dict(error),
            seconds=float(data["seconds"]),
            wait=float(data["wait"]),
        )
    )


def _proof(folding: _Folding, note: Noted) -> None:
    data = note.data
    folding.proofs.append(
        Proof(
            set=_known(folding, note),
            job=note.target,
            run=note.run,
            at=note.at,
            level=int(data["level"]),
            depth=Depth(data["depth"]),
            ok=_true(data["ok"]),
            failed=tuple(map(str, data["failed"])),
            restored_files=int(data["restored_files"]),
            restored_bytes=int(data["restored_bytes"]),
            phases={str(phase): float(seconds) for phase, seconds in data["phases"].items()},
        )
    )


def _copy(folding: _Folding, note: Noted) -> None:
    data = note.data
    copy = Copy(
        set=_known(folding, note),
        job=note.target,
        run=note.run,
        medium=str(data["medium"]),
        at=note.at,
        copied=copied_from_json(data["copied"]),
        ok=_true(data["ok"]),
        failed=tuple(map(str, data["failed"])),
    )
    folding.copies.append(copy)
    held = folding.on_medium.setdefault(copy.medium, [])
    if copy.set in held:
        held.remove(copy.set)
    if copy.ok:
        held.append(copy.set)


def _forgotten(folding: _Folding, note: Noted) -> None:
    for name in note.data["sets"]:
        if folding.sets[name].job != note.target:
            raise ValueError(name)
        folding.forgotten.add(name)


def _cleared(folding: _Folding, note: Noted) -> None:
    gone = set(note.data["sets"])
    medium = str(note.data["medium"])
    folding.on_medium[medium] = [name for name in folding.on_medium.get(medium, []) if name not in gone]


def _restored(folding: _Folding, note: Noted) -> None:
    data = note.data
    folding.restorations.append(
        Restoration(
            set=_known(folding, note),
            job=note.target,
            run=note.run,
            at=note.at,
            destination=str(data["destination"]),
            files=int(data["files"]),
            size=int(data["bytes"]),
            ok=_true(data["ok"]),
            failed=tuple(map(str, data["failed"])),
        )
    )


def _true(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


_FOLDS: Final[Mapping[str, Callable[[_Folding, Noted], None]]] = {
    BEGUN: _begun,
    DROPPED: _dropped,
    TRY: _try,
    SET: _set,
    PROOF: _proof,
    COPY: _copy,
    FORGOTTEN: _forgotten,
    CLEARED: _cleared,
    RESTORED: _restored,
}
