"""Which set is brought back, what of it, and where: pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from dsi_automation.connectors.backups.port import BackupReader, RepositoryFacts, RestoreOrder, StoredSet
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.errors import NotCompliantError
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.backup_model import FilesBackup, OracleBackup, PostgresBackup
from dsi_automation.operations.backups import landing, planning
from dsi_automation.operations.backups.facts import BackupFacts, Landing, World, missing_from
from dsi_automation.operations.backups.finding import best_set, find_set
from dsi_automation.operations.decided import Decided

RESTORE: Final = "restore"
IN_PLACE: Final = "restore_in_place"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked to be brought back; see `RestoreInputs`. Moments are UTC."""

    set: str | None = None
    at: datetime | None = None
    paths: tuple[str, ...] = ()
    destination: str | None = None
    in_place: bool = False
    database: str | None = None
    until: datetime | None = None


def decide(
    target: str, wish: Wish, found: BackupFacts, world: World, chosen: str | None, *, anew: bool = True
) -> Decided:
    """Return what is brought back of one backup, and why.

    Args:
        chosen: the set that was approved, when this is decided again in a run.
        anew: whether nothing was approved yet: a run that was interrupted finds what it put there itself.
    """
    decided = Decided()
    decided.blockers += planning.repository_blockers(target, found.repository, world)
    decided.blockers += _unfitting(target, wish, world)
    try:
        stored = _choose(target, wish, world, chosen)
    except NotCompliantError as error:
        decided.blockers.append(Blocker(target, error.what, error.next_step or T("Name another set.")))
        return decided
    decided.blockers += _unreachable_moment(target, wish, found)
    if anew and found.landing is not None:
        decided.blockers += landing.blockers(target, found.landing)
    if found.repository.exists and missing_from(found.repository, [stored]):
        decided.blockers.append(
            Blocker(
                target,
                T("{set} is no longer in the repository.", set=stored.id),
                T("Choose another set, or bring it back from a medium: dsi backup sets {job}", job=target),
            )
        )
    decided.non_actions += planning.told(target, found, world)
    decided.non_actions += _newer(target, stored, world)
    decided.actions.append(_action(target, wish, stored, world))
    return decided


def order_of(action: Action) -> RestoreOrder:
    """Return what an approved action orders."""
    args, until = action.args, action.args["until"]
    paths = args["paths"]
    return RestoreOrder(
        paths=tuple(str(path) for path in paths) if isinstance(paths, list) else (),
        destination=None if args["destination"] is None else str(args["destination"]),
        until=None if until is None else parse_iso(str(until)),
        database=None if args["database"] is None else str(args["database"]),
        overwrite=action.kind == IN_PLACE,
    )


def look_ahead(
    target: str, wish: Wish, reader: BackupReader, repository: RepositoryFacts, world: World
) -> Landing | None:
    """Look where a wish would be fulfilled; None where the plan is blocked by something else anyway."""
    try:
        stored = _choose(target, wish, world, None)
    except NotCompliantError:
        return None
    if not repository.exists or missing_from(repository, [stored]):
        return None
    place = _destination(target, wish, stored, world)
    all_of_it = not wish.paths and wish.database is None
    return landing.look(world.job(target), stored, wish.paths, place, reader, all_of_it=all_of_it)


def _choose(target: str, wish: Wish, world: World, chosen: str | None) -> StoredSet:
    if chosen is not None:
        return find_set(chosen, target, world.catalogue)
    if wish.set is not None:
        return find_set(wish.set, target, world.catalogue)
    limits = [moment for moment in (wish.at, wish.until) if moment is not None]
    return best_set(target, world.catalogue, before=min(limits) if limits else None)


def _unfitting(target: str, wish: Wish, world: World) -> Iterator[Blocker]:
    """Yield what is asked that this kind of backup cannot do."""
    job = world.job(target)
    if isinstance(job, FilesBackup):
        wrong = [name for name, value in (("database", wish.database), ("until", wish.until)) if value is not None]
        if wrong:
            yield Blocker(
                target,
                T("{target} is a backup of files: {names} is for databases.", target=target, names=", ".join(wrong)),
                T("Choose the set by “at” instead, and what of it by “paths”."),
            )
    elif wish.paths:
        yield Blocker(
            target,
            T("{target} is a backup of a database: it has no paths to choose from.", target=target),
            T("Leave “paths” out; choose one database of a cluster by “database”."),
        )
    if isinstance(job, OracleBackup) and wish.database is not None:
        yield Blocker(
            target,
            T("{target} is one Oracle database: it is brought back whole.", target=target),
            T("Leave “database” out."),
        )
    if isinstance(job, PostgresBackup) and wish.in_place:
        yield from _never_over(target, wish, job)


