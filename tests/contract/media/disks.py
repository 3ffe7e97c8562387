"""Real external disks for tests: ext4 in a file behind a loop device, mounted and always taken away again."""

import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path


def ran(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Disk:
    """A disk that can be plugged in, mounted, and pulled out."""

    image: Path
    mount_point: Path
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    label: str = "DISQUE-01"
    megabytes: int = 32
    inodes: int | None = None
    device: str | None = None

    def make(self):
        with self.image.open("wb") as handle:
            handle.truncate(self.megabytes << 20)
        few = [] if self.inodes is None else ["-N", str(self.inodes)]
        ran("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-U", self.uuid, "-L", self.label, *few, str(self.image))
        return self

    def plug_in(self, options="rw", *, mount=True):
        self.device = ran("losetup", "--find", "--show", str(self.image))
        if mount:
            self.mount_point.mkdir(exist_ok=True)
            ran("mount", "-o", options, self.device, str(self.mount_point))
        return self

    def pull(self):
        """Take the disk away under whoever uses it."""
        subprocess.run(["umount", "-l", str(self.mount_point)], check=False, capture_output=True)
        if self.device is not None:
            subprocess.run(["losetup", "-d", self.device], check=False, capture_output=True)
            self.device = None

    def wait_until_let_go(self):
        """Wait until its last user let go of it: two mounts of one image would ruin it."""
        # Programs that a test kills import this file too, and not the helpers of tests.
        from waiting import wait_for

        wait_for(lambda: not ran("losetup", "--associated", str(self.image)))

    take_out = pull


@dataclass
class FolderDisk:
    """A folder with its UUID in a file, mounted by a bind: what stands in for a disk where there is no loop device."""

    folder: Path
    mount_point: Path
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    label: str = "DISQUE-01"

    def make(self):
        self.folder.mkdir()
        (self.folder / ".dsi-uuid").write_text(f"{self.uuid}\n")
        return self

    def plug_in(self):
        self.mount_point.mkdir(exist_ok=True)
        ran("mount", "--bind", str(self.folder), str(self.mount_point))
        return self

    def pull(self):
        subprocess.run(["umount", "-l", str(self.mount_point)], check=False, capture_output=True)
