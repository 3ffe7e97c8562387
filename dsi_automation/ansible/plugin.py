"""Where the action plugins meet Ansible: the inventories of the play, and its terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsi_automation.ansible.tasks import Call
from dsi_automation.core.events import Event, Observer, Silent
from dsi_automation.core.secrets import redact


def call_of(operation: str, inputs: Mapping[str, Any], observer: Observer | None = None) -> Call:
    """Return the call of a task: an operation with its inputs, on the inventories Ansible was started with."""
    from ansible import context

    return Call(operation, [str(source) for source in context.CLIARGS["inventory"]], inputs, observer or Silent())


def told(display: Any) -> Observer:
    """Return an observer that tells of each action on Ansible's terminal: a play may take minutes."""
    return _Told(display)


class _Told:
    def __init__(self, display: Any) -> None:
        self._display = display

    def notify(self, event: Event) -> None:
        """Tell of an action; how many targets were looked at would be noise."""
        if event.kind.startswith(("action.", "run.")):
            where = "" if event.target is None else f"{event.target}: "
            mark = {"action.done": "✓", "action.failed": "✗", "action.unknown": "?"}.get(event.kind, "·")
            self._display.display(redact(f"  {mark} {where}{event.text}"))
