"""`backup.externalise`: carry a verified set to a medium that leaves the house, read it back, record it (D and R)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import Field

from dsi_automation.connectors.backups.port import StoredSet
from dsi_automation.connectors.media.port import MediumFacts, Token
from dsi_automation.core.canonical import Json
from dsi_automation.core.errors import NotCompliantError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Blocker, NonAction, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.operations.backups import planning, rotation
from dsi_automation.operations.backups.catalogue import Catalogue
from dsi_automation.operations.backups.changes import BoundByDefinition
from dsi_automation.operations.backups.externalise_act import copy, register
from dsi_automation.operations.backups.facts import World, amount
from dsi_automation.operations.backups.finding import find_set
from dsi_automation.operations.backups.rotation import Choice
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.tools import Hands, Look

REGISTER: Final = "register"
COPY: Final = "copy"
MEDIUM: Final = "medium"
"""What a plan tells of a medium that is not in yet."""
NEWEST: Final = "newest_verified"


class ExternaliseInputs(Inputs):
    """Inputs of `backup.externalise`."""

    medium: str | None = Field(
        default=None,
        description=T("The medium to write on; by default the one of the rotation that is in and due.").template,
    )
    set: str | None = Field(
        default=None, description=T("The set to carry; the newest verified one by default.").template
    )


@dataclass(frozen=True, slots=True)
class MediaWorld:
    """What concerns all backups together.

    Attributes:
        places: the state of each medium by the record of custody.
        seen: what was found where each medium of the rotations asked should be.
    """

    world: World
    places: Mapping[str, str]
    seen: Mapping[str, MediumFacts]

    def choose(self, target: str, asked: str | None) -> Choice:
        """Return the medium for one backup."""
        media = self.world.plan.media
        taking_turns = media.rotations[str(self.world.job(target).media)]
        return rotation.choose(taking_turns, asked, media, self.places, self.world.catalogue, self.seen, self.world.now)


type Seen = Observed[None, MediaWorld]


class BackupExternalise(BoundByDefinition, Operation[ExternaliseInputs, None, MediaWorld, Look, Hands]):
    """Copies verified sets to media, reads each copy back, and records which medium holds it."""

    name: ClassVar[str] = "backup.externalise"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "D, R"
    summary: ClassVar[Text] = T("Copy verified backups to an external disk or a tape, and read the copy back")
    risk: ClassVar[Risk] = Risk.MEDIUM
    inputs_model: ClassVar[type[Inputs]] = ExternaliseInputs
    target_kind: ClassVar[TargetKind] = TargetKind.BACKUP

    def observe(
        self,
        targets: Sequence[str],
        inputs: ExternaliseInputs,  # noqa: ARG002
        look: Look,
        observer: Observer,  # noqa: ARG002
    ) -> Seen:
        """Look at the record, at custody, and where each medium should be."""
        return Observed(dict.fromkeys(targets), {}, media_world(targets, look))

    def plan(self, targets: Sequence[str], inputs: ExternaliseInputs, observed: Seen) -> Plan:
        """Decide for each backup."""
        decided = {target: decide(target, inputs, observed.shared) for target in targets}
        return plan_of(self, targets, inputs, decided)

    def act(self, action: Action, inputs: ExternaliseInputs, hands: Hands, observer: Observer) -> None:
        """Register a medium, or copy one set to a medium, read it back and record it.

        Raises:
            VerificationFailedError: what was read back is not the set.
            DsiError: it could not be copied; nothing counts.
        """
        if action.kind == REGISTER:
            register(action.target, str(action.args["medium"]), hands)
            return
        world = media_world([action.target], hands.look)
        stored = to_carry(action.target, inputs, world.world.catalogue)
        choice = world.choose(action.target, inputs.medium)
        if stored is None or choice.medium is None:
            raise NotCompliantError(
                choice.problem or T("There is no verified set of {job} yet.", job=action.target),
                on=action.target,
                next_step=choice.next_step or T("Verify one first: dsi backup verify {job}", job=action.target),
            )
        if inputs.medium is None and holders(stored, world.world.catalogue):
            return
        if world.seen[choice.medium].details.get("token") == Token.BLANK:
            register(action.target, choice.medium, hands)
        copy(action.target, stored, choice.medium, hands, observer)

    def settle(self, action: Action, inputs: ExternaliseInputs, look: Look, observer: Observer) -> None:
        """Nothing goes on by itself: what copied died with the controller."""

    def verify(self, plan: Plan, inputs: ExternaliseInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Look at the record and at each medium anew: its own table of contents names the set."""
        catalogue = look.catalogue()
        return [check for target in plan.targets for check in _is_outside(target, inputs, look, catalogue)]


def media_world(targets: Sequence[str], look: Look) -> MediaWorld:
    """Look at everything that decides which medium is written."""
    world = World(look.backup_plan, look.backup_settings, look.catalogue(), look.clock.now())
    named = {world.job(target).media for target in targets} - {None}
    media = [name for rotation in named for name in world.plan.media.rotations[str(rotation)].media]
    return MediaWorld(world, look.medium_places(), {name: look.medium(name).look() for name in media})


