"""The safe change of one router: nothing that is pushed stays unless a new connection proved it.

How to use it, for an operation whose targets change each by itself (accesses)::

    def act(self, action, inputs, hands, observer):
        change = Change.of(action)                    # lines, undo, running, timer, checks: from the action's args
        with hands.router(action.target) as router:
            safe = SafeChange(change, router, hands, observer, within=30.0, more=self._tries(action))
            if action.kind == "save":
                safe.save()
            else:
                safe.make()                           # snapshot, arm, push, verify, confirm; or all back, and raise

`Change.args()` gives what the planner puts into the action; `after` is the digest of what will run, the argument of
the action `save` (`save_args`). `more` is called with the router, through the connection opened after the push, and
returns further checks (a connection that must pass, one that must not): while one of them is not ok it is tried again
until `within` is over. Whatever fails, the router is back as it was before `make` raises:
`VerificationFailedError` (6), or `WorldChangedError` (7) when another configuration runs than the plan was made from
and nothing was sent. Notes: `router.snapshot`, `armed`, `pushed`, `verified`, `confirmed`, `saved`, `reverted`.

Routers that change together go through the same steps in lockstep: `unit.change_together`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.port import NothingPendingError, Printed, RouterReader, RouterWriter, TimerState
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import Clock, iso
from dsi_automation.core.errors import (
    DsiError,
    RefusedError,
    UnknownOutcomeError,
    UnreachableError,
    VerificationFailedError,
    WorldChangedError,
)
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.operations.network import notes
from dsi_automation.operations.network.comparing import compare
from dsi_automation.operations.network.copies import keep_copy
from dsi_automation.operations.network.ended import read_as
from dsi_automation.operations.network.endings import changed_since, ended
from dsi_automation.operations.network.proving import checked, look
from dsi_automation.operations.network.returning import AGAIN, SLACK, Back, take_back
from dsi_automation.operations.tools import Hands

KEPT: Final = "routers"
"""Where the controller keeps what ran before a change."""

type Prove = Callable[[RouterReader], Sequence[Check]]


@dataclass(frozen=True, slots=True)
class Change:
    """What one router is changed by, as it was approved.

    Attributes:
        router: its name.
        lines: what is sent, in order.
        undo: what would lead back.
        running: digest of the configuration the plan was made from.
        after: digest of the configuration the lines lead to.
        timer: after how many seconds it goes back by itself.
        checks: what must be true then; see `proving`.
    """

    router: str
    lines: tuple[str, ...]
    undo: tuple[str, ...]
    running: str
    after: str
    timer: float
    checks: tuple[Mapping[str, Any], ...] = ()

    def args(self, **more: Json) -> dict[str, Json]:
        """Return it as the arguments of an action, with what an operation adds."""
        return {
            "lines": list(self.lines),
            "undo": list(self.undo),
            "running": self.running,
            "after": self.after,
            "timer": int(self.timer) if self.timer.is_integer() else self.timer,
            "checks": [dict(one) for one in self.checks],
            **more,
        }

    def save_args(self) -> dict[str, Json]:
        """Return the arguments of the action `save` that follows."""
        return {"after": self.after}

    @classmethod
    def of(cls, action: Action) -> Change:
        """Return what an action holds; of `save`, what is to be saved alone."""
        args: Mapping[str, Any] = action.args
        return cls(
            action.target,
            tuple(args.get("lines", ())),
            tuple(args.get("undo", ())),
            str(args.get("running", args["after"])),
            str(args["after"]),
            float(args.get("timer", 0.0)),
            tuple(args.get("checks", ())),
        )


class SafeChange:
    """The steps of one router's change; belongs to one thread at a time. See the module."""

    def __init__(
        self,
        change: Change,
        router: RouterWriter,
        hands: Hands,
        observer: Observer,
        *,
        within: float = 30.0,
        more: Prove | None = None,
    ) -> None:
        """Prepare; nothing is connected yet."""
        self.change, self.router = change, router
        self._hands, self._observer, self._clock = hands, observer, hands.look.clock
        self._within, self._more = within, more
        self._before: Config | None = None
        self._deadline = 0.0
        self.armed = self.sent = self.confirmed = False

    @property
    def name(self) -> str:
        """Return the router's name."""
        return self.change.router

    @property
    def snapshot_name(self) -> str:
        """Return the name under which the device keeps what ran before this run."""
        return f"dsi-{self._hands.run}"

    def make(self) -> None:
        """Do all steps up to `confirm`; whatever fails, the router is back when this raises.

        Raises:
            WorldChangedError: another configuration runs than the plan was made from; nothing was sent.
            VerificationFailedError: it could not be proven, and the router is back; or a line was refused.
            UnknownOutcomeError: it does not answer, not even after its timer was over.
            DsiError: it could not begin; nothing was sent.
        """
        try:
            for step in (self.snapshot, self.arm, self.push, self.verify, self.confirm):
                step()
        except DsiError as error:
            raise ended(self, error, self.back(str(error.what)), sent=self.sent) from error

    def snapshot(self) -> None:
        """Keep what runs under a name, on the device and on the controller."""
        kept = self._hands.keep(KEPT, self.router.snapshot(self.snapshot_name).encode())
        self._note(notes.SNAPSHOT, {"name": self.snapshot_name, "running": self.change.running, "kept": kept})
        self._tell("router.snapshot", T("snapshot {name} taken", name=self.snapshot_name))

    def arm(self) -> None:
        """Arm the device's own timer, and make sure that what it took down is what the plan was made from.

        Raises:
            WorldChangedError: it is not.
        """
        self._deadline = self._clock.monotonic() + self.change.timer
        try:
            self._before = self.router.arm(self.change.timer)
        except UnknownOutcomeError:
            self.armed = True  # nobody knows; a refusal on the other hand may be about the timer of somebody else
            raise
        self.armed = True
        self._note(notes.ARMED, {"seconds": self.change.timer, "at": iso(self._clock.now())})
        self._tell("router.armed", T("rollback timer armed ({time})", time=Seconds(self.change.timer)))
        if self.as_it_was(self._before, self.change.running).digest != self.change.running:
            raise changed_since(self.name)

    def push(self) -> None:
        """Send the lines; an answer that is lost is left to `verify`, which trusts no answer anyway."""
        self.sent = True
        try:
            self.router.push(self.change.lines)
        except UnknownOutcomeError as lost:
            self._tell("router.push_unknown", T("no answer to what was sent: {why}", why=lost.what))
            return
        self._note(notes.PUSHED, {"lines": len(self.change.lines)})
        self._tell("router.pushed", T("lines sent"))

    def verify(self) -> None:
        """Look through a new connection until all is as it should be, at most `within` seconds.

        Raises:
            VerificationFailedError: something is not.
        """
        self.router.close()
        until = min(self._clock.monotonic() + self._within, self._deadline)
        while True:
            checks, error = self._looked()
            wrong = next((one for one in checks if not one.ok and not one.warning), None)
            if error is None and wrong is None:
                break
            if self._clock.monotonic() >= until:
                raise _not_as_wanted(self.name, wrong, error)
            self._clock.sleep(AGAIN)
        self._note(notes.VERIFIED, {"checks": [one.to_json() for one in checks]})
        self._tell("router.verified", T("proven by a new connection"))

    def confirm(self) -> None:
        """Disarm the timer: the change stays. An answer that is lost is found out.

        Raises:
            NothingPendingError: it went back by itself already.
            UnreachableError: it does not answer any more.
        """
        try:
            self.router.confirm()
        except UnreachableError:
            self._find_out_confirmed()
        self.confirmed = True
        self._note(notes.CONFIRMED, {"at": iso(self._clock.now())})
        self._tell("router.confirmed", T("confirmed: the timer is off"))

    def save(self, copied: Text | None = None) -> None:
        """Make what runs what the router starts with.

        Args:
            copied: why its configuration is kept in the repository of configurations then; None for not at all.

        Raises:
            WorldChangedError: something else runs than what was approved.
        """
        printed = self._printed()
        if self.as_it_was(printed.running, self.change.after).digest != self.change.after:
            raise WorldChangedError(
                T("{router} was changed since: what runs there is not what was approved to be saved.",
                  router=self.name),
                on=self.name,
                meaning=T("It was not saved: it would start with its former configuration."),
                next_step=T("Look at it, then make a new plan."),
            )  # fmt: skip
        self.router.save()
        self._note(notes.SAVED, {"running": self.change.after})
        self._tell("router.saved", T("saved: it starts with it"))
        if copied is not None:
            self._copy(printed.text, copied)

    def back(self, why: str) -> Back:
        """Have the router back as it was: now where it answers, else by its own timer; see `returning`."""
        return take_back(self, why)

    @property
    def clock(self) -> Clock:
        """Return the time."""
        return self._clock

    @property
    def before(self) -> Config | None:
        """Return what ran before, as the device took it down; None before it was armed."""
        return self._before

    @property
    def deadline(self) -> float:
        """Return when the device is back by itself at the latest, monotonic seconds."""
        return self._deadline + SLACK

    def as_it_was(self, running: Config, wanted: str) -> Config:
        """Return what runs; what ran, if its digest is `wanted` and nothing but accesses that are over is gone."""
        return read_as(wanted, running, self.name, self.router.dialect, self._hands.look)

    def returned(self, why: str, back: Back) -> None:
        """Note and tell that it is back; a journal that refuses now does not hide why it went back."""
        data: dict[str, Json] = {"why": why, "by": back.by, "same": back.same, "remaining": list(back.remaining or ())}
        with contextlib.suppress(DsiError):
            self._note(notes.REVERTED, data)
        text = T("back as it was before") if back.same else T("NOT back as it was before")
        self._tell("router.reverted" if back.same else "router.failed", text)

    def waiting(self) -> None:
        """Tell that it is waited for its timer."""
        left = Seconds(max(0.0, self._deadline - self._clock.monotonic()))
        self._tell("wait", T("does not answer; its timer brings it back (in {time} at most)", time=left))

    def _printed(self) -> Printed:
        """Return what runs; a connection that broke since the confirmation is opened once more."""
        try:
            return self.router.printed()
        except UnreachableError:
            self.router.close()
            return self.router.printed()

    def _copy(self, text: str, why: Text) -> None:
        """Keep what was saved in the repository; where that refuses, the daily copy makes up for it."""
        try:
            keep_copy(self._hands, self.name, text, why)
        except DsiError as error:
            self._tell("router.not_copied", T("saved, but not copied yet: {why}", why=error.what))

    def _looked(self) -> tuple[list[Check], DsiError | None]:
        """Look once; what cannot be looked at is looked at again through another connection."""
        try:
            proof = look(self.router, self.change.checks)
            checks = [self._read_back(proof.running), *checked(self.name, proof, self.change.checks)]
            if self._more is not None and all(one.ok for one in checks):
                checks += self._more(self.router)
        except (UnreachableError, RefusedError) as error:
            self.router.close()
            return [], error
        return checks, None

    def _read_back(self, running: Config) -> Check:
        assert self._before is not None  # noqa: S101  # `arm` came first
        expected = self.router.dialect.apply(self._before, self.change.lines)
        differing = compare(expected, self.as_it_was(running, expected.digest))
        found = "; ".join(differing.lines()) or str(T("the same"))
        return Check(
            self.name, "configuration", T("Configuration read back"), str(T("the same")), found, ok=not differing,
            source=self.name,
        )  # fmt: skip

    def _find_out_confirmed(self) -> None:
        """Find out through new connections whether a confirmation whose answer was lost arrived.

        Raises:
            NothingPendingError: it did not, and the device went back.
            UnreachableError: nobody knows.
        """
        while True:
            self.router.close()
            try:
                if self.router.timer().state is TimerState.ARMED:
                    self.router.confirm()
                    return
                after = self.change.after
                if self.as_it_was(self.router.running(), after).digest == after:
                    return
                if self.router.timer().state is TimerState.NONE:
                    raise NothingPendingError(self.name)
            except UnreachableError:
                if self._clock.monotonic() >= self.deadline:
                    raise
            self._clock.sleep(AGAIN)

    def _note(self, name: str, data: Mapping[str, Json]) -> None:
        self._hands.note(self.name, name, data)

    def _tell(self, kind: str, text: Text) -> None:
        self._observer.notify(Event(kind, text, target=self.name))


def _not_as_wanted(router: str, wrong: Check | None, error: DsiError | None) -> VerificationFailedError:
    if wrong is not None:
        return VerificationFailedError(
            T("{router}: {title}: expected {expected}, found {observed}.", router=router, title=wrong.title,
              expected=wrong.expected, observed=wrong.observed),
            on=router,
        )  # fmt: skip
    why = error.what if error is not None else T("no answer")
    return VerificationFailedError(
        T("{router} cannot be reached through a new connection after the change: {why}", router=router, why=why),
        on=router,
    )
