"""Telling several listeners: one that fails disturbs neither the work nor the others."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from dsi_automation.core.events import Event, Observer


class FanOut:
    """Hands each event to every listener; a listener's own errors are its own affair."""

    def __init__(self, *observers: Observer) -> None:
        self._observers: Sequence[Observer] = observers

    def notify(self, event: Event) -> None:
        """Tell everybody."""
        for observer in self._observers:
            with contextlib.suppress(Exception):
                observer.notify(event)
