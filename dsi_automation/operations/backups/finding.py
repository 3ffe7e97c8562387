"""Which set is meant: by its identifier or its beginning, by a moment, or the newest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.core.errors import NotCompliantError
from dsi_automation.core.text import T
from dsi_automation.operations.backups.catalogue import Catalogue


def find_set(asked: str | None, job: str, catalogue: Catalogue) -> StoredSet:
    """Return the set of a backup that starts so; the newest when nothing is asked.

    Raises:
        NotCompliantError: there is none, several start so, or it was forgotten.
    """
    sets = catalogue.of(job)
    if asked is None:
        if sets:
            return sets[-1]
        raise _none(job)
    beginning = asked.strip().upper()
    found = [stored for stored in sets if stored.id.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    see = T("See what there is: dsi backup sets {job}", job=job)
    if found:
        several = ", ".join(stored.id for stored in found[:8])
        raise NotCompliantError(T("{set} is the beginning of several: {sets}.", set=asked, sets=several), next_step=see)
    if beginning in catalogue.forgotten:
        raise NotCompliantError(
            T("{set} was forgotten: the plan no longer wanted it kept.", set=beginning), on=job, next_step=see
        )
    raise NotCompliantError(T("{job} has no set {set}.", job=job, set=asked), on=job, next_step=see)


def best_set(job: str, catalogue: Catalogue, *, before: datetime | None = None) -> StoredSet:
    """Return the set to bring back: the newest verified one, else the newest one.

    Args:
        before: only sets whose backup had ended by then, UTC.

    Raises:
        NotCompliantError: there is none.
    """

    def newest(sets: Sequence[StoredSet]) -> StoredSet | None:
        able = [stored for stored in sets if before is None or stored.made.ended_at <= before]
        return able[-1] if able else None

    found = newest(catalogue.verified(job)) or newest(catalogue.of(job))
    if found is not None:
        return found
    if before is None:
        raise _none(job)
    raise NotCompliantError(
        T("{job} has no set from before {when:%Y-%m-%d at %H:%M}.", job=job, when=before.astimezone()),
        on=job,
        next_step=T("See what there is: dsi backup sets {job}", job=job),
    )


def _none(job: str) -> NotCompliantError:
    return NotCompliantError(
        T("There is no set of {job} yet.", job=job), on=job, next_step=T("Make one: dsi backup run {job}", job=job)
    )
