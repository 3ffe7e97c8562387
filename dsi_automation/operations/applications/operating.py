"""What `application.stop`, `application.start` and `application.restart` share: look, decide, act, look again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, NonAction, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Inputs, Operation, TargetKind
from dsi_automation.operations.applications import acting, concluding, evidence, facts, planning, sessions, warning
from dsi_automation.operations.applications.acting import Doing
from dsi_automation.operations.applications.concluding import Terms
from dsi_automation.operations.applications.facts import ApplicationFacts, Seen, World
from dsi_automation.operations.applications.inputs import Wish
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.tools import Hands, Look


class OperatingOperation[InputsT: Inputs](Operation[InputsT, ApplicationFacts, World, Look, Hands]):
    """Stops or starts an application, or both; its actions are events, and a second run waits for its turn."""

    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "S"
    risk: ClassVar[Risk] = Risk.HIGH
    target_kind: ClassVar[TargetKind] = TargetKind.APPLICATION
    events: ClassVar[bool] = True
    turn: ClassVar[float] = 3600.0
    standing_binds_actions: ClassVar[bool] = False

    @abstractmethod
    def wish(self, inputs: InputsT) -> Wish:
        """Return what the inputs ask."""

    def observe(self, targets: Sequence[str], inputs: InputsT, look: Look, observer: Observer) -> Seen:
        """Look at every server at once; and, where it is to be stopped, at locks and conditions."""
        return facts.observe(targets, look, observer, stops=self.wish(inputs).stops)

    def plan(self, targets: Sequence[str], inputs: InputsT, observed: Seen) -> Plan:
        """Decide for each application; within a run, what remains of it."""
        wish, world = self.wish(inputs), observed.shared
        decided = {
            target: planning.decide(target, wish, found, world, observed.run)
            for target, found in observed.facts.items()
        }
        return plan_of(self, targets, inputs, decided)

    def replan(self, targets: Sequence[str], inputs: InputsT, observed: Seen, approved: Plan) -> Plan:
        """Decide again, for the sessions that were approved: one that came later is told and left alone."""
        wish, world = self.wish(inputs), observed.shared
        decided = {}
        for target, found in observed.facts.items():
            one = decided[target] = planning.decide(target, wish, found, world, observed.run)
            before = {action.kind: action for action in approved.actions_for(target)}
            sessions.keep_approved(target, one, before)
            if not wish.stops:
                _keep_starts(target, one.actions, one.non_actions, before)
        return plan_of(self, targets, inputs, decided)

    def act(self, action: Action, inputs: InputsT, hands: Hands, observer: Observer) -> None:
        """Carry out one action, unless this run did, and wait for its effect.

        Raises:
            StillRunningError: a server does not stop.
            NotConclusiveError: it was started, and users cannot work.
            RefusedError: what must be true before the stop is not, or the equipment refuses.
            StoppedError: asked to stop in the countdown, or while it is tested.
        """
        carry_out(action, Doing(action.target, self.wish(inputs), hands, observer))

    def settle(self, action: Action, inputs: InputsT, look: Look, observer: Observer) -> None:  # noqa: ARG002
        """Make sure that the server of an interrupted action can be looked at again."""
        server = action.args.get("server")
        if server is not None:
            evidence.answers(action.target, (str(server),), look)

    def verify(self, plan: Plan, inputs: InputsT, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Look at every server anew, and from the controller at its port."""
        wish, checks = self.wish(inputs), list[Check]()
        for target in plan.targets:
            servers = [server.name for server in wish.chosen(look.applications[target])]
            found = evidence.is_up if wish.starts else evidence.is_down
            checks += found(target, servers, look)
        return checks


def carry_out(action: Action, doing: Doing) -> None:
    """Do one step of a stop or a start, unless this run did; see `OperatingOperation.act` for what it raises."""
    name, _, _rest = action.kind.partition(".")
    match name:
        case "caches":
            acting.empty_caches(str(action.args["server"]), doing)
        case "sessions":
            sessions.end(action, doing)
        case "start":
            concluding.start(str(action.args["server"]), Terms.of(action), doing)
        case "test":
            concluding.conclude(Terms.of(action), doing)
        case "back":
            warning.back(doing)
        case "warn" | "stop":
            _stop_or_warn(name, action, doing)
        case _:
            raise AssertionError(action.kind)


def _stop_or_warn(name: str, action: Action, doing: Doing) -> None:
    """Do what comes before users lose anything; what a run began is noted first."""
    history = doing.history()
    acting.begin(doing, history, in_turn=bool(action.args["in_turn"]))
    if name == "warn":
        warning.warn(doing, history)
        return
    warning.hold(doing, history)
    acting.stop(str(action.args["server"]), doing, doing.history())


def _keep_starts(target: str, actions: list[Action], non_actions: list[NonAction], approved: dict[str, Action]) -> None:
    """Leave out the start of a server that was not approved: it can be looked at again since."""
    late = [one for one in actions if one.kind.startswith(planning.START) and one.kind not in approved]
    why = T("It was not in the approved plan: it is not started.")
    non_actions += [NonAction(target, action.kind, why) for action in late]
    gone = {str(action.args["server"]) for action in late}
    kept = [action for action in actions if action not in late]
    if late:
        # What is tested was approved with the servers that were known then.
        kept = [approved.get(action.kind, action) if _names(action) & gone else action for action in kept]
    actions[:] = kept


def _names(action: Action) -> set[str]:
    servers = action.args.get("servers")
    return set(map(str, servers)) if isinstance(servers, list) else set()
