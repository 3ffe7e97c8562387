"""How applications are stopped, emptied and started: each act looks at its run's notes, and is done once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from dsi_automation.connectors.applications.errors import StillRunningError
from dsi_automation.connectors.applications.port import PortHolder, Started, Stopped
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import Clock, iso, parse_iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.application_model import Application
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.facts import look_at_servers
from dsi_automation.operations.applications.history import History
from dsi_automation.operations.applications.inputs import Wish
from dsi_automation.operations.tools import Hands, Look

if TYPE_CHECKING:
    from dsi_automation.connectors.applications.port import ServerReader

LOG_LINES: Final = 40
"""Lines of a log that are shown when something fails."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One run at work on one application.

    Attributes:
        target: the application.
        wish: what was asked of it.
    """

    target: str
    wish: Wish
    hands: Hands
    observer: Observer

    @property
    def look(self) -> Look:
        """Return the read half."""
        return self.hands.look

    @property
    def clock(self) -> Clock:
        """Return the time."""
        return self.hands.look.clock

    @property
    def application(self) -> Application:
        """Return the application, as the inventory describes it."""
        return self.hands.look.applications[self.target]

    def history(self) -> History:
        """Return what this run noted so far."""
        return History.of(self.hands.look.application_record(), self.hands.run, self.target)

    def note(self, name: str, data: Mapping[str, Json]) -> None:
        """Keep something in the run's record."""
        self.hands.note(self.target, name, data)

    def tell(self, kind: str, text: Text) -> None:
        """Tell whoever watches."""
        self.observer.notify(Event(kind, text, target=self.target))


def begin(doing: Doing, history: History, *, in_turn: bool) -> None:
    """Note that the run begins, and how: a resumed run goes on the same way, whatever it finds up or down then."""
    if history.in_turn is None:
        doing.note(notes.BEGUN, {"in_turn": in_turn})


def stop(server: str, doing: Doing, history: History) -> None:
    """Stop one server, and note when no server answered any more.

    Args:
        history: of this run, as it is now.

    Raises:
        StillRunningError: it does not stop; the last lines of its log are in the detail.
    """
    # Asked while it still runs: between a closed port and what follows there is no time to lose.
    others = [] if history.last(notes.DOWN) else _others_up(server, doing, history)
    stopped = bring_down(server, doing, history)
    if not others or doing.wish.since is not None:
        note_down(stopped.at, doing, history)


def note_down(at: datetime, doing: Doing, history: History) -> None:
    """Note that users cannot work, unless this run did."""
    if history.last(notes.DOWN) is None:
        wish = doing.wish
        since = None if wish.since is None else iso(wish.since)
        doing.note(notes.DOWN, {"at": iso(at), "planned": wish.planned, "why": wish.why, "since": since})


def bring_down(server: str, doing: Doing, history: History) -> Stopped:
    """Stop one server; one that this run stopped before it was cut short was down since it was told to."""
    cut = history.noted(notes.STOPPING, server) if history.state(server) == notes.STOPPING else None
    with doing.hands.server(doing.target, server, doing.target) as writer:
        since = parse_iso(cut.data["at"]) if cut is not None and writer.look().down else None
        if since is None:
            doing.note(notes.STOPPING, {"server": server, "at": iso(doing.clock.now())})
        try:
            stopped = writer.stop()
        except StillRunningError as error:
            error.detail["log"] = list(log_of(writer))
            raise
    if since is not None:
        stopped = Stopped(stopped.seconds, stopped.killed, since)
    killed = None if stopped.killed is None else holder_json(stopped.killed)
    doing.note(notes.STOPPED, {"server": server, "seconds": stopped.seconds, "killed": killed, "at": iso(stopped.at)})
    text = T("{server} stopped in {time}.", server=server, time=Seconds(stopped.seconds))
    if stopped.killed is not None:
        text = T(
            "{server} did not let its port go: process {pid} ({command}) was ended after {time}.",
            server=server,
            pid=stopped.killed.pid,
            command=stopped.killed.command,
            time=Seconds(stopped.seconds),
        )
    doing.tell("server.stopped", text)
    return stopped


def bring_up(server: str, doing: Doing, *, in_turn: bool = False) -> Started:
    """Start one server and wait until its port answers; one that this run started already is only waited for.

    Nothing is read before the order: its port is closed, and users wait.

    Raises:
        NotStartedError: it ended again, or its port did not answer in time.
    """
    doing.note(notes.STARTING, {"server": server, "at": iso(doing.clock.now()), "in_turn": in_turn})
    with doing.hands.server(doing.target, server, doing.target) as writer:
        started = writer.start()
    doing.note(notes.STARTED, {"server": server, "seconds": started.seconds, "at": iso(started.at)})
    time = Seconds(started.seconds)
    doing.tell("server.started", T("{server} answers after {time}.", server=server, time=time))
    return started


def empty_caches(server: str, doing: Doing) -> None:
    """Empty the caches of a stopped server."""
    from dsi_automation.core.quantities import Amount

    with doing.hands.server(doing.target, server, doing.target) as writer:
        removed = writer.empty_caches()
    doing.tell("caches.empty", T("{server}: {amount} of caches removed.", server=server, amount=Amount(removed)))


def log_of(reader: ServerReader, lines: int = LOG_LINES) -> tuple[str, ...]:
    """Return the last lines of a server's log; what hinders that is a line of its own."""
    try:
        return reader.log_tail(lines)
    except DsiError as error:
        return (str(error.what),)


def holder_json(holder: PortHolder) -> dict[str, Json]:
    """Return a process as the record keeps it."""
    return {"pid": holder.pid, "started_at": iso(holder.started_at), "command": holder.command, "user": holder.user}


def _others_up(server: str, doing: Doing, history: History) -> list[str]:
    others = [
        one.name for one in doing.application.servers if one.name != server and history.state(one.name) != notes.STOPPED
    ]
    seen, _ = look_at_servers(doing.target, others, doing.look)
    return [name for name in others if name in seen and seen[name].up]
