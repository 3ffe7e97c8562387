"""What an operation looks at before an application is stopped or started: servers, locks, conditions, the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dsi_automation.connectors.applications.port import ServerSeen
from dsi_automation.connectors.databases.port import LockedSession
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer, Silent
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Observed
from dsi_automation.inventory.application_model import Application
from dsi_automation.operations.applications import conditions
from dsi_automation.operations.applications.conditions import Condition
from dsi_automation.operations.applications.record import ApplicationRecord
from dsi_automation.operations.tools import Look


@dataclass(frozen=True, slots=True)
class Locks:
    """The sessions that hold locks, by the clock of their database.

    Attributes:
        now: of the database, when it was asked; None when it could not be.
        problem: why it could not be asked.
    """

    now: datetime | None = None
    sessions: tuple[LockedSession, ...] = ()
    problem: DsiError | None = None


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """What was found of one application.

    Attributes:
        servers: as they were seen, by name; `unseen` why one was not.
        locks: None where they were not asked for.
        before: what must be true before a stop, as it is; empty where nothing is stopped.
    """

    servers: Mapping[str, ServerSeen]
    unseen: Mapping[str, DsiError]
    locks: Locks | None = None
    before: tuple[Condition, ...] = ()

    def up(self, server: str) -> bool:
        """Tell whether a server answers users."""
        return server in self.servers and self.servers[server].up


@dataclass(frozen=True, slots=True)
class World:
    """What concerns all applications together.

    Attributes:
        now: by the controller's clock, UTC.
    """

    applications: Mapping[str, Application]
    record: ApplicationRecord
    now: datetime


type Seen = Observed[ApplicationFacts, World]


def observe(targets: Sequence[str], look: Look, observer: Observer, *, stops: bool) -> Seen:
    """Look at every application asked, at once, and within each at every server at once.

    Args:
        stops: whether it is to be stopped: locks and the conditions before a stop are then asked for too.
    """
    world = World(look.applications, look.application_record(), look.clock.now())

    def read(target: str) -> ApplicationFacts:
        seen, unseen = look_at_servers(target, [server.name for server in look.applications[target].servers], look)
        if not stops:
            return ApplicationFacts(seen, unseen)
        described = look.applications[target]
        locks = None if described.database is None else read_locks(target, look)
        return ApplicationFacts(seen, unseen, locks, conditions.ask(described.before, target, look))

    found = fan_out(targets, read, workers=look.workers, observer=observer)
    return Observed(found.results, found.failures, world)


def look_at_servers(
    target: str, servers: Sequence[str], look: Look
) -> tuple[Mapping[str, ServerSeen], Mapping[str, DsiError]]:
    """Look at servers of an application, at once; return what was seen, and why some were not."""

    def read(server: str) -> ServerSeen:
        with look.server(target, server) as reader:
            return reader.look()

    found = fan_out(servers, read, workers=look.workers, deadline=look.deadline, observer=Silent())
    return found.results, found.failures


def read_locks(target: str, look: Look) -> Locks:
    """Ask the database of an application who holds locks; one that does not answer is a finding, not an error."""
    tables = look.applications[target].locks.tables
    try:
        with look.database(target) as database:
            return Locks(database.now(), database.locked(tables))
    except DsiError as error:
        return Locks(problem=error)
