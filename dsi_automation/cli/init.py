"""`dsi init`: a commented inventory to start from, and the journal it goes with."""

from __future__ import annotations

from pathlib import Path

from dsi_automation.cli.base import argument, command
from dsi_automation.cli.session import session
from dsi_automation.core.text import T


@command(
    "init",
    T(
        "Write a commented inventory to start from (hosts, people, approval policy, settings) and open its journal.\n\n"
        "Nothing that exists is touched: a second call says what is there."
    ),
)
@argument(
    "directory", default="inventory", metavar=T("[FOLDER]"), help=T("The folder to write; “inventory” by default.")
)
def init(directory: str) -> None:
    """Write an inventory and open the journal."""
    from dsi_automation.composition import Toolkit
    from dsi_automation.inventory.init import init as write_inventory

    current = session()
    folder = Path(directory).expanduser()
    report = write_inventory(folder, [lambda place: Toolkit(inventory=str(place)).prepare()])
    if current.choices.json:
        current.out.data(
            {
                "folder": str(folder),
                "files": [str(path) for path in report.written],
                "existing": [str(path) for path in report.existing],
                "prepared": [str(text) for text in report.prepared],
            }
        )
        return
    for path in report.written:
        current.out.line(T("written: {path}", path=path))
    for path in report.existing:
        current.out.line(T("already there, left as it is: {path}", path=path))
    for text in report.prepared:
        current.out.line(text)
    current.out.line(
        T("Next: put your hosts, people and policy in these files, then: dsi -I {folder} doctor", folder=folder)
    )
