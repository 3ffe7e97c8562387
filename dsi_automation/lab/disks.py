"""The lab's external disks: filesystems in image files, put in, taken out, and pulled out under somebody's hands.

Where the kernel gives no loop device, a disk is a folder with its UUID in a file, mounted by a bind, and the inventory
says so (`kind: folder`): the toolkit then has less to check, and both the lab's output and its documentation tell it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from dsi_automation.connectors.media.folder import UUID_FILE
from dsi_automation.core.clock import Clock
from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.text import T
from dsi_automation.lab.layout import Layout
from dsi_automation.lab.system import run

DISKS: Final = ("disque-01", "disque-02", "disque-03")
SIZE: Final = 768 * 2**20
"""Bytes of a disk; its file is sparse, and takes what is written."""
SHUTDOWN: Final = 0x8004587D
"""EXT4_IOC_SHUTDOWN of Linux's fs/ext4/ext4.h."""
WITHOUT_FLUSH: Final = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: what waits to be written is lost, as when a disk is pulled out."""
RELEASE_SECONDS: Final = 15.0


def uuid_of(layout: Layout, name: str) -> str:
    """Return the UUID of a disk's filesystem: another in every lab, as two of one UUID on a machine are clones."""
    return str(uuid5(NAMESPACE_URL, f"{layout.root.absolute().as_uri()}/{name}"))


@dataclass(frozen=True, slots=True)
class Disk:
    """An external disk as it is now.

    Attributes:
        device: the loop device it is on; None when it is out, or is a folder.
        inserted: whether it is mounted at the lab's mount point.
        folder: whether it is a folder instead of a filesystem.
    """

    name: str
    uuid: str
    path: Path
    device: str | None
    inserted: bool
    folder: bool


