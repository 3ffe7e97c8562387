"""`dsi init`: a commented starting inventory, and the places a controller keeps its state in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import StorageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.settings import HOSTS_FILES

EXAMPLE: Final = Path(__file__).resolve().parent / "example"
"""The example inventory: in the source tree it is inventories/example, in a wheel it comes with the package."""

SECRETS: Final = "secrets"

type Prepare = Callable[[Path], Text]
"""Makes one thing beside the inventory (state folder, controller key, journal) and says what it did.

Handed the inventory's folder; leaves alone what exists already.
"""


@dataclass(frozen=True, slots=True)
class InitReport:
    """What was made and what was already there.

    Attributes:
        written: files of the inventory, when it was made now.
        existing: files that were there, so that none was written.
        prepared: what was done beside the inventory.
    """

    written: tuple[Path, ...]
    existing: tuple[Path, ...]
    prepared: tuple[Text, ...]


def init(directory: Path, prepare: Sequence[Prepare] = ()) -> InitReport:
    """Make an inventory in a folder, unless there is one, then prepare what goes with it.

    Nothing that exists is ever written over: as soon as one file of an inventory is there, the whole of it is left
    as it is. What could not be written completely is taken away again.

    Raises:
        StorageError: the folder cannot be written.
    """
    content = {path.relative_to(EXAMPLE): path.read_bytes() for path in sorted(EXAMPLE.rglob("*")) if path.is_file()}
    wanted = [directory / name for name in (*content, *map(Path, HOSTS_FILES))]
    existing = tuple(dict.fromkeys(path for path in wanted if path.exists() or path.is_symlink()))
    written = () if existing else _write(directory, content)
    return InitReport(written, existing, tuple(step(directory) for step in prepare))


def _write(directory: Path, content: dict[Path, bytes]) -> tuple[Path, ...]:
    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in content.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(text)
            # Who may change people and policy decides what the gate lets through.
            path.chmod(0o644)
        (directory / SECRETS).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise StorageError(
            T(
                "The inventory cannot be written in {directory}: {reason}.",
                directory=directory,
                reason=reason_of(error),
            ),
            next_step=T("Choose a folder you may write to, with room on its disk: dsi init FOLDER"),
        ) from error
    return tuple(written)
