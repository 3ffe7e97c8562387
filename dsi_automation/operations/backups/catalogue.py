"""Every set, proof, copy and try, folded from the notes that runs left in the journal: pure, never stored twice.

Notes, by name (`data` of each is made and read here alone):

`backup.begun`      {}: a try begins; one that is killed leaves no other trace in the record
`backup.try`        {number, of, error: DsiError.to_json() | null, seconds, wait}: one try of a backup
`backup.set`        {set: StoredSet as JSON}: a backup that the engine finished and whose manifest is kept
`backup.proof`      {set, level, depth, ok, failed: [sentences], restored_files, restored_bytes, phases, checks}
`backup.copy`       {set, medium, copied: Copied as JSON, ok, failed}: a copy, read back from the medium
`backup.forgotten`  {sets: [ids], freed}
`backup.dropped`    {snapshots: [ids], runs, freed}: what tries of these runs left in the repository, and no set was
`backup.restored`   {set, destination, paths, until, files, bytes, ok, failed}
`medium.cleared`    {medium, sets: [ids]}: sets removed from a medium
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.backups.port import Copied, Depth, StoredSet

BEGUN: Final = "backup.begun"
TRY: Final = "backup.try"
SET: Final = "backup.set"
PROOF: Final = "backup.proof"
COPY: Final = "backup.copy"
FORGOTTEN: Final = "backup.forgotten"
DROPPED: Final = "backup.dropped"
RESTORED: Final = "backup.restored"
CLEARED: Final = "medium.cleared"


@dataclass(frozen=True, slots=True)
class Noted:
    """A note of the journal with the run it belongs to."""

    run: str
    target: str
    name: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """A verification of a set: when, how deep, and whether it held."""

    set: str
    job: str
    run: str
    at: datetime
    level: int
    depth: Depth
    ok: bool
    failed: tuple[str, ...]
    restored_files: int
    restored_bytes: int
    phases: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Copy:
    """A set on a medium, as it was read back."""

    set: str
    job: str
    run: str
    medium: str
    at: datetime
    copied: Copied
    ok: bool
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a backup."""

    job: str
    run: str
    at: datetime
    number: int
    of: int
    error: Mapping[str, Any] | None
    seconds: float
    wait: float


@dataclass(frozen=True, slots=True)
class Restoration:
    """Something brought back from a set, and whether it is what the set holds; `size` in bytes."""

    set: str
    job: str
    run: str
    at: datetime
    destination: str
    files: int
    size: int
    ok: bool
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is, by the record.

    Attributes:
        sets: every set ever made that counted, by its identifier, oldest first; `forgotten` those removed since.
        proofs, copies, tries: oldest first.
        on_medium: what each medium holds now, by its name: set identifiers, oldest first.
        recorded: when each set was recorded, by the controller's clock.
        restorations: what was brought back, oldest first.
        unfinished: by backup, the runs that began more tries than they made sets, and when they began the last one:
            the repository may hold something of them.
    """

    sets: Mapping[str, StoredSet]
    forgotten: frozenset[str]
    proofs: Sequence[Proof]
    copies: Sequence[Copy]
    tries: Sequence[Try]
    on_medium: Mapping[str, tuple[str, ...]]
    recorded: Mapping[str, datetime] = field(default_factory=dict)
    restorations: Sequence[Restoration] = ()
    unfinished: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)

    def of(self, job: str) -> tuple[StoredSet, ...]:
        """Return the sets of a backup that are kept, oldest first."""
        return tuple(s for s in self.sets.values() if s.job == job and s.id not in self.forgotten)

    def verified(self, job: str) -> tuple[StoredSet, ...]:
        """Return the sets of a backup that are kept and whose last verification held, oldest first."""
        proven = {proof.set: proof.ok for proof in self.proofs}
        return tuple(stored for stored in self.of(job) if proven.get(stored.id, False))

    def last_proof(self, set_id: str) -> Proof | None:
        """Return the last verification of a set; a set counts as verified when it is there and `ok`."""
        return next((proof for proof in reversed(self.proofs) if proof.set == set_id), None)


def read(notes: Iterable[Noted]) -> Catalogue:
    """Fold notes into the catalogue. Notes of other rooms are passed over."""
    from dsi_automation.operations.backups.fold import fold

    return fold(notes)