@dataclass(frozen=True)
class Disks:
    """The external disks of one lab."""

    layout: Layout
    clock: Clock

    def ensure(self) -> bool:
        """Make the disks, unless they are there.

        Returns:
            Whether any was made.
        """
        self.layout.disk_dir.mkdir(parents=True, exist_ok=True)
        self.layout.disk_mount.mkdir(parents=True, exist_ok=True)
        made = [self._make(name) for name in DISKS]
        return any(made)

    def all(self) -> list[Disk]:
        """Return every disk as it is now."""
        loops, mount = _loops(), self._mounted()
        found = []
        for name in DISKS:
            image, folder = self._image(name), self._folder(name)
            device = next((loop for loop, backing in loops if backing == str(image)), None)
            is_in = mount is not None and mount in {device, str(folder)}
            found.append(
                Disk(
                    name,
                    uuid_of(self.layout, name),
                    folder if folder.is_dir() else image,
                    device,
                    is_in,
                    folder.is_dir(),
                )
            )
        return found

    def kind(self, name: str) -> str:
        """Return what the inventory calls a disk: `disk`, or `folder` where there is no loop device."""
        return "folder" if self._folder(name).is_dir() else "disk"

    def inserted(self) -> Disk | None:
        """Return the disk that is in."""
        return next((disk for disk in self.all() if disk.inserted), None)

    def insert(self, name: str) -> Disk:
        """Put a disk in: it is mounted on return.

        Raises:
            UsageError: there is no such disk, or another one is in.
        """
        disk, other = self._disk(name), self.inserted()
        if disk.inserted:
            return disk
        if other is not None:
            raise UsageError(
                T("The disk {name} is in.", name=other.name),
                next_step=T("Take it out first: `dsi lab disk remove`."),
            )
        self._share()
        if disk.device is not None:
            # Pulled out, or unmounted by the toolkit: what comes in is the disk as it is, and nothing remembered of it.
            self._release()
            if self._disk(name).device is not None:
                raise UsageError(
                    T("Something still holds the disk that was pulled out."),
                    next_step=T("Wait until it has noticed, then put the disk in again."),
                )
        if disk.folder:
            run(["mount", "--bind", str(disk.path), str(self.layout.disk_mount)])
        else:
            device = run(["losetup", "--find", "--show", str(disk.path)]).strip()
            run(["mount", "-t", "ext4", device, str(self.layout.disk_mount)])
        return self._disk(name)

    def remove(self) -> Disk | None:
        """Take the disk out in order, and return it; None when none was in.

        Raises:
            UsageError: something still uses it.
        """
        disk = self.inserted()
        if self._mounted() is not None:
            try:
                run(["umount", str(self.layout.disk_mount)])
            except DsiError as error:
                raise UsageError(
                    T("Something still uses the disk."),
                    next_step=T("Wait until it has finished, or pull the disk out: `dsi lab disk pull`."),
                    detail=dict(error.detail),
                ) from error
        # One that was unmounted by the toolkit is still plugged in.
        self._release()
        return disk

    def pull(self) -> Disk:
        """Pull the disk out under whoever writes on it: what was not on it yet is lost, and further writes fail.

        Raises:
            UsageError: none is in.
        """
        disk = self.inserted()
        if disk is None:
            raise UsageError(T("No disk is in."), next_step=T("Put one in: `dsi lab disk insert disque-01`."))
        if not disk.folder:
            held = os.open(self.layout.disk_mount, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.ioctl(held, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
            finally:
                os.close(held)
        run(["umount", "--lazy", str(self.layout.disk_mount)])
        self._release(wait=False)
        return disk

    def down(self) -> bool:
        """Unmount everything below the lab's folder and detach its images, whoever left them so.

        Returns:
            Whether there was anything.
        """
        found = False
        for target in sorted(_mounts_below(self.layout.root), key=len, reverse=True):
            run(["umount", "--lazy", target])
            found = True
        found |= self._release(wait=False)
        return found

    def reset(self) -> None:
        """Take the disk out, and make every one anew."""
        self.down()
        if self.layout.disk_dir.exists():
            shutil.rmtree(self.layout.disk_dir)
        self.ensure()

    def _disk(self, name: str) -> Disk:
        for disk in self.all():
            if disk.name == name:
                return disk
        raise UsageError(T("The lab has no disk {name}.", name=name), next_step=T("`dsi lab disk list` lists them."))

    def _make(self, name: str) -> bool:
        image, folder = self._image(name), self._folder(name)
        if image.exists() or folder.exists():
            return False
        temporary = image.with_suffix(".new")
        with temporary.open("wb") as file:
            file.truncate(SIZE)
        label = name.upper()
        run(
            [
                "mke2fs",
                "-q",
                "-t",
                "ext4",
                "-m",
                "0",
                "-U",
                uuid_of(self.layout, name),
                "-L",
                label,
                "-F",
                str(temporary),
            ]
        )
        if _takes(temporary):
            temporary.rename(image)
            return True
        temporary.unlink()
        folder.mkdir()
        (folder / UUID_FILE).write_text(f"{uuid_of(self.layout, name)}\n")
        return True

    def _share(self) -> None:
        """Have what is mounted here also go from the mounts of daemons that were started meanwhile.

        `ip netns exec` gives each daemon a copy of the machine's mounts, which would keep a disk busy that is taken
        out (mount_namespaces(7)).
        """
        folder = str(self.layout.disk_mount.parent)
        if folder not in _mounts_below(self.layout.root):
            run(["mount", "--bind", folder, folder])
            run(["mount", "--make-shared", folder])

    def _mounted(self) -> str | None:
        """Return the source of what is mounted at the mount point: a device, or the folder a bind shows."""
        target = str(self.layout.disk_mount)
        found = None
        for root, mounted, source in _mountinfo():
            if mounted == target:
                # Of a bind the root is a folder; the lab itself may lie on a loop device.
                found = source if root == "/" else self._folder_of(root)
        return found

    def _folder_of(self, root: str) -> str:
        # A bind's root is the path within its filesystem, which need not begin at /.
        return next((str(self._folder(name)) for name in DISKS if root.endswith(f"/{name}")), root)

    def _release(self, *, wait: bool = True) -> bool:
        """Detach the images; with `wait`, on return they are."""
        images = {str(self._image(name)) for name in DISKS}
        found = False
        until = self.clock.monotonic() + RELEASE_SECONDS
        while held := [loop for loop, backing in _loops() if backing.removesuffix(" (deleted)") in images]:
            found = True
            for loop in held:
                # Of one still in use the kernel makes a note: it goes with its last user.
                with contextlib.suppress(DsiError):
                    run(["losetup", "--detach", loop])
            if not wait or self.clock.monotonic() > until:
                break
            self.clock.sleep(0.02)
        return found

    def _image(self, name: str) -> Path:
        return self.layout.disk_dir / f"{name}.img"

    def _folder(self, name: str) -> Path:
        return self.layout.disk_dir / name


def _takes(image: Path) -> bool:
    """Tell whether the system gives a loop device for an image: some containers show devices and give none."""
    try:
        run(["losetup", "--detach", run(["losetup", "--find", "--show", str(image)]).strip()])
    except DsiError:
        return False
    return True


def _loops() -> list[tuple[str, str]]:
    """Return the loop devices in use, each with its file."""
    found = run(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"])
    return [(one["name"], one["back-file"] or "") for one in json.loads(found or "{}").get("loopdevices", [])]


def _mountinfo() -> Iterator[tuple[str, str, str]]:
    """Yield root, mount point and source of each mount (proc_pid_mountinfo(5))."""
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        yield _unescaped(fields[3]), _unescaped(fields[4]), _unescaped(after.split()[1])


def _mounts_below(folder: Path) -> list[str]:
    return [target for _, target, _ in _mountinfo() if target.startswith(f"{folder}/")]


def _unescaped(field: str) -> str:
    return field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