def _never_over(target: str, wish: Wish, job: PostgresBackup) -> Iterator[Blocker]:
    """Yield why nothing of a running cluster can be put back in place."""
    if wish.database is None:
        yield Blocker(
            target,
            T("A running cluster is never written over."),
            T(
                "Bring it back to a folder: its README says how the DBA puts it in the original's place. Or name one "
                "“database”."
            ),
        )
    if job.restore_user is None:
        yield Blocker(
            target,
            T("The inventory names no role that may put a database of {server} back.", server=job.server),
            T("Set restore_user and restore_password of the backup, or bring the database back to a folder."),
        )


def _unreachable_moment(target: str, wish: Wish, found: BackupFacts) -> Iterator[Blocker]:
    if wish.until is None:
        return
    if found.window is None:
        yield Blocker(
            target,
            T("This backup cannot be brought back to a moment between its sets."),
            T("Leave “until” out: the set's own moment is what there is."),
        )
        return
    first, last = found.window
    if not first <= wish.until <= last:
        yield Blocker(
            target,
            T(
                "{moment:%Y-%m-%d at %H:%M:%S} is outside what can be recovered: from {first:%Y-%m-%d at %H:%M:%S} to "
                "{last:%Y-%m-%d at %H:%M:%S}.",
                moment=wish.until.astimezone(),
                first=first.astimezone(),
                last=last.astimezone(),
            ),
            T("Choose a moment in between."),
        )


def _newer(target: str, stored: StoredSet, world: World) -> Iterator[NonAction]:
    """Yield that there is something newer than what is brought back, and why it is not taken."""
    newest = world.catalogue.of(target)[-1]
    if newest.id != stored.id:
        yield NonAction(target, "newer_set", T("There is a newer set: {set}.", set=planning.set_words(newest, world)))


def _action(target: str, wish: Wish, stored: StoredSet, world: World) -> Action:
    destination = _destination(target, wish, stored, world)
    args: dict[str, Json] = {
        "set": stored.id,
        "snapshot": stored.made.snapshot,
        "paths": list(wish.paths),
        "destination": destination,
        "database": wish.database,
        "until": None if wish.until is None else iso(wish.until),
    }
    what = _what(wish)
    if wish.in_place and wish.database is not None:
        return Action(
            target,
            IN_PLACE,
            args,
            T("Put {what} of {set} back IN PLACE on the running server", what=what, set=stored.id),
            T(
                "It was asked for in place. {set}. What is there is renamed, and kept.",
                set=planning.set_words(stored, world),
            ),
            T("Rename both databases back; the one that is there now is never removed."),
        )
    if wish.in_place:
        return Action(
            target,
            IN_PLACE,
            args,
            T("Bring back {what} of {set} IN PLACE, over what is there", what=what, set=stored.id),
            T("It was asked for in place. {set}.", set=planning.set_words(stored, world)),
        )
    return Action(
        target,
        RESTORE,
        args,
        T("Bring back {what} of {set} to {place}", what=what, set=stored.id, place=destination),
        T("It was asked for. {set}.", set=planning.set_words(stored, world)),
        T("Remove {place}.", place=destination),
    )


def _destination(target: str, wish: Wish, stored: StoredSet, world: World) -> str | None:
    return None if wish.in_place else wish.destination or default_destination(target, stored, world)


def default_destination(target: str, stored: StoredSet, world: World) -> str:
    """Return where a set is brought back to when nobody says: a new folder beside the scratch folder."""
    beside = PurePosixPath(world.settings.scratch_dir.replace("\\", "/").rstrip("/"))
    return str(beside.with_name(f"{beside.name}-restored") / target / stored.id)


def _what(wish: Wish) -> Text:
    if wish.paths:
        what = T("{paths}", paths=", ".join(wish.paths))
    elif wish.database is not None:
        what = T("the database {name}", name=wish.database)
    else:
        what = T("all")
    if wish.until is None:
        return what
    return T("{what}, as it was on {moment:%Y-%m-%d at %H:%M:%S},", what=what, moment=wish.until.astimezone())
