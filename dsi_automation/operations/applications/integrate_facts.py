"""What is looked at before a release is integrated: the release, its scripts, the application, the stage before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.engine.operation import Observed
from dsi_automation.operations.applications import facts as application_facts
from dsi_automation.operations.applications import integrate_table
from dsi_automation.operations.applications.facts import ApplicationFacts, World
from dsi_automation.operations.applications.integrate_inputs import IntegrateInputs
from dsi_automation.operations.applications.integrate_place import Place, place_of
from dsi_automation.operations.applications.integrate_table import Applied

if TYPE_CHECKING:
    from dsi_automation.connectors.releases.port import Release, ReleaseStore
    from dsi_automation.engine.model import Acceptance
    from dsi_automation.operations.backups.catalogue import Catalogue
    from dsi_automation.operations.tools import Look


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What was found of one application and of the release it is to get.

    Attributes:
        release: whose checksum and signature hold; None when `problem` says why there is none.
        unfit: scripts that cannot be run whole in one transaction, and why.
        applied: the scripts of the line that the database has; None when `unread` says why that is not known.
        acceptances: the last word about each release and stage of the line.
    """

    application: ApplicationFacts
    place: Place
    release: Release | None
    problem: DsiError | None
    unfit: Mapping[str, DsiError]
    applied: tuple[Applied, ...] | None
    unread: DsiError | None
    acceptances: Mapping[tuple[str, str], Acceptance]


@dataclass(frozen=True, slots=True)
class SourceWorld:
    """What concerns all applications together."""

    base: World
    catalogue: Catalogue


type Seen = Observed[SourceFacts, SourceWorld]


def observe(targets: Sequence[str], inputs: IntegrateInputs, look: Look, observer: Observer) -> Seen:
    """Look at every application asked, at its database, and at the release."""
    seen = application_facts.observe(targets, look, observer, stops=True)
    found: dict[str, SourceFacts] = {}
    failures = dict(seen.failures)
    for target, application in seen.facts.items():
        try:
            place = place_of(look.sources, target, inputs.source)
            found[target] = _facts(target, application, place, inputs, look)
        except DsiError as error:
            failures[target] = error
    return Observed(found, failures, SourceWorld(seen.shared, look.catalogue()))


def read_applied(target: str, source: str, look: Look) -> tuple[Applied, ...]:
    """Return the scripts of a line of sources that an application's database has; none without a database.

    Raises:
        DsiError: it does not answer.
    """
    if look.applications[target].database is None:
        return ()
    with look.database(target) as database:
        return integrate_table.read(database, source)


def links(target: str, look: Look) -> Mapping[str, str | None]:
    """Return the release that each server's link points to.

    Raises:
        DsiError: a server cannot be looked at.
    """
    names = [server.name for server in look.applications[target].servers]
    seen, unseen = application_facts.look_at_servers(target, names, look)
    for error in unseen.values():
        raise error
    return {name: seen[name].release for name in names}


def _facts(
    target: str, application: ApplicationFacts, place: Place, inputs: IntegrateInputs, look: Look
) -> SourceFacts:
    store = look.releases(place.source)
    release: Release | None = None
    problem: DsiError | None = None
    unfit: Mapping[str, DsiError] = {}
    try:
        release = store.release(inputs.release)
        unfit = _unfit(release, store)
    except DsiError as error:
        problem = error
    applied: tuple[Applied, ...] | None = None
    unread: DsiError | None = None
    try:
        applied = read_applied(target, place.source, look)
    except DsiError as error:
        unread = error
    return SourceFacts(application, place, release, problem, unfit, applied, unread, look.acceptances(place.source))


def _unfit(release: Release, store: ReleaseStore) -> Mapping[str, DsiError]:
    """Return the scripts and undo scripts that could not be run: better known now than while users wait."""
    from dsi_automation.connectors.databases.scripts import statements

    found: dict[str, DsiError] = {}
    for script in release.scripts:
        for file in (script.file, script.undo):
            if file is None:
                continue
            try:
                statements(store.text(release, file))
            except DsiError as error:
                found[file] = error
    return found
