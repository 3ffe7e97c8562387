"""What the parts of one scrape read from: the record, the plan of the inventory, and the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from dsi_automation.core.errors import DsiError
from dsi_automation.engine import fold
from dsi_automation.engine.model import Request, RequestState
from dsi_automation.journal.model import Entry, Kind
from dsi_automation.metrics.tail import Tail

if TYPE_CHECKING:
    from dsi_automation.inventory.backup_model import BackupPlan, BackupSettings
    from dsi_automation.inventory.load import Inventory
    from dsi_automation.operations.applications.record import ApplicationRecord
    from dsi_automation.operations.backups.catalogue import Catalogue, Noted
    from dsi_automation.operations.network.history import NetworkHistory
    from dsi_automation.operations.network.record import AccessRecord

CUSTODY: Final = "custody.medium"
_FINAL: Final = frozenset({RequestState.REFUSED, RequestState.REVOKED, RequestState.EXPIRED, RequestState.RATIFIED})
"""States that a request does not leave by itself."""


type NextTimes = Callable[[Mapping[str, datetime]], Mapping[str, datetime | None]]
"""Given until when each schedule is settled, returns when each begins next."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What the last whole verification of the journal said.

    Attributes:
        seq: how many entries it looked at.
        error: why it could not be made at all; then `ok` is false.
    """

    at: datetime
    ok: bool
    seq: int
    problems: int
    error: DsiError | None = None


@dataclass
class Memory:
    """What is kept from one scrape to the next, all of it folded from the record."""

    catalogue: tuple[int, Catalogue] | None = None
    applications: tuple[int, ApplicationRecord] | None = None
    network: tuple[int, NetworkHistory] | None = None
    accesses: tuple[int, AccessRecord] | None = None
    requests: dict[str, tuple[int, Request]] = field(default_factory=dict)


@dataclass
class View:
    """One scrape's sources; each is read when a part asks for it, so that what fails fails in that part.

    Attributes:
        inventory: returns the inventory as it is now.
        next_times: returns when each schedule begins next, after what the journal has settled of it.
        waiting_mails: returns the mails that wait to be sent, or None where no mail is configured.
    """

    now: datetime
    tail: Tail
    memory: Memory
    inventory: Callable[[], Inventory]
    verified: Verified | None = None
    next_times: NextTimes | None = None
    waiting_mails: Callable[[], tuple[int, int, datetime | None]] | None = None
    record_error: Exception | None = None

    @property
    def record(self) -> Tail:
        """Return the record.

        Raises:
            DsiError: it could not be read.
        """
        if self.record_error is not None:
            raise self.record_error
        return self.tail

    @property
    def plan(self) -> BackupPlan:
        """Return the backup plan."""
        return self.inventory().backup_plan

    @property
    def settings(self) -> BackupSettings:
        """Return what concerns all backups."""
        return self.inventory().backup_settings

    def catalogue(self) -> Catalogue:
        """Return sets, proofs and copies; folded again only when the record grew."""
        from dsi_automation.operations.backups.catalogue import read

        known = self.memory.catalogue
        if known is None or known[0] != self.record.version:
            known = self.memory.catalogue = (self.record.version, read(self._notes()))
        return known[1]

    def applications(self) -> ApplicationRecord:
        """Return interruptions, tests and releases; folded again only when the record grew."""
        from dsi_automation.operations.applications.record import read

        known = self.memory.applications
        if known is None or known[0] != self.record.version:
            known = self.memory.applications = (self.record.version, read(self._notes()))
        return known[1]

    def network_history(self) -> NetworkHistory:
        """Return the copies and changes of routers; folded again only when the record grew."""
        from dsi_automation.operations.network.history import read

        known = self.memory.network
        if known is None or known[0] != self.record.version:
            known = self.memory.network = (self.record.version, read(self._notes()))
        return known[1]

    def accesses(self) -> AccessRecord:
        """Return all accesses, without the people who decided: no label holds one. Folded when the record grew."""
        from dsi_automation.operations.network.record import Decided, read

        known = self.memory.accesses
        if known is None or known[0] != self.record.version:
            nobody = Decided("", ())
            known = self.memory.accesses = (self.record.version, read(self._notes(), lambda _: nobody))
        return known[1]

    def _notes(self) -> Iterator[Noted]:
        from dsi_automation.operations.backups.catalogue import Noted

        for entry in self.record.of(Kind.NOTED):
            item = fold.note(entry)
            yield Noted(entry.subject, item.target, item.name, item.at, item.data)

    def requests(self) -> list[Request]:
        """Return the requests as they stand now; one that is over is folded once."""
        ledger = self.record.ledger
        found = []
        for name in ledger.subjects(Kind.REQUESTED):
            size = len(ledger.relied_on(name))
            known = self.memory.requests.get(name)
            if known is None or known[0] != size:
                request = fold.request(ledger, name, self.now)
                if request.state in _FINAL or request.state is RequestState.USED:
                    self.memory.requests[name] = (size, request)
                found.append(request)
            else:
                found.append(known[1])
        return found

    def places(self) -> dict[str, tuple[str, datetime | None]]:
        """Return the state of each medium that was ever moved, by the record of custody, and since when."""
        return {str(entry.body["medium"]): (str(entry.body["state"]), entry.at) for entry in self.record.of(CUSTODY)}

    def is_over(self, run: str) -> bool:
        """Tell whether a run ended and was not resumed after that."""
        return last_end(self.record.ledger.about(run)) is not None


def last_end(entries: Sequence[Entry]) -> Entry | None:
    """Return the end of a run, unless it was resumed after it."""
    marks = [entry for entry in entries if entry.kind in (Kind.RUN_ENDED, Kind.RUN_RESUMED)]
    return marks[-1] if marks and marks[-1].kind is Kind.RUN_ENDED else None
