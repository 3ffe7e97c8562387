"""The Oracle server of the lab: the folders of the stand-in for RMAN, and which scenario it plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from dsi_automation.lab import oracle

ORACLE_HOME: Final = "oracle/home"
STAGE: Final = "oracle/stage"


def ensure(folder: Path) -> bool:
    """Make the server's folders and put the stand-in in, unless they are there.

    Returns:
        Whether they were made.
    """
    if (folder / STAGE).is_dir():
        return False
    oracle.install(folder / ORACLE_HOME)
    # Last: it is the sign that all is there.
    (folder / STAGE).mkdir(parents=True)
    return True


def scenario(folder: Path) -> str | None:
    """Return what the stand-in plays; None when it is not there."""
    try:
        return oracle.current_scenario(folder / ORACLE_HOME)
    except FileNotFoundError:
        return None


def play(folder: Path, name: str) -> None:
    """Have the stand-in play a scenario from now on.

    Raises:
        UsageError: there is no such scenario.
    """
    oracle.set_scenario(folder / ORACLE_HOME, name)


def settings(folder: Path) -> dict[str, Any]:
    """Return what the backup plan says of the database there."""
    return {
        "user": "root",
        "oracle_home": str(folder / ORACLE_HOME),
        "oracle_sid": oracle.DATABASE,
        "stage_dir": str(folder / STAGE),
        "dbid": oracle.DBID,
        "database": oracle.DATABASE,
    }
