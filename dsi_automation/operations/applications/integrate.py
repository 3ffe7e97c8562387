"""`sources.integrate`: a release goes to the servers of one stage, and back when it does not pass (procedure Q)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Operation, TargetKind
from dsi_automation.operations.applications import (
    evidence,
    integrate_act,
    integrate_back,
    integrate_facts,
    notes,
    operating,
    planning,
    sessions,
    warning,
)
from dsi_automation.operations.applications.acting import Doing
from dsi_automation.operations.applications.facts import look_at_servers
from dsi_automation.operations.applications.integrate_facts import Seen, SourceFacts, SourceWorld, read_applied
from dsi_automation.operations.applications.integrate_inputs import IntegrateInputs
from dsi_automation.operations.applications.integrate_place import place_of
from dsi_automation.operations.applications.integrate_plan import decide, under_way
from dsi_automation.operations.applications.integrate_table import TABLE
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.tools import Hands, Look

FORWARD = frozenset({"sessions", "script", "switch", "caches", "start", "test"})
"""Steps whose failure leads back: users cannot work, and waiting for a person helps nobody."""


class SourcesIntegrate(Operation[IntegrateInputs, SourceFacts, SourceWorld, Look, Hands]):
    """Integrates a release of sources: beside the one in use, with its database scripts, and tested."""

    name: ClassVar[str] = "sources.integrate"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "Q"
    summary: ClassVar[Text] = T("Integrate a release of sources into one stage, and go back when it does not pass")
    risk: ClassVar[Risk] = Risk.HIGH
    inputs_model: ClassVar[type[Inputs]] = IntegrateInputs
    target_kind: ClassVar[TargetKind] = TargetKind.APPLICATION
    events: ClassVar[bool] = True
    turn: ClassVar[float] = 3600.0
    standing_binds_actions: ClassVar[bool] = True

    def observe(self, targets: Sequence[str], inputs: IntegrateInputs, look: Look, observer: Observer) -> Seen:
        """Look at the release, at the application and its database, and at the stage before."""
        return integrate_facts.observe(targets, inputs, look, observer)

    def plan(self, targets: Sequence[str], inputs: IntegrateInputs, observed: Seen) -> Plan:
        """Decide for each application whether the release may go there, and how."""
        decided = {
            target: decide(target, inputs, found, observed.shared, observed.run)
            for target, found in observed.facts.items()
        }
        return plan_of(self, targets, inputs, decided)

    def replan(self, targets: Sequence[str], inputs: IntegrateInputs, observed: Seen, approved: Plan) -> Plan:
        """Decide again; what a run has begun it finishes, or takes back, whatever has become of the conditions."""
        decided: dict[str, Decided] = {}
        for target in targets:
            before = approved.actions_for(target)
            if under_way(observed.shared.base.record, observed.run, target):
                decided[target] = Decided(actions=list(before))
            elif target in observed.facts:
                one = decide(target, inputs, observed.facts[target], observed.shared, observed.run)
                sessions.keep_approved(target, one, {action.kind: action for action in before})
                decided[target] = one
        return plan_of(self, targets, inputs, decided)

    def act(self, action: Action, inputs: IntegrateInputs, hands: Hands, observer: Observer) -> None:
        """Carry out one action, unless this run did; when the new release does not pass, go back.

        Raises:
            RolledBackError: it did not pass, and the former release is in use again.
            GoingBackFailedError: it did not pass, and going back failed.
            StoppedError: asked to stop while it waited.
            DsiError: it failed before anything was changed.
        """
        doing = Doing(action.target, inputs.wish(), hands, observer)
        begun = integrate_act.begin(action, inputs, doing)
        history = doing.history()
        if history.last(notes.ROLLED_BACK) is not None:
            integrate_back.finished(begun, doing)
        turned = history.last(notes.ROLLING_BACK)
        if turned is not None:
            integrate_back.go_back(T("{why}", why=turned.data["why"]), begun, doing)
        kind = action.kind.partition(".")[0]
        try:
            self._step(kind, action, inputs, begun, doing)
        except integrate_back.PASSING:
            raise
        except DsiError as error:
            if kind not in FORWARD:
                raise
            integrate_back.go_back(error.what, begun, doing, error.detail)

    def _step(self, kind: str, action: Action, inputs: IntegrateInputs, begun: Mapping[str, Any], doing: Doing) -> None:
        match kind:
            case "put":
                integrate_act.put(action, inputs, doing)
            case "script":
                integrate_act.script(action, begun, doing)
            case "switch":
                integrate_act.switch(action, doing)
            case "back":
                warning.back(doing, begun["release"])
            case _:
                operating.carry_out(action, doing)
        if action.kind == planning.TEST:
            integrate_act.deployed(begun, doing)

    def settle(self, action: Action, inputs: IntegrateInputs, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Make sure that the server, or the database, of an interrupted action can be looked at again."""
        server = action.args.get("server")
        if server is not None:
            evidence.answers(action.target, (str(server),), look)
        if action.kind.startswith("script."):
            read_applied(action.target, str(action.args["source"]), look)

    def verify(self, plan: Plan, inputs: IntegrateInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Look anew at every server, at its link, and at what the database says of the scripts."""
        checks: list[Check] = []
        for target in plan.targets:
            names = [server.name for server in look.applications[target].servers]
            checks += evidence.is_up(target, names, look)
            checks += _links(target, names, inputs.release, look)
            checks += _scripts(target, plan, inputs, look)
        return checks


def _links(target: str, names: Sequence[str], release: str, look: Look) -> Iterator[Check]:
    seen, unseen = look_at_servers(target, names, look)
    for name in names:
        observed = str(unseen[name].what) if name in unseen else seen[name].release or "-"
        yield Check(
            target,
            f"{name}.release",
            T("Release that {server} uses", server=name),
            release,
            observed,
            ok=name in seen and seen[name].release == release,
            source=look.applications[target].server(name).host,
        )


def _scripts(target: str, plan: Plan, inputs: IntegrateInputs, look: Look) -> Iterator[Check]:
    wanted = {str(one.args["file"]): str(one.args["sha256"]) for one in plan.actions_for(target)
              if one.kind.startswith("script.")}  # fmt: skip
    if not wanted:
        return
    place = place_of(look.sources, target, inputs.source)
    there = {one.file: one.sha256 for one in read_applied(target, place.source, look) if one.release == inputs.release}
    for file, sha256 in wanted.items():
        yield Check(
            target,
            f"script.{file}",
            T("Script {file} in the database", file=file),
            sha256[:12],
            there.get(file, "-")[:12],
            ok=there.get(file) == sha256,
            source=TABLE,
        )
