"""How each backup of the plan is doing: from the record alone, pure; a backup that never ran alarms by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.model import Run
from dsi_automation.inventory.backup_model import Job
from dsi_automation.operations.backups.catalogue import Catalogue, Proof, Try

BACKUP_OPERATIONS: Final = frozenset({"server.backup", "database.backup"})
"""Operations that make sets."""
CLOCK_SLACK: Final = timedelta(minutes=5)
"""How far a clock may be off before it is told."""


class HealthState(StrEnum):
    """How a backup is doing, the best evidence there is."""

    NOT_RUN = "not_run"
    """The plan has it, and no set of it was ever made."""
    RUNNING = "running"
    """It is being worked on, and nothing was wrong before."""
    FAILED = "failed"
    """The last time it was tried, no set came of it."""
    SUSPECT = "suspect"
    """The newest set did not stand its verification, or the record contradicts the clock."""
    OK_UNVERIFIED = "ok_unverified"
    """The newest set was not verified yet: it counts for nothing until it is."""
    VERIFIED = "verified"
    """The newest set was brought back and compared, and that is not too long ago."""
    STALE = "stale"
    """The newest verified set is older than the plan allows."""


ALARMING: Final = frozenset({HealthState.NOT_RUN, HealthState.FAILED, HealthState.SUSPECT, HealthState.STALE})
"""States that somebody must see to."""


@dataclass(frozen=True, slots=True)
class Health:
    """How one backup of the plan is doing.

    Attributes:
        last_try: the last time a set was tried to be made.
        last_success: the newest set that is kept; `last_verified` the newest whose last verification held.
        last_proof: the last verification of any of its sets, good or bad.
        age: since the newest verified set was recorded; None when there is none. Never negative.
        failed_tries: how many tries failed since the last good one.
        reasons: why it is so, a sentence each; the first one says most.
    """

    job: str
    state: HealthState
    last_try: Try | None
    last_success: StoredSet | None
    last_verified: StoredSet | None
    last_proof: Proof | None
    age: timedelta | None
    failed_tries: int
    reasons: tuple[Text, ...]

    @property
    def alarming(self) -> bool:
        """Tell whether somebody must see to it."""
        return self.state in ALARMING


def health(name: str, job: Job, catalogue: Catalogue, now: datetime, runs: Sequence[Run] = ()) -> Health:
    """Return how a backup is doing.

    Args:
        now: by the controller's clock, UTC.
        runs: the runs of the journal, newest first, of any operation; without them a run that failed before its
            first try is not seen.
    """
    sets, verified = catalogue.of(name), catalogue.verified(name)
    tries = [one for one in catalogue.tries if one.job == name]
    newest = sets[-1] if sets else None
    last_verified = verified[-1] if verified else None
    age = None if last_verified is None else max(now - catalogue.recorded[last_verified.id], timedelta())
    own = [run for run in runs if name in run.targets]
    found = [
        *_suspect(catalogue, newest, now),
        *_failed(name, catalogue, tries, own),
        *_stale(job, catalogue, newest, last_verified, now),
    ]
    if newest is None and not found:
        found.append((HealthState.NOT_RUN, T("No set of it was ever made.")))
    state, reasons = _settled(found, newest, last_verified, catalogue)
    under_way = next((run.id for run in own if run.ended_at is None and run.held_by is not None), None)
    if under_way is not None:
        reasons.append(T("{run} is under way.", run=under_way))
        if state not in {HealthState.FAILED, HealthState.SUSPECT, HealthState.STALE}:
            state = HealthState.RUNNING
    return Health(
        job=name,
        state=state,
        last_try=tries[-1] if tries else None,
        last_success=newest,
        last_verified=last_verified,
        last_proof=next((proof for proof in reversed(catalogue.proofs) if proof.job == name), None),
        age=age,
        failed_tries=_failed_in_a_row(tries),
        reasons=tuple(reasons),
    )


def _settled(
    found: Sequence[tuple[HealthState, Text]],
    newest: StoredSet | None,
    last_verified: StoredSet | None,
    catalogue: Catalogue,
) -> tuple[HealthState, list[Text]]:
    """Return the worst of what was found, or how good it is; the order of `found` is that of the alarm."""
    if found or newest is None:
        return found[0][0], [reason for _, reason in found]
    if last_verified is newest:
        proof = catalogue.last_proof(newest.id)
        assert proof is not None  # noqa: S101  # what is verified has a proof
        return HealthState.VERIFIED, [
            T("{set} was verified on {when:%Y-%m-%d at %H:%M}.", set=newest.id, when=proof.at.astimezone())
        ]
    return HealthState.OK_UNVERIFIED, [T("{set} is not verified yet.", set=newest.id)]


def _suspect(catalogue: Catalogue, newest: StoredSet | None, now: datetime) -> list[tuple[HealthState, Text]]:
    if newest is None:
        return []
    found = []
    proof = catalogue.last_proof(newest.id)
    if proof is not None and not proof.ok:
        why = proof.failed[0] if proof.failed else "-"
        found.append(T("{set} did not stand its verification: {why}", set=newest.id, why=why))
    ahead = catalogue.recorded[newest.id] - now
    if ahead > CLOCK_SLACK:
        found.append(
            T(
                "{set} is recorded {minutes} minutes after the present: the clock of this machine was moved.",
                set=newest.id,
                minutes=int(ahead.total_seconds() // 60),
            )
        )
    return [(HealthState.SUSPECT, reason) for reason in found]


def _failed(
    name: str, catalogue: Catalogue, tries: Sequence[Try], runs: Sequence[Run]
) -> list[tuple[HealthState, Text]]:
    found: list[Text] = []
    last = next((run for run in runs if run.operation in BACKUP_OPERATIONS), None)
    made = {stored.run for stored in catalogue.sets.values() if stored.job == name}
    if last is not None and last.id not in made and (last.ended_at is not None or last.held_by is None):
        why = last.errors.get(name) or last.error
        if last.ended_at is None:
            found.append(T("{run} was interrupted; finish it: dsi resume {run}", run=last.id))
        elif why is not None:
            found.append(T("{run} failed: {why}", run=last.id, why=why["what"]))
        else:
            found.append(T("{run} made no set.", run=last.id))
    elif tries and (error := tries[-1].error) is not None:
        found.append(T("The last try failed: {why}", why=error["what"]))
    failed = _failed_in_a_row(tries)
    if found and failed:
        found.append(TN("{n} try failed since the last good one.", "{n} tries failed since the last good one.", failed))
    return [(HealthState.FAILED, reason) for reason in found]


def _stale(
    job: Job, catalogue: Catalogue, newest: StoredSet | None, last_verified: StoredSet | None, now: datetime
) -> list[tuple[HealthState, Text]]:
    limit = job.verification.stale_after
    if newest is None:
        return []
    hours = round(limit.total_seconds() / 3600)
    if last_verified is not None:
        if now - catalogue.recorded[last_verified.id] <= limit:
            return []
        why = T("The newest verified set, {set}, is more than {hours} hours old.", set=last_verified.id, hours=hours)
        return [(HealthState.STALE, why)]
    first = next(stored for stored in catalogue.sets.values() if stored.job == newest.job)
    if now - catalogue.recorded[first.id] <= limit:
        return []
    return [(HealthState.STALE, T("No set was verified for more than {hours} hours.", hours=hours))]


def _failed_in_a_row(tries: Sequence[Try]) -> int:
    count = 0
    for one in reversed(tries):
        if one.error is None:
            break
        count += 1
    return count
