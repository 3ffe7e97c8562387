"""What a run writes into the journal: nothing is done without its "about to", and nothing done is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from dsi_automation.core.errors import DsiError, StorageError
from dsi_automation.core.plan import Action
from dsi_automation.core.results import Check, Outcome
from dsi_automation.core.text import T
from dsi_automation.engine import hours
from dsi_automation.engine.clerk import Clerk
from dsi_automation.engine.closed import closed
from dsi_automation.engine.leases import Holder
from dsi_automation.engine.model import Request
from dsi_automation.engine.parts import Parts
from dsi_automation.journal.model import Draft, Kind, Lease, Transaction

_TRIES: Final = 5
"""How often what was done is offered to a journal that refuses, before the run gives up."""
_PAUSE: Final = 0.5
"""Seconds between two offers."""


class Recorder:
    """Writes the entries of one run, each under the fencing number of its target."""

    def __init__(
        self, parts: Parts, run_id: str, person: str, request: Request, holder: Holder, finished: set[str]
    ) -> None:
        self._parts, self._holder, self._request, self._finished = parts, holder, request, finished
        self._run_id, self._person = run_id, person
        self._announced = threading.Event()
        self._clerk = Clerk(parts.journal)
        self._looked_in: Transaction | None = None

    @property
    def announced(self) -> bool:
        """Tell whether anything was announced by this process."""
        return self._announced.is_set()

    def withdrawn(self) -> bool:
        """Tell whether the approval was taken back since the run began.

        Raises:
            StorageError: the journal cannot be read.
        """
        return bool(self._parts.journal.read(subject=self._request.id, kinds=[Kind.REVOKED, Kind.REFUSED]))

    def about_to(self, action: Action) -> None:
        """Record that an action is about to be done: the last moment at which the gate can stop it.

        Raises:
            GateClosedError: the lease was lost, the approval revoked, or its time is over.
            StorageError: it cannot be recorded, so it must not be done.
        """
        self._clerk.write(lambda change: self._announce(change, action))
        self._announced.set()

    def _announce(self, change: Transaction, action: Action) -> None:
        request = self._request
        if change is not self._looked_in:
            for entry in change.entries(subject=request.id, kinds=[Kind.REVOKED, Kind.REFUSED]):
                raise closed(
                    "revoked",
                    T("{id} was taken back by {person} while it ran.", id=request.id, person=entry.actor),
                    T("Speak with that person; what was done until then is in `dsi show {run}`.", run=self._run_id),
                )
        # Entries that share a transaction share the answer: nobody else writes meanwhile.
        self._looked_in = change
        last = request.window.not_after
        if last is not None and change.now > last:
            raise closed(
                "window",
                T("The window of {id} closed while it ran.", id=request.id),
                T("Make a new request for what remains."),
            )
        why = hours.outside(request.bounds, change.now) if request.bounds is not None else None
        if why is not None:
            raise closed("hours", why, T("Resume within the hours: `dsi resume {run}`.", run=self._run_id))
        body = {**action.to_json(), "action": action.id}
        change.append(self._draft(Kind.ABOUT_TO, body), fence=self._holder.lease(action.target))

    def done(self, action: Action, **more: Any) -> None:
        """Record that an action was done."""
        self._insist(Kind.ACTION_DONE, self._of(action, more), action.target)
        self._finished.add(action.id)

    def failed(self, action: Action, error: DsiError) -> None:
        """Record that an action failed."""
        self._insist(Kind.ACTION_FAILED, self._of(action, {"error": error.to_json()}), action.target)

    def unknown(self, action: Action, error: DsiError | None, **more: Any) -> None:
        """Record that nobody knows whether an action happened."""
        told = {} if error is None else {"error": error.to_json()}
        self._insist(Kind.ACTION_UNKNOWN, self._of(action, {**told, **more}), action.target)

    def noted(self, target: str, name: str, data: Mapping[str, Any]) -> None:
        """Record something worth keeping of what is done to a target."""
        self._insist(Kind.NOTED, {"target": target, "note": name, "data": dict(data)}, target)

    def evidence(self, checks: Sequence[Check], error: DsiError | None) -> None:
        """Record what the independent look found, or why there was none."""
        body = {"checks": [check.to_json() for check in checks], "error": None if error is None else error.to_json()}
        self._insist(Kind.EVIDENCE, body)

    def ended(
        self,
        outcome: Outcome,
        exit_code: int,
        targets: Mapping[str, Outcome],
        errors: Mapping[str, DsiError],
        error: DsiError | None = None,
    ) -> None:
        """Record the end of the run."""
        body = {
            "outcome": str(outcome),
            "exit_code": exit_code,
            "targets": {name: str(value) for name, value in targets.items()},
            "errors": {name: value.to_json() for name, value in errors.items()},
            "error": None if error is None else error.to_json(),
        }
        self._insist(Kind.RUN_ENDED, body)

    def _of(self, action: Action, more: Mapping[str, Any]) -> dict[str, Any]:
        return {"action": action.id, "target": action.target, **more}

    def _draft(self, kind: Kind, body: Mapping[str, Any]) -> Draft:
        return Draft(kind, self._run_id, self._person, {"request": self._request.id, **body})

    def _append(self, kind: Kind, body: Mapping[str, Any], lease: Lease, change: Transaction) -> None:
        change.append(self._draft(kind, body), fence=lease)

    def _insist(self, kind: Kind, body: Mapping[str, Any], target: str | None = None) -> None:
        """Record what has happened; a busy database gets several chances.

        Raises:
            StorageError: it stayed so. The action's "about to" stands, and `resume` will find out.
            GateClosedError: the lease was lost: whoever holds it now finds out.
        """
        for attempt in range(1, _TRIES + 1):
            lease = self._holder.any_lease() if target is None else self._holder.lease(target)
            try:
                self._clerk.write(partial(self._append, kind, body, lease))
            except StorageError:
                if attempt == _TRIES:
                    raise
                self._parts.clock.sleep(_PAUSE)
            else:
                return