def decide(target: str, inputs: ExternaliseInputs, found: MediaWorld) -> Decided:
    """Return what is done about one backup, and why; pure."""
    decided, world = Decided(), found.world
    job = world.job(target)
    if job.media is None:
        decided.blockers.append(
            Blocker(
                target,
                T("“{title}” is never carried to a medium: the plan names no rotation for it.", title=job.title),
                T("Name one: `media` of {name} in dsi_backups.", name=target),
            )
        )
        return decided
    try:
        stored = to_carry(target, inputs, world.catalogue)
    except NotCompliantError as error:
        decided.blockers.append(Blocker(target, error.what, error.next_step or T("Name another set.")))
        return decided
    choice = found.choose(target, inputs.medium)
    if choice.medium is None:
        problem, step = choice.problem or T("No medium is in."), choice.next_step or T("See: dsi media list")
        if inputs.medium is not None or not choice.absent:
            decided.blockers.append(Blocker(target, problem, step))
            return decided
        # The validated plan is asked for on any day, and no medium stays in the machine: the copy itself wants one.
        decided.non_actions.append(NonAction(target, MEDIUM, T("{problem} {step}", problem=problem, step=step)))
    elif found.seen[choice.medium].details.get("token") != Token.BLANK:
        why = T("{title} is registered.", title=world.plan.media.media[choice.medium].title)
        decided.non_actions.append(NonAction(target, REGISTER, why))
    elif inputs.medium is not None:
        decided.actions.append(_register(target, choice.medium, found))
    decided.actions.append(_copy(target, inputs, stored, choice.medium, found))
    return decided


def to_carry(target: str, inputs: ExternaliseInputs, catalogue: Catalogue) -> StoredSet | None:
    """Return the set to carry; None when nothing is verified yet.

    Raises:
        NotCompliantError: the set asked is not there, or is not verified.
    """
    verified = catalogue.verified(target)
    if inputs.set is None:
        return verified[-1] if verified else None
    stored = find_set(inputs.set, target, catalogue)
    if stored not in verified:
        raise NotCompliantError(
            T("{set} is not verified: only a set that was brought back and compared leaves the house.", set=stored.id),
            on=target,
            next_step=T("Verify it first: dsi backup verify {job} --set {set}", job=target, set=stored.id),
        )
    return stored


def holders(stored: StoredSet, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the media that hold a set, by the record."""
    return tuple(name for name, held in catalogue.on_medium.items() if stored.id in held)


def _register(target: str, medium: str, found: MediaWorld) -> Action:
    described, seen = found.world.plan.media.media[medium], found.seen[medium]
    return Action(
        target,
        REGISTER,
        {"definition": found.world.definition(target), "medium": medium, "identity": seen.identity},
        T("Register {title} ({identity})", title=described.title, identity=seen.identity or "-"),
        T("It is blank: from then on its own token says which medium it is."),
        T("Empty the medium."),
    )


def _copy(
    target: str, inputs: ExternaliseInputs, stored: StoredSet | None, medium: str | None, found: MediaWorld
) -> Action:
    world, title = found.world, _medium_words(target, inputs, medium, found)
    args: dict[str, Json] = {
        "definition": world.definition(target),
        "set": inputs.set or NEWEST,
        "medium": inputs.medium,
    }
    if stored is None:
        why = T("No set is verified yet: what counts is the newest verified one when this runs.")
        return Action(target, COPY, args, T("Copy the newest verified set to {title}", title=title), why)
    there = holders(stored, world.catalogue)
    words = planning.set_words(stored, world)
    if there and inputs.medium is None:
        why = T(
            "{set}; it is on {media} already: nothing is copied until there is a newer one.",
            set=words,
            media=", ".join(there),
        )
    else:
        why = T("{set}; {size} at most.", set=words, size=amount(stored.made.size))
    return Action(
        target,
        COPY,
        args,
        T("Copy {set} to {title}, and read it back", set=stored.id, title=title),
        why,
        T("The copy can be removed from the medium once it need no longer be kept."),
    )


def _medium_words(target: str, inputs: ExternaliseInputs, medium: str | None, found: MediaWorld) -> Text | str:
    media = found.world.plan.media
    if medium is None:
        return T(
            "the medium of “{title}” whose turn it is", title=media.rotations[str(found.world.job(target).media)].title
        )
    title = media.media[medium].title
    if inputs.medium is None and found.seen[medium].details.get("token") == Token.BLANK:
        # One of the rotation, whichever is in: its registration belongs to the copy, or a new disk would be outside
        # what was approved.
        return T("{title} (blank: registered first)", title=title)
    return title


def _is_outside(target: str, inputs: ExternaliseInputs, look: Look, catalogue: Catalogue) -> list[Check]:
    stored = to_carry(target, inputs, catalogue)
    on = () if stored is None else holders(stored, catalogue)
    wanted = [name for name in on if inputs.medium in {None, name}]
    title = T("Set on a medium, by the record")
    name = "-" if stored is None else stored.id
    checks = [Check(target, "record", title, name, ", ".join(wanted) or "-", ok=bool(wanted), source="journal")]
    here = [(medium, look.medium(medium).look()) for medium in wanted]
    for medium, facts in here:
        if facts.details.get("token") != Token.OURS:
            continue  # taken out since, or carried away on an earlier day: custody says where it is
        checks.append(
            Check(
                target,
                "table_of_contents",
                T("Set in the table of contents of {medium}", medium=medium),
                name,
                ", ".join(facts.holds) or "-",
                ok=name in facts.holds,
                source=str(facts.details.get("mount_point") or facts.details.get("device")),
            )
        )
    return checks
