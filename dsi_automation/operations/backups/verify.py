"""`backup.verify`: bring a set back by another path than it was written, and compare (procedures D and R)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final, Literal

from pydantic import Field

from dsi_automation.connectors.backups.errors import BackupFailedError, WrongKeyError
from dsi_automation.connectors.backups.port import Depth, Proven, StoredSet
from dsi_automation.core.canonical import Json
from dsi_automation.core.errors import NotCompliantError, VerificationFailedError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Blocker, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Operation, TargetKind
from dsi_automation.inventory.backup_model import Job
from dsi_automation.operations.backups import acting, evidence, facts, planning
from dsi_automation.operations.backups.catalogue import PROOF, Catalogue
from dsi_automation.operations.backups.changes import BoundByDefinition
from dsi_automation.operations.backups.facts import BackupFacts, Seen, World
from dsi_automation.operations.backups.finding import find_set
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.tools import Hands, Look

VERIFY: Final = "verify"


class VerifyInputs(Inputs):
    """Inputs of `backup.verify`."""

    depth: Literal["rhythm", "sample", "full"] = Field(
        default="rhythm",
        description=T("How much is brought back: sample, full, or as the plan's rhythm has it.").template,
    )
    set: str | None = Field(
        default=None, description=T("The set to verify; the newest by default: see “dsi backup sets”.").template
    )


class BackupVerify(BoundByDefinition, Operation[VerifyInputs, BackupFacts, World, Look, Hands]):
    """Proves sets by bringing them back to the controller; a set counts only after that."""

    name: ClassVar[str] = "backup.verify"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "D, R"
    summary: ClassVar[Text] = T("Verify backups: bring them back to a scratch place and compare")
    risk: ClassVar[Risk] = Risk.LOW
    inputs_model: ClassVar[type[Inputs]] = VerifyInputs
    target_kind: ClassVar[TargetKind] = TargetKind.BACKUP

    def observe(self, targets: Sequence[str], inputs: VerifyInputs, look: Look, observer: Observer) -> Seen:  # noqa: ARG002
        """Look at every repository at once."""
        return facts.observe(targets, look, observer)

    def plan(self, targets: Sequence[str], inputs: VerifyInputs, observed: Seen) -> Plan:
        """Decide for each backup."""
        world = observed.shared
        decided = {target: decide(target, inputs, found, world) for target, found in observed.facts.items()}
        return plan_of(self, targets, inputs, decided)

    def act(self, action: Action, inputs: VerifyInputs, hands: Hands, observer: Observer) -> None:
        """Verify one set and record the proof, good or bad.

        Raises:
            VerificationFailedError: the set is not what was backed up.
            UnreachableError: nothing could be said about it.
        """
        verify(action.target, inputs, hands, observer)

    def settle(self, action: Action, inputs: VerifyInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the repository can be looked at."""
        evidence.answers(action.target, look)

    def verify(self, plan: Plan, inputs: VerifyInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read the record and the repository anew: the proof is kept, and the set is still there."""
        catalogue = look.catalogue()
        return [check for target in plan.targets for check in _proof_is_kept(target, look, catalogue)]


def decide(target: str, inputs: VerifyInputs, found: BackupFacts, world: World) -> Decided:
    """Return what is verified of one backup, and why; pure."""
    decided, job, sets = Decided(), world.job(target), world.catalogue.of(target)
    decided.blockers += planning.repository_blockers(target, found.repository, world)
    if inputs.set is not None:
        try:
            find_set(inputs.set, target, world.catalogue)
        except NotCompliantError as error:
            decided.blockers.append(Blocker(target, error.what, error.next_step or T("Name another set.")))
    decided.non_actions += planning.told(target, found, world)
    if sets:
        stored = sets[-1] if inputs.set is None or decided.blockers else find_set(inputs.set, target, world.catalogue)
        depth, why_so_deep = depth_now(target, inputs.depth, job, world.catalogue, world.now)
        title = {
            Depth.FULL: T("Verify {set}: bring all of it back and compare", set=stored.id),
            Depth.SAMPLE: T("Verify {set}: bring a part of it back and compare", set=stored.id),
        }[depth]
        why = T("{set}. {depth}", set=planning.set_words(stored, world), depth=why_so_deep)
    else:
        title = T("Verify the newest set of “{title}”", title=job.title)
        why = T("There is no set yet: what counts is the newest one when this runs.")
    args: dict[str, Json] = {"definition": world.definition(target), "depth": inputs.depth, "set": inputs.set}
    decided.actions.append(Action(target, VERIFY, args, title, why, T("Nothing is changed but the scratch folder.")))
    return decided


def depth_now(target: str, asked: str, job: Job, catalogue: Catalogue, now: datetime) -> tuple[Depth, Text]:
    """Return how deep a verification goes now, and why: all of it when that was last done too long ago."""
    if asked != "rhythm":
        return Depth(asked), T("This depth was asked for.")
    days = round(job.verification.full_every.total_seconds() / 86400)
    last = next((p for p in reversed(catalogue.proofs) if p.job == target and p.ok and p.depth is Depth.FULL), None)
    if last is None:
        return Depth.FULL, T("All of it was never brought back.")
    # A last time in the future is a clock that was moved: it proves no rhythm.
    if last.at > now or now - last.at >= job.verification.full_every:
        return Depth.FULL, T("All of it was last brought back more than {days} days ago.", days=days)
    return Depth.SAMPLE, T("All of it was brought back on {when:%Y-%m-%d}.", when=last.at.astimezone())


def verify(target: str, inputs: VerifyInputs, hands: Hands, observer: Observer) -> None:
    """Verify one set, and record what came of it before anything else is said."""
    look = hands.look
    catalogue, job = look.catalogue(), look.backup_plan.backups[target]
    last = next((proof for proof in reversed(catalogue.proofs) if proof.run == hands.run and proof.job == target), None)
    if last is not None and last.ok:
        return  # this run did it before it was interrupted
    stored = find_set(inputs.set, target, catalogue)
    depth, _ = depth_now(target, inputs.depth, job, catalogue, look.clock.now())

    def work() -> Proven:
        with hands.backup(target) as engine:
            return engine.verify(stored, depth, acting.progress(target, hands, observer))

    try:
        proven = acting.with_tries(target, job.retry, work, hands, observer)
    except WrongKeyError:
        raise  # it says something about the key, and nothing about the set
    except BackupFailedError as error:
        failed: list[Json] = [str(error.what)]
        hands.note(target, PROOF, _note(stored, Proven(0, depth, (), 0, 0), failed, ok=False))
        raise VerificationFailedError(
            error.what, on=target, meaning=error.meaning, next_step=_next_step(stored, catalogue), detail=error.detail
        ) from error
    ok, wrong = acting.passed(proven.checks), acting.failures(proven.checks)
    hands.note(target, PROOF, _note(stored, proven, wrong, ok=ok))
    if not ok:
        raise VerificationFailedError(
            T("{set} is not what was backed up: {why}", set=stored.id, why=wrong[0]),
            on=target,
            meaning=acting.how_many_failed(proven.checks),
            next_step=_next_step(stored, catalogue),
            detail={"set": stored.id, "failed": wrong},
        )


def _note(stored: StoredSet, proven: Proven, failed: list[Json], *, ok: bool) -> dict[str, Json]:
    return {
        "set": stored.id,
        "level": proven.level,
        "depth": str(proven.depth),
        "ok": ok,
        "failed": failed,
        "restored_files": proven.restored_files,
        "restored_bytes": proven.restored_bytes,
        "phases": dict(proven.phases),
        "checks": [check.to_json() for check in proven.checks],
    }


def _next_step(stored: StoredSet, catalogue: Catalogue) -> Text:
    good = [other.id for other in catalogue.verified(stored.job) if other.id != stored.id]
    if good:
        return T(
            "Back up again (dsi backup run {job}), and find out why. Until then the last verified set is {good}.",
            job=stored.job,
            good=good[-1],
        )
    return T("Back up again (dsi backup run {job}), and find out why: there is no verified set.", job=stored.job)


def _proof_is_kept(target: str, look: Look, catalogue: Catalogue) -> list[Check]:
    proof = next((proof for proof in reversed(catalogue.proofs) if proof.job == target), None)
    checks = [
        Check(
            target,
            "proof",
            T("Proof in the record"),
            str(T("held")),
            "-" if proof is None else str(T("held") if proof.ok else T("did not hold")),
            ok=proof is not None and proof.ok,
            source=evidence.RECORD,
        )
    ]
    with look.backup(target) as reader:
        found = reader.repository()
    stored = None if proof is None else catalogue.sets[proof.set]
    others = [other for other in catalogue.of(target) if other is not stored]
    return [
        *checks,
        *evidence.is_there(target, stored, found, look),
        *evidence.others_are_there(target, others, found),
    ]
