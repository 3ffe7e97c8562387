"""An external disk: known by the UUID of its filesystem and by its own token, written so that a half never counts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from dsi_automation.connectors.backups.settings import WritePermit
from dsi_automation.connectors.media import mounts, trees
from dsi_automation.connectors.media.contents import ABOUT, COPY, PARTIAL, SETS, Contents
from dsi_automation.connectors.media.disk_look import DiskLook
from dsi_automation.connectors.media.errors import MediumRefusedError
from dsi_automation.connectors.media.held import HeldMedium, refuse_unusable
from dsi_automation.connectors.media.kept import still_kept
from dsi_automation.connectors.media.lock import MediumLock
from dsi_automation.connectors.media.mounts import Mount
from dsi_automation.connectors.media.port import MediumFacts, MediumSettings, Progress, Token
from dsi_automation.connectors.media.room import check_room
from dsi_automation.core.canonical import Json, canonical_bytes
from dsi_automation.core.clock import Clock, iso
from dsi_automation.core.text import T

_INODES: Final = 700
"""A repository's own folders and small files; besides them one file per so many bytes, at most."""
_PER_FILE: Final = 1 << 20


class DiskMedium(HeldMedium):
    """An external disk."""

    def __init__(
        self, settings: MediumSettings, target: str, clock: Clock, permit: WritePermit | None, lock: MediumLock
    ) -> None:
        """Use the medium; without a permit it is looked at only."""
        super().__init__(settings, target, clock, permit, lock)
        self._look = self._looking()
        self._partial: Path | None = None
        self._mounted_here = False

    def look(self) -> MediumFacts:
        """Look where it should be."""
        return self._look.look()

    def register(self, expires_after: timedelta) -> None:  # noqa: ARG002  # a tape's label says it, a disk's record
        """Write the token on a blank disk."""
        run = self._may_write()
        with self._held(run):
            facts = self._usable(Token.BLANK)
            self._contents.register(str(facts.identity), iso(self._clock.now()), run)

    def begin(self, set_id: str, needed: int) -> str:
        """Make ready for a set and return the folder its copy goes into."""
        run = self._may_write()
        self._lock.take(run)
        try:
            with trees.translated(self._settings.title):
                self._empty_mount_point()
                facts = self._usable(Token.OURS)
                self._contents.clean()
                self._roomy(replace(facts, **self._look.room()), set_id, needed)
                return self._made_ready(set_id, run)
        except BaseException:
            self._release()
            raise

    def finish(self, set_id: str, about: Mapping[str, Json], progress: Progress) -> None:
        """Bring the copy to the device and into the table of contents."""
        self._may_write()
        try:
            partial = self._begun()
            with trees.translated(self._settings.title):
                self._bring(partial, progress)
                (partial / ABOUT).write_bytes(canonical_bytes({"id": set_id, **about}))
                size = trees.write_sums(partial, progress)
                trees.sync_tree(partial)
                self._still_there()
                self._contents.take_in(partial, set_id, {**about, "bytes": size})
                self._still_there()
        finally:
            self.give_up()

    def give_up(self) -> None:
        """Let go of it, and leave nothing where it was mounted; what is half on it goes before the next copy."""
        self._partial = None
        try:
            self._empty_mount_point()
        finally:
            self._release()

    @contextmanager
    def read_back(self, set_id: str, progress: Progress) -> Iterator[str]:
        """Give the folder with the copy as the disk itself holds it: unmounted and mounted again, or past the cache."""
        self._lock.take(self._target)
        try:
            facts = self._usable(Token.OURS)
            if set_id not in facts.holds:
                raise MediumRefusedError(
                    T("{title} does not hold {set}.", title=self._settings.title, set=set_id),
                    next_step=T("See what it holds with `dsi media show {name}`.", name=self._settings.name),
                )
            place = self._folder / SETS / set_id
            with self._cold(place), trees.translated(self._settings.title):
                trees.hold_against_sums(place, self._settings.title, progress)
            # Mounted read-write again: an engine may want to lock its repository while it reads.
            with self._given(place, progress) as folder:
                yield folder
        finally:
            self._release()

    def remove(self, sets: Sequence[str]) -> None:
        """Remove sets from the table of contents and from the disk's room."""
        run = self._may_write()
        with self._held(run):
            self._usable(Token.OURS)
            still_kept(self._settings.title, self._contents.table(), sets, self._clock.now())
            self._contents.drop(sets)

    def eject(self) -> None:
        """Write what waits and unmount it."""
        if mounts.mounted_at(self._folder) is None:
            return
        self._lock.take(self._target)
        try:
            self._usable_as_it_is()
            if not mounts.unmount(self._folder):
                raise MediumRefusedError(
                    T("{title} cannot be taken out: something still uses it.", title=self._settings.title),
                    next_step=T("See what with `fuser -vm {place}`, then try again.", place=str(self._folder)),
                )
        finally:
            self._lock.give_back()

    # What a volume on tape does otherwise.

    def _looking(self) -> DiskLook:
        return DiskLook(self._settings)

    def _same_medium(self, mount: Mount) -> bool:
        return mount.uuid == self._settings.uuid

    def _made_ready(self, set_id: str, run: str) -> str:
        self._partial = self._folder / f"{PARTIAL}{run}-{set_id}"
        (self._partial / COPY).mkdir(parents=True)
        return str(self._partial / COPY)

    def _bring(self, partial: Path, progress: Progress) -> None:
        """A disk's copy was made in place."""

    @contextmanager
    def _given(self, place: Path, progress: Progress) -> Iterator[str]:
        del progress
        yield str(place / COPY)

    @contextmanager
    def _cold(self, place: Path) -> Iterator[None]:
        trees.sync_tree(place)
        with _again_read_only(self._folder) as again:
            if not again:
                trees.forget_cached(place)
            yield

    # Checks.

    @property
    def _folder(self) -> Path:
        return self._look.folder

    @property
    def _contents(self) -> Contents:
        return Contents(self._settings, self._folder)

    def _usable(self, wanted: Token) -> MediumFacts:
        """Mount the disk where that is needed, and make sure it is the right one.

        Raises:
            MediumRefusedError: it is not.
        """
        facts = self._look.look()
        if facts.problem is None and facts.details.get("token") == Token.UNREAD and mounts.may_mount():
            mounts.mount(str(facts.details["device"]), self._folder, ["rw"])
            self._mounted_here = True
            facts = self._look.look()
        refuse_unusable(facts)
        found = facts.details.get("token")
        if found != wanted:
            raise _wrong_token(self._settings, str(found))
        return facts

    def _usable_as_it_is(self) -> None:
        facts = self._look.look()
        if not facts.present:
            raise MediumRefusedError(facts.problem or T("It is not in."), next_step=facts.next_step)

    def _roomy(self, facts: MediumFacts, set_id: str, needed: int) -> None:
        check_room(self._settings, facts, set_id, needed)
        title = self._settings.title
        if facts.free_inodes is not None and facts.free_inodes < _INODES + needed // _PER_FILE:
            raise MediumRefusedError(
                T("{title} can take no more files: {n} inodes are free.", title=title, n=facts.free_inodes),
                next_step=T("Put in the next medium of the rotation, or make its filesystem anew with more inodes."),
            )

    def _begun(self) -> Path:
        if self._partial is None or not self._partial.is_dir():
            raise trees.lost(self._settings.title)
        self._still_there()
        return self._partial

    def _still_there(self) -> None:
        mount = mounts.mounted_at(self._folder)
        if mount is None or not self._same_medium(mount):
            raise trees.lost(self._settings.title)
        if not mount.writable:
            raise MediumRefusedError(
                T("{title} turned read-only while it was written.", title=self._settings.title),
                meaning=T("The system saw errors of the disk; what was being written counts for nothing."),
                next_step=T("Check it with `fsck` and the kernel's messages, or take it out of the rotation."),
            )

    def _empty_mount_point(self) -> None:
        """Remove what a copy went on writing after the disk was pulled out: it landed on this server's own disk."""
        if mounts.mounted_at(self._folder) is None:
            for path in self._folder.glob(f"{PARTIAL}*"):
                shutil.rmtree(path, ignore_errors=True)

    def _release(self) -> None:
        if self._mounted_here and mounts.unmount(self._folder):
            # As it was found: a disk that was not mounted is none the more exposed afterwards.
            self._mounted_here = False
        super()._release()


