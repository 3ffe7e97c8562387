"""What is mounted where, on which disk: asked of the kernel and of util-linux, never guessed from a path."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.connectors.media.errors import MediumLostError, MediumRefusedError
from dsi_automation.core.text import T

TIMEOUT: Final = 120.0
"""Seconds: unmounting writes what waits, and a slow disk takes its time."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A filesystem that is mounted exactly at a folder.

    Attributes:
        source: its device: `/dev/sdb1`.
        options: as `findmnt` gives them: `rw,relatime`.
    """

    target: Path
    source: str
    uuid: str | None
    label: str | None
    fstype: str
    options: tuple[str, ...]

    @property
    def writable(self) -> bool:
        """Tell whether it is mounted read-write."""
        return "ro" not in self.options


def mounted_at(folder: Path) -> Mount | None:
    """Return what is mounted exactly at a folder; None when nothing is.

    `findmnt -M`, not `-T`: for a folder that is no mount point the latter answers with the filesystem around it.

    Raises:
        MediumLostError: findmnt does not answer.
    """
    columns = "TARGET,SOURCE,UUID,LABEL,FSTYPE,OPTIONS"
    done = _ran(["findmnt", "--json", "--mountpoint", str(folder), "--output", columns])
    if done.returncode != 0 or not done.stdout.strip():
        return None
    # Of several mounts on top of one another the last one is what a path leads to.
    found = json.loads(done.stdout)["filesystems"][-1]
    return Mount(
        target=Path(found["target"]),
        source=found["source"],
        uuid=found["uuid"],
        label=found["label"],
        fstype=found["fstype"],
        options=tuple(found["options"].split(",")),
    )


def devices_with(uuid: str) -> tuple[str, ...]:
    """Return the devices plugged in whose filesystem has this UUID; more than one when a disk was cloned."""
    done = _ran(["blkid", "-c", "/dev/null", "-t", f"UUID={uuid}", "-o", "device"])
    return tuple(sorted(done.stdout.decode(errors="replace").split())) if done.returncode == 0 else ()


def mount(device: str, folder: Path, options: Sequence[str]) -> None:
    """Mount a device at a folder.

    Raises:
        MediumRefusedError: the system refuses.
    """
    done = _ran(["mount", "-o", ",".join(options), device, str(folder)])
    if done.returncode != 0:
        raise MediumRefusedError(
            T("{device} cannot be mounted at {folder}.", device=device, folder=str(folder)),
            next_step=T("Check the disk with `fsck -n {device}` and the kernel's messages (`dmesg`).", device=device),
            detail={"said": _said(done)},
        )


def unmount(folder: Path) -> bool:
    """Unmount what is mounted at a folder, writing what waits; False when something still uses it."""
    return _ran(["umount", str(folder)]).returncode == 0


def may_mount() -> bool:
    """Tell whether this process may mount and unmount."""
    return os.geteuid() == 0


def disks_of(path: Path) -> frozenset[str]:
    """Return the whole disks a path lies on, through partitions, LVM, RAID and encryption; empty when none is known."""
    while not path.exists() and path != path.parent:
        path = path.parent
    number = path.stat().st_dev
    node = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    return frozenset(_whole(node.resolve())) if node.exists() else frozenset({f"device:{number}"})


def _whole(node: Path) -> set[str]:
    if (node / "partition").exists():
        node = node.parent
    below = list((node / "slaves").iterdir()) if (node / "slaves").is_dir() else []
    return {disk for slave in below for disk in _whole(slave.resolve())} or {node.name}


def _ran(argv: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, env=env, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MediumLostError(
            T("{program} does not answer.", program=argv[0]),
            next_step=T("Look at the disk, its cable and the kernel's messages (`dmesg`), then try again."),
        ) from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode(errors="backslashreplace")[-2000:].strip()
