"""What a run noted of an application, on the terminal: users told, stops and starts with their times, tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any, Final

from dsi_automation.cli.moments import local
from dsi_automation.core.clock import parse_iso
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import TN, T, Text


def _warned(data: Mapping[str, Any]) -> Text:
    return T("users told that it stops on {when}: {why}", when=local(parse_iso(data["stops_at"])), why=data["why"])


def _put_off(data: Mapping[str, Any]) -> Text:
    return T("users told that it does not stop: {why}", why=data["why"])


def _ended(data: Mapping[str, Any]) -> Text:
    state = T("working") if data["working"] else T("idle")
    return T(
        "session {pid} of {user} ended ({state}), it held {objects}",
        pid=data["pid"],
        user=data["user"],
        state=state,
        objects=", ".join(data["objects"]),
    )


def _left(data: Mapping[str, Any]) -> Text:
    return T("session {pid} of {user} was not ended: {why}", pid=data["pid"], user=data["user"],
             why=Text.from_json(data["why"]))  # fmt: skip


def _down(data: Mapping[str, Any]) -> Text:
    kind = T("planned") if data["planned"] else T("unplanned")
    return T("interrupted since {when} ({kind})", when=local(parse_iso(data["since"] or data["at"])), kind=kind)


def _stopped(data: Mapping[str, Any]) -> Text:
    time = Seconds(float(data["seconds"]))
    if data.get("killed"):
        return T("{server} stopped in {time}; its process had to be ended", server=data["server"], time=time)
    return T("{server} stopped in {time}", server=data["server"], time=time)


def _started(data: Mapping[str, Any]) -> Text:
    return T("{server} started in {time}", server=data["server"], time=Seconds(float(data["seconds"])))


def _tested(data: Mapping[str, Any]) -> Text:
    if data["conclusive"]:
        slowest = max((sum(step["seconds"] for step in test["steps"]) for test in data["tests"]), default=0.0)
        return T("connection test conclusive, {time} on the slowest address", time=Seconds(slowest))
    failed = [
        _failed_at(test["server"], step["name"], step["problem"])
        for test in data["tests"]
        for step in test["steps"]
        if step["problem"] is not None
    ] or [T("nothing could be tested")]
    where = reduce(lambda first, rest: Text("{first} ; {rest}", {"first": first, "rest": rest}), failed, failed.pop(0))
    return T("connection test NOT conclusive: {where}", where=where)


def _failed_at(server: str, step: str, problem: Mapping[str, str]) -> Text:
    from dsi_automation.operations.applications.words import place_words, step_words

    return T(
        "{server} at {step}: {why}", server=place_words(server), step=step_words(step), why=Text.from_json(problem)
    )


def _up(data: Mapping[str, Any]) -> Text:
    return T("available again after {time}", time=Seconds(float(data["seconds"])))


def _script(data: Mapping[str, Any]) -> Text:
    time = Seconds(float(data["seconds"]))
    if data["undo"]:
        return T("database script {file} undone in {time}", file=data["file"], time=time)
    return T("database script {file} done in {time}", file=data["file"], time=time)


def _switched(data: Mapping[str, Any]) -> Text:
    return T("{server}: from {before} to {after}", server=data["server"], before=data["before"] or "-",
             after=data["after"] or "-")  # fmt: skip


def _rolling_back(data: Mapping[str, Any]) -> Text:
    return T("going back from {release}: {why}", release=data["release"], why=data["why"])


def _rolled_back(data: Mapping[str, Any]) -> Text:
    left = len(data["by_hand"])
    if not left:
        return T("back from {release}: files and database are as they were", release=data["release"])
    return TN(
        "back from {release}; {n} thing is left to do by hand",
        "back from {release}; {n} things are left to do by hand",
        left,
        release=data["release"],
    )


def _deployed(data: Mapping[str, Any]) -> Text:
    return T("release {release} is in use ({stage})", release=data["release"], stage=data["stage"])


KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Text | None]]] = {
    "application.warned": _warned,
    "application.put_off": _put_off,
    "application.ended": _ended,
    "application.left": _left,
    "application.down": _down,
    "application.stopped": _stopped,
    "application.started": _started,
    "application.tested": _tested,
    "application.up": _up,
    "release.script": _script,
    "release.switched": _switched,
    "release.rolling_back": _rolling_back,
    "release.rolled_back": _rolled_back,
    "release.deployed": _deployed,
}
BAD: Final = frozenset({"release.rolling_back"})
"""Notes that are bad news by themselves."""


LOG_LINES: Final = 8
"""Of each server whose test failed; `dsi application log` and the mail have more."""


def log(data: Mapping[str, Any]) -> Iterator[Text]:
    """Return the last lines of the logs of a test that was not conclusive, each with its server."""
    for server, lines in (data.get("log") or {}).items():
        yield from (Text("{server} | {line}", {"server": server, "line": line}) for line in lines[-LOG_LINES:])


def is_bad(name: str, data: Mapping[str, Any]) -> bool:
    """Tell whether a note is bad news."""
    return name in BAD or data.get("conclusive") is False
