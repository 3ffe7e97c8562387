"""Changing the accesses of one router: tried before, changed under its timer, tried again, kept or taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.port import RouterReader, RouterWriter
from dsi_automation.core.errors import DsiError, VerificationFailedError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.operations.network.access_plan import SAVE
from dsi_automation.operations.network.access_tries import Try, attempt, passed
from dsi_automation.operations.network.change import Change, SafeChange
from dsi_automation.operations.network.ended import read_as
from dsi_automation.operations.network.endings import changed_since
from dsi_automation.operations.network.notes import TRIED
from dsi_automation.operations.network.record import closed_by, opened_by

if TYPE_CHECKING:
    from dsi_automation.connectors.routers.probe import Probe
    from dsi_automation.operations.tools import Hands, Look


class AccessActs:
    """The actions of one router; belongs to one thread."""

    def __init__(self, action: Action, hands: Hands, observer: Observer) -> None:
        """Prepare; nothing is connected yet."""
        self._action, self._hands, self._observer = action, hands, observer
        args: Mapping[str, Any] = action.args
        self._args = args
        self._tries = tuple(Try.from_json(one) for one in args.get("tries", ()))
        self._found: list[dict[str, Any]] = []

    def saves(self) -> bool:
        """Save, if that is the action; tell whether it was."""
        if self._action.kind != SAVE:
            return False
        with self._hands.router(self._action.target) as router:
            self._safe(router).save(self._action.title)
        return True

    def make(self) -> None:
        """Do what was approved, and keep it only if every try ends as it must.

        What this run did before it was killed is not done again: it is tried, and left to be told.

        Raises:
            WorldChangedError: the router runs something else than was approved; nothing was sent.
            VerificationFailedError: a try ended otherwise; the router is as it was before.
        """
        with self._hands.router(self._action.target) as router, self._probe() as probe:
            running = router.running()
            there = self._is(running, str(self._args.get("after", self._args["running"])), router)
            if not there and not self._is(running, str(self._args["running"]), router):
                raise changed_since(self._action.target)
            try:
                if there:
                    self._hold(self._look(probe))
                else:
                    self._before(probe)
                    self._safe(router, probe).make()
            finally:
                self._note_found()

    def _is(self, running: Config, wanted: str, router: RouterReader) -> bool:
        """Tell whether what runs has a digest; accesses that are over may be gone, but for those this is about."""
        own = [rule.key for rule in (*opened_by(self._action), *closed_by(self._action))]
        was = read_as(wanted, running, self._action.target, router.dialect, self._hands.look, own)
        return was.digest == wanted

    def _safe(self, router: RouterWriter, probe: Probe | None = None) -> SafeChange:
        look = self._hands.look
        within = look.network.settings.rollout.verify_within.total_seconds()
        more = None if probe is None else lambda _router: self._look(probe)
        change = Change.of(self._action)
        return SafeChange(change, router, self._hands, self._observer, within=within, more=more)

    @contextmanager
    def _probe(self) -> Iterator[Probe | None]:
        """Open the machine tries are made from, if there are any."""
        with ExitStack() as stack:
            opened = probe_of(self._action.target, self._hands.look) if self._tries else None
            yield None if opened is None else stack.enter_context(opened)

    def _before(self, probe: Probe | None) -> None:
        """Make sure that what is closed is closed: else a connection that passes afterwards would prove nothing.

        Raises:
            VerificationFailedError: it is not; nothing was sent.
        """
        if probe is None:
            return
        for one in self._tries:
            if one.before:
                continue
            check = self._one(one, probe, passes=False)
            if not check.ok:
                raise VerificationFailedError(
                    T("{source} reaches {destination}, tcp/{port}, before anything was opened.",
                      source=self._found[-1]["source"], destination=one.destination, port=one.port),
                    on=self._action.target,
                    meaning=T("Nothing was sent: the filter does not stop what it should, or there is another way."),
                    next_step=T("Look at it: dsi router check {router}", router=self._action.target),
                )  # fmt: skip

    def _look(self, probe: Probe | None) -> Sequence[Check]:
        """Make every try once; what a probe cannot tell is a try that did not succeed."""
        if probe is None:
            return ()
        checks = list[Check]()
        for one in self._tries:
            try:
                checks.append(self._one(one, probe, passes=one.passes))
            except DsiError as error:
                checks.append(try_check(self._action.target, one, str(error.what), ok=False))
        return checks

    def _one(self, one: Try, probe: Probe, *, passes: bool) -> Check:
        source, found = attempt(one, probe)
        data = {"id": one.id, "source": source, "destination": one.destination, "port": one.port}
        self._found.append({**data, "expected": "open" if passes else "blocked", "found": str(found)})
        told = T("{source} to {destination}, tcp/{port}: {found}", source=source, destination=one.destination,
                 port=one.port, found=words_of(passed(found)))  # fmt: skip
        self._tell("access.tried", told)
        return try_check(self._action.target, one, str(words_of(passed(found))), ok=passed(found) == passes)

    def _hold(self, checks: Sequence[Check]) -> None:
        """Make sure that what is there already does what it should.

        Raises:
            VerificationFailedError: it does not.
        """
        for one in checks:
            if not one.ok:
                raise VerificationFailedError(
                    T("{title}: expected {expected}, found {observed}.", title=one.title, expected=one.expected,
                      observed=one.observed),
                    on=self._action.target,
                    next_step=T("Look at it: dsi router check {router}", router=self._action.target),
                )  # fmt: skip

    def _note_found(self) -> None:
        """Tell the record how each try ended, the last time it was made before and after the change."""
        last = {(one["id"], one["source"], one["port"], one["expected"]): one for one in self._found}
        for one in last.values():
            self._hands.note(self._action.target, TRIED, one)

    def _tell(self, kind: str, text: Text) -> None:
        self._observer.notify(Event(kind, text, target=self._action.target))


def try_check(router: str, one: Try, observed: str, *, ok: bool) -> Check:
    """Return a try as evidence."""
    title = T("Connection from {source} to {destination}, tcp/{port}", source=one.sources[0],
              destination=one.destination, port=one.port)  # fmt: skip
    name = f"try.{one.id}.{'passes' if one.passes else 'closed'}"
    return Check(router, name, title, str(words_of(one.passes)), observed, ok=ok, source=str(T("probe of the LAN")))


def words_of(passes: bool) -> Text:  # noqa: FBT001  # the word for it
    """Return how a connection ended, in words."""
    return T("passes") if passes else T("does not pass")


def probe_of(router: str, look: Look) -> Any:
    """Return the machine of a router's LAN tries are made from, to be opened.

    Raises:
        VerificationFailedError: the inventory names none any more.
    """
    opened = look.probe(look.network.router(router).site)
    if opened is None:
        raise VerificationFailedError(
            T("The inventory names no probe any more in the LAN of {router}.", router=router),
            on=router,
            next_step=T("Make a new plan and ask for a new approval."),
        )
    return opened
