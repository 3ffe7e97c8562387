"""How a router differs from the inventory and from the record of accesses, in checks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.configurations.port import Version
from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.intent import AccessRule, Scope
from dsi_automation.connectors.routers.port import Timer, TimerState
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.network_parts import Network
from dsi_automation.operations.network.comparing import compare
from dsi_automation.operations.network.record import AccessRecord
from dsi_automation.operations.network.wanted import router_intent

PARTS: Final[Mapping[str, Text]] = {
    "interfaces": T("Interfaces"),
    "routes": T("Routes"),
    "filter": T("Filter"),
    "other": T("Other lines"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a router.

    Attributes:
        text: what runs, as the device prints it, secrets masked.
        copy: the last version of its configuration in the repository, and its text; None without one.
    """

    running: Config
    startup: Config
    timer: Timer
    dialect: Dialect
    text: str
    copy: tuple[Version, str] | None


@dataclass(frozen=True, slots=True)
class World:
    """What concerns all routers."""

    network: Network
    record: AccessRecord
    now: datetime


def checks(name: str, found: Found, world: World) -> Iterator[Check]:
    """Yield what a router is held against."""
    try:
        parts = drifted(name, found, world)
    except DsiError as error:
        yield Check(
            name, "configuration", T("Configuration"), _wanted(), str(error.what), ok=False, source=name
        )  # fmt: skip
    else:
        for part, lines in parts.items():
            if lines or part != "other":
                yield Check(
                    name, part, PARTS[part], _wanted(), "; ".join(lines) or _wanted(), ok=not lines, source=name
                )
    if world.network.router(name).described.filter:
        yield from _accesses(name, found, world)
    unsaved = masked(found, compare(found.startup, found.running).lines())
    saved = str(T("all"))
    yield Check(
        name, "unsaved", T("What runs is saved"), saved, "; ".join(unsaved) or saved, ok=not unsaved, source=name
    )
    off = str(T("not armed"))
    yield Check(
        name, "timer", T("Rollback timer"), off, off if found.timer.state is TimerState.NONE else _timer(found.timer),
        ok=found.timer.state is TimerState.NONE, source=name, warning=True,
    )  # fmt: skip
    if found.copy is not None:
        version, text = found.copy
        same = text.strip() == found.text.strip()
        observed = T("the last copy is of {when:%Y-%m-%d at %H:%M}", when=version.at.astimezone())
        yield Check(
            name, "copy", T("Copy in the repository"), str(T("as what runs")),
            str(T("as what runs")) if same else str(observed), ok=same, source="git", warning=True,
        )  # fmt: skip


def count(name: str, found: Found, world: World) -> int:
    """Return in how many things a router has drifted: lines, accesses, what is not saved; remarks do not count."""
    wrong = [one for one in checks(name, found, world) if not one.ok and not one.warning]
    told = facts(name, found, world)
    lines = {**told["drift"], "unsaved": told["unsaved"]}
    return sum(max(1, len(lines.get(one.name, ()))) for one in wrong)


def drifted(name: str, found: Found, world: World) -> dict[str, tuple[str, ...]]:
    """Return the lines that would bring a router to what the inventory wants, by what they concern, secrets masked.

    Raises:
        RefusedError: it cannot be brought there.
    """
    intent = router_intent(world.network, name)
    lines = found.dialect.difference(found.running, intent, (), Scope.BASE).lines
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    heading = ""
    for number, line in enumerate(lines):
        if line.strip() == "exit":
            heading = ""
        elif line.startswith(" "):
            parts[_part(heading, line)].append(f"{heading}: {line.strip()}")
        else:
            heading = line
            if number + 1 >= len(lines) or not lines[number + 1].startswith(" "):
                parts[_part(line, line)].append(line)
    return {part: masked(found, those) for part, those in parts.items()}


def masked(found: Found, lines: Sequence[str]) -> tuple[str, ...]:
    """Return lines without the secrets they may hold."""
    return tuple(found.dialect.masked(line).strip() for line in lines)


def facts(name: str, found: Found, world: World) -> dict[str, Any]:
    """Return what was found as data."""
    try:
        lines: Mapping[str, Sequence[str]] = drifted(name, found, world)
    except DsiError as error:
        lines = {"other": (str(error.what),)}
    return {
        "drift": {part: list(those) for part, those in lines.items()},
        "unsaved": list(masked(found, compare(found.startup, found.running).lines())),
        "timer": {
            "state": found.timer.state.value,
            "until": None if found.timer.until is None else iso(found.timer.until),
            "user": found.timer.user,
        },
        "accesses": [_rule(one) for one in found.dialect.rules(found.running)],
        "copy": None if found.copy is None else {"commit": found.copy[0].commit, "at": iso(found.copy[0].at)},
    }


def _part(heading: str, line: str) -> str:
    """Return what a line is about."""
    words = heading.removeprefix("no ")
    if words.startswith(("filter ", "ip access-list ")) or "access-group" in line:
        return "filter"
    if words.startswith("interface "):
        return "interfaces"
    return "routes" if words.startswith("ip route ") else "other"


def _accesses(name: str, found: Found, world: World) -> Iterator[Check]:
    """Yield one check for each access that is not as the record has it, or one for all that are."""
    there = {rule.key: rule for rule in found.dialect.rules(found.running)}
    standing = {one.rule.key: one for one in world.record.standing(name)}
    wrong: list[tuple[AccessRule, Text, Text]] = []
    for key, one in standing.items():
        rule, over = there.get(key), one.expired(world.now)
        if rule is None and not over:
            wrong.append((one.rule, T("open"), T("closed")))
        elif rule is not None and over:
            wrong.append((one.rule, T("closed: its end is over"), T("still open")))
        elif rule is not None and rule.until is not None and rule.until != one.rule.until:
            wrong.append((one.rule, _until(one.rule), _until(rule)))
    wrong += [(rule, T("closed: nobody approved it"), T("open")) for key, rule in there.items() if key not in standing]
    if not wrong:
        good = str(T("as the record"))
        yield Check(name, "accesses", T("Accesses"), good, good, ok=True, source=name)
    for rule, expected, observed in wrong:
        title = T("Access {rule}", rule=access_words(rule))
        label = rule.id or f"{rule.source}-{rule.destination}-{rule.service}"
        yield Check(name, f"access.{label}", title, str(expected), str(observed), ok=False, source=name)


def access_words(rule: AccessRule) -> str:
    """Return an access in one line: `ac-k7m2qx 10.64.8.8/29 → 10.64.0.5/32 tcp/8443`."""
    said = f"{rule.source} → {rule.destination} {rule.service}"
    return said if rule.id is None else f"{rule.id} {said}"


def _until(rule: AccessRule) -> Text:
    if rule.until is None:
        return T("without end")
    return T("until {when:%Y-%m-%d at %H:%M}", when=rule.until.astimezone())


def _rule(rule: AccessRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "source": rule.source,
        "destination": rule.destination,
        "service": rule.service,
        "until": None if rule.until is None else iso(rule.until),
        "sequence": rule.sequence,
    }


def _timer(timer: Timer) -> str:
    if timer.state is TimerState.REVERTING:
        return str(T("going back at this moment"))
    who = timer.user or T("somebody")
    if timer.until is None:
        return str(T("armed by {user}", user=who))
    return str(T("armed by {user} until {when:%Y-%m-%d at %H:%M:%S}", user=who, when=timer.until.astimezone()))


def _wanted() -> str:
    return str(T("as the inventory wants it"))
