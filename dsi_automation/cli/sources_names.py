"""Lines of sources, releases and stages as they are typed: found, completed, refused with what is near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dsi_automation.cli.base import argument, option
from dsi_automation.cli.completing import completing
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.source_model import Sources, Stage


def lines_of(session: Session, name: str | None = None) -> Mapping[str, Sources]:
    """Return the lines of sources of the inventory, or the one named.

    Raises:
        UsageError: there is none of that name, or none at all.
    """
    known = session.toolkit.inventory.sources
    if not known:
        raise UsageError(
            T("The inventory has no sources."), next_step=T("Describe them in group_vars/all.yml: dsi_sources.")
        )
    if name is None:
        return known
    if name not in known:
        from dsi_automation.inventory.near import did_you_mean

        raise UsageError(T("dsi_sources has no “{name}”.", name=name), next_step=did_you_mean(name, known))
    return {name: known[name]}


def one_line(session: Session, name: str | None) -> tuple[str, Sources]:
    """Return the line named, or the only one there is.

    Raises:
        UsageError: there are several, and none was named.
    """
    found = lines_of(session, name)
    if len(found) > 1:
        raise UsageError(
            T("There are several lines of sources: {names}.", names=", ".join(found)),
            next_step=T("Say which: --source {name}", name=next(iter(found))),
        )
    return next(iter(found.items()))


def stage_named(source: str, line: Sources, name: str) -> Stage:
    """Return one stage of a line.

    Raises:
        UsageError: there is none of that name.
    """
    known = {stage.name: stage for stage in line.stages}
    if name not in known:
        from dsi_automation.inventory.near import did_you_mean

        raise UsageError(
            T("{source} has no stage “{name}”.", source=source, name=name), next_step=did_you_mean(name, known)
        )
    return known[name]


def _stages(session: Session) -> Iterable[str]:
    return dict.fromkeys(stage.name for line in session.toolkit.inventory.sources.values() for stage in line.stages)


def _releases(session: Session) -> Iterable[str]:
    names = dict[str, None]()
    for source in session.toolkit.inventory.sources:
        # A line whose releases cannot be read keeps none of another from being offered.
        with suppress(DsiError):
            names |= dict.fromkeys(session.toolkit.equipment.look().releases(source).names())
    return names


SOURCE: Final = option(
    "--source",
    metavar=T("SOURCE"),
    help=T("The line of sources, a name of dsi_sources; needed where there are several."),
    shell_complete=completing(lambda session: session.toolkit.inventory.sources),
)
RELEASE: Final = argument(
    "release", metavar=T("RELEASE"), help=T("Its version: 1.5.0."), shell_complete=completing(_releases)
)
STAGE: Final = argument(
    "stage", metavar=T("STAGE"), help=T("A stage of the line: test, formation."), shell_complete=completing(_stages)
)
