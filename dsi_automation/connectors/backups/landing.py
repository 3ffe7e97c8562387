"""A look at a folder of the controller before anything is brought back to it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ground:
    """What is where something is to be put.

    Attributes:
        occupied: whether something is there already: a file, or a folder that holds something.
        free: bytes free on the filesystem it is or would be on.
    """

    occupied: bool
    free: int


def survey(folder: str) -> Ground | None:
    """Look at a folder, there or not there yet; None when it does not let itself be looked at."""
    place = Path(folder)
    try:
        occupied = place.exists() and (not place.is_dir() or any(place.iterdir()))
        nearest = next(above for above in (place, *place.parents) if above.exists())
        return Ground(occupied, shutil.disk_usage(nearest).free)
    except OSError:
        return None
