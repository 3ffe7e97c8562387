"""A folder that stands in for an external disk, in training, where the system gives no loop device.

It is mounted at the mount point by a bind and says in a file which disk it stands for. What it cannot show: it lies on
a disk of this machine, has its label and its room, and cannot be mounted anew, so that only the cache is gone round.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dsi_automation.connectors.media import trees
from dsi_automation.connectors.media.disk import DiskMedium
from dsi_automation.connectors.media.disk_look import DiskLook
from dsi_automation.connectors.media.mounts import Mount
from dsi_automation.core.text import Text

UUID_FILE: Final = ".dsi-uuid"


def uuid_of(mount: Mount) -> str | None:
    """Return the UUID that a mounted folder says it has."""
    try:
        return (mount.target / UUID_FILE).read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


class FolderLook(DiskLook):
    """A folder is known by the UUID in its file: its filesystem's is that of the machine's own disk."""

    def identity(self, mount: Mount) -> str | None:
        """Return the UUID that the folder says it has."""
        return uuid_of(mount)

    def right(self, mount: Mount) -> bool:
        """Tell whether it is the folder of the inventory."""
        return self.identity(mount) == self._settings.uuid

    def attached(self) -> tuple[str, ...]:
        """Return nothing: a folder that is not mounted is not plugged in."""
        return ()

    def _on_a_disk_in_use(self) -> tuple[Text, Text] | None:
        """Return nothing: that is what makes it a stand-in."""
        return None

    def _called_otherwise(self, mount: Mount) -> tuple[Text, Text] | None:
        """Return nothing: a folder has no label."""
        del mount
        return None


class FolderMedium(DiskMedium):
    """A folder in place of a disk."""

    def _looking(self) -> DiskLook:
        return FolderLook(self._settings)

    def _same_medium(self, mount: Mount) -> bool:
        return self._look.right(mount)

    @contextmanager
    def _cold(self, place: Path) -> Iterator[None]:
        trees.sync_tree(place)
        trees.forget_cached(place)
        yield
