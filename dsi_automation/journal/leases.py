"""Leases: who holds a target, until when, under which fencing number. The only rows that change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, insert, select, update

from dsi_automation.core.clock import iso
from dsi_automation.core.text import T
from dsi_automation.journal.errors import LeaseHeldError, LeaseLostError
from dsi_automation.journal.model import Lease
from dsi_automation.journal.owner import describe, is_dead
from dsi_automation.journal.schema import leases as table

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OF_TARGET: Final = select(table).where(table.c.target == bindparam("asked_target"))
"""Built once: every entry of a run is written after it."""


def acquire(
    connection: Connection, now: datetime, targets: Sequence[str], run_id: str, owner: str, person: str, ttl: timedelta
) -> Sequence[Lease]:
    """Take the leases of all targets, or none. The caller's transaction keeps others out meanwhile.

    Raises:
        LeaseHeldError: somebody else holds one of them.
    """
    wanted = list(dict.fromkeys(targets))
    rows = connection.execute(select(table).where(table.c.target.in_(wanted))).mappings().all()
    for row in rows:
        if _held(row, now) and (row["owner"], row["run_id"]) != (owner, run_id):
            raise _held_by(_lease(row))
    known = {row["target"] for row in rows}
    fence = int(connection.execute(select(func.coalesce(func.max(table.c.fence), 0))).scalar_one())
    taken = []
    for number, target in enumerate(wanted, start=fence + 1):
        lease = Lease(target, run_id, owner, person, number, now + ttl)
        values = _values(lease)
        if target in known:
            connection.execute(update(table).where(table.c.target == target).values(values))
        else:
            connection.execute(insert(table).values(values))
        taken.append(lease)
    return taken


def renew(connection: Connection, now: datetime, leases: Sequence[Lease], ttl: timedelta) -> Sequence[Lease]:
    """Prolong leases.

    Raises:
        LeaseLostError: one of them is somebody else's by now, or was given back.
    """
    renewed = []
    for lease in leases:
        ensure(connection, lease)
        longer = Lease(lease.target, lease.run_id, lease.owner, lease.person, lease.fence, now + ttl)
        connection.execute(update(table).where(table.c.target == lease.target).values(_values(longer)))
        renewed.append(longer)
    return renewed


def release(connection: Connection, leases: Sequence[Lease]) -> None:
    """Give back leases; the row stays, for its number. One already lost is passed over."""
    for lease in leases:
        connection.execute(
            update(table)
            .where(table.c.target == lease.target, table.c.fence == lease.fence)
            .values(owner=None, run_id=None, person=None, expires_at=0.0)
        )


def ensure(connection: Connection, lease: Lease) -> None:
    """Make sure that a lease is still its holder's. One that expired and that nobody took still is.

    Raises:
        LeaseLostError: it is not.
    """
    row = connection.execute(_OF_TARGET, {"asked_target": lease.target}).mappings().one_or_none()
    if row is not None and (row["owner"], row["fence"], row["run_id"]) == (lease.owner, lease.fence, lease.run_id):
        return
    holder = None if row is None or row["owner"] is None else _lease(row)
    raise LeaseLostError(
        T("This run no longer holds {target}: it was taken over.", target=lease.target)
        if holder
        else T("This run no longer holds {target}: it was given back.", target=lease.target),
        on=lease.target,
        next_step=T("Nothing more was written. Look at `dsi runs`, then resume the run that is not finished."),
        detail={} if holder is None else _detail(holder),
    )


def holders(connection: Connection, now: datetime) -> Sequence[Lease]:
    """Return the leases held at this moment, by target."""
    rows = connection.execute(select(table).where(table.c.owner.is_not(None)).order_by(table.c.target)).mappings()
    return [_lease(row) for row in rows if _held(row, now)]


def _held(row: Any, now: datetime) -> bool:
    return row["owner"] is not None and row["expires_at"] > now.timestamp() and not is_dead(row["owner"])


def _lease(row: Any) -> Lease:
    expires = datetime.fromtimestamp(row["expires_at"], UTC)
    return Lease(row["target"], row["run_id"], row["owner"], row["person"], row["fence"], expires)


def _values(lease: Lease) -> dict[str, Any]:
    return {
        "target": lease.target,
        "fence": lease.fence,
        "run_id": lease.run_id,
        "owner": lease.owner,
        "person": lease.person,
        "expires_at": lease.expires_at.timestamp(),
    }


def _held_by(holder: Lease) -> LeaseHeldError:
    return LeaseHeldError(
        T(
            "{target} is held by {person}: run {run}, on {where}, until {until}.",
            target=holder.target,
            person=holder.person,
            run=holder.run_id,
            where=describe(holder.owner),
            until=iso(holder.expires_at),
        ),
        on=holder.target,
        next_step=T("Wait for that run to end, or ask its person; nothing was done here."),
        detail=_detail(holder),
    )


def _detail(holder: Lease) -> dict[str, Any]:
    return {
        "target": holder.target,
        "run": holder.run_id,
        "person": holder.person,
        "owner": holder.owner,
        "until": iso(holder.expires_at),
    }
