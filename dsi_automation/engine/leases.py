"""Keeping the leases of a run alive, and knowing when they are lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from dsi_automation.core.errors import DsiError, GateClosedError
from dsi_automation.engine.parts import Parts
from dsi_automation.journal.model import Lease


class Holder:
    """Renews the leases of one run in a thread of its own, and gives them back on leaving."""

    def __init__(self, parts: Parts, leases: Sequence[Lease]) -> None:
        self._parts = parts
        self._leases = {lease.target: lease for lease in leases}
        self._renewed = self._moment()
        self._lost = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease-heartbeat", daemon=True)

    @property
    def lost(self) -> bool:
        """Tell whether another owner took a lease over."""
        return self._lost.is_set()

    def lease(self, target: str) -> Lease:
        """Return the lease of a target, with the number its writes carry."""
        return self._leases[target]

    def any_lease(self) -> Lease:
        """Return a lease for what concerns the whole run."""
        return next(iter(self._leases.values()))

    def believed_held(self, target: str) -> bool:
        """Tell whether the lease was renewed so recently that nobody can have taken it over.

        Only two thirds of its life are trusted: the rest is for the difference between two clocks and for the
        write itself. Both of this machine's clocks are asked, because the monotonic one stands still while a
        laptop sleeps, and the other one may be set.
        """
        age = max(now - then for now, then in zip(self._moment(), self._renewed, strict=True))
        return target in self._leases and not self.lost and age < self._parts.lease_ttl.total_seconds() * 2 / 3

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        try:
            with self._parts.journal.transaction() as change:
                change.release(list(self._leases.values()))
        except DsiError:
            # They expire by themselves; an error already on its way matters more.
            if error is None:
                raise

    def _moment(self) -> tuple[float, float]:
        return self._parts.clock.monotonic(), self._parts.clock.now().timestamp()

    def _beat(self) -> None:
        while not self._stop.wait(self._parts.heartbeat.total_seconds()):
            try:
                before = self._moment()
                with self._parts.journal.transaction() as change:
                    renewed = change.renew(list(self._leases.values()), self._parts.lease_ttl)
            except GateClosedError:
                self._lost.set()
                return
            except DsiError:
                continue  # the database may be busy for a moment; `believed_held` closes if it lasts
            self._leases = {lease.target: lease for lease in renewed}
            self._renewed = before
