"""The look at an external disk: is the very disk of the inventory in, and can it be used?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dsi_automation.connectors.media import mounts
from dsi_automation.connectors.media.contents import Contents
from dsi_automation.connectors.media.mounts import Mount
from dsi_automation.connectors.media.port import MediumFacts, MediumSettings, Token
from dsi_automation.core.canonical import Json
from dsi_automation.core.text import T, Text


class DiskLook:
    """Looks, and changes nothing."""

    def __init__(self, settings: MediumSettings) -> None:
        """Look where the inventory says that the disk is mounted."""
        self._settings = settings

    @property
    def folder(self) -> Path:
        """Return where it is mounted."""
        return self._settings.mount_point or Path("/nonexistent")

    def look(self) -> MediumFacts:
        """Return what is found; a disk that is absent or wrong is a fact."""
        mount = mounts.mounted_at(self.folder)
        if mount is None:
            return self._not_mounted()
        problem = self._wrong_disk(mount)
        if problem is not None:
            return MediumFacts(
                present=False,
                identity=self.identity(mount),
                problem=problem[0],
                next_step=problem[1],
                details=_of(mount),
            )
        try:
            return self._opened(mount)
        except OSError as error:
            return MediumFacts(
                present=True,
                identity=self.identity(mount),
                problem=T(
                    "{title} cannot be read: {why}.", title=self._settings.title, why=os.strerror(error.errno or 0)
                ),
                next_step=T("Look at the disk, its cable and the kernel's messages (`dmesg`)."),
                details=_of(mount),
            )

    def room(self) -> dict[str, Any]:
        """Return free and total bytes, and free inodes where they are counted, as members of the facts."""
        found = os.statvfs(self.folder)
        return {
            "free": found.f_bavail * found.f_frsize,
            "total": found.f_blocks * found.f_frsize,
            "free_inodes": found.f_favail if found.f_files else None,
        }

    def identity(self, mount: Mount) -> str | None:
        """Return what tells this medium from every other."""
        return mount.uuid

    def right(self, mount: Mount) -> bool:
        """Tell whether what is mounted is the medium of the inventory."""
        return mount.uuid == self._settings.uuid

    def attached(self) -> tuple[str, ...]:
        """Return the devices plugged in that hold this medium and are not mounted where they should be."""
        return mounts.devices_with(self._settings.uuid or "")

    def _opened(self, mount: Mount) -> MediumFacts:
        contents = Contents(self._settings, self.folder)
        token, why = contents.judge(str(self.identity(mount)))
        problem, step = self._unusable(mount, why)
        return MediumFacts(
            present=token not in {Token.FOREIGN, Token.OCCUPIED},
            identity=self.identity(mount),
            writable=mount.writable,
            problem=problem,
            next_step=step,
            holds=contents.holds() if token is Token.OURS else (),
            details={**_of(mount), "token": str(token)},
            **self.room(),
        )

    def _unusable(self, mount: Mount, why: Text | None) -> tuple[Text | None, Text | None]:
        title = self._settings.title
        if why is not None:
            return (
                T(
                    "The disk at {place} is not the {title} that was registered: {why}.",
                    place=str(self.folder),
                    title=title,
                    why=why,
                ),
                T("Put in the right one. If this one is to be used, have it emptied and described as a new medium."),
            )
        if not mount.writable:
            return (
                T("{title} is mounted read-only.", title=title),
                T("See why in the kernel's messages (`dmesg`), check it with `fsck`, then mount it read-write."),
            )
        return None, None

    def _not_mounted(self) -> MediumFacts:
        title, place = self._settings.title, str(self.folder)
        found = self.attached()
        if len(found) > 1:
            return MediumFacts(
                present=False,
                problem=T(
                    "{n} disks with the UUID of {title} are plugged in: one is a clone.", n=len(found), title=title
                ),
                next_step=T("Take out all but the right one: {devices}.", devices=", ".join(found)),
            )
        if found:
            known = self.folder.is_dir()
            return MediumFacts(
                present=True,
                identity=self._settings.uuid,
                writable=True,
                problem=None if known else T("The mount point {place} does not exist.", place=place),
                next_step=None if known else T("Make it: `mkdir {place} && chattr +i {place}`.", place=place),
                details={"token": str(Token.UNREAD), "device": found[0], "mount_point": place},
            )
        return MediumFacts(
            present=False,
            problem=T("{title} is not in: nothing is mounted at {place}.", title=title, place=place),
            next_step=T("Plug {title} in and mount it there; an empty mount point is never written to.", title=title),
        )

    def _wrong_disk(self, mount: Mount) -> tuple[Text, Text] | None:
        settings, place = self._settings, str(self.folder)
        used = self._on_a_disk_in_use()
        if used is not None:
            return used
        if not self.right(mount):
            return (
                T(
                    "The disk at {place} is another one than {title}: {found} instead of {expected}.",
                    place=place,
                    title=settings.title,
                    found=self.identity(mount) or "-",
                    expected=settings.uuid or settings.serial or "-",
                ),
                T("Take it out and put in {title}.", title=settings.title),
            )
        return self._called_otherwise(mount)

    def _on_a_disk_in_use(self) -> tuple[Text, Text] | None:
        settings, place = self._settings, str(self.folder)
        if self.folder.stat().st_dev == self.folder.parent.stat().st_dev:
            return (
                T("{place} is on the same filesystem as the folder around it.", place=place),
                T("Mount {title} there.", title=settings.title),
            )
        own = mounts.disks_of(self.folder)
        shared = [str(path) for path in settings.others if own & mounts.disks_of(path)]
        if shared:
            return (
                T(
                    "{place} is on the disk that holds {path}: a copy there would be lost with it.",
                    place=place,
                    path=shared[0],
                ),
                T("Mount {title} there.", title=settings.title),
            )
        return None

    def _called_otherwise(self, mount: Mount) -> tuple[Text, Text] | None:
        settings, place = self._settings, str(self.folder)
        if settings.label is not None and mount.label != settings.label:
            return (
                T(
                    "The disk at {place} has the UUID of {title}, but is called {found} instead of {expected}.",
                    place=place,
                    title=settings.title,
                    found=mount.label or "-",
                    expected=settings.label,
                ),
                T("Find out whether it was cloned or relabelled; correct the inventory if that was meant."),
            )
        return None


def _of(mount: Mount) -> dict[str, Json]:
    return {"mount_point": str(mount.target), "device": mount.source, "filesystem": mount.fstype, "mounted": True}
