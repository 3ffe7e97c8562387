"""The collector wired to a toolkit: the inventory read again when its files change, the journal only read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError
from dsi_automation.metrics.collector import DsiCollector
from dsi_automation.metrics.tail import Nothing, Tail, open_source
from dsi_automation.metrics.view import Verified

if TYPE_CHECKING:
    from dsi_automation.composition import Toolkit
    from dsi_automation.inventory.load import Inventory


class FreshToolkit:
    """A toolkit that is made anew when a file of its inventory changed: the exporter runs for months."""

    def __init__(self, make: Callable[[], Toolkit]) -> None:
        """Make toolkits with `make`."""
        self._make = make
        self._turn = threading.RLock()
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._toolkit: Toolkit | None = None

    def __call__(self) -> Toolkit:
        """Return the toolkit of the inventory as it is now.

        Raises:
            DsiError: there is no inventory, or dsi.yml is wrong.
        """
        with self._turn:
            if self._toolkit is None or _stamps(self._toolkit.settings.home) != self._seen:
                made = self._make()
                self._seen = _stamps(made.settings.home)
                self._toolkit = made
            return self._toolkit

    def inventory(self) -> Inventory:
        """Return the inventory as it is now."""
        return self().inventory


def collector_of(
    make: Callable[[], Toolkit],
    clock: Clock,
    *,
    next_times: Callable[[Toolkit, Mapping[str, datetime]], Mapping[str, datetime | None]] | None = None,
    waiting_mails: Callable[[Toolkit], tuple[int, int, datetime | None]] | None = None,
) -> DsiCollector:
    """Return the collector of a toolkit.

    Args:
        make: makes a toolkit; asked again when the inventory's files changed.
        next_times: when each schedule of a toolkit's inventory begins next, after what is settled of it.
        waiting_mails: how many mails wait, how many are set aside, and since when the oldest waits.
    """
    fresh = FreshToolkit(make)
    opened: list[Tail] = []

    def tail() -> Tail:
        # A controller that has no journal yet is asked again each time, and gets none from us.
        if not opened or opened[0].seq == 0:
            opened[:] = [Tail(open_source(fresh()))]
        return opened[0]

    return DsiCollector(
        tail,
        fresh.inventory,
        version=version("dsi-automation"),
        clock=clock,
        next_times=None if next_times is None else lambda settled: next_times(fresh(), settled),
        waiting_mails=None if waiting_mails is None else lambda: waiting_mails(fresh()),
    )


def verify(toolkit: Toolkit, clock: Clock) -> Verified | None:
    """Verify the whole journal, and say what came of it; None where there is no journal yet.

    Costs time in proportion to the journal: not to be done at each scrape.
    """
    try:
        if isinstance(open_source(toolkit), Nothing):
            return None
        found = toolkit.verify_journal(None)
    except DsiError as error:
        return Verified(clock.now(), ok=False, seq=0, problems=1, error=error)
    return Verified(clock.now(), ok=found.ok, seq=found.entries, problems=len(found.problems))


def _stamps(home: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether a file of the inventory changed."""
    found = []
    for path in sorted(home.rglob("*")):
        try:
            if path.is_file() and path.suffix in {".yml", ".yaml", ""}:
                stat = path.stat()
                found.append((str(path), stat.st_mtime_ns, stat.st_size))
        except OSError:
            continue
    return tuple(found)
