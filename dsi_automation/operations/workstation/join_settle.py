"""Waiting for a machine: until it came back, or until a change whose answer was lost is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dsi_automation.connectors.windows.port import Hive, WindowsReader
from dsi_automation.core.errors import DsiError, UnreachableError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T, Text
from dsi_automation.operations.tools import Look
from dsi_automation.operations.workstation.facts import COMPUTER_NAME_KEY, PENDING_JOIN_KEY, REPAIRED_KEY


def settle(action: Action, look: Look, observer: Observer) -> None:
    """Wait until the effect of an interrupted action shows, or until it can no longer be under way.

    A write whose answer was lost may still be running on the machine: looking too early would find nothing and
    repeat it. So the machine is asked again and again until the effect is there, or until it has answered
    without it for the site's `settle_seconds`.

    Raises:
        UnreachableError: the machine did not answer within the site's time for a restart.
    """
    effect = _EFFECTS.get(action.kind)
    if effect is None:
        return
    over = look.clock.monotonic() + look.workstation_policy.settle_seconds

    def settled() -> bool:
        with look.windows(action.target) as machine:
            return effect(machine, action) or look.clock.monotonic() >= over

    text = T("Looking whether the interrupted action took effect ...")
    longer = look.workstation_policy.settle_seconds
    wait(action.target, look, observer, lambda: patient(settled), text, longer=longer)


def wait(
    target: str, look: Look, observer: Observer, ready: Callable[[], bool], text: Text, *, longer: int = 0
) -> None:
    """Ask `ready` again and again, within the site's time for a restart and `longer` seconds more.

    Raises:
        UnreachableError: it never was.
    """
    limit = look.workstation_policy.reboot_timeout_seconds + longer
    deadline, pause = look.clock.monotonic() + limit, 0.25
    observer.notify(Event("wait", text, target))
    while not ready():
        if look.clock.monotonic() >= deadline:
            raise UnreachableError(
                T("The machine did not come back within {seconds} seconds.", seconds=limit),
                on=target,
                next_step=T("See to the machine; once it answers, run: dsi resume RUN."),
            )
        look.clock.sleep(pause)
        pause = min(pause * 1.5, 5.0)


def patient(ready: Callable[[], bool]) -> bool:
    """Return what `ready` says; a machine that is away, or refuses for a while, is not ready."""
    try:
        return ready()
    except DsiError as error:
        # A machine that starts or stops is away, then its services refuse for a while: keep asking.
        if error.retryable or isinstance(error, UnreachableError):
            return False
        raise


def _left(machine: WindowsReader, action: Action) -> bool:
    computer = machine.query("Win32_ComputerSystem", ("Domain", "PartOfDomain"))[0]
    return not computer["PartOfDomain"] or str(computer["Domain"]).lower() != str(action.args["domain"]).lower()


def _renamed(machine: WindowsReader, action: Action) -> bool:
    later = machine.registry_value(Hive.LOCAL_MACHINE, COMPUTER_NAME_KEY, "ComputerName")
    return str(later).upper() == str(action.args["to"]).upper()


def _joined(machine: WindowsReader, action: Action) -> bool:
    computer = machine.query("Win32_ComputerSystem", ("Domain", "PartOfDomain"))[0]
    return bool(computer["PartOfDomain"]) and str(computer["Domain"]).lower() == str(action.args["domain"]).lower()


def _restarted(machine: WindowsReader, action: Action) -> bool:  # noqa: ARG001  # as the others
    computer = machine.query("Win32_ComputerSystem", ("Name",))[0]
    later = machine.registry_value(Hive.LOCAL_MACHINE, COMPUTER_NAME_KEY, "ComputerName")
    waiting = machine.registry_key_exists(Hive.LOCAL_MACHINE, PENDING_JOIN_KEY)
    return not waiting and str(later).upper() == str(computer["Name"]).upper()


def _migrated(machine: WindowsReader, action: Action) -> bool:
    profiles = machine.query("Win32_UserProfile", ("SID", "LocalPath"), {"Special": False})
    path = str(action.args["path"]).casefold()
    return any(
        profile["SID"] == action.args["to_sid"] and str(profile["LocalPath"]).casefold() == path for profile in profiles
    )


def _repaired(machine: WindowsReader, action: Action) -> bool:
    mark = machine.registry_value(Hive.LOCAL_MACHINE, REPAIRED_KEY, str(action.args["to_sid"]))
    return mark == action.args["from_sid"]


_EFFECTS: Final[Mapping[str, Callable[[WindowsReader, Action], bool]]] = {
    "leave": _left,
    "rename": _renamed,
    "join": _joined,
    "reboot": _restarted,
    "migrate_profile": _migrated,
    "repair_profile": _repaired,
}
"""How the effect of each action shows; moving an object is over when the directory has answered or not."""
