"""Independent looks after a run: every server by a new connection, its port from here, and the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsi_automation.connectors.applications.port import ServerSeen
from dsi_automation.core.clock import iso
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.results import Check
from dsi_automation.core.text import T
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.facts import look_at_servers
from dsi_automation.operations.applications.record import ApplicationRecord
from dsi_automation.operations.applications.words import place_words, service_words, step_words
from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.tools import Look

RECORD = "journal"


def answers(target: str, servers: Sequence[str], look: Look) -> None:
    """Make sure that servers of an application can be looked at.

    Raises:
        DsiError: one cannot.
    """
    _, failures = look_at_servers(target, servers, look)
    for error in failures.values():
        raise error


def is_down(target: str, servers: Sequence[str], look: Look) -> Iterator[Check]:
    """Yield for each server whether it is really stopped: its service, its port there, and its port from here."""
    seen, failures = look_at_servers(target, servers, look)
    for name in servers:
        one = seen.get(name)
        host = look.applications[target].server(name).host
        if one is None:
            yield _unseen(target, name, str(failures[name].what), host)
            continue
        yield Check(
            target, f"{name}.down", T("{server} is stopped", server=name), str(T("stopped")), _words(one), ok=one.down,
            source=host,
        )  # fmt: skip
        yield Check(
            target,
            f"{name}.closed",
            T("Port of {server}, from the controller", server=name),
            str(T("closed")),
            str(T("open") if one.reachable else T("closed")),
            ok=not one.reachable,
            source="TCP",
        )


def is_up(target: str, servers: Sequence[str], look: Look) -> Iterator[Check]:
    """Yield for each server whether it answers, with the process that was tested; and what the test was."""
    seen, failures = look_at_servers(target, servers, look)
    tests = {name: last_test(look.application_record(), target, name) for name in servers}
    for name in servers:
        one, test = seen.get(name), tests[name]
        host = look.applications[target].server(name).host
        if one is None:
            yield _unseen(target, name, str(failures[name].what), host)
            continue
        yield Check(
            target, f"{name}.up", T("{server} answers users", server=name), str(T("running")), _words(one), ok=one.up,
            source=host,
        )  # fmt: skip
        yield from _same_process(target, name, one, test, host)
    told: list[Noted] = []
    for test in tests.values():
        if test is not None and test not in told:
            told.append(test)
            yield from _steps(target, test)


def last_test(record: ApplicationRecord, target: str, server: str) -> Noted | None:
    """Return the last connection test of one server, by the record."""
    of_target = [note for note in record.notes if note.target == target and note.name == notes.TESTED]
    of_server = [note for note in of_target if server in note.data["servers"]]
    return of_server[-1] if of_server else None


def _same_process(target: str, name: str, one: ServerSeen, test: Noted | None, host: str) -> Iterator[Check]:
    tested = None if test is None else test.data["processes"].get(name)
    if tested is None or one.holder is None:
        return
    now = f"{one.holder.pid} ({iso(one.holder.started_at)})"
    before = f"{tested['pid']} ({tested['started_at']})"
    yield Check(
        target,
        f"{name}.process",
        T("Process of {server}, as it was tested", server=name),
        before,
        now,
        ok=now == before,
        source=host,
    )


def _steps(target: str, test: Noted) -> Iterator[Check]:
    for tested in test.data["tests"]:
        for step in tested["steps"]:
            good = step["problem"] is None
            yield Check(
                target,
                f"{tested['server']}.{step['name']}",
                T("{server}: {step}", server=place_words(tested["server"]), step=step_words(step["name"])),
                str(T("done")),
                str(T("done in {time}", time=Seconds(step["seconds"])))
                if good
                else str(_recorded(step["problem"])).removesuffix("."),
                ok=good,
                source=RECORD,
            )


def _recorded(problem: dict[str, str]) -> object:
    from dsi_automation.core.text import Text

    return Text.from_json(problem)


def _unseen(target: str, name: str, why: str, host: str) -> Check:
    return Check(target, f"{name}.seen", T("{server} can be looked at", server=name), "-", why, ok=False, source=host)


def _words(seen: ServerSeen) -> str:
    port = T("port open") if seen.listening else T("port closed")
    return f"{service_words(seen.service)}, {port}" + (
        "" if seen.holder is None else f", {seen.holder.command} ({seen.holder.pid})"
    )
