"""What an operation is to the engine: look, decide, act, look again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from pydantic import BaseModel, ConfigDict

from dsi_automation.core.canonical import Json
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import Text


class TargetKind(StrEnum):
    """What an operation acts on."""

    HOST = "host"
    """A host of the inventory."""
    ACCOUNT = "account"
    """A person's account: a staff number, a login or an address."""
    SITE = "site"
    """A site of the inventory, by its code."""
    BACKUP = "backup"
    """A backup of the inventory's backup plan (`dsi_backups`), by its name."""
    APPLICATION = "application"
    """An application of the inventory (`dsi_applications`), by its name."""
    LOGIN = "login"
    """A login of an application: `kone.a@sydam`."""


MOST_AT_ONCE: Final = 500
"""Targets worked on at once where they wait together: threads that sleep cost little, but not nothing."""
ALL: Final = "*"
"""The target of a read-only operation that was asked about everything."""


class Inputs(BaseModel):
    """Base of an operation's inputs: a closed schema, frozen once validated."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    def targets(self) -> tuple[str, ...]:
        """Return the targets the inputs name by themselves (the rows of a file); most name none."""
        return ()


@dataclass(frozen=True, slots=True)
class Observed[FactsT, SharedT]:
    """What a read-only look found.

    Attributes:
        facts: per target that could be looked at.
        failures: per target that could not, and why.
        shared: what concerns all targets together (names taken in the directory, ...).
        run: the run this look is part of, set by the engine; None where a plan is made to be asked for. What a run of
            events did already is in its notes alone.
    """

    facts: Mapping[str, FactsT]
    failures: Mapping[str, DsiError]
    shared: SharedT
    run: str | None = None


class Operation[InputsT: Inputs, FactsT, SharedT, LookT, HandsT](ABC):
    """One technical step that changes equipment.

    The engine calls `observe`, `plan`, then, once the gate is open, `act` for each action in order, and at the
    end `verify`. `LookT` is the read half of the connectors, `HandsT` the write half; only `act` gets the latter.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    procedure: ClassVar[str]
    summary: ClassVar[Text]
    risk: ClassVar[Risk]
    inputs_model: ClassVar[type[Inputs]]
    target_kind: ClassVar[TargetKind] = TargetKind.HOST
    all_at_once: ClassVar[bool] = False
    """Whether its targets wait together for one event (the next synchronisation): then none waits for its turn."""
    events: ClassVar[bool] = False
    """Whether its actions are events (a restart, a mail) and not states: what a run recorded as done is not done
    again by that run, whatever a fresh look plans."""
    turn: ClassVar[float] = 0.0
    """How long a run waits for another one that holds its targets, seconds."""
    standing_binds_actions: ClassVar[bool] = False
    """Whether a standing approval covers exactly the actions that were approved, and not operation, targets and
    inputs alone: a change of what the inventory says then asks for a new one."""

    @abstractmethod
    def observe(
        self, targets: Sequence[str], inputs: InputsT, look: LookT, observer: Observer
    ) -> Observed[FactsT, SharedT]:
        """Look at the targets, read-only, concurrently; a dead target is a failure in the result, not a raise."""

    @abstractmethod
    def plan(self, targets: Sequence[str], inputs: InputsT, observed: Observed[FactsT, SharedT]) -> Plan:
        """Decide, from facts alone: pure, same facts same plan. Targets without a possible plan become blockers.

        The engine holds the plan to this: each target asked is either among the plan's targets or a blocker, and
        the plan's inputs are `inputs.model_dump(mode="json")`. After some actions were done, the plan from new
        facts is what remains of the first one: the same actions, argument for argument, in the same order.
        """

    def validate(self, targets: Sequence[str], inputs: InputsT) -> None:  # noqa: B027  # most have nothing to add
        """Refuse inputs that do not fit the targets asked; called once, before the first look.

        A run does not ask again: it may look at some of the approved targets only.

        Raises:
            UsageError: they do not fit.
        """

    def replan(
        self, targets: Sequence[str], inputs: InputsT, observed: Observed[FactsT, SharedT], approved: Plan
    ) -> Plan:
        """Decide again under an approved plan, for all or some of its targets: pure, as `plan`.

        An operation that chooses (the next free name) keeps here what was approved, as long as it is still
        possible: a target that is switched off today must not shift the choices of the others. Not asked under a
        standing approval that does not bind actions: no action was approved there.
        """
        del approved
        return self.plan(targets, inputs, observed)

    def changed(self, approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
        """Return what is no longer as it was approved, and what to do about it, in this operation's own words.

        Asked once a run was refused because `fresh` is not contained in `approved`; pure. The next step is for a
        standing approval. None leaves it to the engine, which names the first action that is new.
        """
        del approved, fresh
        return None

    def starting(self, plan: Plan, inputs: InputsT, hands: HandsT) -> None:  # noqa: B027  # most work alone
        """Be told once what this run is about to do on all its targets, before the first action.

        For operations whose targets wait for each other; nothing may be changed here.
        """

    def left(self, target: str, hands: HandsT) -> None:  # noqa: B027  # most work alone
        """Be told that a run is over with a target, however it ended: nobody need wait for it any more."""

    @abstractmethod
    def act(self, action: Action, inputs: InputsT, hands: HandsT, observer: Observer) -> None:
        """Carry out one approved action and wait until its effect is there.

        Raises:
            UnknownOutcomeError: the write was sent and its answer lost.
            StoppedError: the run was asked to stop while the action waited; nothing of it is under way.
            DsiError: it failed, and nothing of it was done or what was done is said.
        """

    @abstractmethod
    def settle(self, action: Action, inputs: InputsT, look: LookT, observer: Observer) -> None:
        """Wait until the target of an interrupted action can be looked at again (it may be restarting).

        Called before a resumed run looks anew, and when the answer to a write was lost: after it, the look decides
        whether the action happened, so a write that may still be on its way must have arrived or failed by then.
        Changes nothing; returns when the target answers.

        Raises:
            UnreachableError: it did not answer in time.
        """

    @abstractmethod
    def verify(self, plan: Plan, inputs: InputsT, look: LookT, observer: Observer) -> Sequence[Check]:
        """Read anew what should now be there, by a path that does not trust the write."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a read-only operation found.

    Attributes:
        checks: every comparison made, target by target.
        failures: targets that could not be looked at.
        facts: what was observed, as data, per target.
    """

    targets: tuple[str, ...]
    checks: tuple[Check, ...]
    failures: Mapping[str, DsiError]
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class ReadOnlyOperation[InputsT: Inputs, LookT](ABC):
    """One technical step that only looks: needs no approval and is never handed the write half."""

    name: ClassVar[str]
    version: ClassVar[int]
    procedure: ClassVar[str]
    summary: ClassVar[Text]
    risk: ClassVar[Risk] = Risk.NONE
    inputs_model: ClassVar[type[Inputs]]
    target_kind: ClassVar[TargetKind] = TargetKind.HOST
    may_look_at_all: ClassVar[bool] = False
    """Whether it may be asked without naming a target; it is then handed `ALL`."""

    @abstractmethod
    def check(self, targets: Sequence[str], inputs: InputsT, look: LookT, observer: Observer) -> Report:
        """Look at every target; a dead one is a failure in the report and delays nobody."""


class Permit(Protocol):
    """Proof that the gate is open for one run: what the write half of the connectors is handed out against."""

    @property
    def run_id(self) -> str:
        """Return the run it was given to."""
        ...

    @property
    def interrupted(self) -> bool:
        """Return whether somebody asked the run to stop: what waits for another try should stop waiting."""
        ...

    @property
    def withdrawn(self) -> bool:
        """Return whether the approval was taken back since: for what waits before anything irrevocable is done."""
        ...

    def check(self, target: str) -> None:
        """Make sure that this run may still write to `target`: it holds the target's lease, and is not over.

        Hours, windows and revocation are asked before each action, not within one: an action begun is better
        finished than cut in two.

        Raises:
            GateClosedError: it may not, or no longer.
        """
        ...

    def note(self, target: str, name: str, data: Mapping[str, Json]) -> None:
        """Keep something of what was done in the run's record, now: it is in the journal on return.

        Args:
            target: a target of the run.
            name: what is told: `backup.set`, `backup.try`, ...
            data: the facts; never a secret.

        Raises:
            GateClosedError: the lease of the target was lost.
            StorageError: the journal stays closed: what was done must be taken for unrecorded.
        """
        ...


class Tools[LookT, HandsT](Protocol):
    """Where the engine gets the two halves of the connectors; made in the composition."""

    def look(self) -> LookT:
        """Return the read half."""
        ...

    def hands(self, permit: Permit) -> HandsT:
        """Return the write half, bound to one permit that every write checks."""
        ...


type AnyOperation = Operation[Any, Any, Any, Any, Any]
type AnyReadOnly = ReadOnlyOperation[Any, Any]
