"""The lab's tape: an image in a file where a drive would be, since no machine of ours has one (SIMH's .tap format).

It proves labels, block checksums and refusals of the toolkit; it does not prove the drive.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dsi_automation.lab.layout import Layout

NAME: Final = "bande-01"
SERIAL: Final = "LAB001L6"
CAPACITY_GIB: Final = 2


def device(layout: Layout) -> Path:
    """Return the file that stands for the drive with the tape in it."""
    return layout.root / "tapes" / f"{NAME}.tap"


def ensure(layout: Layout) -> bool:
    """Put a blank tape in, unless one is there.

    Returns:
        Whether it was put in.
    """
    path = device(layout)
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    return True


def reset(layout: Layout) -> None:
    """Put a blank tape in, whatever was there."""
    device(layout).unlink(missing_ok=True)
    ensure(layout)
