"""`dsi mailbox template`: a file of people to fill in."""

from __future__ import annotations

import codecs
from pathlib import Path

from dsi_automation.cli.base import argument, command
from dsi_automation.cli.session import session
from dsi_automation.core.errors import StorageError, UsageError
from dsi_automation.core.os_errors import reason_of
from dsi_automation.core.text import T

EXAMPLES = (
    ("300101A", "N’GUESSAN", "Éric Kouamé", "0707070707", "ABJ", "", "bureau", "100001A", ""),
    ("300102B", "KOFFI épse KOUADIO", "Aya Rose", "aya.koffi@courriel.example", "SPY", "", "", "100001A", ""),
)
"""Invented persons, as comments: a file sent as it is asks for nobody."""


@command(
    "template",
    T(
        "Write an example of the file for “dsi mailbox create --csv”, with its columns explained; "
        "on standard output, or into a new file that a spreadsheet opens."
    ),
)
@argument("file", required=False, metavar=T("[FILE]"), help=T("The file to write; one that exists is left alone."))
def template(file: str | None) -> None:
    """Write an example."""
    current = session()
    text = example()
    if file is not None:
        write_new(Path(file), codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode())
    if current.choices.json:
        current.out.data({"file": file, "template": text})
    elif file is None:
        current.out.block(text.rstrip("\n"))
    else:
        current.out.line(T("written: {path}", path=file))
        current.out.line(T("Next, once it is filled in: dsi mailbox create --csv {path}", path=file), bold=True)


def example() -> str:
    """Return the example, in the reader's language."""
    from dsi_automation.composition.people_columns import REQUIRED, TITLES

    needed = ", ".join(str(TITLES[name]) for name in REQUIRED)
    comments = (
        T("One person per line below the header line. Lines that begin with # are not read."),
        T("Needed for everybody: {columns}. The other columns may be empty or left out.", columns=needed),
        T("contact: a telephone number, or a personal mail address that the settings are sent to."),
        T("licence: a name of dsi_accounts in the inventory; empty for the usual one."),
        T("manager: staff number, login or address; the settings are mailed there, never the password."),
        T("address: only where it is fixed already; else it is made from the names."),
    )
    header = ";".join(str(title) for title in TITLES.values())
    lines = [*(f"# {comment}" for comment in comments), header, *("# " + ";".join(row) for row in EXAMPLES)]
    return "\n".join(lines) + "\n"


def write_new(path: Path, content: bytes) -> None:
    """Write a file that does not exist yet.

    Raises:
        UsageError: it does. StorageError: it cannot be written.
    """
    try:
        with path.open("xb") as target:
            target.write(content)
    except FileExistsError as error:
        raise UsageError(
            T("The file {path} exists already; it is left as it is.", path=path), next_step=T("Choose another name.")
        ) from error
    except OSError as error:
        raise StorageError(
            T("The file {path} cannot be written: {reason}.", path=path, reason=reason_of(error)),
            next_step=T("Choose another place, or make room."),
        ) from error
