"""Independent looks after a run: the repository as the controller reads it, the manifest on disk, the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dsi_automation.connectors.backups.port import RepositoryFacts, StoredSet
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.operations.backups.catalogue import Catalogue
from dsi_automation.operations.backups.facts import missing_from
from dsi_automation.operations.tools import Look

RECORD: Final = "journal"
"""Where a check read what the record says."""


def answers(target: str, look: Look) -> None:
    """Make sure that the repository of a backup can be looked at.

    Raises:
        DsiError: it cannot.
    """
    with look.backup(target) as reader:
        reader.repository()


def newest_is_there(target: str, look: Look, catalogue: Catalogue) -> Iterator[Check]:
    """Yield whether the newest set of the record is where it should be, and what became of the others."""
    sets = catalogue.of(target)
    with look.backup(target) as reader:
        found = reader.repository()
    yield from is_there(target, sets[-1] if sets else None, found, look)
    yield from others_are_there(target, sets[:-1], found)


def is_there(target: str, stored: StoredSet | None, found: RepositoryFacts, look: Look) -> Iterator[Check]:
    """Yield whether a set is in the repository, and its manifest on the controller's disk."""
    source = T("repository {id}", id=(found.id or "-")[:12])
    if stored is None:
        yield Check(target, "set", T("Set in the record"), "1", "0", ok=False, source=RECORD)
        return
    expected = (stored.made.snapshot, *stored.made.extra_snapshots)
    there = {snapshot.id for snapshot in found.snapshots}
    observed = [name for name in expected if name in there]
    yield Check(
        target,
        "snapshot",
        T("{set} in the repository", set=stored.id),
        ", ".join(name[:12] for name in expected),
        ", ".join(name[:12] for name in observed) or "-",
        ok=len(observed) == len(expected) and found.id == stored.made.repository,
        source=str(source),
    )
    kept = look.manifest_sha256(target, stored.made.manifest_file)
    yield Check(
        target,
        "manifest",
        T("Manifest of {set}", set=stored.id),
        stored.made.manifest[:16],
        "-" if kept is None else kept[:16],
        ok=kept == stored.made.manifest,
        source=stored.made.manifest_file,
    )


def others_are_there(target: str, sets: Sequence[StoredSet], found: RepositoryFacts) -> Iterator[Check]:
    """Yield a warning when earlier sets of the record are no longer in the repository."""
    gone = missing_from(found, [stored for stored in sets if stored.made.repository == found.id])
    if gone:
        yield Check(
            target,
            "earlier_sets",
            T("Earlier sets in the repository"),
            str(len(sets)),
            str(T("without {sets}", sets=", ".join(stored.id for stored in gone))),
            ok=False,
            source=(found.id or "-")[:12],
            warning=True,
        )
