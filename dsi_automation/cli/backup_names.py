"""Names of backups and of sets as they are typed: found, completed, refused with what is near."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import argument
from dsi_automation.cli.completing import completed, completing
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    import click

    from dsi_automation.cli.session import Session
    from dsi_automation.connectors.backups.port import StoredSet
    from dsi_automation.inventory.backup_model import AnyJob
    from dsi_automation.operations.backups.catalogue import Catalogue


def jobs_of(session: Session, names: Sequence[str] = ()) -> Mapping[str, AnyJob]:
    """Return the backups named, or all of the plan.

    Raises:
        UsageError: the plan has none of that name, or none at all.
    """
    backups = session.toolkit.inventory.backup_plan.backups
    if not backups:
        raise UsageError(
            T("The inventory has no backup plan."),
            next_step=T("Describe it in group_vars/all.yml: dsi_repositories and dsi_backups; “dsi init” shows how."),
        )
    for name in names:
        if name not in backups:
            from dsi_automation.inventory.near import did_you_mean

            raise UsageError(
                T("The backup plan has no “{name}”.", name=name), on=name, next_step=did_you_mean(name, backups)
            )
    return {name: backups[name] for name in dict.fromkeys(names)} if names else backups


_completed_jobs = completing(jobs_of)


def catalogue_of(session: Session) -> Catalogue:
    """Return what there is, by the journal."""
    return session.toolkit.equipment.look().catalogue()


def set_named(beginning: str, catalogue: Catalogue) -> StoredSet:
    """Return the one set of any backup that starts so, forgotten or not.

    Raises:
        UsageError: none does, or several do.
    """
    asked = beginning.strip().upper()
    found = [stored for name, stored in catalogue.sets.items() if name.startswith(asked)] if asked else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            T("There is no set {set}.", set=beginning or "-"), next_step=T("See what there is: dsi backup sets")
        )
    raise UsageError(
        T("{set} is the beginning of several: {sets}.", set=beginning, sets=", ".join(one.id for one in found[:8])),
        next_step=T("Type a few more characters."),
    )


def job_argument(*, many: bool = False, required: bool = True) -> Callable[[Any], Any]:
    """Declare the names of backups as arguments, completed by the Tab key."""
    if many:
        metavar = T("BACKUP...") if required else T("[BACKUP...]")
        words = T("Names of the backup plan; all of it by default.") if not required else T("Names of the backup plan.")
        return argument(
            "names", nargs=-1, required=required, metavar=metavar, help=words, shell_complete=_completed_jobs
        )
    metavar = T("BACKUP") if required else T("[BACKUP]")
    return argument(
        "name", required=required, metavar=metavar, help=T("A name of the backup plan."), shell_complete=_completed_jobs
    )


def complete_sets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    """Return the sets that begin so, newest first."""
    name = ctx.params.get("name")

    def found(session: Session) -> Iterable[str]:
        catalogue = catalogue_of(session)
        kept = [one for one in catalogue.sets.values() if one.id not in catalogue.forgotten]
        return [one.id for one in reversed(kept) if name in {None, one.job}]

    return completed(ctx, found, incomplete)
