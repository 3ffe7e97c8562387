"""`rules.update`: tariff and selectivity from versioned files into the application's database (procedure J)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from dsi_automation.core.errors import UnreachableError, WorldChangedError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Inputs, Observed, Operation, TargetKind
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.operations.applications.notes import RULES
from dsi_automation.operations.applications.rules_file import parse_kept, read_file
from dsi_automation.operations.applications.rules_load import load, read_table, refuse_changed
from dsi_automation.operations.applications.rules_look import KEPT, RulesFacts, Wish, look_at, rule_of
from dsi_automation.operations.applications.rules_plan import LOAD, decide
from dsi_automation.operations.applications.rules_table import RuleTable
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.tools import Hands, Look


class RulesInputs(Inputs):
    """Inputs of `rules.update`: which rule set, and one way to say what it is to hold."""

    rules: str = Field(description=T("The rule set, a name of dsi_rules.").template)
    file: str | None = Field(default=None, description=T("The file to load: CSV, UTF-8.").template)
    back: bool = Field(default=False, description=T("Put the former set back.").template)
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-fA-F]{8,64}$",
        description=T("Put back a set that was kept, by its SHA-256; its beginning is enough.").template,
    )

    @field_validator("file")
    @classmethod
    def _whole(cls, file: str | None) -> str | None:
        """Keep the whole path: the run may start from another folder than the request did."""
        return None if file is None else str(Path(file).absolute())

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> RulesInputs:
        if (self.file is not None) + self.back + (self.sha256 is not None) != 1:
            raise WrongValueError(T("give one of file, back and sha256."), "file")
        return self

    def wish(self) -> Wish:
        """Return what is asked."""
        return Wish(self.rules, self.file, self.back, self.sha256)


class RulesUpdate(Operation[RulesInputs, RulesFacts, None, Look, Hands]):
    """Loads the difference in one transaction, keeps the former set, and reads the table again."""

    name: ClassVar[str] = "rules.update"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "J"
    summary: ClassVar[Text] = T("Load a rule set, the tariff or selectivity, from a file; or put a former one back")
    risk: ClassVar[Risk] = Risk.HIGH
    inputs_model: ClassVar[type[Inputs]] = RulesInputs
    target_kind: ClassVar[TargetKind] = TargetKind.APPLICATION
    turn: ClassVar[float] = 3600.0

    def observe(
        self, targets: Sequence[str], inputs: RulesInputs, look: Look, observer: Observer
    ) -> Observed[RulesFacts, None]:
        """Read the table, the file or the kept set, and the record."""
        wish = inputs.wish()
        seen = fan_out(
            targets,
            lambda target: look_at(target, wish, look),
            workers=look.workers,
            deadline=look.deadline,
            observer=observer,
        )
        return Observed(seen.results, seen.failures, None)

    def plan(self, targets: Sequence[str], inputs: RulesInputs, observed: Observed[RulesFacts, None]) -> Plan:
        """Decide: what is in the file already is left as it is."""
        decided = {name: decide(name, inputs.wish(), facts, None) for name, facts in observed.facts.items()}
        return plan_of(self, targets, inputs, decided)

    def replan(
        self, targets: Sequence[str], inputs: RulesInputs, observed: Observed[RulesFacts, None], approved: Plan
    ) -> Plan:
        """Decide again for the content that was approved, whatever “the former set” means by now."""
        decided = {
            name: decide(name, inputs.wish(), facts, next(iter(approved.actions_for(name)), None))
            for name, facts in observed.facts.items()
        }
        return plan_of(self, targets, inputs, decided)

    def changed(self, approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
        """Return whether the table or the file is another one than when the plan was made."""
        following = T("Make a new plan and ask for a new approval.")
        for target in fresh.targets:
            was, now = (next(iter(plan.actions_for(target)), None) for plan in (approved, fresh))
            if was is None or now is None:
                continue
            if was.args["before"] != now.args["before"]:
                return T("{table} is no longer as it was when the plan was made.", table=was.args["table"]), following
            if was.args["after"] != now.args["after"]:
                return T("{file} is no longer what was approved.", file=now.args["from"]), following
        return None

    def act(self, action: Action, inputs: RulesInputs, hands: Hands, observer: Observer) -> None:
        """Load what was approved, all of it or nothing.

        Raises:
            WorldChangedError: the table or the file is another one than was approved; nothing was loaded.
            RefusedError, VerificationFailedError: the database, or a question of the inventory, says no.
            UnknownOutcomeError: the connection broke while it was committed.
        """
        target, look = action.target, hands.look
        rule, approved = rule_of(inputs.rules, look, target), str(action.args["after"])
        wanted = _approved_table(approved, rule, inputs, look)
        hands.keep(KEPT, wanted.content)
        with hands.database(target, target) as database, database.transaction() as work:
            work.lock(rule.table)
            found = read_table(rule, work)
            if found.digest != approved:  # else a run of this plan was killed after it had committed
                refuse_changed(rule, found, str(action.args["before"]))
                hands.keep(KEPT, found.content)
                load(rule, found, wanted, work, look.clock.now())
        data = {key: action.args[key] for key in ("rules", "before", "after", "added", "changed", "removed")}
        hands.note(target, RULES, {**data, "file": inputs.file})
        observer.notify(Event("rules.loaded", T("{title} is loaded.", title=rule.title), target=target))

    def settle(self, action: Action, inputs: RulesInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Wait until the database answers: a transaction whose owner died is taken back by then.

        Raises:
            UnreachableError: it does not.
        """
        with look.database(action.target) as database:
            if not database.answers():
                raise UnreachableError(
                    T("The database of {application} does not answer.", application=action.target),
                    on=action.target,
                    next_step=T("See to it, then resume the run."),
                )

    def verify(self, plan: Plan, inputs: RulesInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Read the table anew, over another connection, and hold it against what was approved."""
        checks = list[Check]()
        for target in plan.targets:
            wanted = _wanted_digests(plan, target)
            rule = rule_of(inputs.rules, look, target)
            with look.database(target) as database:
                found = read_table(rule, database)
            checks.append(
                Check(
                    target,
                    "rules",
                    T("SHA-256 of {table}", table=rule.table),
                    wanted[:16] or found.digest[:16],
                    found.digest[:16],
                    ok=wanted in {"", found.digest},
                    source=f"{target}: {rule.table}",
                )
            )
        return checks


def _wanted_digests(plan: Plan, target: str) -> str:
    loads: Sequence[Mapping[str, object]] = [one.args for one in plan.actions_for(target) if one.kind == LOAD]
    return str(loads[0]["after"]) if loads else ""


def _approved_table(approved: str, rule: RuleSet, inputs: RulesInputs, look: Look) -> RuleTable:
    """Return exactly what was approved: as it was kept, else from the file.

    Raises:
        WorldChangedError: neither has it any more.
    """
    content = look.kept(KEPT, approved)
    if content is not None:
        return parse_kept(content, rule, approved)
    if inputs.file is not None:
        table = read_file(Path(inputs.file), rule)
        if table.digest == approved:
            return table
    raise WorldChangedError(
        T("{file} is no longer what was approved.", file=inputs.file or approved[:12]),
        meaning=T("Nothing was loaded."),
        next_step=T("Put the approved file back in its place, or make a new plan and ask for a new approval."),
    )
