"""Which medium is due, which may be written over, which may come back: pure, from the plan, custody and the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dsi_automation.connectors.media.port import MediumFacts
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.media_custody import STATES
from dsi_automation.engine.model import MediumState
from dsi_automation.inventory.backup_model import MediaSettings, Rotation
from dsi_automation.operations.backups.catalogue import Catalogue, Copy

AWAY: Final = frozenset({MediumState.VAULT, MediumState.RETRIEVE_REQUESTED})
"""Off site, by a receipt."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The medium a copy goes to, or why there is none and what to do about it.

    Attributes:
        absent: nothing else is wrong than that the medium is not in, which another day may mend by itself.
    """

    medium: str | None
    problem: Text | None = None
    next_step: Text | None = None
    absent: bool = False


def last_copy(medium: str, set_id: str, catalogue: Catalogue) -> Copy | None:
    """Return the last copy of a set on a medium that was read back and held."""
    found = (c for c in reversed(catalogue.copies) if (c.medium, c.set) == (medium, set_id) and c.ok)
    return next(found, None)


def last_written(medium: str, catalogue: Catalogue) -> datetime | None:
    """Return when something was last written on a medium, whether it held or not; None for never."""
    return max((copy.at for copy in catalogue.copies if copy.medium == medium), default=None)


def kept_until(medium: str, rotation: Rotation, catalogue: Catalogue) -> datetime | None:
    """Return until when something on a medium must be kept; None when it holds nothing."""
    copies = [last_copy(medium, name, catalogue) for name in catalogue.on_medium.get(medium, ())]
    return max((copy.at + rotation.keep for copy in copies if copy is not None), default=None)


def only_proven(medium: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the sets on a medium of which nothing else is proven: neither the set elsewhere, nor a newer one.

    A set that the plan no longer wants may go; the last proven one of its backup never does.
    """
    return tuple(name for name in catalogue.on_medium.get(medium, ()) if _alone(name, medium, catalogue))


def _alone(name: str, medium: str, catalogue: Catalogue) -> bool:
    if _proven_besides(name, medium, catalogue):
        return False
    order = list(catalogue.sets)
    job = catalogue.sets[name].job
    newer = [other for other in order[order.index(name) + 1 :] if catalogue.sets[other].job == job]
    return not any(_proven_besides(other, medium, catalogue) for other in newer)


def _proven_besides(name: str, medium: str, catalogue: Catalogue) -> bool:
    proof = catalogue.last_proof(name)
    in_repository = name not in catalogue.forgotten and proof is not None and proof.ok
    return in_repository or any(name in held for other, held in catalogue.on_medium.items() if other != medium)


def may_go(medium: str, kind: str, rotation: Rotation, catalogue: Catalogue, now: datetime) -> tuple[str, ...]:
    """Return the sets on a medium that may be removed from it, oldest first; a tape is written over as a whole.

    Args:
        kind: `disk`, `ltfs` or `tape`.
    """
    held, alone = catalogue.on_medium.get(medium, ()), only_proven(medium, catalogue)
    copies = {name: last_copy(medium, name, catalogue) for name in held}
    going = tuple(
        name for name in held if name not in alone and (c := copies[name]) is not None and c.at + rotation.keep <= now
    )
    return going if kind != "tape" or len(going) == len(held) else ()


def to_clear(
    medium: str, kind: str, rotation: Rotation, catalogue: Catalogue, now: datetime, set_id: str
) -> tuple[str, ...]:
    """Return what is removed from a medium so that one more set finds its place there, oldest first."""
    held = [name for name in catalogue.on_medium.get(medium, ()) if name != set_id]
    excess = len(held) + 1 - rotation.copies
    going = [name for name in may_go(medium, kind, rotation, catalogue, now) if name != set_id]
    if excess <= 0:
        return ()
    return tuple(going) if kind == "tape" else tuple(going[:excess])


def refusal(
    medium: str, media: MediaSettings, places: Mapping[str, str], catalogue: Catalogue, now: datetime
) -> tuple[Text, Text] | None:
    """Return why a medium may not be written, by the record alone, and what to do; None when it may."""
    described, name = media.media[medium], media.rotation_of(medium)
    state = MediumState(places.get(medium, MediumState.ON_SITE))
    if state is not MediumState.ON_SITE:
        return (
            T("{title} is {state}, by the record of custody.", title=described.title, state=STATES[state]),
            T("If it is here, record its return: dsi media return {name}", name=medium),
        )
    if name is None:
        return (
            T("{title} belongs to no rotation.", title=described.title),
            T("Name it in a rotation of dsi_media."),
        )
    rotation = media.rotations[name]
    held = catalogue.on_medium.get(medium, ())
    if len(held) >= rotation.copies and not may_go(medium, described.kind, rotation, catalogue, now):
        until = kept_until(medium, rotation, catalogue)
        alone = only_proven(medium, catalogue)
        if alone:
            return (
                T("{title} holds the only proven copy of {sets}.", title=described.title, sets=", ".join(alone)),
                T("Verify a newer set first, or use another medium."),
            )
        return (
            TN(
                "{title} holds {n} set, to be kept until {until:%Y-%m-%d}.",
                "{title} holds {n} sets, to be kept until {until:%Y-%m-%d}.",
                len(held),
                title=described.title,
                until=(until or now).astimezone(),
            ),
            T("Use another medium of the rotation: dsi media list"),
        )
    return None


