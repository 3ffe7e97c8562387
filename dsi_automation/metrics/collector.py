"""The collector that prometheus-client asks at each scrape."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from dsi_automation.core.clock import Clock, SystemClock
from dsi_automation.metrics.parts import (
    applications,
    backups,
    certificates,
    journal,
    mail,
    media,
    network,
    requests,
    runs,
    schedules,
)
from dsi_automation.metrics.spec import Part, Sheet, Spec, gauge, info
from dsi_automation.metrics.view import Memory, NextTimes, Verified, View

if TYPE_CHECKING:
    from dsi_automation.inventory.load import Inventory
    from dsi_automation.metrics.tail import Tail

PARTS: Final[tuple[Part, ...]] = (
    backups.PART,
    media.PART,
    applications.PART,
    network.PART,
    schedules.PART,
    requests.PART,
    runs.PART,
    journal.PART,
    certificates.PART,
    mail.PART,
)

BUILD = info("dsi_build_info", "The version of the toolkit that tells all this.", "version")
SUCCESS = gauge(
    "dsi_collector_success", "1 when a part of this exposition could be read; what it tells is absent else.", "part"
)
DURATION = gauge("dsi_collector_duration_seconds", "How long a part took.", "part")
WRITTEN = gauge(
    "dsi_textfile_written_timestamp_seconds", "When the textfile for node_exporter was written; not when it is scraped."
)
OWN: Final[tuple[Spec, ...]] = (BUILD, SUCCESS, DURATION, WRITTEN)


class DsiCollector(Collector):
    """Reads the record and the inventory anew at each scrape.

    Attributes:
        verified: what the last whole verification of the journal said; whoever verifies puts it here.
        errors: why parts could not be read at the last scrape, by their names.
    """

    def __init__(
        self,
        tail: Callable[[], Tail],
        inventory: Callable[[], Inventory],
        *,
        version: str,
        clock: Clock | None = None,
        next_times: NextTimes | None = None,
        waiting_mails: Callable[[], tuple[int, int, datetime | None]] | None = None,
        parts: tuple[Part, ...] = PARTS,
    ) -> None:
        """Remember the sources; nothing is read yet.

        Args:
            tail: returns the record, opened at its first use; may fail and be asked again.
            inventory: returns the inventory as it is now.
        """
        self._tail, self._inventory, self._version = tail, inventory, version
        self._clock = clock or SystemClock()
        self._next_times, self._waiting_mails = next_times, waiting_mails
        self._parts = parts
        self._memory = Memory()
        self._turn = threading.Lock()
        self.verified: Verified | None = None
        self.errors: dict[str, Exception] = {}

    def collect(self) -> Iterable[Metric]:
        """Return every family; one scrape at a time."""
        with self._turn:
            return list(self._collect())

    def _collect(self) -> Iterable[Metric]:
        own, view = Sheet(), self._view()
        own.put(BUILD, 1, self._version)
        self.errors = {}
        for part in self._parts:
            sheet, begun = Sheet(), time.perf_counter()
            try:
                part.fill(view, sheet)
            except Exception as error:  # noqa: BLE001  # whatever is wrong with one part must not take the rest down
                self.errors[part.name] = error
                sheet = Sheet()
            own.put(SUCCESS, float(part.name not in self.errors), part.name)
            own.put(DURATION, time.perf_counter() - begun, part.name)
            yield from sheet.metrics()
        yield from own.metrics()

    def _view(self) -> View:
        from dsi_automation.metrics.tail import Nothing, Tail

        failure: Exception | None = None
        tail = Tail(Nothing())
        try:
            tail = self._tail()
            tail.refresh()
        except Exception as error:  # noqa: BLE001  # told by each part that needs the record
            failure = error
        return View(
            now=self._clock.now(),
            tail=tail,
            memory=self._memory,
            inventory=self._inventory,
            verified=self.verified,
            next_times=self._next_times,
            waiting_mails=self._waiting_mails,
            record_error=failure,
        )


def registry_of(collector: Collector) -> CollectorRegistry:
    """Return a registry with our collector alone: nothing of the process, no global one."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Undescribed(collector))
    return registry


class _Undescribed(Collector):
    """A collector that is not asked for its names when it is registered: that would be a scrape."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterable[Metric]:
        return self._collector.collect()

    def describe(self) -> Iterable[Metric]:
        return ()
