"""Puts one database back in its place on the running server: loaded beside the old one, compared, then renamed.

Nothing is written over and nothing is dropped but what a killed run of ours left on its way. The old database keeps
all it holds, under the name `<database>_avant_<yyyymmdd_hhmm>`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups.port import Progress, Restored, RestoreOrder, StoredSet
from dsi_automation.connectors.backups.postgresql.client import Place, failure, identifier, literal, script
from dsi_automation.connectors.backups.postgresql.contents import compare, contents
from dsi_automation.connectors.backups.postgresql.details import Details
from dsi_automation.connectors.backups.postgresql.findings import Findings
from dsi_automation.connectors.backups.postgresql.live import Live, with_mark
from dsi_automation.connectors.backups.postgresql.proof import Tools
from dsi_automation.connectors.backups.postgresql.restoring import fitting, recovered, set_brought_back
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.text import T

SOURCE: Final = "PostgreSQL"


@dataclass(frozen=True, slots=True)
class Back:
    """One database on its way back.

    Attributes:
        may_write: asks the permit, before anything is changed on the running server.
    """

    tools: Tools
    stored: StoredSet
    details: Details
    order: RestoreOrder
    live: Live
    may_write: Callable[[], None]
    progress: Progress


def checked(order: RestoreOrder, details: Details, tools: Tools) -> tuple[str, Place]:
    """Make sure that an order can be carried out; return the database, and the server as who may change it.

    Raises:
        UsageError: it cannot, with what to ask for or to set instead.
        RefusedError: the order does not say that what is there may be replaced.
    """
    fitting(order, details)
    if order.database is None:
        raise UsageError(
            T("A running cluster is never written over, and the inventory does not say where its files are."),
            next_step=T("Bring it back to an empty folder; its README says how to put it in the original's place."),
        )
    place = tools.programs.restorer
    if place is None:
        raise UsageError(
            T("The inventory names no role that may put a database of {server} back.", server=tools.settings.server),
            next_step=T(
                "Set restore_user and restore_password of the backup, or bring the database back to a folder, as "
                "a dump."
            ),
        )
    if not order.overwrite:
        raise RefusedError(
            T("{name} would take the place of what is there.", name=order.database),
            next_step=T("Ask for it in place, which has an approval of its own, or name a destination."),
        )
    return order.database, place


def put_back(back: Back, work: Path) -> Restored:
    """Put the database back.

    Raises:
        RefusedError: somebody is connected to the database; the server is another one; the role may not.
        UsageError: the moment is outside of what the logs hold.
        BackupFailedError: what was brought back does not start, or the running server does not take it.
    """
    live, findings = back.live, Findings(back.tools.common.name)
    done = _done(live)
    if done is not None:
        # A run that was killed after the swap has nothing left to do.
        return _restored(back, done, None, findings)
    live.refuse_wrong_server(back.details.system_identifier)
    # Told before hours of work, and again at the swap.
    live.refuse_sessions()
    comment = ""
    there = set_brought_back(back.tools, back.stored, back.details, back.progress, work, findings)
    with recovered(back.tools, back.details, back.order, back.progress, there, work, findings) as (server, reached):
        if findings.ok:
            comment = _loaded(back, server, work)
            back.progress(T("Comparing."), None, None)
            expected = contents(back.tools.programs, server, live.new)
            compare(expected, contents(back.tools.programs, live.place, live.new), findings, SOURCE)
    if findings.ok:
        try:
            live.refuse_sessions()
            back.may_write()
            live.swap(back.tools.clock.now(), comment)
        except RefusedError:
            live.drop(live.new)
            raise
    else:
        live.drop_leftovers()
    return _restored(back, _done(live), reached, findings)


def _loaded(back: Back, server: Place, work: Path) -> str:
    """Load the database beside the old one; return its own comment.

    In the scratch cluster it gets its new name and our line first: its archive then makes it under that name, with
    its encoding, owner, rights and settings.
    """
    live, programs = back.live, back.tools.programs
    scratch = Live(programs, server, live.database, live.of, live.run)
    comment = scratch.databases()[live.database].comment
    marked = literal(with_mark(comment, live.loading))
    programs.ask(
        script(
            [
                f"ALTER DATABASE {identifier(live.database)} RENAME TO {identifier(live.new)}",
                f"COMMENT ON DATABASE {identifier(live.new)} IS {marked}",
            ]
        ),
        server,
    )
    dump = work / "in-place.dump"
    back.progress(T("Writing the database out of the restored cluster."), None, None)
    done = programs.run("pg_dump", "-Fc", "--compress=1", "-f", str(dump), "-d", live.new, place=server)
    if done.status != 0:
        raise failure("pg_dump", done)
    back.may_write()
    live.drop_leftovers()
    back.progress(T("Loading the database beside the one that is there."), None, None)
    done = programs.run(
        "pg_restore", "--create", "--exit-on-error", "-d", live.place.environment["PGDATABASE"], str(dump),
        place=live.place,
    )  # fmt: skip
    if done.status != 0:
        live.drop_leftovers()
        raise failure("pg_restore", done)
    return comment


def _done(live: Live) -> str | None:
    known = live.databases().get(live.database)
    return known.mark if known is not None and known.mark.startswith(live.done) else None


def _restored(back: Back, done: str | None, reached: str | None, findings: Findings) -> Restored:
    live, settings = back.live, back.tools.settings
    if findings.ok:
        findings.add(
            "in_place",
            T("The name is that of the database brought back"),
            live.done,
            done or "-",
            ok=done is not None,
            source=SOURCE,
        )
    aside = None if done is None else done.partition(", before: ")[2] or None
    where = f"{live.database} ({settings.server}:{settings.port})"
    place = T("{where}; the database as it was is kept as {aside}", where=where, aside=aside) if aside else where
    told = {"system_identifier": back.details.system_identifier, "recovered_to": reached, "kept_as": aside}
    size = back.details.databases.get(live.database, 0)
    return Restored(str(place), 1, size, tuple(findings.checks), told)
