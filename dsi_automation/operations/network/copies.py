"""Keeping a router's configuration in the repository: daily, and after each confirmed change.

What changes a router calls `keep_copy` at the end of its action `save`, once the device starts with what it runs::

    with hands.router(target) as router:
        router.save()
        hands.note(target, notes.SAVED, {...})
        copies.keep_copy(hands, target, router.text(), T("After {operation}", operation=self.name))

It may be called again: a text that is kept already makes no new version. When the repository refuses (`StorageError`),
the router is in order all the same, and the daily `router.backup` makes up for the copy.
"""

from __future__ import annotations

from dsi_automation.connectors.configurations.port import Version
from dsi_automation.core.text import Text
from dsi_automation.operations.network.notes import COPIED
from dsi_automation.operations.tools import Hands


def keep_copy(hands: Hands, target: str, text: str, why: Text | str, drift: int | None = None) -> Version:
    """Keep what runs on a router as a version of the repository, and note it.

    Args:
        target: the router.
        text: `RouterReader.text()`: as the device prints it, secrets masked.
        why: the title of the version.
        drift: in how many things it has drifted from inventory and record; None where nobody compared.

    Returns:
        The version that has this text: a new one, or the last where nothing differs.

    Raises:
        StorageError: the repository, or the journal, refuses.
    """
    repository = hands.configurations(target)
    made = repository.keep({target: text}, f"{target}: {why}\n\nRun: {hands.run}", author=hands.run)
    version = made
    if version is None:
        latest = repository.latest(target)
        assert latest is not None  # noqa: S101  # nothing differed from it
        version = latest[0]
    hands.note(target, COPIED, {"commit": version.commit, "changed": made is not None, "drift": drift})
    return version
