"""`access.allow`: let some machines of a site through to a service, until a day, approved and proven (procedure F)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from ipaddress import IPv4Address
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from dsi_automation.core.errors import DsiError, UsageError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Blocker, Plan, Risk
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.operation import Inputs, Observed, Operation
from dsi_automation.inventory.problems import WrongValueError
from dsi_automation.operations.decided import Decided, plan_of
from dsi_automation.operations.network.access_act import AccessActs
from dsi_automation.operations.network.access_evidence import evidence
from dsi_automation.operations.network.access_look import AccessFacts, World, look_at
from dsi_automation.operations.network.access_plan import blocker, changed_running
from dsi_automation.operations.network.access_policy import enforcers, read_asked, refusals, tried_elsewhere
from dsi_automation.operations.network.access_words import Asked
from dsi_automation.operations.network.allow_plan import Purpose, decide
from dsi_automation.operations.network.notes import ALLOWED
from dsi_automation.operations.network.returning import settled
from dsi_automation.operations.tools import Hands, Look

_LAST = time(23, 59, 59)


class AllowInputs(Inputs):
    """Inputs of `access.allow`."""

    source: str = Field(
        min_length=1, description=T("Whom: an address, a network, a server's name, a site's code for its LAN.").template
    )
    destination: str = Field(
        min_length=1, description=T("Where to: an address, a network, a server's name, or internet.").template
    )
    service: str = Field(min_length=1, description=T("To what: tcp/8443, tcp/8000-8010, or a service's name.").template)
    until: datetime | None = Field(
        default=None, description=T("Until when; a day alone is meant to its end, in UTC.").template
    )
    why: str = Field(min_length=1, description=T("Why it is needed.").template)
    reference: str = Field(min_length=1, description=T("The reference of the request on paper or by mail.").template)
    beneficiary: str = Field(min_length=1, description=T("For whom it is asked.").template)
    unproven: bool = Field(
        default=False, description=T("Open it although no connection can prove it; the record says so.").template
    )
    try_at: str | None = Field(
        default=None,
        description=T("The address the proof connects to, where the destination is not one machine.").template,
    )

    @field_validator("until", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        """Mean a day that stands alone to its end."""
        if isinstance(value, str) and len(value.strip()) == len("2026-12-31"):
            try:
                return datetime.combine(datetime.fromisoformat(value.strip()).date(), _LAST, UTC)
            except ValueError:
                return value
        return value

    @field_validator("until")
    @classmethod
    def _utc(cls, moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.astimezone(UTC).replace(microsecond=0)

    @model_validator(mode="after")
    def _readable(self) -> AllowInputs:
        for name in ("why", "reference", "beneficiary"):
            if any(not mark.isprintable() for mark in getattr(self, name)):
                raise WrongValueError(T("write it on one line, without control characters."), name)
        return self

    @model_validator(mode="after")
    def _address(self) -> AllowInputs:
        try:
            self.try_at is None or IPv4Address(self.try_at)
        except ValueError as error:
            raise WrongValueError(T("it is no IPv4 address, such as 10.64.0.5."), "try_at") from error
        return self


class AccessAllow(Operation[AllowInputs, AccessFacts, World, Look, Hands]):
    """Opens one access on the routers of the source's site, under their own rollback timer."""

    name: ClassVar[str] = "access.allow"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "F"
    summary: ClassVar[Text] = T("Open an access until a day, proven by a connection; taken back if it cannot be")
    risk: ClassVar[Risk] = Risk.HIGH
    inputs_model: ClassVar[type[Inputs]] = AllowInputs
    turn: ClassVar[float] = 600.0

    def validate(self, targets: Sequence[str], inputs: AllowInputs) -> None:
        """Refuse an access without an end.

        Raises:
            UsageError: it has none.
        """
        del targets
        if inputs.until is None:
            raise UsageError(
                T("An access has an end, and none was given."),
                next_step=T("Say until when: --until 2026-12-31, or --until +8h."),
            )

    def observe(
        self, targets: Sequence[str], inputs: AllowInputs, look: Look, observer: Observer
    ) -> Observed[AccessFacts, World]:
        """Read what runs on the routers, what they start with, and the record."""
        del inputs
        return look_at(targets, look, observer)

    def plan(self, targets: Sequence[str], inputs: AllowInputs, observed: Observed[AccessFacts, World]) -> Plan:
        """Decide: an access that is open as asked is left as it is."""
        return self._plan(targets, inputs, observed, None)

    def replan(
        self, targets: Sequence[str], inputs: AllowInputs, observed: Observed[AccessFacts, World], approved: Plan
    ) -> Plan:
        """Decide again: what a run that was killed did on the device, and did not tell, is told by the same action."""
        return self._plan(targets, inputs, observed, approved)

    def changed(self, approved: Plan, fresh: Plan) -> tuple[Text, Text] | None:
        """Return which router runs something else than when the plan was made."""
        return changed_running(approved, fresh)

    def act(self, action: Action, inputs: AllowInputs, hands: Hands, observer: Observer) -> None:
        """Open it under the router's own timer, try it, keep it or go back; then tell the record, then save.

        Raises:
            WorldChangedError: the router runs something else than was approved; nothing was sent.
            VerificationFailedError: it could not be proven, and the router is as it was before.
        """
        acts = AccessActs(action, hands, observer)
        if acts.saves():
            return
        acts.make()
        told = {"why": inputs.why, "reference": inputs.reference, "beneficiary": inputs.beneficiary}
        hands.note(action.target, ALLOWED, {"rule": action.args["rule"], **told, "at": inputs.try_at})

    def settle(self, action: Action, inputs: AllowInputs, look: Look, observer: Observer) -> None:
        """Wait until the router answers and no timer is armed on it: what a killed run did, it takes back."""
        del inputs
        settled(action.target, look, observer, look.network.settings.rollout.timer.total_seconds())

    def verify(self, plan: Plan, inputs: AllowInputs, look: Look, observer: Observer) -> Sequence[Check]:
        """Read the routers anew, and make the tries once more."""
        del inputs
        return evidence(plan, look, observer)

    def _plan(
        self,
        targets: Sequence[str],
        inputs: AllowInputs,
        observed: Observed[AccessFacts, World],
        approved: Plan | None,
    ) -> Plan:
        world = observed.shared
        asked = read_asked(inputs.source, inputs.destination, inputs.service, inputs.until, world.network)
        purpose = Purpose(asked, inputs.unproven, inputs.try_at, observed.run)
        wrong = [
            *refusals(asked, world.network, world.now),
            *tried_elsewhere(asked, inputs.try_at, world.network),
        ]
        unseen = [blocker(name, error) for name, error in observed.failures.items()]
        decided: dict[str, Decided] = {}
        for name, facts in observed.facts.items():
            blockers = [blocker(name, error) for error in wrong]
            blockers = blockers or _place(name, targets, asked, world, observed.run)
            if blockers:
                decided[name] = Decided(blockers=blockers)
                continue
            before = () if approved is None else approved.actions_for(name)
            decided[name] = decide(name, purpose, facts.as_approved(name, world, before), world, before)
        return plan_of(self, targets, inputs, decided, unseen)


def _place(router: str, targets: Sequence[str], asked: Asked, world: World, run: str | None) -> list[Blocker]:
    """Return why this router is not where the access is enforced, or where it must be enforced as well."""
    try:
        right = enforcers(asked, world.network)
    except DsiError as error:
        return [blocker(router, error)]
    names = ", ".join(right)
    if router not in right:
        why = T("{router} does not see what comes from {source}.", router=router, source=str(asked.source))
        return [Blocker(router, why, T("Name the routers that do: {names}", names=names))]
    missing = [name for name in right if name not in targets]
    if missing and run is None:
        why = T("{names} lets the same machines out: the access must be opened there too.", names=", ".join(missing))
        return [Blocker(router, why, T("Name all of them: {names}", names=names))]
    return []
