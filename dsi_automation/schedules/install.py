"""Putting units where systemd finds them, and taking away those of schedules that are gone: ours, no others."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import StorageError, UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T
from dsi_automation.schedules.units import MARK, PREFIX

SYSTEM: Final = Path("/etc/systemd/system")


class Change(StrEnum):
    """What becomes of a unit file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """One unit file, and what becomes of it."""

    path: Path
    change: Change
    content: str


def changes(folder: Path, wanted: Mapping[str, str], mark: str) -> tuple[UnitFile, ...]:
    """Return what installing would do, file by file.

    Raises:
        UsageError: a file that is not ours has the name of one.
        StorageError: the folder cannot be read.
    """
    found: list[UnitFile] = []
    for name, content in sorted(wanted.items()):
        path, before = folder / name, _read(folder / name)
        if before is not None and _first(before) != mark:
            raise UsageError(
                T("{path} is there already, and is not of this inventory.", path=path),
                meaning=T("Its first line: {line}", line=_first(before) if before.startswith(MARK) else "-"),
                next_step=T("Give the schedule another name, or take the file away yourself."),
            )
        kind = Change.NEW if before is None else Change.SAME if before == content else Change.CHANGED
        found.append(UnitFile(path, kind, content))
    for path in sorted(folder.glob(f"{PREFIX}*")) if folder.is_dir() else ():
        before = _read(path) if path.suffix in {".service", ".timer"} else None
        if path.name not in wanted and before is not None and _first(before) == mark:
            found.append(UnitFile(path, Change.REMOVED, before))
    return tuple(found)


def apply(files: Sequence[UnitFile]) -> None:
    """Write and remove; each file is either the old one or the new one, whole.

    Raises:
        StorageError: the folder cannot be written.
    """
    for file in files:
        try:
            if file.change is Change.REMOVED:
                file.path.unlink()
            elif file.change is not Change.SAME:
                _write(file.path, file.content)
        except OSError as error:
            raise StorageError(
                T("{path} cannot be written: {reason}.", path=file.path, reason=reason_of(error)),
                next_step=T("Run it as root, or choose --user-unit, or another folder with --dir."),
            ) from error


def commands(files: Sequence[UnitFile], *, of_user: bool) -> tuple[tuple[str, ...], ...]:
    """Return the systemctl calls that make the changes count, in order."""
    if not files:
        return ()
    systemctl = ("systemctl", "--user") if of_user else ("systemctl",)
    timers = [file for file in files if file.path.suffix == ".timer"]
    gone = [file.path.name for file in timers if file.change is Change.REMOVED]
    there = [file.path.name for file in timers if file.change is not Change.REMOVED]
    changed = [file.path.name for file in timers if file.change is Change.CHANGED]
    return (
        *(((*systemctl, "disable", "--now", *gone),) if gone else ()),
        (*systemctl, "daemon-reload"),
        *(((*systemctl, "enable", "--now", *there),) if there else ()),
        *(((*systemctl, "restart", *changed),) if changed else ()),
    )


def user_folder() -> Path:
    """Return where the units of a user are (systemd.unit(5))."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "systemd" / "user"


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".dsi-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(T("{path} cannot be read: {reason}.", path=path, reason=reason_of(error))) from error


def _first(text: str) -> str:
    return text.partition("\n")[0]
