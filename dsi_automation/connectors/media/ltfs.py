"""An LTFS volume: a tape that is mounted as a folder, written and read from one end to the other.

A repository of an engine is read here and there, which on a tape means minutes of winding per file. So the copy is
made and verified on the controller, and goes to the tape and back file after file, each held against its hash.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dsi_automation.connectors.media import trees
from dsi_automation.connectors.media.contents import COPY, PARTIAL
from dsi_automation.connectors.media.disk import DiskMedium
from dsi_automation.connectors.media.disk_look import DiskLook
from dsi_automation.connectors.media.mounts import Mount
from dsi_automation.connectors.media.port import Progress
from dsi_automation.core.text import T

SERIAL: Final = "user.ltfs.volumeSerial"
"""Extended attribute of the mount point (LTFS format specification 2.5, annex on extended attributes)."""


class LtfsLook(DiskLook):
    """A volume is known by its serial; its filesystem (FUSE) has no UUID."""

    def identity(self, mount: Mount) -> str | None:
        """Return the serial of the volume that is mounted."""
        try:
            return os.getxattr(mount.target, SERIAL).decode(errors="replace")
        except OSError:
            return None

    def right(self, mount: Mount) -> bool:
        """Tell whether it is the volume of the inventory."""
        return self.identity(mount) == self._settings.serial

    def attached(self) -> tuple[str, ...]:
        """Return nothing: a volume that is not mounted cannot be told from any other."""
        return ()


class LtfsMedium(DiskMedium):
    """An LTFS volume; mounting and unmounting it is its own program's affair (`ltfs`)."""

    def _looking(self) -> DiskLook:
        return LtfsLook(self._settings)

    def _made_ready(self, set_id: str, run: str) -> str:
        shutil.rmtree(self._settings.scratch, ignore_errors=True)
        staged = self._settings.scratch / "out" / COPY
        staged.mkdir(parents=True, mode=0o700)
        self._partial = self._folder / f"{PARTIAL}{run}-{set_id}"
        self._partial.mkdir()
        return str(staged)

    def _bring(self, partial: Path, progress: Progress) -> None:
        one_after_the_other(self._settings.scratch / "out", partial, progress)
        shutil.rmtree(self._settings.scratch, ignore_errors=True)

    @contextmanager
    def _cold(self, place: Path) -> Iterator[None]:
        # Nothing mounts it again but `ltfs` itself: what the kernel and FUSE hold of its files is dropped instead.
        trees.sync_tree(place)
        trees.forget_cached(place)
        yield

    @contextmanager
    def _given(self, place: Path, progress: Progress) -> Iterator[str]:
        back = self._settings.scratch / "back"
        shutil.rmtree(back, ignore_errors=True)
        back.mkdir(parents=True, mode=0o700)
        try:
            one_after_the_other(place, back, progress)
            trees.hold_against_sums(back, self._settings.title, progress)
            yield str(back / COPY)
        finally:
            shutil.rmtree(self._settings.scratch, ignore_errors=True)

    def _same_medium(self, mount: Mount) -> bool:
        return self._look.right(mount)


def one_after_the_other(source: Path, target: Path, progress: Progress) -> None:
    """Copy a tree file by file, never two at once: that is how a tape likes it."""
    files = trees.files_below(source)
    total, done = sum(path.stat().st_size for path in files), 0
    for path in files:
        progress(T("carrying the copy over"), done, total)
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        done += path.stat().st_size
