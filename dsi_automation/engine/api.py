"""What the command line, the playbooks and the schedules may ask of the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Plan
from dsi_automation.engine.model import (
    Acceptance,
    AcceptanceOrder,
    HandedItem,
    HandOver,
    MediumMove,
    MediumOrder,
    Request,
    Run,
    StandingBounds,
    Window,
)
from dsi_automation.engine.operation import Report


class Engine(Protocol):
    """The one way in. Every method that writes takes its person from the key that signs."""

    def check(self, operation: str, targets: Sequence[str], inputs: Mapping[str, Any], observer: Observer) -> Report:
        """Run a read-only operation.

        Raises:
            UsageError: unknown operation, target or input.
        """
        ...

    def plan(self, operation: str, targets: Sequence[str], inputs: Mapping[str, Any], observer: Observer) -> Plan:
        """Look and decide; changes nothing and writes nothing."""
        ...

    def request(self, plan: Plan, reason: str, window: Window, *, standing: StandingBounds | None = None) -> Request:
        """Put a plan forward, signed.

        Raises:
            UsageError: times in the past or the wrong way round, an empty reason, an empty plan.
            GateClosedError: the signer is unknown, or policy lets nobody ask this.
        """
        ...

    def requests(self, *, open_only: bool = False) -> Sequence[Request]:
        """Return the requests, newest first."""
        ...

    def request_by_id(self, request_id: str) -> Request:
        """Return one request; an unambiguous beginning of the identifier is enough.

        Raises:
            UsageError: there is none, or several.
        """
        ...

    def open_emergencies(self) -> Sequence[Request]:
        """Return the emergencies nobody has ratified or refused yet, most urgent first; overdue ones included."""
        ...

    def approve(self, request_id: str, comment: str) -> Request:
        """Sign a yes on exactly the plan of this request.

        Raises:
            GateClosedError: own request, wrong role, already decided, expired.
        """
        ...

    def refuse(self, request_id: str, comment: str) -> Request:
        """Sign a no."""
        ...

    def revoke(self, request_id: str, comment: str) -> Request:
        """Take back a request or an approval, a standing one from now on; what runs stops at its next action."""
        ...

    def run(self, request_id: str, observer: Observer, *, targets: Sequence[str] | None = None) -> Run:
        """Carry out an approved plan: gate, look anew, compare, act, verify, record.

        Args:
            targets: what the caller believes the run covers; refused when it is not what was approved.

        Raises:
            GateClosedError, WorldChangedError: before anything is done.
        """
        ...

    def emergency(self, plan: Plan, reason: str, observer: Observer) -> Run:
        """Run a plan now, to be ratified afterwards by somebody entitled, within policy's time."""
        ...

    def ratify(self, request_id: str, comment: str) -> Request:
        """Approve an emergency after the fact; not one's own."""
        ...

    def resume(self, run_id: str, observer: Observer) -> Run:
        """Finish an interrupted run: settle, look anew, do what remains of what was approved."""
        ...

    def hand_over(self, operation: str, items: Sequence[HandedItem], *, to: str | None = None) -> HandOver:
        """Record, signed, that accounts are handed over: to be called before a password is revealed.

        Raises:
            UsageError: nothing is handed over.
            GateClosedError: the signer is unknown, or has no role that may ask for the operation.
        """
        ...

    def handovers(self, *, run: str | None = None) -> Sequence[HandOver]:
        """Return the hand-overs, or those of what a run made ready; oldest first."""
        ...

    def move_medium(self, order: MediumOrder) -> MediumMove:
        """Record, signed, that a medium changes hands or place.

        Raises:
            UsageError: it cannot go there from where it is, or something is not said that must be.
            GateClosedError: the signer is unknown, or is the very person who handed it over.
        """
        ...

    def medium_moves(self, *, medium: str | None = None) -> Sequence[MediumMove]:
        """Return the moves of all media, or of one; oldest first."""
        ...

    def accept_release(self, order: AcceptanceOrder) -> Acceptance:
        """Record, signed, that a release has passed a stage, or has not.

        Raises:
            UsageError: unknown line, stage or run, no comment, or not what the record shows there.
            GateClosedError: the signer is unknown, has none of the stage's roles, or asked for the run or ran it.
        """
        ...

    def acceptances(self, source: str | None = None) -> Sequence[Acceptance]:
        """Return the words on releases of all lines of sources, or of one; oldest first."""
        ...

    def runs(self) -> Sequence[Run]:
        """Return the runs, newest first."""
        ...

    def run_by_id(self, run_id: str) -> Run:
        """Return one run; an unambiguous beginning of the identifier is enough."""
        ...
