"""The sessions whose locks a user meets, and how one of them is ended.

What a user meets. A lock on a table counts when it is stronger than reading (ACCESS SHARE), is held and not only waited
for, and belongs to a client's session: that is what makes another user's screen wait.

- Locks on rows leave no trace in `pg_locks` but on the row itself; what shows is the lock on the table that comes with
  them. `SELECT ... FOR UPDATE`, the usual way in which an application keeps a declaration for whoever has it open,
  takes ROW SHARE: so ROW SHARE counts. INSERT, UPDATE and DELETE take ROW EXCLUSIVE. Both mean: some rows of that table
  are held, until the transaction ends. Which ones cannot be asked without reading the whole table.
- A row that a foreign key points to is held by whoever inserts what points to it; its table is named as well.
- Autovacuum gives way by itself and counts for nothing; temporary tables and the system's are nobody else's.
- A transaction prepared for two-phase commit holds locks without a session: there is none to end, and none is shown.

(PostgreSQL manual, 13.3 "Explicit Locking", 54.12 `pg_locks`, 28.2.3 `pg_stat_activity`.)
"""

from __future__ import annotations

from typing import Final

from dsi_automation.connectors.databases.port import LockedSession, Row
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.text import T

LOCKED: Final = """
WITH held AS (
    SELECT l.pid, array_agg(DISTINCT n.nspname || '.' || c.relname) AS objects
    FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_class c ON c.oid = l.relation
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE l.locktype = 'relation' AND l.granted AND l.mode <> 'AccessShareLock'
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND l.pid <> pg_catalog.pg_backend_pid()
      AND c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    GROUP BY l.pid
), waits AS (
    SELECT b.pid, count(DISTINCT w.pid) AS waiting
    FROM pg_catalog.pg_stat_activity w, pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS b(pid)
    WHERE w.wait_event_type = 'Lock'
    GROUP BY b.pid
)
SELECT a.pid, a.backend_start AS began_at, a.usename::text AS login, a.application_name AS program,
    pg_catalog.host(a.client_addr) AS client, a.state IN ('active', 'fastpath function call') AS working,
    a.query_start, a.state_change, a.xact_start, pg_catalog.array_to_json(h.objects)::text AS objects,
    coalesce(w.waiting, 0) AS waiting
FROM held h
JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
LEFT JOIN waits w ON w.pid = h.pid
WHERE a.backend_type = 'client backend' OR a.backend_start IS NULL
ORDER BY a.xact_start, a.pid
"""

END: Final = """
SELECT backend_start IS NULL AS hidden,
    CASE WHEN backend_start = :began_at THEN pg_catalog.pg_terminate_backend(pid) END AS ended
FROM pg_catalog.pg_stat_activity
WHERE pid = :pid AND pid <> pg_catalog.pg_backend_pid() AND (backend_start = :began_at OR backend_start IS NULL)
"""
"""Looks and ends in one statement: a number that is used again in between is another session's."""

STILL_THERE: Final = """
SELECT 1 AS one FROM pg_catalog.pg_stat_activity WHERE pid = :pid AND backend_start = :began_at
"""


def session(row: Row, objects: tuple[str, ...], application_user: str | None) -> LockedSession:
    """Return one row of `LOCKED`."""
    working = bool(row["working"])
    changed = row["query_start"] if working else row["state_change"]
    values = {
        "pid": row["pid"],
        "began_at": row["began_at"],
        "user": row["login"] or "",
        # As ps and pg_stat_activity's own tools show a Unix socket.
        "client": row["client"] or "[local]",
        "program": row["program"] or "",
        "working": working,
        "objects": objects,
        "since": changed or row["began_at"],
        "transaction_since": row["xact_start"] or changed or row["began_at"],
        "waiting": row["waiting"],
        "own": application_user is not None and row["login"] == application_user,
    }
    return LockedSession(**values)  # type: ignore[arg-type]  # the query's columns have these types


def hidden(name: str) -> RefusedError:
    """Return the error for a role that sees that there are sessions, but not whose and since when."""
    return RefusedError(
        T("The role that looks at the database of {name} may not see what other sessions do.", name=name),
        next_step=T("Make it a member of pg_monitor: GRANT pg_monitor TO its name."),
    )
