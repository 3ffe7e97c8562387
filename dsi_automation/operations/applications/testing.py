"""The connection test after a start: what a user does, on every server, and that it stays up (procedure S, 5 to 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dsi_automation.connectors.applications.errors import NotStartedError
from dsi_automation.connectors.applications.port import PortHolder, ServerSeen, StepResult, Tested
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError, StoppedError
from dsi_automation.core.events import Silent
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.operations.applications import conditions
from dsi_automation.operations.applications.acting import Doing, holder_json, log_of
from dsi_automation.operations.applications.facts import look_at_servers
from dsi_automation.operations.applications.words import place_words, step_words
from dsi_automation.operations.tools import USERS, Look

POLL: Final = 2.0
"""Seconds between two tries while a database may still be coming up."""
STABLE_LOOK: Final = 5.0
"""Seconds at most between two looks at whether it stays up."""
STABILITY: Final = "stability"
START: Final = "start"
AFTER: Final = "after"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one connection test.

    Attributes:
        tests: of every address, and of what must be true after a start; those that failed are among them.
        processes: who held each port when the test was over.
        at: when a user could work, or when the test was given up.
        release: the one in use; None where it cannot be told, or servers have several.
    """

    tests: tuple[Tested, ...]
    processes: Mapping[str, PortHolder | None]
    at: datetime
    release: str | None = None

    @property
    def conclusive(self) -> bool:
        """Tell whether users can work on every server."""
        return bool(self.tests) and all(tested.conclusive for tested in self.tests)

    @property
    def failed(self) -> tuple[Tested, ...]:
        """Return the tests that were not conclusive."""
        return tuple(tested for tested in self.tests if not tested.conclusive)


def test(servers: Sequence[str], doing: Doing) -> Verdict:
    """Do what a user does until it succeeds or the time to start is over; then see that it stays up.

    Raises:
        StoppedError: the run was asked to stop meanwhile; the servers run, untested.
    """
    seen = _seen(servers, doing.target, doing.look)
    dead = [name for name in servers if _ended(seen.get(name))]
    if dead:
        tests = tuple(_fallen(name, 0.0, T("it does not answer any more after its start.")) for name in dead)
        return Verdict(tests, {}, doing.clock.now())
    tests, at = _until_conclusive(servers, doing)
    processes = {name: one.holder for name, one in seen.items()}
    verdict = Verdict(tests, processes, at)
    if not verdict.conclusive:
        return verdict
    fallen = _stays_up(servers, processes, doing)
    after = () if fallen else _after(doing)
    releases = {one.release for one in seen.values()}
    release = releases.pop() if len(releases) == 1 else None
    return Verdict((*tests, *fallen, *after), processes, at if not fallen else doing.clock.now(), release)


def not_started(server: str, error: NotStartedError, seconds: float, doing: Doing) -> Verdict:
    """Return the verdict about a server that did not start."""
    return Verdict((Tested(server, (StepResult(START, seconds, error.what),)),), {}, doing.clock.now())


def as_json(verdict: Verdict, servers: Sequence[str], attempt: int, doing: Doing) -> dict[str, Json]:
    """Return a verdict as the record keeps it, with the last lines of the logs where it was not conclusive."""
    return {
        "tests": [tested_json(tested) for tested in verdict.tests],
        "conclusive": verdict.conclusive,
        "attempt": attempt,
        "at": iso(verdict.at),
        "servers": list(servers),
        "processes": {name: None if one is None else holder_json(one) for name, one in verdict.processes.items()},
        "log": {name: list(lines) for name, lines in _logs(verdict, servers, doing).items()},
    }


def tested_json(tested: Tested) -> dict[str, Json]:
    """Return one test as the record keeps it."""
    steps: list[Json] = [
        {
            "name": step.name,
            "seconds": round(step.seconds, 3),
            "problem": None if step.problem is None else dict(step.problem.to_json()),
        }
        for step in tested.steps
    ]
    return {"server": tested.server, "steps": steps}


def failure(verdict: Verdict) -> tuple[str, StepResult]:
    """Return where a test failed first: the server and the step."""
    first = verdict.failed[0]
    return first.server, next(step for step in first.steps if step.problem is not None)


def addresses(servers: Sequence[str], target: str, look: Look) -> tuple[str, ...]:
    """Return what is tested: every server, and the address users go to where it is another."""
    application = look.applications[target]
    return (*servers, USERS) if application.connection_test.url is not None else tuple(servers)


def test_once(names: Sequence[str], target: str, look: Look) -> tuple[Tested, ...]:
    """Do once what a user does, on every address at once."""

    def one(name: str) -> Tested:
        return look.tester(target, name).test()

    found = fan_out(names, one, workers=look.workers, observer=Silent())
    unable = {name: Tested(name, (StepResult("port", 0.0, error.what),)) for name, error in found.failures.items()}
    return tuple(found.results.get(name) or unable[name] for name in names)


