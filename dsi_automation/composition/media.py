"""Media and their custody: where each is, what it holds, whose turn it is; and moving them, against the inventory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dsi_automation.core.errors import GateClosedError, UsageError
from dsi_automation.core.text import T, Text
from dsi_automation.engine.media_custody import overdue, places
from dsi_automation.engine.model import Held, MediumMove, MediumOrder, MediumState
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.operations.backups import rotation as turns

if TYPE_CHECKING:
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.inventory.backup_model import AnyMedium, Rotation
    from dsi_automation.operations.backups.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class MediumView:
    """A medium as the record knows it.

    Attributes:
        last: its last move; None when it never moved.
        holds: the sets on it, oldest first.
        kept_until: until when something on it must be kept.
        due: whether it is its turn to be written.
        may_return: whether it is off site and may come back.
        overdue: whether it is under way for longer than the plan allows.
        only_proven: sets of which nothing else is proven.
        room: how many more sets it takes before one that it holds is written over.
        frees: from when it may be written over or come back, where no medium of its rotation may be written now and
            it is the first of them.
    """

    name: str
    medium: AnyMedium
    rotation: str | None
    state: MediumState
    last: MediumMove | None
    holds: tuple[str, ...]
    last_written: datetime | None
    kept_until: datetime | None
    due: bool
    may_return: bool
    overdue: bool
    only_proven: tuple[str, ...]
    room: int = 0
    frees: datetime | None = None

    @property
    def identity(self) -> str:
        """Return its UUID or serial."""
        return str(getattr(self.medium, "uuid", None) or getattr(self.medium, "serial", "-"))


class MediaDesk:
    """Looks up and moves the media of the inventory."""

    def __init__(self, toolkit: Toolkit) -> None:
        """Work with a toolkit's inventory, journal and key."""
        self._toolkit = toolkit
        self.media = toolkit.inventory.backup_plan.media

    def catalogue(self) -> Catalogue:
        """Return what there is of sets and copies."""
        return self._toolkit.equipment.look().catalogue()

    def views(self) -> tuple[MediumView, ...]:
        """Return every medium, rotation by rotation."""
        catalogue, now = self.catalogue(), self._toolkit.clock.now()
        known = self._toolkit.engine.medium_moves() if self._toolkit.journal_exists else ()
        last = places(known)
        states = {name: str(move.order.state) for name, move in last.items()}
        due, back, frees = set[str](), set[str](), dict[str, datetime]()
        for taking_turns in self.media.rotations.values():
            due |= {turns.due_next(taking_turns, self.media, states, catalogue, now) or ""}
            if first := turns.frees_first(taking_turns, self.media, states, catalogue, now):
                frees[first[0]] = first[1]
            back |= set(turns.may_return(taking_turns, states, catalogue, now))
        order = [name for item in self.media.rotations.values() for name in item.media]
        names = [*order, *(name for name in self.media.media if name not in order)]
        limit = self._toolkit.inventory.backup_settings.courier_limit
        found = []
        for name in names:
            move, of = last.get(name), self.media.rotation_of(name)
            holds = catalogue.on_medium.get(name, ())
            state = MediumState.ON_SITE if move is None else move.order.state
            found.append(
                MediumView(
                    name=name,
                    medium=self.media.media[name],
                    rotation=of,
                    state=state,
                    last=move,
                    holds=holds,
                    last_written=turns.last_written(name, catalogue),
                    kept_until=None if of is None else turns.kept_until(name, self.media.rotations[of], catalogue),
                    due=name in due,
                    may_return=name in back,
                    overdue=overdue(state, None if move is None else move.at, limit, now),
                    only_proven=turns.only_proven(name, catalogue),
                    room=0 if of is None else max(0, self.media.rotations[of].copies - len(holds)),
                    frees=frees.get(name),
                )
            )
        return tuple(found)

    def view(self, name: str) -> MediumView:
        """Return one medium, by its name or by what is written on it.

        Raises:
            UsageError: the inventory describes none so.
        """
        wanted = name.casefold()
        for view in self.views():
            if wanted in {view.name.casefold(), view.medium.title.casefold()}:
                return view
        raise UsageError(
            T("dsi_media describes no medium “{name}”.", name=name), next_step=did_you_mean(name, self.media.media)
        )

    def moves(self, name: str) -> Sequence[MediumMove]:
        """Return the moves of a medium, oldest first."""
        return self._toolkit.engine.medium_moves(medium=name) if self._toolkit.journal_exists else ()

    def hand_over(self, view: MediumView, to: str, seal: str | None, carrier: str | None) -> MediumMove:
        """Record that a medium leaves the house with somebody.

        Raises:
            UsageError: who gets it is no keeper of its rotation, or the medium is still mounted.
            GateClosedError: see `Engine.move_medium`.
        """
        keepers = self._rotation(view).keepers
        if keepers and to not in keepers:
            raise UsageError(
                T("{person} is not among the keepers of this rotation.", person=to),
                next_step=T("Hand it to one of: {names}.", names=", ".join(keepers)),
            )
        self._refuse_mounted(view)
        return self._move(view, MediumState.COURIER, to=to, seal=seal, carrier=carrier)

    def store(self, view: MediumView, place: str, box: str | None, comment: str | None) -> MediumMove:
        """Record that a medium arrived where it is stored, signed by a keeper who did not hand it over.

        Raises:
            UsageError: nothing of the rotation is stored in that place. GateClosedError: the signer is no keeper.
        """
        self._keeper(view)
        known = self._rotation(view).places
        if known and place not in known:
            raise UsageError(
                T("Media of this rotation are not stored in “{place}”.", place=place),
                next_step=T("Choose one of: {names}.", names=", ".join(known)),
            )
        return self._move(view, MediumState.VAULT, place=place, box=box, comment=comment)

    def recall(self, view: MediumView, comment: str | None) -> MediumMove:
        """Record that a medium is asked to come back."""
        last = None if view.last is None else view.last.order
        place, box = (None, None) if last is None else (last.place, last.box)
        return self._move(view, MediumState.RETRIEVE_REQUESTED, place=place, box=box, comment=comment)

    def give_back(self, view: MediumView, carrier: str | None, comment: str | None) -> MediumMove:
        """Record the next step of the way back: it leaves where it was stored, or it has arrived in the house."""
        if view.state is MediumState.COURIER_BACK:
            return self._move(view, MediumState.ON_SITE, comment=comment)
        if view.state in turns.AWAY:
            self._keeper(view)
        return self._move(view, MediumState.COURIER_BACK, carrier=carrier, comment=comment)

    def destroy(self, view: MediumView, certificate: str) -> MediumMove:
        """Record that a medium is gone for good.

        Raises:
            UsageError: it holds the only proven copy of something, or something to be kept longer.
        """
        now = self._toolkit.clock.now()
        if view.only_proven or (view.kept_until is not None and view.kept_until > now):
            raise UsageError(
                T("{title} holds sets that must still be kept.", title=view.medium.title),
                next_step=T("See which: dsi media show {name}", name=view.name),
            )
        return self._move(view, MediumState.DESTROYED, comment=certificate)

    def eject(self, view: MediumView) -> None:
        """Have everything written and the medium unmounted, ready to be taken out."""
        self._toolkit.equipment.look().medium_at(view.name, None, view.name).eject()

    def _move(
        self,
        view: MediumView,
        state: MediumState,
        *,
        to: str | None = None,
        carrier: str | None = None,
        seal: str | None = None,
        place: str | None = None,
        box: str | None = None,
        comment: str | None = None,
    ) -> MediumMove:
        sets = self.catalogue().sets
        holds = tuple(Held(name, sets[name].made.manifest) for name in view.holds)
        order = MediumOrder(view.name, view.medium.title, state, to, carrier, seal, place, box, comment or None, holds)
        return self._toolkit.engine.move_medium(order)

    def _rotation(self, view: MediumView) -> Rotation:
        if view.rotation is None:
            raise UsageError(
                T("{title} belongs to no rotation.", title=view.medium.title),
                next_step=T("Name it in a rotation of dsi_media."),
            )
        return self.media.rotations[view.rotation]

    def _keeper(self, view: MediumView) -> None:
        """Make sure that the person at the keyboard may hold and store this medium."""
        toolkit, keepers = self._toolkit, self._rotation(view).keepers
        person = toolkit.inventory.people.by_key(toolkit.signer.public_key, toolkit.clock.now())
        if keepers and (person is None or person.id not in keepers):
            who: Text | str = T("Your key’s owner") if person is None else person.id
            raise GateClosedError(
                T("{person} is not among the keepers of this rotation.", person=who),
                next_step=T("One of them must sign: {names}.", names=", ".join(keepers)),
            )

    def _refuse_mounted(self, view: MediumView) -> None:
        uuid = getattr(view.medium, "uuid", None)
        place = view.medium.mount_point or self._rotation(view).mount_point
        if uuid is None or place is None:
            return
        folder = view.medium.kind == "folder"
        from pathlib import Path

        from dsi_automation.connectors.media.folder import uuid_of
        from dsi_automation.connectors.media.mounts import mounted_at

        mount = mounted_at(Path(place))
        if mount is not None and (uuid_of(mount) if folder else mount.uuid) == uuid:
            raise UsageError(
                T("{title} is still mounted: taken out now it could lose what was written.", title=view.medium.title),
                next_step=T("Take it out cleanly first: dsi media eject {name}", name=view.name),
            )
