"""What `server.backup` and `database.backup` share: look at source and repository, decide, make the set, retain."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from dsi_automation.connectors.backups.errors import BackupFailedError
from dsi_automation.connectors.backups.port import MadeSet, StoredSet
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, Blocker, NonAction, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.operation import Inputs, Operation, TargetKind
from dsi_automation.inventory.backup_model import Job
from dsi_automation.operations.backups import evidence, facts, planning
from dsi_automation.operations.backups.acting import progress, with_tries
from dsi_automation.operations.backups.catalogue import BEGUN, FORGOTTEN, SET, TRY, Catalogue
from dsi_automation.operations.backups.changes import BoundByDefinition
from dsi_automation.operations.backups.facts import BackupFacts, Seen, World
from dsi_automation.operations.backups.orphans import drop_orphans
from dsi_automation.operations.backups.records import set_id, set_to_json
from dsi_automation.operations.backups.retention import due_for_media, to_forget
from dsi_automation.operations.backups.steps import operation_of
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.tools import Hands, Look

INITIALISE: Final = "initialise_repository"
BACK_UP: Final = "back_up"
RETAIN: Final = "retain"


class BackupInputs(Inputs):
    """Inputs of the operations that make sets: the inventory's plan says all."""


class MakingOperation(BoundByDefinition, Operation[BackupInputs, BackupFacts, World, Look, Hands]):
    """Makes a set of each backup asked, and forgets those the plan no longer wants."""

    version: ClassVar[int] = 1
    risk: ClassVar[Risk] = Risk.LOW
    inputs_model: ClassVar[type[Inputs]] = BackupInputs
    target_kind: ClassVar[TargetKind] = TargetKind.BACKUP

    def observe(self, targets: Sequence[str], inputs: BackupInputs, look: Look, observer: Observer) -> Seen:  # noqa: ARG002
        """Look at every source and repository at once."""
        return facts.observe(targets, look, observer, source=True)

    def plan(self, targets: Sequence[str], inputs: BackupInputs, observed: Seen) -> Plan:
        """Decide for each backup: make its repository, back up, retain."""
        world = observed.shared
        decided = {target: decide(self.name, target, found, world) for target, found in observed.facts.items()}
        return plan_of(self, targets, inputs, decided)

    def act(self, action: Action, inputs: BackupInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG002
        """Carry out one action and wait for its effect."""
        match action.kind:
            case "initialise_repository":
                with hands.backup(action.target) as engine:
                    engine.initialise()
            case "back_up":
                back_up(action.target, hands, observer)
            case "retain":
                retain(action.target, hands, observer)
            case _:
                raise AssertionError(action.kind)

    def settle(self, action: Action, inputs: BackupInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the repository can be looked at: what ran on the source died with the controller."""
        evidence.answers(action.target, look)

    def verify(self, plan: Plan, inputs: BackupInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read each repository anew, by the controller's own way: the newest set of the record must be in it."""
        catalogue = look.catalogue()
        return [check for target in plan.targets for check in evidence.newest_is_there(target, look, catalogue)]


def decide(operation: str, target: str, found: BackupFacts, world: World) -> Decided:
    """Return what is done about one backup, and why; pure."""
    job, decided = world.job(target), Decided()
    if operation_of(job) != operation:
        decided.blockers.append(
            Blocker(
                target,
                T("{operation} makes no sets of a backup of this kind.", operation=operation),
                T("Use {operation} for it.", operation=operation_of(job)),
            )
        )
        return decided
    sets = world.catalogue.of(target)
    decided.blockers += planning.repository_blockers(target, found.repository, world)
    if found.source is not None:
        decided.blockers += planning.source_blockers(target, found.source, _last_here(job, world, sets))
    decided.non_actions += planning.told(target, found, world)
    if found.repository.exists:
        why = T("The repository {name} is there.", name=job.repository)
        decided.non_actions.append(NonAction(target, INITIALISE, why))
    else:
        decided.actions.append(_initialise(target, world))
    decided.actions += [_back_up(target, found, world), _retain(target, world)]
    return decided


def _last_here(job: Job, world: World, sets: Sequence[StoredSet]) -> StoredSet | None:
    """Return the last set of the backup in the repository the plan names now."""
    here = {stored.id for stored in world.in_repository(job.repository)}
    return next((stored for stored in reversed(sets) if stored.id in here), None)


def _initialise(target: str, world: World) -> Action:
    job = world.job(target)
    return Action(
        target,
        INITIALISE,
        {"definition": world.definition(target)},
        T("Make the repository {name}", name=job.repository),
        T("There is no repository at that place, and the record has no set in it."),
        T("Remove the empty repository."),
    )


def _back_up(target: str, found: BackupFacts, world: World) -> Action:
    job, sets = world.job(target), world.catalogue.of(target)
    engine = "-" if found.source is None else found.source.engine
    if sets:
        why = TN(
            "The plan asks for it. {n} set is kept; the newest: {newest}.",
            "The plan asks for it. {n} sets are kept; the newest: {newest}.",
            len(sets),
            newest=planning.set_words(sets[-1], world),
        )
    else:
        why = T("The plan asks for it. There is no set yet.")
    return Action(
        target,
        BACK_UP,
        {"definition": world.definition(target)},
        T("Back up “{title}” to the repository {name} ({engine})", title=job.title, name=job.repository, engine=engine),
        why,
        T("The set can be forgotten; the source is only read."),
    )


def _retain(target: str, world: World) -> Action:
    going = forgettable(target, world.job(target), world.catalogue)
    if going:
        why = TN(
            "Today {n} set would go: {sets}. The last verified one, newer ones and those due for a medium stay.",
            "Today {n} sets would go: {sets}. The last verified one, newer ones and those due for a medium stay.",
            len(going),
            sets=", ".join(stored.id for stored in going),
        )
    elif world.catalogue.of(target) and not world.catalogue.verified(target):
        why = T("Today none would go: no set is verified, so that every one is kept.")
    else:
        why = T("Today none would go. The last verified one, newer ones and those due for a medium stay.")
    return Action(
        target,
        RETAIN,
        {"definition": world.definition(target)},
        T("Forget the sets that the plan no longer wants kept"),
        why,
    )


def forgettable(target: str, job: Job, catalogue: Catalogue) -> tuple[StoredSet, ...]:
    """Return the sets of a backup that may go now, by the record; those of another repository stay where they are."""
    sets = catalogue.of(target)
    here = [stored for stored in sets if stored.made.details.get(facts.REPOSITORY) == job.repository]
    return to_forget(
        here,
        catalogue.recorded,
        job.retention,
        verified={stored.id for stored in catalogue.verified(target)},
        due=due_for_media(target, catalogue) if job.media is not None else (),
    )


def back_up(target: str, hands: Hands, observer: Observer) -> None:
    """Make one set and record it; a set of this very run that the record has already is not made again.

    Raises:
        UnreachableError: every try failed. StoppedError: asked to stop between two tries.
        DsiError: it failed in a way that another try does not change.
    """
    look = hands.look
    catalogue, job = look.catalogue(), look.backup_plan.backups[target]
    if any(stored.run == hands.run and stored.job == target for stored in catalogue.sets.values()):
        return
    sets = catalogue.of(target)
    previous = sets[-1] if sets else None

    def work() -> MadeSet:
        hands.note(target, BEGUN, {})
        with hands.backup(target) as engine:
            made = engine.back_up(hands.run, previous, progress(target, hands, observer))
        refuse_shrunk(target, made, previous, job)
        return made

    def told(number: int, error: DsiError | None, seconds: float, wait: float) -> None:
        outcome = None if error is None else error.to_json()
        data = {"number": number, "of": job.retry.tries, "error": outcome, "seconds": round(seconds, 3), "wait": wait}
        hands.note(target, TRY, data)

    made = with_tries(target, job.retry, work, hands, observer, told)
    stored = StoredSet(
        id=set_id(look.clock.now(), hands.run, made, look.catalogue().sets),
        job=target,
        run=hands.run,
        kind=job.kind,
        made=dataclasses.replace(made, details={**made.details, facts.REPOSITORY: job.repository}),
    )
    hands.note(target, SET, {"set": set_to_json(stored)})
    for warning in made.warnings:
        observer.notify(Event("set.warning", warning, target=target))
    words = facts.size_words(made.files, made.size)
    observer.notify(Event("set.done", T("{set}: {size}", set=stored.id, size=words), target=target))


def refuse_shrunk(target: str, made: MadeSet, previous: StoredSet | None, job: Job) -> None:
    """Make sure that a set is not suspiciously small: an empty mount point is read without any error.

    Raises:
        BackupFailedError: it is; what the engine stored counts for nothing.
    """
    before = None if previous is None or previous.made.details.get(facts.REPOSITORY) != job.repository else previous
    found: Mapping[str, int] = {"files": made.files, "size": made.size}
    least = {"files": float(job.minimum_files), "size": 0.0}
    if before is not None:
        least["files"] = max(least["files"], before.made.files * job.shrink)
        least["size"] = before.made.size * job.shrink
    if all(found[name] >= least[name] for name in found):
        return
    earlier = T("none before") if before is None else facts.size_words(before.made.files, before.made.size)
    raise BackupFailedError(
        T(
            "What was read is suspiciously little: {now}; before: {before}.",
            now=facts.size_words(made.files, made.size),
            before=earlier,
        ),
        on=target,
        meaning=T("A filesystem may not be mounted, or files were removed. This set counts for nothing."),
        next_step=T("Look at the source. Is it right so: lower minimum_files or shrink in dsi_backups."),
        detail={"found": dict(found), "least": dict(least)},
    )


def retain(target: str, hands: Hands, observer: Observer) -> None:
    """Forget the sets that the plan no longer wants, by the record as it is now, and record it."""
    look = hands.look
    drop_orphans(target, hands, observer)
    going = forgettable(target, look.backup_plan.backups[target], look.catalogue())
    if not going:
        return
    with hands.backup(target) as engine:
        freed = engine.forget(going, progress(target, hands, observer))
    hands.note(target, FORGOTTEN, {"sets": [stored.id for stored in going], "freed": freed})
    text: Text = TN("{n} set was forgotten.", "{n} sets were forgotten.", len(going))
    observer.notify(Event("retain.done", text, target=target))
