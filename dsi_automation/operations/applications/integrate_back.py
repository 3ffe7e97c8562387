"""Going back after an integration that failed: the former release, tested; or exactly what is left to do."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from dsi_automation.core.clock import parse_iso
from dsi_automation.core.errors import (
    DsiError,
    GateClosedError,
    RefusedError,
    StoppedError,
    StorageError,
    UnknownOutcomeError,
    VerificationFailedError,
)
from dsi_automation.core.text import T, Text
from dsi_automation.operations.applications import acting, concluding, integrate_table, notes, warning
from dsi_automation.operations.applications.acting import Doing
from dsi_automation.operations.applications.concluding import Terms
from dsi_automation.operations.applications.facts import look_at_servers
from dsi_automation.operations.applications.history import History
from dsi_automation.operations.applications.integrate_act import former_of, note_script, point_to, script_order
from dsi_automation.operations.applications.integrate_facts import read_applied
from dsi_automation.operations.applications.integrate_plan import FORMER
from dsi_automation.operations.applications.integrate_table import Applied, of_release

PASSING = (GateClosedError, StorageError, StoppedError, UnknownOutcomeError)
"""Errors after which the run is resumed in the direction it had: about the run or its record, or not known yet."""


class RolledBackError(VerificationFailedError):
    """An integration failed, and the former release is in use again."""


class GoingBackFailedError(VerificationFailedError):
    """An integration failed, and so did going back: a person must look."""


@dataclass(slots=True)
class Left:
    """What going back leaves.

    Attributes:
        undone: scripts that were undone.
        by_hand: what a person must do, a sentence each.
    """

    undone: list[str] = field(default_factory=list)
    by_hand: list[Text] = field(default_factory=list)


def go_back(why: Text, begun: Mapping[str, Any], doing: Doing, detail: Mapping[str, Any] | None = None) -> NoReturn:
    """Put the former release back, with its database; note it, tell users, and end the run.

    A run that was cut short on its way back goes on from where it was.

    Args:
        why: what did not pass; `detail` its facts: the lines of a log, of a script.

    Raises:
        RolledBackError: the former release is in use and tested.
        GoingBackFailedError: it could not be put back; its detail has the state of every server and script.
        GateClosedError, StorageError, StoppedError, UnknownOutcomeError: the run is to be resumed, and goes back then.
    """
    history = doing.history()
    if history.last(notes.ROLLING_BACK) is None:
        doing.note(notes.ROLLING_BACK, {"release": begun["release"], "why": str(why)})
    doing.tell("release.back", T("{why} The former release is put back.", why=why))
    left = Left()
    try:
        _back(begun, doing, left)
    except PASSING:
        raise
    except DsiError as error:
        raise _stuck(error, why, begun, doing, left) from error
    by_hand = [str(sentence) for sentence in left.by_hand]
    doing.note(
        notes.ROLLED_BACK,
        {"release": begun["release"], "files": True, "scripts": [*left.undone], "by_hand": [*by_hand]},
    )
    finished(begun, doing, detail)


def finished(begun: Mapping[str, Any], doing: Doing, detail: Mapping[str, Any] | None = None) -> NoReturn:
    """Tell users that the application is back, and end a run that went back.

    Raises:
        RolledBackError: always.
    """
    history = doing.history()
    done, why = history.last(notes.ROLLED_BACK), history.last(notes.ROLLING_BACK)
    try:
        warning.back(doing, former_of(begun))
    except PASSING:
        raise
    except DsiError as error:
        doing.tell("back.failed", T("Users could not be told: {why}", why=error.what))
    by_hand = [] if done is None else list(done.data["by_hand"])
    former = former_of(begun)
    meaning = T("Release {release} did not pass; {former} is in use again, and tested.", release=begun["release"],
                former=former or "-")  # fmt: skip
    following = T("Correct the release, give it a new version, and begin with the first stage.")
    if by_hand:
        following = T("A person must do this now: {sentences}", sentences=" ".join(by_hand))
    raise RolledBackError(
        T("{why}", why="-" if why is None else why.data["why"]),
        on=doing.target,
        meaning=meaning,
        next_step=following,
        detail={**(detail or {}), "release": begun["release"], "former": former, "by_hand": by_hand},
    )


def _back(begun: Mapping[str, Any], doing: Doing, left: Left) -> None:
    servers = [server.name for server in doing.application.servers]
    since = _since(doing.history())
    if since.last(notes.STARTING) is None:
        # From the first start on, links and scripts are as they were: they are not touched again.
        for server in reversed(servers):
            _down(server, doing)
        without = [server for server in servers if not _link_back(server, begun, doing)]
        _undo_all(begun, doing, left)
        if without:
            # A release that did not pass is not started again for want of another.
            raise RefusedError(
                T("{servers} had no release before: it stays stopped.", servers=", ".join(without)), on=doing.target
            )
        if doing.wish.empty_caches:
            for one in doing.application.servers:
                if one.caches:
                    acting.empty_caches(one.name, doing)
    else:
        _recount(begun, doing, left)
    for server in servers:
        if _since(doing.history()).state(server) != notes.STARTED:
            acting.bring_up(server, doing, in_turn=False)
    tries = doing.application.when_not_conclusive.tries
    concluding.conclude(Terms(tuple(servers), tries, FORMER, in_turn=False), doing)


def _since(history: History) -> History:
    """Return what was noted since the run goes back."""
    for place, note in enumerate(history.notes):
        if note.name == notes.ROLLING_BACK:
            return History(history.notes[place + 1 :])
    return History()


def _down(server: str, doing: Doing) -> None:
    with doing.look.server(doing.target, server) as reader:
        down = reader.look().down
    if not down:
        acting.bring_down(server, doing, doing.history())


def _link_back(server: str, begun: Mapping[str, Any], doing: Doing) -> bool:
    """Point a server to what it used before; tell whether there was something."""
    former = begun["before"].get(server)
    with doing.look.server(doing.target, server) as reader:
        now = reader.look().release
    if now != begun["release"] or now == former:
        return True
    if former is None:
        return False
    point_to(server, former, doing)
    return True


def _undo_all(begun: Mapping[str, Any], doing: Doing, left: Left) -> None:
    """Undo the scripts that this release brought, the last one first; what cannot be is said."""
    there = {one.file: one for one in _brought(begun, doing)}
    for script in reversed(begun["scripts"]):
        if script["file"] not in there:
            continue
        if script["undo"] is None:
            left.by_hand.append(_no_undo(script["file"], T("it has no undo script"), begun, doing))
            continue
        try:
            _undo(script["file"], begun, doing)
        except RefusedError as error:
            left.by_hand.append(_no_undo(script["file"], error.what, begun, doing))
    left.undone += _undone(begun, doing)


def _recount(begun: Mapping[str, Any], doing: Doing, left: Left) -> None:
    """Say again what was left by a run that was cut short once everything was back."""
    left.undone += _undone(begun, doing)
    undos = {script["file"]: script["undo"] for script in begun["scripts"]}
    for one in reversed(_brought(begun, doing)):
        why = T("it has no undo script") if undos.get(one.file) is None else T("its undo script failed")
        left.by_hand.append(_no_undo(one.file, why, begun, doing))


def _brought(begun: Mapping[str, Any], doing: Doing) -> tuple[Applied, ...]:
    """Return the scripts in the database that are there for nothing but this integration.

    Those of this run, and those of a run before it that was never finished: a release that was in use here once
    keeps its scripts.
    """
    if not begun["scripts"]:
        return ()
    applied = of_release(read_applied(doing.target, begun["source"], doing.look), begun["release"])
    record = doing.look.application_record()
    passed = any(
        one.application == doing.target and one.source == begun["source"] and one.release == begun["release"]
        for one in record.deployed
    )
    return tuple(one for one in applied if one.run == doing.hands.run or not passed)


def _undo(file: str, begun: Mapping[str, Any], doing: Doing) -> None:
    line = doing.look.sources[begun["source"]]
    order = script_order(begun, file, doing, undo=True, timeout=line.script_timeout.total_seconds())
    began = doing.clock.monotonic()
    with doing.hands.database(doing.target, doing.target) as database:
        integrate_table.undo(order, database)
    note_script(order, doing.clock.monotonic() - began, doing, undo=True)
    doing.tell("release.undone", T("{file} was undone.", file=file))


def _undone(begun: Mapping[str, Any], doing: Doing) -> list[str]:
    """Return the scripts this run brought that the database has no more, the last one first.

    An undo whose note a kill prevented shows in the database alone.
    """
    ran = {one.data["file"] for one in doing.history().notes if one.name == notes.SCRIPT}
    there = {one.file for one in _brought(begun, doing)}
    return [one["file"] for one in reversed(begun["scripts"]) if one["file"] in ran - there]


def _no_undo(file: str, why: Text, begun: Mapping[str, Any], doing: Doing) -> Text:
    """Return what a person must do about a script that stays in the database."""
    line = integrate_table.forget(begun["source"], file)
    what = T("{file} is still in the database ({why}): undo it by hand, and take its line away: {line}", file=file,
             why=why, line=line)  # fmt: skip
    database = doing.application.database
    name = None if database is None else database.backup
    history = doing.history()
    down = history.last(notes.DOWN) or history.first(notes.STOPPED)
    if database is None or name is None or down is None:
        return what
    moment = parse_iso(down.data["at"])
    catalogue = doing.look.catalogue()
    sets = [one for one in catalogue.verified(name) if catalogue.recorded[one.id] <= moment]
    if not sets:
        return T("{what} No verified backup from before it is there.", what=what)
    # The logs up to that moment are in the archive for sure once a newer backup was made.
    back = f"dsi backup restore {name} --set {sets[-1].id} --database {database.database} --until {down.data['at']}"
    why_stopped = shlex.quote(str(T("Return to release {release}", release=former_of(begun) or "-")))
    stop, start = (f"dsi application {word} {doing.target} --why {why_stopped}" for word in ("stop", "start"))
    commands = (stop, f"dsi backup run {name}", f"{back} --in-place", start)
    return T(
        "{what} Or bring the database back as it was before, without what users have entered since, in this order: "
        "{commands}",
        what=what,
        commands=", ".join(f"`{command}`" for command in commands),
    )


def _stuck(error: DsiError, why: Text, begun: Mapping[str, Any], doing: Doing, left: Left) -> GoingBackFailedError:
    states = [*_server_states(doing), *_script_states(begun, doing)]
    sentences = T("{first}", first=" ".join(str(state) for state in [*states, *left.by_hand]))
    return GoingBackFailedError(
        T("{why} Going back failed as well: {problem}", why=why, problem=error.what),
        on=doing.target,
        meaning=sentences,
        next_step=T("See to it, then have it go on going back: dsi resume {run}", run=doing.hands.run),
        detail={
            **error.detail,
            "release": begun["release"],
            "former": former_of(begun),
            "states": [str(state) for state in states],
            "by_hand": [str(sentence) for sentence in left.by_hand],
        },
    )


def _server_states(doing: Doing) -> Sequence[Text]:
    names = [server.name for server in doing.application.servers]
    seen, unseen = look_at_servers(doing.target, names, doing.look)
    told: list[Text] = []
    for name in names:
        if name in unseen:
            told.append(T("{server} cannot be looked at: {why}", server=name, why=unseen[name].what))
            continue
        release = seen[name].release or "-"
        if seen[name].up:
            told.append(T("{server} answers, with release {release}.", server=name, release=release))
        elif seen[name].down:
            told.append(T("{server} is stopped, with release {release}.", server=name, release=release))
        else:
            told.append(T("{server} is neither up nor stopped, with release {release}.", server=name, release=release))
    return told


def _script_states(begun: Mapping[str, Any], doing: Doing) -> Sequence[Text]:
    if not begun["scripts"]:
        return ()
    try:
        there = {one.file for one in read_applied(doing.target, begun["source"], doing.look)}
    except DsiError as error:
        return (T("Which scripts the database has could not be read: {why}", why=error.what),)
    return [
        T("{file} is in the database.", file=one["file"])
        if one["file"] in there
        else T("{file} is not in the database.", file=one["file"])
        for one in begun["scripts"]
    ]
