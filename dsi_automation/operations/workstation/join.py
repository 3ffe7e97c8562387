"""`workstation.join`: name, domain, organisational unit and profile of a workstation (procedure C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from dsi_automation.connectors.directory.port import Computer
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Blocker, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Inputs, Observed, Operation
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.tools import Hands, Look
from dsi_automation.operations.workstation import join_act, join_settle, join_verify, profile_repair
from dsi_automation.operations.workstation.facts import WorkstationFacts, read_facts
from dsi_automation.operations.workstation.join_plan import Domain, Wish, decide


class JoinInputs(Inputs):
    """Inputs of `workstation.join`."""

    user: str | None = Field(
        default=None,
        description=T("Login of the domain user who gets the local profile; for one machine only.").template,
    )
    local_user: str | None = Field(
        default=None,
        description=T("Local account whose profile it is, when it is neither named alike nor the only one.").template,
    )
    users: dict[str, str] = Field(
        default_factory=dict,
        description=T(
            "For several machines, login of the domain user of each: ws1:login,ws2:login, or a mapping."
        ).template,
    )
    leave_domain: bool = Field(
        default=False, description=T("Take machines that are members of another domain out of it.").template
    )

    repair_profile: bool = Field(
        default=False,
        description=T(
            "After a profile changed hands, repair its rights with a PowerShell script; needs a remote shell."
        ).template,
    )

    @field_validator("users", mode="before")
    @classmethod
    def _as_typed(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition(":") for pair in value.split(",") if pair.strip()]
        if not all(machine.strip() and login.strip() for machine, _, login in pairs):
            raise WrongValueError(T("MACHINE:LOGIN,MACHINE:LOGIN is expected."))
        return {machine.strip(): login.strip() for machine, _, login in pairs}

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> JoinInputs:
        if self.user and self.users:
            raise WrongValueError(T("user and users exclude each other."), "users")
        if self.local_user and not self.user:
            raise WrongValueError(T("it goes with user."), "local_user")
        if self.repair_profile and not (self.user or self.users):
            raise WrongValueError(T("it goes with user or users."), "repair_profile")
        return self

    def wish(self, target: str) -> Wish:
        """Return what is asked for one machine."""
        login = self.user or self.users.get(target)
        return Wish(login, self.local_user, self.leave_domain, self.repair_profile and login is not None)


class WorkstationJoin(Operation[JoinInputs, WorkstationFacts, Domain, Look, Hands]):
    """Renames, joins, restarts, places and migrates; what is already right stays as it is."""

    name: ClassVar[str] = "workstation.join"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "C"
    summary: ClassVar[Text] = T("Join workstations to the domain: name, domain, organisational unit, profile")
    risk: ClassVar[Risk] = Risk.MEDIUM
    inputs_model: ClassVar[type[Inputs]] = JoinInputs

    def validate(self, targets: Sequence[str], inputs: JoinInputs) -> None:
        """Refuse inputs that do not fit the targets.

        Raises:
            UsageError: `user` with several machines, or `users` naming a machine that is not a target.
        """
        join_act.refuse_unfitting(targets, inputs.user, inputs.users)

    def observe(
        self, targets: Sequence[str], inputs: JoinInputs, look: Look, observer: Observer
    ) -> Observed[WorkstationFacts, Domain]:
        """Read every machine at once, then what the directory says about all of them."""

        def read(target: str) -> WorkstationFacts:
            wish = inputs.wish(target)
            with look.windows(target) as reader:
                return read_facts(reader, profiles=wish.user is not None, repairs=wish.repair)

        seen = fan_out(targets, read, workers=look.workers, deadline=look.deadline, observer=observer)
        return Observed(seen.results, seen.failures, _domain(seen.results, inputs, look))

    def plan(self, targets: Sequence[str], inputs: JoinInputs, observed: Observed[WorkstationFacts, Domain]) -> Plan:
        """Decide for each machine; two of them never get the same name."""
        return self._decided(targets, inputs, observed, ())

    def replan(
        self,
        targets: Sequence[str],
        inputs: JoinInputs,
        observed: Observed[WorkstationFacts, Domain],
        approved: Plan,
    ) -> Plan:
        """Decide again; a machine keeps the name approved for it unless somebody else has it by now."""
        return self._decided(targets, inputs, observed, approved.actions)

    def _decided(
        self,
        targets: Sequence[str],
        inputs: JoinInputs,
        observed: Observed[WorkstationFacts, Domain],
        approved: Sequence[Action],
    ) -> Plan:
        promised = {action.target: str(action.args["to"]) for action in approved if action.kind == "rename"}
        # Names of machines of this plan are taken too, whether they are in the directory yet or not.
        taken = set(observed.shared.computers) | {facts.final_name.upper() for facts in observed.facts.values()}
        promised = {target: name for target, name in promised.items() if name.upper() not in taken}
        taken |= {name.upper() for name in promised.values()}
        decided = {
            target: decide(
                target, observed.facts[target], inputs.wish(target), observed.shared, taken, promised.get(target)
            )
            for target in targets
            if target in observed.facts
        }
        for target, one in decided.items():
            if inputs.wish(target).repair:
                own = [action for action in approved if action.target == target]
                profile_repair.plan_repair(target, observed.facts[target], own, one)
        unseen = [_unseen(target, error) for target, error in observed.failures.items()]
        return plan_of(self, targets, inputs, decided, unseen)

    def act(self, action: Action, inputs: JoinInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG002
        """Carry out one action of a plan and wait for its effect."""
        join_act.ACTS[action.kind](action, hands, observer)

    def settle(self, action: Action, inputs: JoinInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the effect of an interrupted action shows, or it can no longer be under way."""
        join_settle.settle(action, look, observer)

    def verify(self, plan: Plan, inputs: JoinInputs, look: Look, observer: Observer) -> Sequence[Check]:
        """Read the directory and the machines anew and compare with what was wanted."""
        return join_verify.verify(plan, inputs.wish, look, observer)


def _domain(facts: dict[str, WorkstationFacts], inputs: JoinInputs, look: Look) -> Domain:
    sites = {target: look.sites[target] for target in facts}
    directory = look.directory() if facts else None
    computers: dict[str, Computer] = {}
    if directory is not None:
        for prefix in sorted({site.naming.template.split("{", 1)[0] for site in sites.values()}):
            computers |= {computer.name.upper(): computer for computer in directory.computers(prefix)}
        names = {name.upper() for one in facts.values() for name in (one.name, one.final_name)}
        for name in sorted(names - set(computers)):
            found = directory.computer(name)
            if found is not None:
                computers[name] = found
    wanted = {inputs.wish(target).user for target in facts} - {None}
    ous = {site.workstation_ou for site in sites.values()}
    return Domain(
        settings=look.directory_settings,
        policy=look.workstation_policy,
        sites=sites,
        computers=computers,
        users={login: directory.user(login) for login in wanted if login and directory is not None},
        missing_ous=frozenset(ou for ou in ous if directory is not None and not directory.exists(ou)),
    )


def _unseen(target: str, error: DsiError) -> Blocker:
    advice = error.next_step or T("See to it that the machine is on and answers, then ask again.")
    return Blocker(target, error.what, advice, error.look_exit_code)