@contextmanager
def _again_read_only(folder: Path) -> Iterator[bool]:
    """Unmount, mount read-only, and mount as before at the end; yields False where that cannot be done."""
    mount = mounts.mounted_at(folder) if mounts.may_mount() else None
    if mount is None or not mount.source.startswith("/dev/"):
        yield False
        return
    # Held open, so that a loop device that frees itself at its last close outlives the moment between.
    device = os.open(mount.source, os.O_RDONLY)
    try:
        again = mounts.unmount(folder) and _mounted_anew(mount)
        try:
            yield again
        finally:
            if again:
                _as_before(mount)
    finally:
        os.close(device)


def _mounted_anew(mount: Mount) -> bool:
    try:
        mounts.mount(mount.source, mount.target, ["ro"])
    except MediumRefusedError:
        # Another mount namespace (a container) holds the filesystem: it was never unmounted, and its cache is alive.
        mounts.mount(mount.source, mount.target, list(mount.options))
        return False
    return True


def _as_before(mount: Mount) -> None:
    if mounts.unmount(mount.target):
        mounts.mount(mount.source, mount.target, list(mount.options))


def _wrong_token(settings: MediumSettings, found: str) -> MediumRefusedError:
    title = settings.title
    if found == Token.BLANK:
        return MediumRefusedError(
            T("{title} was never registered.", title=title),
            next_step=T("Ask for a copy on it: the plan then shows its registration, to be approved."),
        )
    if found == Token.OURS:
        return MediumRefusedError(
            T("{title} is registered already.", title=title),
            next_step=T("Plan again: the registration is no longer needed."),
        )
    return MediumRefusedError(
        T("{title} is plugged in and not mounted.", title=title),
        next_step=T("Mount it at {place}, then try again.", place=str(settings.mount_point)),
    )
