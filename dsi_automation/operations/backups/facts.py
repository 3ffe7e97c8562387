"""What a backup operation looks at before it decides: the source, the repository, and what the record says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.backups.port import BackupReader, RepositoryFacts, SourceFacts, StoredSet
from dsi_automation.core.events import Observer
from dsi_automation.core.quantities import Amount
from dsi_automation.core.text import TN, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Observed
from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings, Job, definition
from dsi_automation.operations.backups.catalogue import Catalogue
from dsi_automation.operations.tools import Look

REPOSITORY: Final = "dsi_repository"
"""Where a recorded set says under which name of `dsi_repositories` it was made."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What was found where a set is to be brought back to.

    Attributes:
        set: its id.
        destination: the folder; None in place.
        occupied: whether the folder holds something already.
        free: bytes free there; None where nobody looked: in place, or a folder of another machine.
        needed: bytes it takes at least; None where nobody knows.
        absent: paths asked for that the set does not hold.
    """

    set: str
    destination: str | None
    occupied: bool
    free: int | None
    needed: int | None
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """What was found of one backup; `source` is None where the operation does not need it.

    Attributes:
        window: between which moments a database can be brought back; None for files, or when it was not asked.
        landing: where it is to be brought back to; None when it was not asked, or there is nothing to bring back.
    """

    repository: RepositoryFacts
    source: SourceFacts | None = None
    window: tuple[datetime, datetime] | None = None
    landing: Landing | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What concerns all backups together.

    Attributes:
        now: by the controller's clock, UTC.
    """

    plan: BackupPlan
    settings: BackupSettings
    catalogue: Catalogue
    now: datetime

    def job(self, name: str) -> Job:
        """Return one backup of the plan."""
        return self.plan.backups[name]

    def definition(self, name: str) -> dict[str, Any]:
        """Return what an approval of one backup binds."""
        return definition(name, self.plan)

    def in_repository(self, repository: str) -> tuple[StoredSet, ...]:
        """Return the sets that are kept in one repository of the inventory, oldest first."""
        catalogue = self.catalogue
        return tuple(
            stored
            for stored in catalogue.sets.values()
            if stored.id not in catalogue.forgotten and stored.made.details.get(REPOSITORY) == repository
        )


type Seen = Observed[BackupFacts, World]


def observe(
    targets: Sequence[str],
    look: Look,
    observer: Observer,
    *,
    source: bool = False,
    window: bool = False,
    landing: Callable[[str, BackupReader, RepositoryFacts, World], Landing | None] | None = None,
) -> Seen:
    """Look at every backup asked, at once; one that cannot be looked at is a failure in the result.

    Args:
        source: whether what would be backed up is looked at too.
        window: whether it is asked between which moments it can be brought back.
        landing: looks where something is to be brought back to, with the reader of the backup.
    """
    world = World(look.backup_plan, look.backup_settings, look.catalogue(), look.clock.now())

    def read(target: str) -> BackupFacts:
        with look.backup(target) as reader:
            repository = reader.repository()
            return BackupFacts(
                repository=repository,
                source=reader.source() if source else None,
                window=_window(reader, repository, world.catalogue.of(target)) if window else None,
                landing=None if landing is None else landing(target, reader, repository, world),
            )

    seen = fan_out(targets, read, workers=look.workers, deadline=look.deadline, observer=observer)
    return Observed(seen.results, seen.failures, world)


def missing_from(repository: RepositoryFacts, sets: Sequence[StoredSet]) -> tuple[StoredSet, ...]:
    """Return the sets of which a snapshot is no longer in the repository."""
    there = {snapshot.id for snapshot in repository.snapshots}
    return tuple(s for s in sets if not {s.made.snapshot, *s.made.extra_snapshots} <= there)


def amount(size: int) -> Text:
    """Return a number of bytes in a unit that can be read: `512 B`, `1.5 GiB`; `512 o`, `1,5 Gio` in French."""
    return Amount(size)


def size_words(files: int, size: int) -> Text:
    """Return how much that is, in words: files and bytes."""
    return TN("{n} file, {amount}", "{n} files, {amount}", files, amount=amount(size))


def _window(
    reader: BackupReader, repository: RepositoryFacts, sets: Sequence[StoredSet]
) -> tuple[datetime, datetime] | None:
    gone = {stored.id for stored in (missing_from(repository, sets) if repository.exists else sets)}
    return reader.recovery_window([stored for stored in sets if stored.id not in gone])
