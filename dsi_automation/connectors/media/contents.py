"""What is on a folder medium (a disk, an LTFS volume) around the copies: token, table of contents, instructions."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dsi_automation.connectors.media import token, trees
from dsi_automation.connectors.media.instructions import NAME, instructions
from dsi_automation.connectors.media.port import MediumSettings, Token
from dsi_automation.core.canonical import Json, canonical_bytes
from dsi_automation.core.text import T, Text

TOKEN: Final = "MEDIUM.json"  # noqa: S105  # the name of a file
TABLE: Final = "SETS.json"
ABOUT: Final = "SET.json"
SETS: Final = "sets"
TOOLS: Final = "outils"
PARTIAL: Final = ".partial-"
COPY: Final = "restic"
"""Folder of a set that holds the engine's repository."""
_NEVER_MIND: Final = {"lost+found", "System Volume Information", "$RECYCLE.BIN", NAME, TOOLS}


class Contents:
    """What a folder medium holds, read and written at the folder it is mounted at."""

    def __init__(self, settings: MediumSettings, folder: Path) -> None:
        """Look below `folder`."""
        self._settings = settings
        self.folder = folder

    def judge(self, identity: str) -> tuple[Token, Text | None]:
        """Return what the medium says of itself, and what is wrong with it, a sentence."""
        try:
            held = (self.folder / TOKEN).read_bytes()
        except FileNotFoundError:
            names = [p.name for p in self.folder.iterdir() if p.name not in _NEVER_MIND and not p.name.startswith(".")]
            if not names:
                return Token.BLANK, None
            return Token.OCCUPIED, T("it holds other things: {names}", names=", ".join(sorted(names)[:5]))
        return token.judged(self._settings, token.parsed(held), identity)

    def register(self, identity: str, at: str, run: str) -> None:
        """Write the token and an empty table of contents."""
        made = token.made(self._settings, identity, at, run)
        (self.folder / SETS).mkdir(exist_ok=True)
        trees.replace(self.folder / TABLE, canonical_bytes({"format": "dsi.sets/1", "sets": []}))
        trees.replace(self.folder / TOKEN, canonical_bytes(made))

    def table(self) -> list[dict[str, Any]]:
        """Return the table of contents, oldest first; empty when it cannot be read: then nothing counts."""
        try:
            held = json.loads((self.folder / TABLE).read_bytes())
            return [dict(item) for item in held["sets"] if (self.folder / SETS / str(item["id"])).is_dir()]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return []

    def holds(self) -> tuple[str, ...]:
        """Return the sets of the table of contents, oldest first."""
        return tuple(str(item["id"]) for item in self.table())

    def clean(self) -> None:
        """Remove what killed runs left: halves of copies, and copies that never came into the table of contents."""
        known = set(self.holds())
        for path in self.folder.glob(f"{PARTIAL}*"):
            shutil.rmtree(path)
        if (self.folder / SETS).is_dir():
            for path in (self.folder / SETS).iterdir():
                if path.name not in known:
                    shutil.rmtree(path)

    def take_in(self, partial: Path, set_id: str, about: Mapping[str, Json]) -> None:
        """Give a copy that is whole on the device its name, and write it into the table of contents."""
        place = self.folder / SETS / set_id
        rest = [item for item in self.table() if item["id"] != set_id]
        if place.exists():
            # A copy that no run vouched for: the new one takes its place.
            self._write_table(rest)
            shutil.rmtree(place)
        place.parent.mkdir(exist_ok=True)
        partial.rename(place)
        trees.sync(place.parent)
        self._write_table([*rest, {"id": set_id, **about}])
        self._explain([*rest, {"id": set_id, **about}])

    def drop(self, sets: Sequence[str]) -> None:
        """Remove sets: from the table of contents first, so that a half removed one is never taken for a copy."""
        kept = [item for item in self.table() if item["id"] not in sets]
        self._write_table(kept)
        for name in sets:
            shutil.rmtree(self.folder / SETS / name, ignore_errors=True)
        self._explain(kept)

    def _write_table(self, sets: Sequence[Mapping[str, Json]]) -> None:
        trees.replace(self.folder / TABLE, canonical_bytes({"format": "dsi.sets/1", "sets": [dict(s) for s in sets]}))

    def _explain(self, sets: Sequence[Mapping[str, Any]]) -> None:
        trees.replace(self.folder / NAME, instructions(self._settings, sets).encode())
        program = static_program(self._settings.restic)
        place = self.folder / TOOLS / "restic"
        if program is not None and not (place.exists() and trees.sha256_of(place) == trees.sha256_of(program)):
            place.parent.mkdir(exist_ok=True)
            trees.replace(place, program.read_bytes())
            place.chmod(place.stat().st_mode | stat.S_IXUSR)


def static_program(name: str) -> Path | None:
    """Return a program that runs on any Linux of its architecture; None when it needs libraries or is not there."""
    found = shutil.which(name)
    if found is None:
        return None
    path = Path(found).resolve()
    with path.open("rb") as handle:
        head = handle.read(4096)
    # PT_INTERP names the dynamic loader; a static program has none.
    return path if head.startswith(b"\x7fELF") and b"ld-linux" not in head and b"ld-musl" not in head else None
