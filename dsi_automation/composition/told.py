"""Which ends of runs were told of: a mark for each, so that what a killed process left untold is made up once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsi_automation.composition.files import write
from dsi_automation.journal.model import Entry, Kind

if TYPE_CHECKING:
    from dsi_automation.composition.toolkit import Toolkit

MADE_UP_FOR: Final = timedelta(days=30)
"""How far back a run that ended untold is still told of."""

_BEGINS_AND_ENDS: Final = (Kind.RUN_STARTED, Kind.RUN_RESUMED, Kind.RUN_ENDED)


class Told:
    """The marks of one controller."""

    def __init__(self, toolkit: Toolkit, folder: Path) -> None:
        """Keep marks in `folder`."""
        self._toolkit, self._folder = toolkit, folder

    def ends(self, runs: Sequence[str]) -> list[str]:
        """Return a name for each run as it ended, or was cut short: a run that is resumed ends again."""
        found = []
        for run in dict.fromkeys(runs):
            entries = self._toolkit.journal.read(subject=run, kinds=_BEGINS_AND_ENDS)
            ends = sum(entry.kind is Kind.RUN_ENDED for entry in entries)
            cut = "" if entries[-1].kind is Kind.RUN_ENDED else f"-{len(entries)}"
            found.append(f"{run}.{ends}{cut}")
        return found

    def mark(self, ends: Sequence[str]) -> None:
        """Remember that these ends were told of.

        Raises:
            StorageError: it cannot be written.
        """
        for name in ends:
            write(self._folder / name, b"")

    def untold(self, operations: Collection[str]) -> Iterator[list[str]]:
        """Yield runs whose process is gone, and that nobody was told of as they are now; a process's together."""
        from dsi_automation.journal.owner import is_dead

        if not self._toolkit.journal_exists:
            return
        since = self._toolkit.clock.now() - MADE_UP_FOR
        begun: dict[str, Entry] = {}
        owners: dict[str, str] = {}
        last: dict[str, Entry] = {}
        for entry in self._toolkit.journal.read(kinds=_BEGINS_AND_ENDS):
            last[entry.subject] = entry
            if entry.kind is not Kind.RUN_ENDED:
                begun.setdefault(entry.subject, entry)
                owners[entry.subject] = str(entry.body["owner"])
        together: dict[tuple[str, ...], list[str]] = {}
        for run, entry in last.items():
            body = begun[run].body
            if entry.at < since or body["operation"] not in operations or not is_dead(owners[run]):
                continue
            if not (self._folder / self.ends([run])[0]).exists():
                together.setdefault((owners[run], *body["targets"]), []).append(run)
        yield from together.values()
