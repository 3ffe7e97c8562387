"""The engine that tells: every end of a run people wait for makes a mail, good or bad, and changes no outcome.

Who tells what of which operations is in `backup_telling` (a report) and `application_telling` (available or not);
here is what they share: hearing of an end, telling of it once, making up for a process that was killed.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dsi_automation.composition.application_telling import ApplicationTeller
from dsi_automation.composition.backup_telling import BackupTeller
from dsi_automation.composition.mails import Mails
from dsi_automation.composition.network_telling import NetworkTeller
from dsi_automation.composition.told import Told
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer, Silent
from dsi_automation.core.text import T, Text, speaking
from dsi_automation.engine.engine import GatedEngine

if TYPE_CHECKING:
    from dsi_automation.composition.outbox import Flushed, Outbox
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.core.plan import Plan
    from dsi_automation.engine.model import Request, Run, StandingBounds, Window
    from dsi_automation.operations.applications.announcing import Announcement


class RunTeller(Protocol):
    """Tells of the ends of runs of some operations."""

    @property
    def operations(self) -> Collection[str]:
        """Return the operations whose every end it tells of."""
        ...

    @property
    def together(self) -> bool:
        """Tell whether the runs of a chain are told of together at its end, or each at its own."""
        ...

    def tell(self, runs: Sequence[str], stopped: DsiError | None) -> Event | None:
        """Put the mails about these runs; returns what whoever watches hears of it.

        Args:
            stopped: why the chain began no further run, where that is so.
        """
        ...


@dataclass
class Chain:
    """Runs whose ends wait to be told together."""

    runs: list[str] = field(default_factory=list)
    stopped: DsiError | None = None


class TellingEngine(GatedEngine):
    """An engine whose runs are told of when they end, however they end, and whose decisions reach who asked."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Use the toolkit's parts, and tell through its teller."""
        super().__init__(toolkit.parts)
        self._teller = toolkit.teller
        self._kept = toolkit.kept_connections

    def request(self, plan: Plan, reason: str, window: Window, *, standing: StandingBounds | None = None) -> Request:
        """Put a plan forward, then tell those who may decide."""
        made = super().request(plan, reason, window, standing=standing)
        self._teller.asked(made)
        return made

    def approve(self, request_id: str, comment: str) -> Request:
        """Sign a yes, then tell who asked."""
        decided = super().approve(request_id, comment)
        self._teller.decided(decided)
        return decided

    def refuse(self, request_id: str, comment: str) -> Request:
        """Sign a no, then tell who asked: what was asked is put off."""
        decided = super().refuse(request_id, comment)
        self._teller.decided(decided)
        return decided

    def run(self, request_id: str, observer: Observer, *, targets: Sequence[str] | None = None) -> Run:
        """Carry out an approved plan, then tell."""
        with self._teller.listening(observer) as heard, self._kept():
            return super().run(request_id, heard, targets=targets)

    def emergency(self, plan: Plan, reason: str, observer: Observer) -> Run:
        """Run a plan now, then tell."""
        with self._teller.listening(observer) as heard, self._kept():
            return super().emergency(plan, reason, heard)

    def resume(self, run_id: str, observer: Observer) -> Run:
        """Finish an interrupted run, then tell."""
        with self._teller.listening(observer) as heard, self._kept():
            return super().resume(run_id, heard)


