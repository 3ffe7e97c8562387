"""`application.check`: can users work, on every server, and what stands in the way? Read-only (procedure S)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from pydantic import Field, field_validator

from dsi_automation.connectors.applications.port import ServerSeen, Tested
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Observer
from dsi_automation.core.quantities import Amount, Seconds
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.engine.operation import Inputs, ReadOnlyOperation, Report, TargetKind
from dsi_automation.inventory.application_model import Application
from dsi_automation.operations.applications import facts, testing
from dsi_automation.operations.applications.acting import log_of
from dsi_automation.operations.applications.facts import Locks
from dsi_automation.operations.applications.inputs import several
from dsi_automation.operations.applications.words import place_words, service_words, step_words
from dsi_automation.operations.tools import Look

EXPIRES_SOON: Final = timedelta(days=30)
"""A certificate that ends sooner is worth a warning."""
CLOCK_SLACK: Final = 60.0
"""Seconds a server's clock may be off before it is told."""


class CheckInputs(Inputs):
    """Inputs of `application.check`."""

    servers: tuple[str, ...] = Field(default=(), description=T("The servers it concerns; all by default.").template)
    log_lines: int = Field(
        default=0, ge=0, le=1000, description=T("How many of the last lines of each log are shown.").template
    )

    @field_validator("servers", mode="before")
    @classmethod
    def _as_typed(cls, value: object) -> object:
        return several(value)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one application.

    Attributes:
        logs: the last lines of each log that was asked for.
    """

    seen: Mapping[str, ServerSeen]
    unseen: Mapping[str, DsiError]
    tests: tuple[Tested, ...]
    locks: Locks | None
    logs: Mapping[str, tuple[str, ...]]


class ApplicationCheck(ReadOnlyOperation[CheckInputs, Look]):
    """Does what a user does on every server, and looks at what could stand in the way."""

    name: ClassVar[str] = "application.check"
    version: ClassVar[int] = 1
    procedure: ClassVar[str] = "S"
    summary: ClassVar[Text] = T("Check an application: connection test on every server, locks, caches, release")
    inputs_model: ClassVar[type[Inputs]] = CheckInputs
    target_kind: ClassVar[TargetKind] = TargetKind.APPLICATION

    def check(self, targets: Sequence[str], inputs: CheckInputs, look: Look, observer: Observer) -> Report:
        """Look at every application and every server at once."""
        found = fan_out(targets, lambda target: _look(target, inputs, look), workers=look.workers, observer=observer)
        checks: list[Check] = []
        for target, one in found.results.items():
            checks += _checks(target, one, look)
        data = {target: _facts(one) for target, one in found.results.items()}
        return Report(tuple(targets), tuple(checks), found.failures, data)


def _look(target: str, inputs: CheckInputs, look: Look) -> Found:
    application = look.applications[target]
    names = _names(target, application, inputs.servers)
    seen, unseen = facts.look_at_servers(target, names, look)
    tests = testing.test_once(testing.addresses(names, target, look), target, look)
    locks = None if application.database is None else facts.read_locks(target, look)
    logs: dict[str, tuple[str, ...]] = {}
    for name in names if inputs.log_lines else ():
        if name in seen:
            with look.server(target, name) as reader:
                logs[name] = log_of(reader, inputs.log_lines)
    return Found(seen, unseen, tests, locks, logs)


def _names(target: str, application: Application, wanted: tuple[str, ...]) -> tuple[str, ...]:
    known = tuple(server.name for server in application.servers)
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        from dsi_automation.core.errors import UsageError

        raise UsageError(
            T("{application} has no server {names}.", application=target, names=", ".join(unknown)),
            on=target,
            next_step=T("Its servers are: {names}.", names=", ".join(sorted(known))),
        )
    return tuple(name for name in known if not wanted or name in wanted)


def _checks(target: str, found: Found, look: Look) -> Iterator[Check]:
    application = look.applications[target]
    for name, error in found.unseen.items():
        yield Check(
            target, f"{name}.seen", T("{server} can be looked at", server=name), str(T("yes")), str(error.what),
            ok=False, source=application.server(name).host,
        )  # fmt: skip
    for name, one in found.seen.items():
        yield from _server(target, name, one, application)
    for tested in found.tests:
        yield from _test(target, tested, look.clock.now())
    if found.locks is not None:
        yield _locks(target, found.locks, application)
    releases = {one.release for one in found.seen.values() if one.release is not None}
    if len(releases) > 1:
        names = ", ".join(f"{name} {one.release}" for name, one in found.seen.items())
        yield Check(
            target, "releases", T("One release on all servers"), str(T("the same")), names, ok=False, source="link"
        )


def _server(target: str, name: str, one: ServerSeen, application: Application) -> Iterator[Check]:
    host = application.server(name).host
    state = f"{service_words(one.service)}, {T('port open') if one.listening else T('port closed')}"
    held = state if one.holder is None else f"{state}, {one.holder.command} ({one.holder.pid})"
    yield Check(
        target, f"{name}.service", T("Service of {server}", server=name), str(T("running")), held,
        ok=one.service == "running" and one.listening, source=host,
    )  # fmt: skip
    if one.release is not None:
        yield Check(
            target, f"{name}.release", T("Release of {server}", server=name), "-", one.release, ok=True, source=host
        )
    caches = application.server(name).caches
    if caches:
        size = str(Amount(one.cache_bytes))
        yield Check(
            target, f"{name}.caches", T("Caches of {server}", server=name), "-", size, ok=True, source=", ".join(caches)
        )
    if one.clock_offset is not None and abs(one.clock_offset) > CLOCK_SLACK:
        yield Check(
            target, f"{name}.clock", T("Clock of {server}", server=name), str(T("right")),
            str(T("{seconds:+.0f} s", seconds=one.clock_offset)), ok=False, source=host, warning=True,
        )  # fmt: skip


def _test(target: str, tested: Tested, now: datetime) -> Iterator[Check]:
    for step in tested.steps:
        time = Seconds(step.seconds)
        said = T("done in {time}", time=time) if step.problem is None else step.problem
        yield Check(
            target,
            f"{tested.server}.{step.name}",
            T("{server}: {step}", server=place_words(tested.server), step=step_words(step.name)),
            str(T("done")),
            str(said).removesuffix("."),
            ok=step.problem is None,
            source=str(T("connection test")),
        )
    until = tested.certificate_until
    if until is not None:
        yield Check(
            target,
            f"{tested.server}.certificate",
            T("Certificate of {server}", server=tested.server),
            f">= {iso(now + EXPIRES_SOON)}",
            iso(until),
            ok=until >= now + EXPIRES_SOON,
            source="TLS",
            warning=until > now,
        )


def _locks(target: str, locks: Locks, application: Application) -> Check:
    title, source = T("Sessions that hold locks"), str(T("database"))
    if locks.now is None:
        why = "-" if locks.problem is None else str(locks.problem.what)
        return Check(target, "locks", title, str(T("can be read")), why, ok=False, source=source)
    others = [session for session in locks.sessions if not session.own]
    least = application.locks.idle_for
    expected = str(T("none idle for {time}", time=Seconds(least.total_seconds())))
    if not others:
        return Check(target, "locks", title, expected, "0", ok=True, source=source)
    oldest = min(session.transaction_since for session in others)
    idle = [session for session in others if not session.working and locks.now - session.since >= least]
    observed = TN(
        "{n} session, the oldest for {age}",
        "{n} sessions, the oldest for {age}",
        len(others),
        age=Seconds((locks.now - oldest).total_seconds()),
    )
    return Check(target, "locks", title, expected, str(observed), ok=not idle, source=source, warning=bool(idle))


def _facts(found: Found) -> dict[str, Any]:
    return {
        "servers": {
            name: {
                "service": str(one.service),
                "listening": one.listening,
                "reachable": one.reachable,
                "release": one.release,
                "releases": list(one.releases),
                "cache_bytes": one.cache_bytes,
                "clock_offset": one.clock_offset,
            }
            for name, one in found.seen.items()
        },
        "tests": [testing.tested_json(tested) for tested in found.tests],
        "locks": [
            {"pid": session.pid, "user": session.user, "program": session.program, "working": session.working,
             "objects": list(session.objects), "since": iso(session.transaction_since), "own": session.own}
            for session in (found.locks.sessions if found.locks is not None else ())
        ],
        "logs": {name: list(lines) for name, lines in found.logs.items()},
    }  # fmt: skip
