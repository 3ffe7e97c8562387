"""`router.configure`: routers as the inventory wants them, without ever cutting the branch (procedure A, step 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from dsi_automation.connectors.routers.port import TimerState
from dsi_automation.core.errors import DsiError, NotCompliantError, UsageError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import MOST_AT_ONCE, Inputs, Observed, Operation, TargetKind
from dsi_automation.inventory.network_parts import Network
from dsi_automation.operations.decided import plan_of
from dsi_automation.operations.network import changing, evidence
from dsi_automation.operations.network.configure_inputs import ConfigureInputs, Terms
from dsi_automation.operations.network.configure_plan import World, decide
from dsi_automation.operations.network.drafting import RouterSeen, wanting
from dsi_automation.operations.network.ended import as_approved, loaded, over
from dsi_automation.operations.network.record import AccessRecord
from dsi_automation.operations.network.returning import settled
from dsi_automation.operations.network.rollout import CONFIGURE, Rollout
from dsi_automation.operations.network.wanted import filter_intent
from dsi_automation.operations.tools import Hands, Look

_ROLLOUT: Final = "router.rollout"

type Seen = Observed[RouterSeen, World]


class RouterConfigure(Operation[ConfigureInputs, RouterSeen, World, Look, Hands]):
    """Brings routers to what the inventory says of their LAN, their circuits, their routes and their filter."""

    name: ClassVar[str] = "router.configure"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "A"
    summary: ClassVar[Text] = T("Configure routers as the inventory describes them; what cannot be proven goes back")
    risk: ClassVar[Risk] = Risk.HIGH
    inputs_model: ClassVar[type[Inputs]] = ConfigureInputs
    target_kind: ClassVar[TargetKind] = TargetKind.HOST
    all_at_once: ClassVar[bool] = True
    turn: ClassVar[float] = 600.0
    standing_binds_actions: ClassVar[bool] = True

    def validate(self, targets: Sequence[str], inputs: ConfigureInputs) -> None:
        """Refuse a canary that is not asked about, and more routers than wait at once.

        Raises:
            UsageError: as said.
        """
        if inputs.canary is not None and inputs.canary not in targets:
            raise UsageError(
                T("The canary {router} is not among the routers asked.", router=inputs.canary),
                next_step=T("Name it among them, or choose another canary."),
            )
        if len(targets) > MOST_AT_ONCE:  # one without a thread could be the one all others wait for
            raise UsageError(
                T("{n} routers at once are too many: {most} at most.", n=len(targets), most=MOST_AT_ONCE),
                next_step=T("Ask for them in several requests."),
            )

    def observe(self, targets: Sequence[str], inputs: ConfigureInputs, look: Look, observer: Observer) -> Seen:
        """Look at all routers at once: what runs, what they start with, whether a change could be taken back.

        Raises:
            UsageError: a target is no router, or the timer leaves no time to verify.
            InventoryError: the network is not described, or its parts do not fit together.
        """
        network = look.network
        for target in targets:
            network.router(target)
        terms = Terms.of(inputs, network.settings.rollout)
        record = look.access_record()
        seen = fan_out(
            targets,
            lambda target: _look_at(target, network, look, record),
            workers=look.workers,
            deadline=look.deadline,
            observer=observer,
        )
        return Observed(seen.results, seen.failures, World(network, terms))

    def plan(self, targets: Sequence[str], inputs: ConfigureInputs, observed: Seen) -> Plan:
        """Decide for all routers together: who is confirmed with whom, who goes first."""
        return plan_of(self, targets, inputs, decide(observed.facts, observed.shared))

    def replan(self, targets: Sequence[str], inputs: ConfigureInputs, observed: Seen, approved: Plan) -> Plan:
        """Decide again; who changes with whom, and when, stays as it was approved, and so does what ended by itself."""
        network = observed.shared.network
        seen = {name: _as_approved(name, one, network, approved) for name, one in observed.facts.items()}
        decided = decide(seen, observed.shared, approved.actions, approved.targets)
        return plan_of(self, targets, inputs, decided)

    def changed(self, approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
        """Return which router was changed by hand since, and in which lines."""
        return changing.changed(approved, fresh)

    def starting(self, plan: Plan, inputs: ConfigureInputs, hands: Hands) -> None:
        """Know all routers of this run before the first one begins."""
        terms = Terms.of(inputs, hands.look.network.settings.rollout)
        hands.shared(_ROLLOUT, lambda: Rollout(plan, hands, stop_after=terms.stop_after, within=terms.within))

    def left(self, target: str, hands: Hands) -> None:
        """Let nobody wait for a router the run is over with."""
        _rollout(hands).left(target)

    def act(self, action: Action, inputs: ConfigureInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG002
        """Change a router with those it changes together with, or save it.

        Raises:
            VerificationFailedError: it could not be proven, and the router is back.
            WorldChangedError: another configuration runs than the one the plan was made from; nothing was sent.
            StoppedError: it was left as it is: others failed before, or the run was asked to stop.
            UnreachableError: it, or a router it changes with, does not answer; nothing was sent.
            UnknownOutcomeError: it does not answer, not even after its timer was over.
        """
        if action.kind == CONFIGURE:
            _rollout(hands).configure(action, observer)
        else:
            _rollout(hands).save(action, observer, T("after {operation}", operation=self.name))

    def settle(self, action: Action, inputs: ConfigureInputs, look: Look, observer: Observer) -> None:
        """Wait until a router answers and its timer is over: confirmed, or back by itself.

        Raises:
            UnreachableError: it did not answer in time.
        """
        settled(action.target, look, observer, Terms.of(inputs, look.network.settings.rollout).timer)

    def verify(self, plan: Plan, inputs: ConfigureInputs, look: Look, observer: Observer) -> Sequence[Check]:  # noqa: ARG002
        """Look at every router anew, through a session of its own."""
        return evidence.evidence(plan, look, observer)


def _rollout(hands: Hands) -> Rollout:
    def never() -> Rollout:
        raise AssertionError(_ROLLOUT)

    return hands.shared(_ROLLOUT, never)


def _as_approved(name: str, seen: RouterSeen, network: Network, approved: Plan) -> RouterSeen:
    """Return a router with what ran when the plan was made, where nothing but accesses that are over is gone since."""
    actions, intent = approved.actions_for(name), filter_intent(network, name)
    return replace(seen, running=as_approved(seen.running, actions, seen.over, seen.dialect, intent))


def _look_at(target: str, network: Network, look: Look, record: AccessRecord) -> RouterSeen:
    """Look at one router; whether a change could be taken back is asked only where there is one to make."""
    with look.router(target) as router:
        found = router.seen()
        timer, now = found.timer, look.clock.now()
        startup = loaded(found.startup, now, router.dialect, filter_intent(network, target))
        seen = RouterSeen(found.running, startup, router.dialect, found.interfaces, over=over(record, target, now))
        problem: DsiError | None = None
        if timer.state is not TimerState.NONE:
            problem = NotCompliantError(
                T("A change of {router} is being tried out by {user}: its rollback timer is armed.", router=target,
                  user=timer.user or T("somebody")),
                on=target,
                next_step=T("Wait until that is confirmed or over, then try again."),
            )  # fmt: skip
        elif wanting(network, target, seen):
            try:
                router.ready()
            except DsiError as error:
                problem = error
        return replace(seen, problem=problem)