class _Ear:
    """Passes events on, and remembers which run they were about."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.run: str | None = None

    def notify(self, event: Event) -> None:
        if event.kind in {"run.started", "run.resumed"}:
            self.run = str(event.data["run"])
        self._observer.notify(event)


class Teller:
    """Makes reports and mails; whatever goes wrong with them is told and stops nothing."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Use the toolkit's journal, inventory and state folder."""
        self._toolkit = toolkit
        self._chain: Chain | None = None
        self._mails = Mails(toolkit)

    @property
    def folder(self) -> Path:
        """Return where reports are kept."""
        return self._toolkit.settings.state_dir.value / "reports"

    @property
    def outbox(self) -> Outbox:
        """Return the mails on their way out."""
        return self._mails.outbox

    @contextmanager
    def listening(self, observer: Observer) -> Generator[_Ear]:
        """Tell of the run that begins in this block when the block ends, by whatever way."""
        ear = _Ear(observer)
        try:
            yield ear
        finally:
            if ear.run is not None:
                self._ended(ear.run, observer)

    @contextmanager
    def deferred(self, observer: Observer) -> Generator[Chain]:
        """Tell of all runs of this block together, at its end."""
        outer, self._chain = self._chain, Chain()
        chain = self._chain
        try:
            yield chain
        finally:
            self._chain = outer
            if outer is not None:
                outer.runs += chain.runs
            elif chain.runs:
                self._tell(chain.runs, observer, chain.stopped)

    def make_up(self, observer: Observer) -> list[str]:
        """Tell of the runs of this machine that were never told of as they are now: their process was killed before.

        One that was cut short is told of as not finished; when it is resumed, its end is told of again.
        """
        told: list[str] = []
        with self._harmless(observer):
            known = {name for kind in self._kinds for name in kind.operations}
            for runs in self._told.untold(known):
                self._tell(runs, observer)
                told.append(runs[0])
        return told

    def report(self, run_id: str, *, again: bool = False) -> tuple[dict[str, Any], Path]:
        """Return a report of backups and its PDF; made when there is none, or anew.

        Raises:
            UsageError: there is no such run. StorageError: it cannot be written.
        """
        found = self._toolkit.engine.run_by_id(run_id).id
        known = next((data for data in self.known() if any(run["run"] == found for run in data["runs"])), None)
        if known is None:
            known = self._backups.write([found], None)
        elif again:
            known = self._backups.write([run["run"] for run in known["runs"]], None)
        return known, self.folder / f"{known['id']}.pdf"

    def known(self) -> Iterator[dict[str, Any]]:
        """Yield the reports that were made, newest first."""
        return self._backups.known()

    def announce(self, run: str, announcement: Announcement) -> None:
        """Mail the users of an application, once for each run and kind; on its way on return, whatever the relay does.

        Raises:
            StorageError: it cannot be kept.
        """
        self._applications.announce(run, announcement)
        self._mails.flush_behind()

    def asked(self, request: Request) -> None:
        """Mail those who may decide on a request, where its operation is one people wait for."""
        with self._harmless(Silent()):
            if self._applications.asked(request) or self._network.asked(request):
                self._mails.flush()

    def decided(self, request: Request) -> None:
        """Mail who asked what the last decision on it was, where its operation is one people wait for."""
        with self._harmless(Silent()):
            if self._applications.decided(request) or self._network.decided(request):
                self._mails.flush()

    def tell_missed(
        self,
        name: str,
        words: Text,
        due: datetime,
        reason: object,
        observer: Observer,
        *,
        targets: Collection[str] = (),
    ) -> None:
        """Mail that an occurrence of a schedule was missed.

        Args:
            words: what people read about it.
            due: the last occurrence that was missed: one mail for it, however often it is told.
            targets: what it would have run on: where they are applications, those who are told of these are told.
        """
        with self._harmless(observer):
            settings = self._mails.settings
            if settings is None:
                return
            facts = {"prefix": settings.prefix, "name": name, "due": f"{due.astimezone():%d/%m/%Y %H:%M}"}
            with speaking(self._mails.language):
                subject = str(T("{prefix} MISSED — {name} of {due}", **facts))
                body = f"{words}\n\n{reason}\n" if reason else f"{words}\n"
            people = self._applications.told_of(targets) or self._toolkit.inventory.backup_settings.report_to
            self._mails.to_people(f"missed/{name}/{due.isoformat()}", people, subject, body)
            self._mails.flush()

    def flush(self, *, now: bool = False, again: bool = False) -> Flushed:
        """Offer the mails that wait; see `Outbox.flush`."""
        return self._mails.flush(now=now, again=again)

    @cached_property
    def _told(self) -> Told:
        return Told(self._toolkit, self.folder / "told")

    @cached_property
    def _backups(self) -> BackupTeller:
        return BackupTeller(self._toolkit, self._mails, self._told, self.folder)

    @cached_property
    def _applications(self) -> ApplicationTeller:
        return ApplicationTeller(self._toolkit, self._mails, self._told)

    @cached_property
    def _network(self) -> NetworkTeller:
        return NetworkTeller(self._toolkit, self._mails, self._told)

    @property
    def _kinds(self) -> tuple[RunTeller, ...]:
        return self._backups, self._applications, self._network

    def _ended(self, run_id: str, observer: Observer) -> None:
        with self._harmless(observer):
            run = self._toolkit.engine.run_by_id(run_id)
            kind = next((kind for kind in self._kinds if run.operation in kind.operations), None)
            if kind is None:
                return
            if self._chain is not None and kind.together:
                self._chain.runs.append(run.id)
            else:
                self._tell([run.id], observer)

    def _tell(self, runs: Sequence[str], observer: Observer, stopped: DsiError | None = None) -> None:
        with self._harmless(observer):
            operations = {run: self._toolkit.engine.run_by_id(run).operation for run in runs}
            for kind in self._kinds:
                mine = [run for run, operation in operations.items() if operation in kind.operations]
                if mine:
                    self._tell_of(kind, mine, observer, stopped)
            flushed = self._mails.flush()
            if flushed.error is not None:
                observer.notify(Event("report.delayed", T("The mail waits: {why}", why=flushed.error.what)))

    def _tell_of(self, kind: RunTeller, runs: Sequence[str], observer: Observer, stopped: DsiError | None) -> None:
        with self._harmless(observer):
            event = kind.tell(runs, stopped)
            self._told.mark(self._told.ends(runs))
            if event is not None:
                observer.notify(event)

    @contextmanager
    def _harmless(self, observer: Observer) -> Generator[None]:
        """Let nothing of a report change what became of the run; what goes wrong is told."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it is, the run's outcome stands
            why: object = error.what if isinstance(error, DsiError) else type(error).__name__
            observer.notify(Event("report.failed", T("The report could not be made or sent: {why}", why=why)))
