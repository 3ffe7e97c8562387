"""The `dsi` command in this process, before a small engine that answers as the tests say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from dsi_automation.cli.main import run
from dsi_automation.cli.session import Choices, Session
from dsi_automation.core.errors import DsiError, GateClosedError, UsageError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan, Risk
from dsi_automation.core.results import Check, Outcome
from dsi_automation.core.text import T
from dsi_automation.engine.model import Decision, Request, RequestKind, RequestState, Run, Step, Window
from dsi_automation.engine.operation import Inputs, Operation, ReadOnlyOperation, Report
from dsi_automation.inventory.model import ApprovalPolicy

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class PaintInputs(Inputs):
    color: str
    coats: int = 1


class Paint(Operation[Any, Any, Any, Any, Any]):
    name: ClassVar = "wall.paint"
    version: ClassVar = 1
    procedure: ClassVar = "C"
    summary: ClassVar = T("Paint walls")
    risk: ClassVar = Risk.MEDIUM
    inputs_model: ClassVar = PaintInputs

    def observe(self, targets: Any, inputs: Any, look: Any, observer: Any) -> Any: ...
    def plan(self, targets: Any, inputs: Any, observed: Any) -> Any: ...
    def act(self, action: Any, inputs: Any, hands: Any, observer: Any) -> None: ...
    def settle(self, action: Any, inputs: Any, look: Any, observer: Any) -> None: ...
    def verify(self, plan: Any, inputs: Any, look: Any, observer: Any) -> Any: ...


class Inspect(ReadOnlyOperation[Any, Any]):
    name: ClassVar = "wall.inspect"
    version: ClassVar = 1
    procedure: ClassVar = "C"
    summary: ClassVar = T("Inspect walls")
    inputs_model: ClassVar = Inputs

    def check(self, targets: Any, inputs: Any, look: Any, observer: Any) -> Any: ...


class Clock:
    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def action(target: str = "wall1", title: str = "Paint it", **args: Any) -> Action:
    return Action(target, "paint", args or {"color": "red"}, T("{title}", title=title), T("It is grey."), T("Scrape."))


def plan(*actions: Action, **more: Any) -> Plan:
    targets = tuple(dict.fromkeys(item.target for item in actions)) or ("wall1",)
    return Plan("wall.paint", 1, more.pop("targets", targets), {"color": "red"}, actions, **more)


def check(target: str = "wall1", name: str = "color", *, ok: bool = True, **more: Any) -> Check:
    values: dict[str, Any] = {"expected": "red", "observed": "grey", "source": "eye", "title": T("Colour"), **more}
    return Check(target=target, name=name, ok=ok, **values)


@dataclass
class Engine:
    """Answers what it was given, and remembers what it was asked."""

    made: Plan = field(default_factory=lambda: plan(action()))
    report: Report = field(default_factory=lambda: Report(("wall1",), (check(),), {}))
    run_result: Run | None = None
    waiting: Sequence[Request] = ()
    errors: dict[str, DsiError] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    kept: list[Request] = field(default_factory=list)

    def _called(self, name: str, *args: Any) -> None:
        self.calls.append((name, *args))
        if name in self.errors:
            raise self.errors[name]

    def check(self, operation: str, targets: Sequence[str], inputs: Mapping[str, Any], observer: Observer) -> Report:
        self._called("check", operation, tuple(targets), dict(inputs))
        return self.report

    def plan(self, operation: str, targets: Sequence[str], inputs: Mapping[str, Any], observer: Observer) -> Plan:
        self._called("plan", operation, tuple(targets), dict(inputs))
        return self.made

    def request(self, plan: Plan, reason: str, window: Window, *, standing: Any = None) -> Request:
        self._called("request", plan, reason, window, standing)
        return request(plan=plan, reason=reason, window=window, bounds=standing)

    def requests(self, *, open_only: bool = False) -> Sequence[Request]:
        self._called("requests", open_only)
        return self.kept

    def request_by_id(self, request_id: str) -> Request:
        self._called("request_by_id", request_id)
        for item in self.kept:
            if item.id.startswith(request_id):
                return item
        raise UsageError(T("No request."))

    def run_by_id(self, run_id: str) -> Run:
        if self.run_result is not None and self.run_result.id.startswith(run_id):
            return self.run_result
        raise UsageError(T("No run."))

    def approve(self, request_id: str, comment: str) -> Request:
        self._called("approve", request_id, comment)
        return request(state=RequestState.APPROVED, decisions=(Decision("y.traore", "approved", comment, NOW),))

    def refuse(self, request_id: str, comment: str) -> Request:
        self._called("refuse", request_id, comment)
        return request(state=RequestState.REFUSED)

    def revoke(self, request_id: str, comment: str) -> Request:
        self._called("revoke", request_id, comment)
        return request(state=RequestState.REVOKED)

    def ratify(self, request_id: str, comment: str) -> Request:
        self._called("ratify", request_id, comment)
        return request(state=RequestState.RATIFIED, kind=RequestKind.EMERGENCY)

    def run(self, request_id: str, observer: Observer, *, targets: Sequence[str] | None = None) -> Run:
        self._called("run", request_id, targets)
        return self.run_result or a_run()

    def emergency(self, plan: Plan, reason: str, observer: Observer) -> Run:
        self._called("emergency", plan, reason)
        return self.run_result or a_run()

    def resume(self, run_id: str, observer: Observer) -> Run:
        self._called("resume", run_id)
        return self.run_result or a_run()

    def runs(self) -> Sequence[Run]:
        return [] if self.run_result is None else [self.run_result]

    def handovers(self, *, run: str | None = None) -> Sequence[Any]:
        return []

    def open_emergencies(self) -> Sequence[Request]:
        self._called("open_emergencies")
        return self.waiting


def request(**changes: Any) -> Request:
    base = Request(
        id="REQ-20261121-7K3F",
        kind=RequestKind.SINGLE,
        state=RequestState.PENDING,
        plan=plan(action()),
        requester="m.kouadio",
        reason="the wall is grey",
        made_at=NOW,
        window=Window(),
        environment="production",
        approvals_needed=1,
    )
    return replace(base, **changes)


def a_run(**changes: Any) -> Run:
    base = Run(
        id="RUN-20261121-8AAA",
        request_id="REQ-20261121-7K3F",
        operation="wall.paint",
        plan_digest="d" * 64,
        person="m.kouadio",
        started_at=NOW,
        ended_at=NOW,
        outcome=Outcome.DONE,
        targets={"wall1": Outcome.DONE},
        steps=(Step("wall1/paint", "wall1", Outcome.DONE, NOW),),
        evidence=(check(),),
        exit_code=0,
    )
    return replace(base, **changes)


@dataclass
class Toolkit:
    engine: Engine
    operations: Mapping[str, Any] = field(default_factory=lambda: {"wall.inspect": Inspect(), "wall.paint": Paint()})
    policy_error: DsiError | None = None
    language: str = "fr"
    journal_exists: bool = True

    def select(self, operation: str, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(names)

    @property
    def policy(self) -> ApprovalPolicy:
        if self.policy_error is not None:
            raise self.policy_error
        rule = {"requesters": ["technician"], "approvers": ["director"]}
        return ApprovalPolicy.model_validate({"version": 1, "operations": {"wall.paint": {"production": rule}}})


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def dsi(engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Return a function that runs one call, in French unless the arguments say otherwise."""
    for name in ("DSI_LANG", "DSI_DEBUG", "NO_COLOR", "LANGUAGE"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)

    def call(*arguments: str, toolkit: Any = None) -> Answer:
        monkeypatch.delenv("DSI_LANG", raising=False)
        session = Session(Choices(), Clock(), lambda _: toolkit or Toolkit(engine))
        code = run(list(arguments), session)
        seen = capsys.readouterr()
        return Answer(code, seen.out, seen.err)

    return call


@pytest.fixture
def closed() -> GateClosedError:
    return GateClosedError(
        T("Nobody approved this request."),
        on="wall1",
        meaning=T("The gate stays closed."),
        next_step=T("Ask somebody entitled."),
    )


@pytest.fixture
def make() -> Any:
    """Return the makers of plans, requests, runs and checks."""
    from types import SimpleNamespace

    return SimpleNamespace(
        action=action, plan=plan, check=check, request=request, run=a_run, toolkit=Toolkit, engine=Engine, now=NOW
    )
