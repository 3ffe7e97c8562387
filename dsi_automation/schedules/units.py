"""The systemd units of schedules: a timer and a service each (systemd.timer(5), systemd.service(5))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from dsi_automation.inventory.schedule_model import Schedule
from dsi_automation.schedules.calendar import on_calendar

PREFIX: Final = "dsi-schedule-"
MAIL: Final = f"{PREFIX}_mail"
"""No schedule can be called so."""
MAILS: Final = "*-*-* *:00/10:00"
MARK: Final = "# Written by “dsi schedule install” for"
"""First words of every unit of ours; what follows is the inventory, and whatever else is left alone."""

# Nothing here gives the service a view of its own of the mounted filesystems (ProtectSystem=, PrivateTmp=, ...): a
# medium must be mounted and unmounted for the whole machine, or it is not safe to take it out.
_HARDENING: Final = """\
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
KeyringMode=private
Nice=5
"""


@dataclass(frozen=True, slots=True)
class Place:
    """What the units of one inventory have in common.

    Attributes:
        command: the `dsi` program, with the arguments before `schedule`.
        environment: file with DSI_KEY and whatever else the controller sets; absent is all right.
        user: who it runs as; None for root, or for the user whose units these are.
        of_user: whether these are units of a user manager.
        mails: whether the inventory has a mail server: then a timer offers the mails that wait.
    """

    inventory: Path
    command: Sequence[str]
    environment: Path
    user: str | None = None
    of_user: bool = False
    mails: bool = False

    @property
    def mark(self) -> str:
        """Return the first line of the units."""
        return f"{MARK} {self.inventory}"


def units(schedules: Mapping[str, Schedule], place: Place, now: datetime) -> dict[str, str]:
    """Return the content of each unit by file name; a schedule that is not enabled has none."""
    made: dict[str, str] = {}
    for name, schedule in schedules.items():
        if schedule.enabled:
            made[f"{PREFIX}{name}.service"] = _service(name, schedule, place)
            made[f"{PREFIX}{name}.timer"] = _timer(name, schedule, place, now)
    if made and place.mails:
        made |= _mail_units(place)
    return made


def _mail_units(place: Place) -> dict[str, str]:
    """Return what sends mails that a mail server did not take, and tells of runs whose process was killed."""
    head = f"{place.mark}\n[Unit]\nDescription=dsi mail flush\n\n"
    # 3: some still wait, for the next time; `dsi metrics` says since when.
    service = f"[Service]\nType=oneshot\n{_start(place, 'mail', 'flush')}SuccessExitStatus=3\n{_HARDENING}"
    timer = f"[Timer]\nOnCalendar={MAILS}\nUnit={MAIL}.service\n\n[Install]\nWantedBy=timers.target\n"
    return {f"{MAIL}.service": head + service, f"{MAIL}.timer": head + timer}


def _start(place: Place, *words: str) -> str:
    """Return the lines of a service that say what it starts, as whom and with which variables."""
    user = f"User={place.user}\n" if place.user else ""
    command = " ".join(map(_quoted, (*place.command, *words)))
    return f"ExecStart={command}\n{user}EnvironmentFile=-{_plain(str(place.environment))}\n"


def _service(name: str, schedule: Schedule, place: Place) -> str:
    network = "" if place.of_user else "Wants=network-online.target\nAfter=network-online.target\n"
    return (
        f"{place.mark}\n"
        f"[Unit]\nDescription={_plain(schedule.title)}\n{network}\n"
        f"[Service]\nType=oneshot\n{_start(place, 'schedule', 'run', name, '--due', 'last')}"
        # The first SIGTERM goes to dsi alone: it stops at its next safe point, and sees to what it started.
        f"KillMode=mixed\nKillSignal=SIGTERM\nTimeoutStopSec={int(schedule.stop_within.total_seconds())}\n"
        f"{_HARDENING}"
    )


def _timer(name: str, schedule: Schedule, place: Place, now: datetime) -> str:
    lines = "".join(f"OnCalendar={line}\n" for line in on_calendar(name, schedule, now))
    persistent = "true" if schedule.catch_up == "last" else "false"
    return (
        f"{place.mark}\n"
        f"[Unit]\nDescription={_plain(schedule.title)}\n\n"
        # The jitter is waited for by dsi itself: `dsi schedule next` then tells the very second.
        f"[Timer]\n{lines}Persistent={persistent}\nAccuracySec=1s\nUnit={PREFIX}{name}.service\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _plain(text: str) -> str:
    """Return a text for one line of a unit: no line break, no specifier (systemd.unit(5))."""
    return " ".join(text.split()).replace("%", "%%")


def _quoted(word: str) -> str:
    """Return one word of a command line (systemd.service(5), COMMAND LINES)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if not escaped or any(c in escaped for c in " '\";\\\t") else escaped
