"""Room on a medium: refused before anything is written."""

from __future__ import annotations

from typing import Final

from dsi_automation.connectors.media.errors import MediumRefusedError
from dsi_automation.connectors.media.port import MediumFacts, MediumSettings
from dsi_automation.core.text import T

SPARE: Final = 1.1
"""Free room asked for, as a multiple of what a copy may take."""


def check_room(settings: MediumSettings, facts: MediumFacts, set_id: str, needed: int, *, bounded: bool = True) -> None:
    """Make sure that a medium may take one more set, and that it fits.

    Args:
        set_id: the set; one of its own that is there already makes room.
        needed: bytes it may take.
        bounded: whether the medium's free bytes are known.

    Raises:
        MediumRefusedError: it holds all it may, or is full.
    """
    title, held = settings.title, [name for name in facts.holds if name != set_id]
    if len(held) >= settings.copies:
        raise MediumRefusedError(
            T("{title} holds {n} sets, which is all it may.", title=title, n=len(held)),
            next_step=T("Put in the next medium of the rotation: `dsi media list`."),
        )
    if bounded and facts.free < needed * SPARE:
        raise MediumRefusedError(
            T(
                "{title} is full: {free} MiB are free, the copy needs {needed} MiB with its margin.",
                title=title,
                free=facts.free >> 20,
                needed=int(needed * SPARE) >> 20,
            ),
            next_step=T("Put in the next medium of the rotation, or a larger one."),
        )
