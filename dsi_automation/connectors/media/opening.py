"""Opens a medium of the inventory: a disk, a folder that stands in for one, an LTFS volume or a tape."""

from __future__ import annotations

from pathlib import Path

from dsi_automation.connectors.backups.settings import WritePermit
from dsi_automation.connectors.media.lock import PATIENCE, MediumLock
from dsi_automation.connectors.media.port import MediumSettings, MediumWriter
from dsi_automation.core.clock import Clock


def open_medium(
    settings: MediumSettings, target: str, clock: Clock, permit: WritePermit | None, *, patience: float = PATIENCE
) -> MediumWriter:
    """Return a medium; nothing is looked at yet.

    Args:
        target: the backup it is opened for: what the permit is asked about.
        permit: None to look only.
        patience: how long another run that writes on it is waited for, seconds.
    """
    lock = MediumLock(settings.scratch.with_name(f".{settings.name}.lock"), patience)
    if settings.kind == "tape":
        from dsi_automation.connectors.media.drive_image import TapeImageDrive
        from dsi_automation.connectors.media.drive_st import ScsiTapeDrive
        from dsi_automation.connectors.media.tape import TapeMedium

        device = Path(settings.device or "/nonexistent")
        image = device.is_file()
        drive = TapeImageDrive(device, settings.capacity) if image else ScsiTapeDrive(str(device))
        return TapeMedium(settings, drive, target, clock, permit, lock)
    if settings.kind == "ltfs":
        from dsi_automation.connectors.media.ltfs import LtfsMedium

        return LtfsMedium(settings, target, clock, permit, lock)
    if settings.kind == "folder":
        from dsi_automation.connectors.media.folder import FolderMedium

        return FolderMedium(settings, target, clock, permit, lock)
    from dsi_automation.connectors.media.disk import DiskMedium

    return DiskMedium(settings, target, clock, permit, lock)