def in_order(rotation: Rotation, catalogue: Catalogue) -> list[str]:
    """Return the media of a rotation in the order they take turns: the one written longest ago first."""
    written = {name: last_written(name, catalogue) for name in rotation.media}

    def turn(name: str) -> tuple[bool, float, int]:
        at = written[name]
        return at is not None, 0.0 if at is None else at.timestamp(), rotation.media.index(name)

    return sorted(rotation.media, key=turn)


def due_next(
    rotation: Rotation, media: MediaSettings, places: Mapping[str, str], catalogue: Catalogue, now: datetime
) -> str | None:
    """Return the medium whose turn it is; None when none may be written."""
    usable = (m for m in in_order(rotation, catalogue) if refusal(m, media, places, catalogue, now) is None)
    return next(usable, None)


def frees_first(
    rotation: Rotation, media: MediaSettings, places: Mapping[str, str], catalogue: Catalogue, now: datetime
) -> tuple[str, datetime] | None:
    """Return the medium that may be written over or come back first, and when; None when one may be written now.

    None as well when time alone frees none: what they hold is the only proven copy, or they are on their way.
    """
    if due_next(rotation, media, places, catalogue, now) is not None:
        return None
    found = [
        (free, name)
        for name in rotation.media
        if (free := _free_at(name, media.media[name].kind, places.get(name), rotation, catalogue)) is not None
    ]
    if not found:
        return None
    free, name = min(found)
    return name, free


def _free_at(medium: str, kind: str, place: str | None, rotation: Rotation, catalogue: Catalogue) -> datetime | None:
    held, alone = catalogue.on_medium.get(medium, ()), only_proven(medium, catalogue)
    copies = [last_copy(medium, name, catalogue) for name in held if name not in alone]
    ends = [copy.at + rotation.keep for copy in copies if copy is not None]
    away = place == MediumState.VAULT
    if not ends or (place is not None and not away and place != MediumState.ON_SITE):
        return None
    if away or kind == "tape":
        return max(ends) if len(ends) == len(held) else None
    return min(ends)


def may_return(rotation: Rotation, places: Mapping[str, str], catalogue: Catalogue, now: datetime) -> tuple[str, ...]:
    """Return the media off site whose content need no longer be kept there, the one due first in front."""
    found = []
    for name in in_order(rotation, catalogue):
        if places.get(name) != MediumState.VAULT or only_proven(name, catalogue):
            continue
        until = kept_until(name, rotation, catalogue)
        if until is None or until <= now:
            found.append(name)
    return tuple(found)


def choose(
    rotation: Rotation,
    asked: str | None,
    media: MediaSettings,
    places: Mapping[str, str],
    catalogue: Catalogue,
    seen: Mapping[str, MediumFacts],
    now: datetime,
) -> Choice:
    """Return the medium a copy goes to: the one asked, else one that is in, else why none.

    Args:
        seen: what was found where each medium of the rotation should be.
    """
    if asked is not None:
        if asked not in rotation.media:
            return Choice(
                None,
                T("{medium} does not belong to the rotation “{title}”.", medium=asked, title=rotation.title),
                T("Choose one of: {names}.", names=", ".join(rotation.media)),
            )
        return _judged(asked, media, places, catalogue, seen, now)
    turns = in_order(rotation, catalogue)
    judged = [_judged(name, media, places, catalogue, seen, now) for name in turns]
    good = [choice for choice in judged if choice.problem is None]
    if good:
        return good[0]
    inside = [choice for name, choice in zip(turns, judged, strict=True) if seen[name].present]
    if inside:
        return inside[0]
    due = due_next(rotation, media, places, catalogue, now)
    if due is not None:
        return _judged(due, media, places, catalogue, seen, now)
    problem = T("No medium of the rotation “{title}” may be written now.", title=rotation.title)
    back, first = may_return(rotation, places, catalogue, now), frees_first(rotation, media, places, catalogue, now)
    if back:
        return Choice(None, problem, T("Have {names} brought back: dsi media return NAME", names=", ".join(back)))
    if first is None:
        return Choice(None, problem, T("Add a medium to the rotation, or wait until one may come back: dsi media list"))
    step = T(
        "Add a medium to the rotation, or wait for {name}, the first to be free, on {when:%Y-%m-%d}: dsi media list",
        name=first[0],
        when=first[1].astimezone(),
    )
    return Choice(None, problem, step)


def _judged(
    name: str,
    media: MediaSettings,
    places: Mapping[str, str],
    catalogue: Catalogue,
    seen: Mapping[str, MediumFacts],
    now: datetime,
) -> Choice:
    facts = seen[name]
    refused = refusal(name, media, places, catalogue, now)
    if refused is not None:
        return Choice(None, *refused)
    if facts.problem is not None or not facts.present:
        return Choice(None, facts.problem or T("It is not in."), facts.next_step, absent=not facts.present)
    missing = _missing(name, catalogue, facts)
    if missing:
        return Choice(
            None,
            T(
                "{title} lacks {sets}, which the record says it holds.",
                title=media.media[name].title,
                sets=", ".join(missing),
            ),
            T("Find out who removed them, or whether this is an older copy of the disk; use another medium meanwhile."),
        )
    return Choice(name)


def _missing(name: str, catalogue: Catalogue, facts: MediumFacts) -> Sequence[str]:
    if facts.details.get("token") == "unread":
        return ()
    return [one for one in catalogue.on_medium.get(name, ()) if one not in facts.holds]
