"""`dsi schedule install`: systemd timers for the schedules of the inventory."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsi_automation.cli.base import command, option
from dsi_automation.cli.session import Session, session
from dsi_automation.core.errors import DsiError, RefusedError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsi_automation.core.events import Event
    from dsi_automation.schedules.install import UnitFile

_ENVIRONMENT: Final = Path("/etc/dsi/schedule.env")
_CHANGES: Final[dict[str, Text]] = {
    "new": T("new"),
    "changed": T("changed"),
    "same": T("as it was"),
    "removed": T("removed"),
}


@command(
    "install",
    T(
        "Write a systemd timer and service for each schedule, and one for mails that wait, and take away those of "
        "schedules that are gone.\n\n"
        "Run it again after each change of schedules.yml; units that are right already stay as they are. The "
        "environment file gives the services DSI_KEY, the key in whose name the schedules run."
    ),
)
@option("--print", "print_only", is_flag=True, help=T("Show the units and write nothing."))
@option("--user-unit", "of_user", is_flag=True, help=T("Units of your own user manager (systemctl --user)."))
@option("--dir", "folder", type=Path, metavar=T("FOLDER"), help=T("Write there only; systemd is not told."))
@option("--as", "user", metavar=T("USER"), help=T("The user the services run as; by default root."))
@option(
    "--environment",
    type=Path,
    default=_ENVIRONMENT,
    show_default=True,
    metavar=T("FILE"),
    help=T("The file with DSI_KEY and other variables for the services."),
)
def install(*, print_only: bool, of_user: bool, folder: Path | None, user: str | None, environment: Path) -> None:
    """Install the units."""
    from dsi_automation.schedules.install import SYSTEM, apply, changes, commands, user_folder
    from dsi_automation.schedules.units import Place, units

    current = session()
    toolkit = current.toolkit
    source = toolkit.settings.inventory.value.absolute()
    place = Place(source, _dsi(source), environment.absolute(), user, of_user, toolkit.inventory.mail is not None)
    where = folder or (user_folder() if of_user else SYSTEM)
    wanted = units(toolkit.schedules(), place, toolkit.clock.now())
    files = changes(where, wanted, place.mark)
    if not print_only:
        apply(files)
    following = [] if folder is not None else commands(files, of_user=of_user)
    told = not print_only and folder is None and _has_systemd(of_user=of_user)
    for words in following if told else ():
        _systemctl(words)
    if not print_only:
        _take_up(current)
    _show(current, files, [] if told or print_only else following, with_content=print_only)


def _dsi(source: Path) -> tuple[str, ...]:
    """Return how the services call this very program."""
    program = Path(sys.argv[0])
    start = (str(program.absolute()),) if program.name == "dsi" else (sys.executable, "-m", "dsi_automation")
    return (*start, "--inventory", str(source))


def _has_systemd(*, of_user: bool) -> bool:
    import os

    folder = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) if of_user else Path("/run")
    return (folder / "systemd" / ("private" if of_user else "system")).exists()


def _systemctl(words: Sequence[str]) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RefusedError(
            T("“{command}” failed: {reason}", command=shlex.join(words), reason=done.stderr.strip() or "-"),
            meaning=T("The units are written; systemd does not use them yet."),
            next_step=T("Put right what it says, then run “dsi schedule install” again."),
        )


def _take_up(session: Session) -> None:
    """Record that the schedules are looked after from now on, so that even a first occurrence can be missed."""
    from dsi_automation.schedules.claims import take
    from dsi_automation.schedules.telling import tell_missed

    try:
        for name, schedule in session.toolkit.schedules().items():
            _, missed = take(session.toolkit, name, schedule, begin=False)
            for item in missed:
                tell_missed(session.toolkit, name, schedule, item, _Notes(session))
    except DsiError as error:
        text = T("The record does not know yet that these schedules are looked after: {error}", error=error.what)
        session.out.note(text, fg="yellow")


class _Notes:
    """An observer that says each event on the error output."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def notify(self, event: Event) -> None:
        """Say an event."""
        self._session.out.note(event.text, fg="yellow")


def _show(
    session: Session, files: Sequence[UnitFile], following: Sequence[Sequence[str]], *, with_content: bool
) -> None:
    if session.choices.json:
        shown = [
            {"path": str(f.path), "change": str(f.change), **({"content": f.content} if with_content else {})}
            for f in files
        ]
        session.out.data({"units": shown, "next_commands": [shlex.join(words) for words in following]})
        return
    if not files:
        session.out.line(T("No schedule is enabled, and no unit is installed."))
    for file in files:
        session.out.line(T("{path}: {change}", path=file.path, change=_CHANGES[str(file.change)]))
        if with_content and file.change != "removed":
            session.out.block(file.content)
    if following:
        session.out.note(T("Then, where systemd runs:"))
        for words in following:
            session.out.note(shlex.join(words), indent=2)
