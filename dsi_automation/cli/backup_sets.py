"""`dsi backup sets|show|contents`: what there is, from when, whether it is proven, and what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsi_automation.cli.backup_names import catalogue_of, complete_sets, job_argument, jobs_of, set_named
from dsi_automation.cli.backup_plan import job_view, show_job
from dsi_automation.cli.backup_status import healths
from dsi_automation.cli.backup_views import (
    COLORS,
    ENTRIES,
    STATES,
    health_view,
    media_of,
    proof_cell,
    proof_color,
    set_view,
)
from dsi_automation.cli.base import argument, command
from dsi_automation.cli.moments import local, span
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dsi_automation.connectors.backups.port import StoredSet
    from dsi_automation.operations.backups.catalogue import Catalogue

type Window = tuple[datetime, datetime]


@command(
    "sets",
    T(
        "List what there is to bring back, and from when: each set, whether it is verified, which media hold it.\n\n"
        "For databases also between which moments they can be recovered."
    ),
)
@job_argument(many=True, required=False)
def sets(names: tuple[str, ...]) -> int:
    """List sets."""
    current = session()
    jobs, catalogue = jobs_of(current, names), catalogue_of(current)
    found = [stored for name in jobs for stored in reversed(catalogue.of(name))]
    windows = {
        name: window
        for name, job in jobs.items()
        if job.kind == "postgresql" and (window := _window(current, name, catalogue.of(name))) is not None
    }
    if current.choices.json:
        moments = {name: {"from": iso(start), "until": iso(end)} for name, (start, end) in windows.items()}
        rows = [set_view(stored, catalogue) for stored in found]
        current.out.data({"sets": rows, "recovery_windows": moments})
        return 0
    _show_sets(current, found, catalogue)
    for name, window in windows.items():
        start, end = span(*window)
        current.out.line(
            T("{name} can be recovered to any moment from {start} to {end}.", name=name, start=start, end=end)
        )
    return 0


def _show_sets(session: Session, found: Sequence[StoredSet], catalogue: Catalogue) -> None:
    from dsi_automation.operations.backups.facts import amount

    if not found:
        session.out.line(T("There is no set yet. Make one: dsi backup run {name}", name=T("BACKUP")))
        return
    session.out.table(
        (T("Set"), T("Backup"), T("Since"), T("Files"), T("Size"), T("Verified"), T("Media")),
        [
            (
                stored.id,
                stored.job,
                local(catalogue.recorded[stored.id]),
                stored.made.files,
                amount(stored.made.size),
                proof_cell(stored, catalogue),
                ", ".join(media_of(stored, catalogue)) or None,
            )
            for stored in found
        ],
        [proof_color(stored, catalogue) for stored in found],
    )


def _window(session: Session, name: str, kept: Sequence[StoredSet]) -> Window | None:
    """Return what can be recovered; a repository that does not answer is told, and hides no set."""
    if not kept:
        return None
    try:
        with Progress([name]), session.toolkit.equipment.look().backup(name) as reader:
            return reader.recovery_window(kept)
    except DsiError as error:
        session.out.note(T("{name}: {reason}", name=name, reason=error.what), fg="yellow")
        return None


@command("show", T("Show a backup of the plan, or one set: what is recorded of it, its verification, its media."))
@argument("name", metavar=T("BACKUP|SET"), help=T("A name of the backup plan, or a set."), shell_complete=complete_sets)
def show(name: str) -> int:
    """Show a backup or a set."""
    current = session()
    if name not in current.toolkit.inventory.backup_plan.backups and name.upper().startswith("SET-"):
        catalogue = catalogue_of(current)
        return _show_set(current, set_named(name, catalogue), catalogue)
    (job,) = jobs_of(current, (name,)).values()
    (health,) = healths(current, (name,))
    if current.choices.json:
        current.out.data({**job_view(current, name, job), "health": health_view(health)})
        return 0
    show_job(current, name, job)
    current.out.line(T("State: {state}", state=STATES[health.state]), fg=COLORS[health.state] or None)
    for reason in health.reasons:
        current.out.line(reason, indent=2)
    return 0


def _show_set(session: Session, stored: StoredSet, catalogue: Catalogue) -> int:
    from dsi_automation.operations.backups.facts import size_words

    if session.choices.json:
        session.out.data(set_view(stored, catalogue))
        return 0
    made, proof, out = stored.made, catalogue.last_proof(stored.id), session.out
    out.line(T("{set} of {job}", set=stored.id, job=stored.job), bold=True)
    if stored.id in catalogue.forgotten:
        out.line(T("It was forgotten: it can no longer be brought back from the repository."), fg="yellow")
    out.line(T("Recorded on {when}, by {run}", when=local(catalogue.recorded[stored.id]), run=stored.run))
    start, end = span(made.started_at, made.ended_at)
    out.line(T("Made from {start} to {end} by {engine}", start=start, end=end, engine=made.engine))
    out.line(size_words(made.files, made.size))
    out.line(T("Snapshots: {names}", names=", ".join([made.snapshot, *made.extra_snapshots])))
    out.line(T("SHA-256 of the manifest: {sha}", sha=made.manifest))
    out.line(T("Verified: {proof}", proof=proof_cell(stored, catalogue)), fg=proof_color(stored, catalogue) or None)
    for failed in () if proof is None else proof.failed:
        out.line(failed, indent=2, fg="red")
    for medium in media_of(stored, catalogue):
        out.line(T("On the medium {medium}", medium=medium))
    for warning in made.warnings:
        out.line(warning, fg="yellow")
    return 0


@command(
    "contents",
    T("List what a set holds under a folder; for a database, what can be brought back. Reads the repository."),
)
@argument("set_id", metavar=T("SET"), help=T("The set; its beginning is enough."), shell_complete=complete_sets)
@argument("path", required=False, default="/", metavar=T("[PATH]"), help=T("The folder; the top by default."))
def contents(set_id: str, path: str) -> int:
    """List the content of a set."""
    from dsi_automation.operations.backups.facts import amount

    current = session()
    stored = set_named(set_id, catalogue_of(current))
    with Progress([stored.job]) as progress:
        progress.notify(Event("contents.wait", T("Reading the repository."), target=stored.job))
        with current.toolkit.equipment.look().backup(stored.job) as reader:
            found = reader.contents(stored, path)
    if current.choices.json:
        rows: list[dict[str, Any]] = [
            {
                "path": one.path,
                "kind": one.kind,
                "size": one.size,
                "modified": None if one.modified is None else iso(one.modified),
            }
            for one in found
        ]
        current.out.data({"set": stored.id, "path": path, "contents": rows})
        return 0
    if not found:
        current.out.line(T("{set} holds nothing under {path}.", set=stored.id, path=path))
        return 0
    current.out.table(
        (T("Name"), T("Kind"), T("Size"), T("Changed")),
        [
            (
                one.path,
                ENTRIES.get(one.kind, one.kind),
                None if one.kind == "dir" else amount(one.size),
                None if one.modified is None else local(one.modified),
            )
            for one in found
        ],
    )
    return 0
