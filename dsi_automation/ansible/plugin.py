"""Where the action plugins meet Ansible: the inventories of the play, and its terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dsi_automation.ansible.results import TaskResult, error_result
from dsi_automation.ansible.tasks import Call, change_task
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.events import Event, Observer, Silent
from dsi_automation.core.secrets import redact
from dsi_automation.core.text import T


def call_of(operation: str, inputs: Mapping[str, Any], observer: Observer | None = None) -> Call:
    """Return the call of a task: an operation with its inputs, on the inventories Ansible was started with."""
    from ansible import context

    return Call(operation, [str(source) for source in context.CLIARGS["inventory"]], inputs, observer or Silent())


def people_task(
    args: Mapping[str, Any], file: Path | None, display: Any, *, request: str, check_mode: bool
) -> TaskResult:
    """Carry out `mailbox.create` for the people of a request, a list or a file.

    Args:
        args: the operation's inputs, `people` among them.
        file: where the people are, instead of `people`; an absolute path.
    """
    try:
        people = people_of(args["people"], file)
    except DsiError as error:
        return error_result(error)
    call = call_of("mailbox.create", {**args, "people": people}, told(display))
    if file is not None:
        call = replace(call, files={"people": str(file)})
    return change_task(call, (), request=request, check_mode=check_mode)


def people_of(listed: Sequence[Mapping[str, Any]], file: Path | None) -> Sequence[Mapping[str, Any]]:
    """Return the people of a list or of a file.

    Raises:
        UsageError: both are given, or the file is not right.
    """
    if file is None:
        return listed
    if listed:
        raise UsageError(
            T("People are given twice: as a list and as a file."), next_step=T("Give people or people_file, not both.")
        )
    from dsi_automation.composition.people_file import read_people

    return read_people(file)


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
