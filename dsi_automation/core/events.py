"""What happens while work goes on, told to whoever listens: console, journal, metrics, mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dsi_automation.core.text import Text


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: a stable name: `look.started`, `look.done`, `action.started`, `action.done`, `action.failed`,
            `wait`, `verify.done`, `run.ended`, ...
        text: the same for people.
        target: the target concerned, if one is.
        done: how many of `total` are finished, where progress can be counted.
    """

    kind: str
    text: Text
    target: str | None = None
    done: int | None = None
    total: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class Observer(Protocol):
    """Listens. May be called from several threads; must not raise and must not block for long."""

    def notify(self, event: Event) -> None:
        """Take note of an event."""
        ...


class Silent:
    """An observer that does not care."""

    def notify(self, event: Event) -> None:
        """Ignore the event."""
