"""The inventory of a play: the one Ansible was started with, so that both read the same truth.

It is taken from Ansible's own options and never from a variable: `-e inventory_file=...` would otherwise send the
toolkit to another inventory, with people and a policy of its own, than the one the play's hosts come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.people import FILE as PEOPLE_FILE


def inventory_source(sources: Sequence[str]) -> str:
    """Return the source that has people and policy beside it; others (a test's own hosts) may stand next to it.

    Args:
        sources: as Ansible's `-i` takes them: files, folders, lists of hosts.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = [source for source in dict.fromkeys(map(str, sources)) if _has_people(source)]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(map(str, sources)) or "-"
    if found:
        raise UsageError(
            T("The play has several inventories with people and policy: {sources}.", sources=", ".join(found)),
            next_step=T("Give one of them: -i PATH."),
        )
    raise UsageError(
        T("None of the inventories of the play has a {file} beside it: {sources}.", file=PEOPLE_FILE, sources=shown),
        next_step=T("Give the toolkit's inventory (-i PATH), or start the training lab with dsi lab up."),
    )


def _has_people(source: str) -> bool:
    if "," in source:
        return False
    path = Path(source)
    return path.exists() and any((folder / PEOPLE_FILE).is_file() for folder in (path, path.parent))
