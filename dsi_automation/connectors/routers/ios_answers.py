"""What IOS prints, and what it means. Pure; the sources are with the emulator: `lab/ios/texts.py`."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from dsi_automation.connectors.routers.port import Interface, Ping, Timer, TimerState

NONE_PENDING: Final = "No Rollback Confirmed Change pending"
BACKED_UP: Final = re.compile(r"Backing up current running config to\s+(\S+)")
COPIED: Final = re.compile(r"bytes copied in|\[OK\]")
SAVED: Final = re.compile(r"\[OK\]")
BUSY: Final = re.compile(
    r"Device or resource busy|file open failed|Unable to get configuration|try again later", re.IGNORECASE
)
TOO_LARGE: Final = r"Truncate config\?+\s*\[no\]:|too large for nvram[^\n]*\[no\]:"
FAILED: Final = re.compile(
    r"Rollback aborted after|failed to apply|Rollback failed|Aborting Rollback"
    r"|original configuration has been successfully restored|not a valid config file"
    r"|Please turn config archive on|Turn config archive on|Command authorization failed"
    r"|^%(?!.*No Rollback Confirmed Change pending)|Error opening|Configuration mode is locked"
    r"|The input file .* not a valid",
    re.MULTILINE | re.IGNORECASE,
)
"""What `configure replace`, `configure revert` and `configure confirm` say when they did not do it, or not wholly."""
ROLLED_BACK: Final = re.compile(r"Rollback Done", re.IGNORECASE)

_CONFIGURED: Final = re.compile(r"Time configured.*?:\s*(\d\d:\d\d:\d\d)\S* (\S+) \w{3} (\w{3}) +(\d+) (\d{4})")
_VALUE: Final = re.compile(r"Timer value:\s*(\d+)")
_USER: Final = re.compile(r"^User:\s*(\S+)", re.MULTILINE)
_HELD: Final = re.compile(
    r"^User\s*:[ \t]*(?P<user>\S*).*?^State\s*:[ \t]*LOCKED", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_FREE: Final = re.compile(r"\((\d+) bytes free\)")
_BARE: Final = re.compile(r"^ (?:permit|deny|evaluate|dynamic)\b")
_NOISE: Final = re.compile(
    r"^(?:Building configuration|Current configuration|Using \d+ out of|! Last configuration change"
    r"|! NVRAM config last updated|! No configuration change|Load for five secs|Time source is|ntp clock-period)"
)


def quiet(text: str) -> str:
    """Return a configuration as printed, without the lines that change at each look."""
    lines = [line.rstrip() for line in text.strip().split("\n") if not _NOISE.match(line)]
    return "\n".join(lines).strip("\n") + "\n"


def timer(text: str) -> Timer:
    """Return what `show archive config rollback timer` says."""
    if NONE_PENDING in text or _VALUE.search(text) is None:
        return Timer(TimerState.NONE)
    user = _USER.search(text)
    return Timer(TimerState.ARMED, until=_until(text), user=user[1] if user else None)


def _until(text: str) -> datetime | None:
    said, value = _CONFIGURED.search(text), _VALUE.search(text)
    # Without a zone that everybody reads alike nobody knows when that is.
    if said is None or value is None or said[2] not in {"UTC", "GMT"}:
        return None
    clock, _, month, day, year = said.groups()
    try:
        begun = datetime.strptime(f"{day} {month} {year} {clock}", "%d %b %Y %H:%M:%S")  # noqa: DTZ007  # it is UTC
    except ValueError:
        return None
    return begun.replace(tzinfo=UTC) + timedelta(minutes=int(value[1]))


def lock_held_by(text: str) -> str | None:
    """Return who holds the lock on the configuration, by `show configuration lock`; None when it is free."""
    for block in re.split(r"(?=Parser Configure Lock|Config Session Lock)", text):
        if (held := _HELD.search(block)) is not None:
            return held["user"] or "?"
    return None


def free_bytes(text: str) -> int | None:
    """Return the free space of a file system by `dir`; None when it does not say."""
    found = _FREE.search(text)
    return int(found[1]) if found else None


def ping(text: str) -> Ping | None:
    """Return what came back, by the last line of `ping`."""
    found = re.search(r"Success rate is \d+ percent \((\d+)/(\d+)\)", text)
    return Ping(sent=int(found[2]), received=int(found[1])) if found else None


def interface(name: str, text: str) -> Interface | None:
    """Return an interface by `show interfaces NAME`; None when there is none."""
    state = re.search(r"^\S+ is ([\w ]+?), line protocol is (\w+)", text, re.MULTILINE)
    if state is None:
        return None
    addresses = re.findall(r"Internet address is (\d[\d.]+/\d+)", text)
    return Interface(
        name,
        # Without its other end it is “down”, by hand “administratively down”.
        up=not state[1].startswith("administratively"),
        line_protocol=state[2] == "up",
        addresses=tuple(addresses),
    )


def next_hops(prefix: str, text: str) -> tuple[str, ...]:
    """Return the next hops of exactly this network, by `show ip route NETWORK MASK`."""
    entry = re.search(r"Routing entry for (\S+?)(?:,|\s|$)", text)
    if entry is None or ipaddress.ip_network(entry[1], strict=False) != ipaddress.ip_network(prefix):
        return ()
    _, _, blocks = text.partition("Routing Descriptor Blocks:")
    found = re.findall(
        r"^ *\*? ?(?:(\d+\.\d+\.\d+\.\d+)|directly connected, via (\S+))(?:,|\s*$)", blocks, re.MULTILINE
    )
    return tuple(address or through for address, through in found)


def bare(text: str) -> bool:
    """Tell whether a configuration prints the entries of extended access lists without their numbers."""
    inside = False
    for line in text.split("\n"):
        if not line.startswith(" "):
            inside = line.startswith("ip access-list extended ")
        elif inside and _BARE.match(line):
            return True
    return False
