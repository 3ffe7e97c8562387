"""What disks and tapes do alike: one writer at a time, under a permit, on the medium that was meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dsi_automation.connectors.backups.settings import WritePermit
from dsi_automation.connectors.media import trees
from dsi_automation.connectors.media.errors import MediumRefusedError
from dsi_automation.connectors.media.lock import MediumLock
from dsi_automation.connectors.media.port import MediumFacts, MediumSettings, MediumWriter
from dsi_automation.core.clock import Clock
from dsi_automation.core.text import T


class HeldMedium(MediumWriter):
    """A medium that is held while it is worked on."""

    def __init__(
        self, settings: MediumSettings, target: str, clock: Clock, permit: WritePermit | None, lock: MediumLock
    ) -> None:
        """Use the medium; without a permit it is looked at only."""
        self._settings = settings
        self._target = target
        self._clock = clock
        self._permit = permit
        self._lock = lock

    def _may_write(self) -> str:
        """Ask the permit; return the run it is of."""
        if self._permit is None:
            raise AssertionError("a medium opened to look at cannot be written")
        self._permit.check(self._target)
        return self._permit.run_id

    @contextmanager
    def _held(self, run: str) -> Iterator[None]:
        """Hold the medium; what the system says of it becomes an error of ours."""
        self._lock.take(run)
        try:
            with trees.translated(self._settings.title):
                yield
        finally:
            self._release()

    def give_up(self) -> None:
        """Let go of it."""
        self._release()

    def _release(self) -> None:
        self._lock.give_back()


def refuse_unusable(facts: MediumFacts) -> None:
    """Make sure that a medium is in, and that nothing is wrong with it.

    Raises:
        MediumRefusedError: it is not, or something is.
    """
    if facts.problem is not None or not facts.present:
        raise MediumRefusedError(facts.problem or T("It is not in."), next_step=facts.next_step)
