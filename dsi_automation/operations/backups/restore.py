"""`backup.restore`: a file, a folder, a database, to a moment; to another place by default (procedures D and R)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from dsi_automation.core.canonical import Json
from dsi_automation.core.errors import VerificationFailedError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.operations.backups import acting, evidence, facts
from dsi_automation.operations.backups.catalogue import RESTORED, Restoration
from dsi_automation.operations.backups.facts import BackupFacts, Seen, World
from dsi_automation.operations.backups.finding import find_set
from dsi_automation.operations.backups.landing import is_whole
from dsi_automation.operations.backups.restore_plan import Wish, decide, look_ahead, order_of
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.tools import Hands, Look


class RestoreInputs(Inputs):
    """Inputs of `backup.restore`; moments without a time zone are the controller's."""

    set: str | None = Field(
        default=None, description=T("The set to bring back; the newest verified one by default.").template
    )
    at: datetime | None = Field(
        default=None, description=T("A moment: the newest set from before it is brought back.").template
    )
    paths: tuple[str, ...] = Field(
        default=(), description=T("Files and folders, absolute as at the source; all of it by default.").template
    )
    destination: str | None = Field(
        default=None, description=T("Folder it is brought back to, empty or absent; a new one by default.").template
    )
    in_place: bool = Field(default=False, description=T("Put it back where it came from, over what is there.").template)
    database: str | None = Field(default=None, description=T("One database of a cluster; all by default.").template)
    until: datetime | None = Field(
        default=None, description=T("The moment a database is recovered to; the set's end by default.").template
    )

    @field_validator("at", "until")
    @classmethod
    def _utc(cls, moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.astimezone(UTC)

    @field_validator("paths", mode="before")
    @classmethod
    def _as_typed(cls, value: object) -> object:
        """Take one path as it is typed, or several as a JSON list: a path is absolute and begins with no bracket."""
        if not isinstance(value, str):
            return value
        if not value.startswith("["):
            return (value,)
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise WrongValueError(T('a JSON list is expected, as in ["/srv/a", "/srv/b"].')) from None

    @field_validator("paths")
    @classmethod
    def _absolute(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        if all(is_whole(path) for path in paths):
            return paths
        raise WrongValueError(T("paths are absolute, as at the source."))

    @field_validator("destination")
    @classmethod
    def _whole(cls, folder: str | None) -> str | None:
        if folder is None or is_whole(folder):
            return folder
        raise WrongValueError(T("a whole path is expected, as in /srv/restored: what runs it stands elsewhere."))

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> RestoreInputs:
        if self.set is not None and self.at is not None:
            raise WrongValueError(T("set and at exclude each other."), "at")
        if self.in_place and self.destination is not None:
            raise WrongValueError(T("it goes without in_place."), "destination")
        return self

    def wish(self) -> Wish:
        """Return what is asked, as the planner takes it."""
        return Wish(self.set, self.at, self.paths, self.destination, self.in_place, self.database, self.until)


class BackupRestore(Operation[RestoreInputs, BackupFacts, World, Look, Hands]):
    """Brings back what a set holds, and compares it with the manifest."""

    name: ClassVar[str] = "backup.restore"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "D, R"
    summary: ClassVar[Text] = T("Restore from a backup: files, folders or a database, to another place by default")
    risk: ClassVar[Risk] = Risk.HIGH
    inputs_model: ClassVar[type[Inputs]] = RestoreInputs
    target_kind: ClassVar[TargetKind] = TargetKind.BACKUP

    def observe(self, targets: Sequence[str], inputs: RestoreInputs, look: Look, observer: Observer) -> Seen:
        """Look at every repository, where it is to go, and at the moments that can be recovered when one is asked."""
        wish = inputs.wish()
        return facts.observe(
            targets,
            look,
            observer,
            window=inputs.until is not None,
            landing=lambda target, reader, there, world: look_ahead(target, wish, reader, there, world),
        )

    def plan(self, targets: Sequence[str], inputs: RestoreInputs, observed: Seen) -> Plan:
        """Decide for each backup which set is brought back, and where."""
        return self._decided(targets, inputs, observed, None)

    def replan(
        self, targets: Sequence[str], inputs: RestoreInputs, observed: Observed[BackupFacts, World], approved: Plan
    ) -> Plan:
        """Decide again, for the sets that were approved: a newer one must not take their place."""
        chosen = {action.target: str(action.args["set"]) for action in approved.actions}
        return self._decided(targets, inputs, observed, chosen)

    def act(self, action: Action, inputs: RestoreInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG002
        """Bring back what was approved, and record what came of it before anything else is said.

        Raises:
            VerificationFailedError: what was brought back is not what the set holds.
            RefusedError: the destination holds something.
            UnreachableError: every try failed.
        """
        restore(action, hands, observer)

    def settle(self, action: Action, inputs: RestoreInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the repository can be looked at."""
        evidence.answers(action.target, look)

    def verify(self, plan: Plan, inputs: RestoreInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read in the record what was compared where it was brought back, and that the set itself is unharmed."""
        catalogue, checks = look.catalogue(), list[Check]()
        for action in plan.actions:
            stored = find_set(str(action.args["set"]), action.target, catalogue)
            of_set = [done for done in catalogue.restorations if (done.set, done.job) == (stored.id, action.target)]
            checks.append(_comparison(action.target, of_set[-1] if of_set else None))
            with look.backup(action.target) as reader:
                checks += evidence.is_there(action.target, stored, reader.repository(), look)
        return checks

    def _decided(
        self, targets: Sequence[str], inputs: RestoreInputs, observed: Seen, chosen: Mapping[str, str] | None
    ) -> Plan:
        wish, world = inputs.wish(), observed.shared
        decided = {
            target: decide(target, wish, found, world, (chosen or {}).get(target), anew=chosen is None)
            for target, found in observed.facts.items()
        }
        return plan_of(self, targets, inputs, decided)


def restore(action: Action, hands: Hands, observer: Observer) -> None:
    """Bring back what an action says."""
    target, look = action.target, hands.look
    catalogue, job = look.catalogue(), look.backup_plan.backups[target]
    done = [one for one in catalogue.restorations if one.run == hands.run and one.job == target]
    if done and done[-1].ok:
        return  # this run did it before it was interrupted
    stored, order = find_set(str(action.args["set"]), target, catalogue), order_of(action)

    def work() -> None:
        with hands.backup(target) as engine:
            restored = engine.restore(stored, order, acting.progress(target, hands, observer))
        ok, wrong = acting.passed(restored.checks), acting.failures(restored.checks)
        note: dict[str, Json] = {
            "set": stored.id,
            "destination": restored.destination,
            "paths": list(order.paths),
            "until": action.args["until"],
            "files": restored.files,
            "bytes": restored.size,
            "ok": ok,
            "failed": wrong,
        }
        hands.note(target, RESTORED, note)
        if not ok:
            raise VerificationFailedError(
                T("What was brought back is not what {set} holds: {why}", set=stored.id, why=wrong[0]),
                on=target,
                meaning=acting.how_many_failed(restored.checks),
                next_step=T(
                    "Do not use {place}; try another set: dsi backup sets {job}", place=restored.destination, job=target
                ),
                detail={"set": stored.id, "failed": wrong},
            )
        size = facts.size_words(restored.files, restored.size)
        text = T("Brought back to {place}: {size}", place=restored.destination, size=size)
        observer.notify(Event("restore.done", text, target=target))

    acting.with_tries(target, job.retry, work, hands, observer)


def _comparison(target: str, done: Restoration | None) -> Check:
    observed = "-" if done is None else str(T("the same") if done.ok else T("not the same"))
    return Check(
        target,
        "restored",
        T("Brought back, compared with the set"),
        str(T("the same")),
        observed,
        ok=done is not None and done.ok,
        source=evidence.RECORD if done is None else done.destination,
    )
