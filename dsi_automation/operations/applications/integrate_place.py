"""Where a release goes: the line of sources and the stage that an application is in, and the stage before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.source_model import Sources, Stage


@dataclass(frozen=True, slots=True)
class Place:
    """One stage of one line of sources.

    Attributes:
        source: name of the line in `dsi_sources`.
        before: the stage a release must have passed; None for the first.
    """

    source: str
    line: Sources
    stage: Stage
    before: Stage | None


def place_of(sources: Mapping[str, Sources], application: str, source: str | None) -> Place:
    """Return the stage that an application is.

    Args:
        source: the line, where the application is a stage of several.

    Raises:
        UsageError: it is a stage of no line, of several, or not of this one.
    """
    if source is not None and source not in sources:
        raise UsageError(T("dsi_sources has no “{name}”.", name=source), next_step=did_you_mean(source, sources))
    found = [
        _place(name, line, number)
        for name, line in sources.items()
        for number, stage in enumerate(line.stages)
        if stage.application == application and source in {None, name}
    ]
    if not found:
        raise UsageError(
            T("No line of sources has a stage for {application}.", application=application),
            on=application,
            next_step=T("Describe it under `stages` in dsi_sources; `dsi sources list` shows what there is."),
        )
    if len(found) > 1:
        names = ", ".join(place.source for place in found)
        raise UsageError(
            T("{application} is a stage of several lines of sources: {names}.", application=application, names=names),
            on=application,
            next_step=T("Say which: --source {name}", name=found[0].source),
        )
    return found[0]


def _place(name: str, line: Sources, number: int) -> Place:
    return Place(name, line, line.stages[number], line.stages[number - 1] if number else None)
