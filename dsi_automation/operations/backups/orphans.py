"""What a run that was killed left in a repository: snapshots with our marks that became no set of the record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from dsi_automation.connectors.backups.port import Snapshot
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.text import TN, Text
from dsi_automation.operations.backups.catalogue import DROPPED, Catalogue
from dsi_automation.operations.tools import Hands


def runs_to_look_for(target: str, run: str, catalogue: Catalogue, before: datetime) -> frozenset[str]:
    """Return the runs of a backup that began more tries than they made sets, and began them before a moment.

    By our own record and clock alone. Whoever asks holds the backup's lease: none of these runs is at work.

    Args:
        run: the one at work: what it left itself before it was resumed is a later one's to remove.
        before: what began later is left alone.
    """
    unfinished = catalogue.unfinished.get(target, {})
    return frozenset(name for name, began in unfinished.items() if name != run and began < before)


def orphans(
    target: str, runs: Collection[str], snapshots: Sequence[Snapshot], catalogue: Catalogue
) -> tuple[Snapshot, ...]:
    """Return the snapshots of these runs that carry a backup's own tags and are in no set of the record."""
    known = {name for s in catalogue.sets.values() for name in (s.made.snapshot, *s.made.extra_snapshots)}
    marks, wanted = {"dsi", f"job={target}"}, {f"run={run}" for run in runs}
    return tuple(
        each for each in snapshots if each.id not in known and marks <= set(each.tags) and wanted & set(each.tags)
    )


def drop_orphans(target: str, hands: Hands, observer: Observer) -> None:
    """Remove what killed runs left in the repository, by explicit identifiers, and record it."""
    look = hands.look
    catalogue = look.catalogue()
    runs = runs_to_look_for(target, hands.run, catalogue, look.clock.now() - look.backup_settings.orphan_after)
    if not runs:
        # The repository is only asked when the record says that there may be something.
        return
    with hands.backup(target) as engine:
        left = [each.id for each in orphans(target, runs, engine.repository().snapshots, catalogue)]
        freed = engine.drop(left) if left else 0
    hands.note(target, DROPPED, {"snapshots": list(left), "runs": sorted(runs), "freed": freed})
    if left:
        text: Text = TN(
            "{n} snapshot that a killed run left was removed: {runs}.",
            "{n} snapshots that killed runs left were removed: {runs}.",
            len(left),
            runs=", ".join(sorted(runs)),
        )
        observer.notify(Event("retain.orphans", text, target=target))
