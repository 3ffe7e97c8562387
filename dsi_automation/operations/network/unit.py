"""Routers that change together: the same step on all, then the next one; all confirmed, or all back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dsi_automation.core.errors import DsiError, StoppedError
from dsi_automation.core.text import T
from dsi_automation.engine.fleet import fan_out
from dsi_automation.operations.network.change import SafeChange
from dsi_automation.operations.network.endings import ended

type Step = Callable[[SafeChange], None]

STEPS: Final[tuple[Step, ...]] = (
    SafeChange.snapshot,
    SafeChange.arm,
    SafeChange.push,
    SafeChange.verify,
    SafeChange.confirm,
)


def change_together(members: Mapping[str, SafeChange], stop: Callable[[], bool]) -> dict[str, DsiError]:
    """Change some routers, in lockstep.

    Args:
        members: by name.
        stop: whether somebody asked to stop; heeded as long as nothing was sent.

    Returns:
        Nothing where all of them were confirmed; else what each of them ends with: all went back.
    """
    for step in STEPS:
        failures = _on_all(members, step)
        if failures:
            return _back(members, failures)
        if step is SafeChange.arm and stop():
            return _back(members, {name: _stopped(name) for name in members})
    return {}


def _on_all(members: Mapping[str, SafeChange], step: Step) -> dict[str, DsiError]:
    if len(members) == 1:
        return _alone(members, step)
    done = fan_out(list(members), lambda name: step(members[name]), workers=len(members))
    return done.failures


def _alone(members: Mapping[str, SafeChange], step: Step) -> dict[str, DsiError]:
    """Do a step of a single router, without a thread for it."""
    ((name, member),) = members.items()
    try:
        step(member)
    except DsiError as error:
        return {name: error}
    return {}


def _back(members: Mapping[str, SafeChange], failures: Mapping[str, DsiError]) -> dict[str, DsiError]:
    """Have all of them back; returns what each one ends with."""
    first = next(iter(failures))
    sent = any(member.sent for member in members.values())
    why = str(failures[first].what)
    returned = fan_out(list(members), lambda name: members[name].back(why), workers=len(members))
    endings = dict(returned.failures)
    for name, back in returned.results.items():
        error = failures.get(name, failures[first])
        because = None if name in failures else first
        endings[name] = ended(members[name], error, back, sent=sent, because=because)
    return {name: endings[name] for name in members}


def _stopped(name: str) -> StoppedError:
    return StoppedError(
        T("The run was asked to stop: {router} is left as it was.", router=name),
        on=name,
        next_step=T("Finish it with `dsi resume`."),
    )
