"""A tape: labelled first, written record by record, and read back whole before a copy on it counts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from dsi_automation.connectors.backups.settings import WritePermit
from dsi_automation.connectors.media import tape_records, token, trees
from dsi_automation.connectors.media.contents import COPY
from dsi_automation.connectors.media.drive import Drive
from dsi_automation.connectors.media.errors import MediumDamagedError, MediumRefusedError
from dsi_automation.connectors.media.held import HeldMedium, refuse_unusable
from dsi_automation.connectors.media.kept import still_kept
from dsi_automation.connectors.media.lock import MediumLock
from dsi_automation.connectors.media.port import MediumFacts, MediumSettings, Progress, Token
from dsi_automation.connectors.media.room import SPARE, check_room
from dsi_automation.connectors.media.tape_look import TapeLook
from dsi_automation.core.canonical import Json, canonical_bytes
from dsi_automation.core.clock import Clock, iso
from dsi_automation.core.text import T

WORN: Final = 200
"""Uses after which a tape is told to be worn: below the full passes that LTO makers name (some 260 for LTO-8)."""


class TapeMedium(HeldMedium):
    """A tape in a drive."""

    def __init__(
        self,
        settings: MediumSettings,
        drive: Drive,
        target: str,
        clock: Clock,
        permit: WritePermit | None,
        lock: MediumLock,
    ) -> None:
        """Use the tape that is in the drive; without a permit it is looked at only."""
        super().__init__(settings, target, clock, permit, lock)
        self._drive = drive
        self._look = TapeLook(settings, drive)

    def look(self) -> MediumFacts:
        """Look at the tape in the drive; this winds it."""
        return self._look.look()

    def register(self, expires_after: timedelta) -> None:
        """Write the label on a blank tape."""
        run = self._may_write()
        with self._held(run):
            self._usable(Token.BLANK)
            now = self._clock.now()
            made = token.made(self._settings, self._settings.serial or "", iso(now), run)
            self._label({**made, "uses": 1, "labelled_at": iso(now), "expires_at": iso(now + expires_after)})

    def begin(self, set_id: str, needed: int) -> str:
        """Make ready for a set and return the folder its copy is staged in."""
        run = self._may_write()
        self._lock.take(run)
        try:
            facts = self._usable(Token.OURS)
            self._roomy(facts, set_id, needed)
            out = self._settings.scratch / "out"
            with trees.translated(str(self._settings.scratch)):
                shutil.rmtree(self._settings.scratch, ignore_errors=True)
                out.mkdir(parents=True, mode=0o700)
                _room_to_stage(self._settings, needed)
                (out / COPY).mkdir()
            return str(out / COPY)
        except BaseException:
            self._release()
            raise

    def finish(self, set_id: str, about: Mapping[str, Json], progress: Progress) -> None:
        """Write the staged copy behind the last set that is whole."""
        self._may_write()
        out = self._settings.scratch / "out"
        try:
            with trees.translated(self._settings.title):
                size = trees.write_sums(out, progress)
                facts = self._usable(Token.OURS)
                number = len(facts.holds)
                header = {"id": set_id, **about, "bytes": size}
                self._drive.rewind()
                self._drive.forward_files(tape_records.BEFORE + number * tape_records.EACH)
                tape_records.write_set(self._drive, header, out, progress)
        finally:
            shutil.rmtree(self._settings.scratch, ignore_errors=True)
            self._release()

    @contextmanager
    def read_back(self, set_id: str, progress: Progress) -> Iterator[str]:
        """Bring the set back from the tape into the scratch folder, every block held against its hash."""
        self._lock.take(self._target)
        back = self._settings.scratch / "back"
        try:
            facts = self._usable(Token.OURS)
            if set_id not in facts.holds:
                raise _cut_short(self._settings, set_id)
            # The last of that name: an earlier one may be a copy that did not hold.
            number = len(facts.holds) - 1 - facts.holds[::-1].index(set_id)
            shutil.rmtree(back, ignore_errors=True)
            back.mkdir(parents=True, mode=0o700)
            with trees.translated(self._settings.title):
                self._drive.rewind()
                self._drive.forward_files(tape_records.BEFORE + number * tape_records.EACH + 1)
                bad = tape_records.read_set(self._drive, back, progress)
                if bad is None:
                    raise _cut_short(self._settings, set_id)
                if bad:
                    raise _bad_blocks(self._settings, bad)
                trees.hold_against_sums(back / set_id, self._settings.title, progress)
            yield str(back / set_id / COPY)
        finally:
            shutil.rmtree(self._settings.scratch, ignore_errors=True)
            self._release()

    def remove(self, sets: Sequence[str]) -> None:
        """Make the tape empty again: all it holds goes, or nothing.

        Raises:
            MediumRefusedError: something on it must still be kept, or is not among `sets`.
        """
        run = self._may_write()
        with self._held(run):
            facts = self._usable(Token.OURS)
            if not facts.holds:
                return
            rest = [name for name in facts.holds if name not in sets]
            if rest:
                raise MediumRefusedError(
                    T(
                        "{title} also holds {sets}, and a tape is written over as a whole.",
                        title=self._settings.title,
                        sets=", ".join(rest),
                    ),
                    next_step=T("Put in another tape, or wait until all it holds may go."),
                )
            still_kept(self._settings.title, tape_records.sets_of(self._drive), sets, self._clock.now())
            label = self._look.label() or {}
            now, keep = self._clock.now(), self._look.keep(label)
            renewed = {**label, "uses": int(label.get("uses", 1)) + 1, "labelled_at": iso(now)}
            self._label({**renewed, "expires_at": iso(now + keep)})

    def eject(self) -> None:
        """Rewind the tape and give it out."""
        with self._held(self._target):
            self._drive.offline()

    def _release(self) -> None:
        self._drive.close()
        super()._release()

    def _usable(self, wanted: Token) -> MediumFacts:
        facts = self.look()
        refuse_unusable(facts)
        if facts.details.get("token") != wanted:
            raise MediumRefusedError(
                T("{title} was never registered.", title=self._settings.title)
                if wanted is Token.OURS
                else T("{title} is registered already.", title=self._settings.title),
                next_step=T("Plan again: the plan shows a registration where one is needed."),
            )
        return facts

    def _label(self, label: Mapping[str, Any]) -> None:
        self._drive.rewind()
        self._drive.write(canonical_bytes(token.sealed(self._settings, label)))
        self._drive.filemark()
        self._drive.write(tape_records.tape_instructions(self._settings))
        self._drive.filemark()

    def _roomy(self, facts: MediumFacts, set_id: str, needed: int) -> None:
        check_room(self._settings, facts, set_id, needed, bounded=self._settings.capacity is not None)


def _room_to_stage(settings: MediumSettings, needed: int) -> None:
    if shutil.disk_usage(settings.scratch).free >= needed * SPARE:
        return
    raise MediumRefusedError(
        T("There is no room in {folder} to make the copy ready for the tape.", folder=str(settings.scratch)),
        next_step=T("Make room there, or name another scratch_dir in dsi_backup."),
    )


def _cut_short(settings: MediumSettings, set_id: str) -> MediumDamagedError:
    return MediumDamagedError(
        T("{title} does not hold {set} whole.", title=settings.title, set=set_id),
        meaning=T("The copy counts for nothing; the sets before it are untouched."),
        next_step=T("Copy again: the next copy is written over the half one."),
    )


def _bad_blocks(settings: MediumSettings, bad: Sequence[int]) -> MediumDamagedError:
    return MediumDamagedError(
        T(
            "{title} does not give back what was written on it: block {block} and {n} more.",
            title=settings.title,
            block=bad[0],
            n=len(bad) - 1,
        ),
        meaning=T("The copy counts for nothing: the medium, its cable or the port is bad."),
        next_step=T("Copy again on another medium, and take this one out of the rotation."),
        detail={"blocks": list(bad[:50]), "count": len(bad)},
    )
