"""Sessions that hold locks: which are ended while an application is stopped, and which never are (procedure S)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from dsi_automation.connectors.databases.port import LockedSession
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.plan import Action, NonAction
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import T, Text
from dsi_automation.inventory.application_model import Application
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.acting import Doing
from dsi_automation.operations.applications.facts import Locks
from dsi_automation.operations.decided import Decided

KIND: Final = "sessions."


def plan(target: str, application: Application, locks: Locks | None, named: tuple[int, ...], decided: Decided) -> None:
    """Decide about every session that holds locks: ended by the rule, ended by name, or left."""
    if locks is None:
        return
    if locks.now is None:
        unread = "-" if locks.problem is None else locks.problem.what
        decided.non_actions.append(NonAction(target, "sessions", T("Locks could not be read: {why}", why=unread)))
        return
    for session in locks.sessions:
        kind, why = f"{KIND}{session.pid}", left_alone(session, application, locks.now, named)
        if why is not None:
            told = T("{session}: {why}", session=words(session, locks.now), why=why)
            decided.non_actions.append(NonAction(target, kind, told))
        else:
            decided.actions.append(_action(target, kind, session, locks.now))
    for pid in named:
        if all(session.pid != pid for session in locks.sessions):
            gone = T("Session {pid} holds no lock: it is not ended.", pid=pid)
            decided.non_actions.append(NonAction(target, f"{KIND}{pid}", gone))


def left_alone(session: LockedSession, application: Application, now: datetime, named: tuple[int, ...]) -> Text | None:
    """Return why a session is not ended; None when it is."""
    if session.own:
        return T("it is the application's own and ends with it.")
    if session.working:
        return None if session.pid in named else T("it works, and a plan must name it to end it (end_sessions).")
    idle, least = now - session.since, application.locks.idle_for
    if idle < least and session.pid not in named:
        return T("it is idle for less than {least}.", least=_age(least))
    return None


def words(session: LockedSession, now: datetime) -> Text:
    """Return who holds locks on what, and since when."""
    facts = {
        "pid": session.pid,
        "user": session.user,
        "client": session.client or "-",
        "program": session.program or "-",
        "objects": ", ".join(session.objects) or "-",
        "age": _age(now - session.transaction_since),
        "idle": _age(now - session.since),
    }
    if session.working:
        return T(
            "session {pid} of {user} ({program}, {client}) works and has held locks on {objects} for {age}", **facts
        )
    return T(
        "session {pid} of {user} ({program}, {client}) has held locks on {objects} for {age}, idle for {idle}", **facts
    )


def keep_approved(target: str, decided: Decided, approved: Mapping[str, Action]) -> None:
    """Keep the sessions that were approved, exactly as they were; one that came later is told and left.

    Args:
        approved: the approved actions of the target, by kind.
    """
    kept: list[Action] = []
    for action in decided.actions:
        before = approved.get(action.kind)
        if not action.kind.startswith(KIND):
            kept.append(action)
        elif before is not None and before.args["began_at"] == action.args["began_at"]:
            kept.append(before)
        else:
            why = T("{session}: not in the approved plan, so it is not ended.", session=action.title)
            decided.non_actions.append(NonAction(target, action.kind, why))
    decided.actions[:] = kept


def end(action: Action, doing: Doing) -> None:
    """End one session of the plan, if it is still that very one and still what was approved."""
    pid, application, args = action.args["pid"], doing.application, action.args
    named = (int(str(pid)),) if args["named"] else ()
    with doing.hands.database(doing.target, doing.target) as database:
        now = database.now()
        found = next(
            (one for one in database.locked(application.locks.tables)
             if one.pid == pid and iso(one.began_at) == args["began_at"]),
            None,
        )  # fmt: skip
        if found is None:
            doing.tell("session.gone", T("Session {pid} has ended by itself.", pid=pid))
            return
        why = left_alone(found, application, now, named)
        if why is not None:
            _leave(found, now, why, doing)
            return
        try:
            if not database.end_session(found):
                return
        except RefusedError as error:
            # A superuser's, for one: users wait, and the application starts beside it as well as it can.
            _leave(found, now, error.what, doing)
            return
    doing.note(notes.SESSION_ENDED, _facts(found))


def _leave(session: LockedSession, now: datetime, why: Text, doing: Doing) -> None:
    """Tell and record that a session of the plan stays: its action is over, and it was not ended."""
    doing.tell("session.left", T("{session}: {why}", session=words(session, now), why=why))
    doing.note(notes.SESSION_LEFT, {**_facts(session), "why": why.to_json()})


def _facts(session: LockedSession) -> dict[str, Json]:
    return {
        "pid": session.pid,
        "began_at": iso(session.began_at),
        "user": session.user,
        "program": session.program,
        "objects": list(session.objects),
        "working": session.working,
    }


def _action(target: str, kind: str, session: LockedSession, now: datetime) -> Action:
    reason = (
        T("The plan names it: its work under way is lost.")
        if session.working
        else T("It is idle and keeps others from these tables; what it did not commit is lost.")
    )
    if session.waiting:
        reason = T("{reason} {n} others wait for it.", reason=reason, n=session.waiting)
    return Action(
        target,
        kind,
        {
            "pid": session.pid,
            "began_at": iso(session.began_at),
            "user": session.user,
            "objects": list(session.objects),
            "named": session.working,
        },
        T("End {session}", session=words(session, now)),
        reason,
    )


def _age(age: timedelta) -> Text:
    return Seconds(max(0.0, age.total_seconds()))