def _until_conclusive(servers: Sequence[str], doing: Doing) -> tuple[tuple[Tested, ...], datetime]:
    """Test until it is conclusive: a database may come up later than the application."""
    application, clock = doing.application, doing.clock
    names = addresses(servers, doing.target, doing.look)
    patience = max(application.server(name).start_within.total_seconds() for name in servers)
    until = clock.monotonic() + patience
    tests: dict[str, Tested] = {}
    told: Text | None = None
    while True:
        waiting = [name for name in names if name not in tests or not tests[name].conclusive]
        tests |= {tested.server: tested for tested in test_once(waiting, doing.target, doing.look)}
        now = clock.now()
        failed = [tested for tested in tests.values() if not tested.conclusive]
        if not failed or clock.monotonic() >= until:
            return tuple(tests[name] for name in names), now
        seen = _seen(servers, doing.target, doing.look)
        if any(_ended(seen.get(name)) for name in servers):
            return tuple(tests[name] for name in names), now
        step = next(step for step in failed[0].steps if step.problem is not None)
        text = T("{server}: {step}: {problem} It is tried again until it succeeds, for {time} at most.",
                 server=place_words(failed[0].server), step=step_words(step.name), problem=step.problem,
                 time=Seconds(patience))  # fmt: skip
        if text != told:  # the same every two seconds would bury what is new
            told = text
            doing.tell("test.wait", text)
        _pause(POLL, doing)


def _stays_up(servers: Sequence[str], processes: Mapping[str, PortHolder | None], doing: Doing) -> tuple[Tested, ...]:
    """Look again and again whether the same processes stay up; return those that did not, and after how long."""
    stable, clock = doing.application.stable_for.total_seconds(), doing.clock
    began = clock.monotonic()
    text = T("It answers; it is watched for {time} before it counts as started.", time=Seconds(stable))
    doing.tell("test.wait", text)
    while True:
        passed = clock.monotonic() - began
        seen = _seen(servers, doing.target, doing.look)
        fallen = tuple(
            _fallen(name, passed, why)
            for name in servers
            if (why := _fell(name, seen.get(name), processes.get(name), doing)) is not None
        )
        if fallen or passed >= stable:
            return fallen
        _pause(min(STABLE_LOOK, stable - passed), doing)


def _ended(seen: ServerSeen | None) -> bool:
    """Tell whether a server surely does not answer; a look that failed or a late connection does not prove it.

    When it comes back, all its users connect at once, and some of them are not let in at the first try.
    """
    return seen is not None and not seen.listening


def _fell(name: str, seen: ServerSeen | None, before: PortHolder | None, doing: Doing) -> Text | None:
    unsure = seen is None or (seen.listening and not seen.reachable)
    if _ended(seen) or (unsure and not test_once((name,), doing.target, doing.look)[0].conclusive):
        return T("it ended again after its start.")
    now = None if seen is None else seen.holder
    if before is None or now is None or (now.pid, now.started_at) == (before.pid, before.started_at):
        return None
    return T("it ended again after its start, and another process ({pid}) took its place.", pid=now.pid)


def _fallen(server: str, seconds: float, why: Text) -> Tested:
    return Tested(server, (StepResult(STABILITY, seconds, why),))


def _after(doing: Doing) -> tuple[Tested, ...]:
    found = conditions.ask(doing.application.after, doing.target, doing.look)
    steps = tuple(StepResult(one.title, 0.0, None if one.ok else one.words) for one in found)
    return (Tested(AFTER, steps),) if steps else ()


def _seen(servers: Sequence[str], target: str, look: Look) -> Mapping[str, ServerSeen]:
    return look_at_servers(target, servers, look)[0]


def _pause(seconds: float, doing: Doing) -> None:
    if doing.hands.interrupted:
        raise StoppedError(
            T("The run was asked to stop in the connection test of {target}.", target=doing.target),
            on=doing.target,
            meaning=T("Its servers were started; nobody was told that it is available."),
            next_step=T("Finish it: dsi resume {run}", run=doing.hands.run),
        )
    doing.clock.sleep(seconds)


def _logs(verdict: Verdict, servers: Sequence[str], doing: Doing) -> Mapping[str, tuple[str, ...]]:
    """Return the last lines of the logs of the servers that failed; of all when it is not one of them alone."""
    failed = {tested.server for tested in verdict.failed}
    wanted = [name for name in servers if name in failed] or (list(servers) if failed else [])
    logs: dict[str, tuple[str, ...]] = {}
    for name in wanted:
        try:
            with doing.look.server(doing.target, name) as reader:
                logs[name] = log_of(reader)
        except DsiError as error:
            logs[name] = (str(error.what),)
    return logs


def lines(data: Mapping[str, Any]) -> list[str]:
    """Return the log lines of a recorded test, each with its server."""
    return [f"{server}: {line}" for server, log in data["log"].items() for line in log]
