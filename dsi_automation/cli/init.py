"""`dsi init`: a commented inventory to start from."""

from __future__ import annotations

import shutil
from pathlib import Path

from dsi_automation.cli.base import argument, command
from dsi_automation.cli.session import session
from dsi_automation.core.errors import DsiError, StorageError, UsageError
from dsi_automation.core.text import T

PACKAGE = Path(__file__).resolve().parent.parent
PLACES = (PACKAGE / "example_inventory", PACKAGE.parent / "inventories" / "example")
"""Where the example is: inside an installed package, or in a source tree."""


@command(
    "init",
    T(
        "Write a commented inventory to start from: hosts, people, approval policy, settings.\n\n"
        "Nothing that exists is touched."
    ),
)
@argument(
    "directory", default="inventory", metavar=T("[FOLDER]"), help=T("The folder to write; “inventory” by default.")
)
def init(directory: str) -> None:
    """Write an inventory."""
    current = session()
    folder = Path(directory).expanduser()
    written = write_example(folder)
    if current.choices.json:
        current.out.data({"folder": str(folder), "files": [str(path) for path in written]})
        return
    for path in written:
        current.out.line(T("written: {path}", path=path))
    current.out.line(
        T("Next: put your hosts, people and policy in these files, then: dsi -I {folder} doctor", folder=folder)
    )


def write_example(folder: Path) -> list[Path]:
    """Copy the example inventory; all of it or nothing.

    Raises:
        UsageError: a file of that name is there already.
        StorageError: the folder cannot be written.
    """
    source = next((place for place in PLACES if place.is_dir()), None)
    if source is None:
        raise DsiError(
            T("The example inventory is not part of this installation."),
            next_step=T("Install the toolkit again, or copy inventories/example of its sources."),
        )
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    there = [folder / name for name in files if (folder / name).exists()]
    if there:
        raise UsageError(
            T("{path} exists already; nothing was written.", path=there[0]),
            next_step=T("Name another folder: dsi init FOLDER."),
        )
    done: list[Path] = []
    try:
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            done.append(folder / name)
            shutil.copyfile(source / name, folder / name)
    except OSError as error:
        for path in done:
            path.unlink(missing_ok=True)
        raise StorageError(
            T("The folder {path} cannot be written: {reason}.", path=folder, reason=error.strerror),
            next_step=T("Choose another place, or make room."),
        ) from error
    return done
