"""What a backup's approval binds, in a few lines: the whole of it is in the plan, for `--details` and `--json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dsi_automation.cli.backup_views import retention_words
from dsi_automation.core.text import T, Text

DEFINITION: Final = "definition"
"""The argument of backup actions that holds all the plan says of the backup."""
_SOURCES: Final = ("paths", "databases", "database", "sid")


def definition_lines(definition: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what is saved, where to, how long it is kept, on which media and when; nothing that is not said."""
    from dsi_automation.inventory.backup_model import Retention

    job, repository = definition.get("backup") or {}, definition.get("repository") or {}
    what = next((job[key] for key in _SOURCES if job.get(key)), None)
    where = job.get("host") or job.get("server") or "-"
    yield T("What: {what} of {where}", what=_listed(what), where=where)
    yield T("Where to: {repository} ({url})", repository=job.get("repository", "-"), url=repository.get("url", "-"))
    if job.get("retention"):
        # Signed by an earlier version, perhaps: what is not a number of sets any more is left to --details.
        yield T("Kept: {kept}", kept=retention_words(Retention.model_construct(**job["retention"])))
    rotation = definition.get("rotation")
    if rotation:
        yield T("Media: {title} ({names})", title=rotation.get("title", "-"), names=_listed(rotation.get("media")))
    if definition.get("rhythm"):
        yield T("When: {rhythm}", rhythm="; ".join(definition["rhythm"]))


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "-")
