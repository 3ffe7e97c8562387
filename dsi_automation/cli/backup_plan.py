"""`dsi backup list`: the backup plan, when it runs, which media, who signed it and until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.backup_names import jobs_of
from dsi_automation.cli.backup_views import KINDS, retention_cell, retention_words, source_words
from dsi_automation.cli.base import command
from dsi_automation.cli.moments import local
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from datetime import datetime

    from dsi_automation.engine.model import Request
    from dsi_automation.inventory.backup_model import AnyJob
    from dsi_automation.inventory.schedule_model import Schedule


@dataclass(frozen=True, slots=True)
class Signed:
    """How one step of a backup is covered.

    Attributes:
        request: the standing approval that lasts longest; None when there is none.
        changed: where the plan says something else since it was signed, as dotted keys of the definition.
    """

    operation: str
    request: Request | None
    changed: tuple[str, ...] = ()

    @property
    def approvers(self) -> tuple[str, ...]:
        """Return who signed it."""
        return () if self.request is None else tuple(one.person for one in self.request.decisions)


@command(
    "list",
    T(
        "List the backup plan: what is backed up and where to, how long it is kept, when it runs next, on which "
        "media it leaves the house, and who signed it until when."
    ),
)
def list_() -> int:
    """List the plan."""
    current = session()
    jobs = jobs_of(current)
    if current.choices.json:
        current.out.data({"backups": [job_view(current, name, job) for name, job in jobs.items()]})
        return 0
    rows, styles = [], []
    for name, job in jobs.items():
        signed, following = approvals(current, name, job), next_run(current, name)
        rows.append(
            (
                name,
                job.title,
                KINDS[job.kind],
                job.repository,
                retention_cell(job.retention),
                job.media,
                None if following is None else local(following),
                _coverage(signed),
            )
        )
        styles.append("" if all(one.request is not None and not one.changed for one in signed) else "yellow")
    current.out.table(
        (T("Backup"), T("Title"), T("Kind"), T("Repository"), T("Kept"), T("Media"), T("Next run"), T("Approved")),
        rows,
        styles,
    )
    return 0


def show_job(session: Session, name: str, job: AnyJob) -> None:
    """Write one backup of the plan in full."""
    out, following = session.out, next_run(session, name)
    out.line(T("{name}: {title}", name=name, title=job.title), bold=True)
    out.line(T("What: {source}", source=source_words(job)))
    out.line(T("Repository: {name}", name=job.repository))
    out.line(T("Kept: {kept}", kept=retention_words(job.retention)))
    if job.media is not None:
        out.line(T("Media: rotation {name}", name=job.media))
    if rhythm := session.toolkit.inventory.backup_plan.rhythm.get(name):
        out.line(T("When: {rhythm}", rhythm=" ; ".join(rhythm)))
    out.line(T("Next run: {when}", when=T("not scheduled") if following is None else local(following)))
    for signed in approvals(session, name, job):
        out.line(_signed_words(signed), indent=2, fg="yellow" if signed.request is None or signed.changed else None)


def job_view(session: Session, name: str, job: AnyJob) -> dict[str, Any]:
    """Return one backup of the plan as `--json` prints it: without any secret, as the plan holds none."""
    following = next_run(session, name)
    return {
        "backup": name,
        "title": job.title,
        "kind": job.kind,
        "source": str(source_words(job)),
        "rhythm": list(session.toolkit.inventory.backup_plan.rhythm.get(name, ())),
        "repository": job.repository,
        "media": job.media,
        "retention": job.retention.model_dump(mode="json"),
        "next_run": None if following is None else iso(following),
        "approvals": [
            {
                "operation": one.operation,
                "request": None if one.request is None else one.request.id,
                "approvers": list(one.approvers),
                "until": _until(one.request),
                "plan_changed": bool(one.changed),
                "changed": list(one.changed),
            }
            for one in approvals(session, name, job)
        ],
    }


def approvals(session: Session, name: str, job: AnyJob) -> tuple[Signed, ...]:
    """Return how each step of a backup is covered, whatever the hour is."""
    from dsi_automation.engine.model import RequestKind, RequestState
    from dsi_automation.inventory.backup_model import definition
    from dsi_automation.operations.backups.changes import definition_in, differences
    from dsi_automation.operations.backups.steps import steps_of

    asked: Sequence[Request] = session.engine.requests() if session.toolkit.journal_exists else ()
    standing = [
        one
        for one in asked
        if one.kind is RequestKind.STANDING and one.state is RequestState.APPROVED and one.plan.targets == (name,)
    ]
    wanted = definition(name, session.toolkit.inventory.backup_plan)
    found = []
    for operation, _ in steps_of(name, job):
        of_step = [one for one in standing if one.plan.operation == operation]
        same = [one for one in of_step if _defines(one, wanted)]
        best = max(same or of_step, key=_last_day, default=None)
        changed = () if best is None or same else differences(definition_in(best.plan, name), wanted)
        found.append(Signed(operation, best, changed))
    return tuple(found)


def next_run(session: Session, name: str) -> datetime | None:
    """Return when a schedule next runs a step of a backup; None when none does or schedules.yml cannot be read."""
    try:
        schedules = session.toolkit.schedules()
    except DsiError:
        return None  # “dsi schedule list” and “dsi doctor” say what is wrong with it
    return min(_starts(session, schedules, name), default=None)


def _starts(session: Session, schedules: Mapping[str, Schedule], name: str) -> Iterator[datetime]:
    from dsi_automation.schedules.occurrences import following

    now = session.toolkit.clock.now()
    for title, schedule in schedules.items():
        if schedule.backup == name or any(name in step.targets for step in schedule.steps):
            yield from (one.start for one in following(title, schedule, now, 1))


def _defines(request: Request, wanted: Mapping[str, Any]) -> bool:
    return all(action.args.get("definition") == wanted for action in request.plan.actions)


def _last_day(request: Request) -> str:
    return _until(request) or ""


def _until(request: Request | None) -> str | None:
    return None if request is None or request.bounds is None else request.bounds.until.isoformat()


def _coverage(signed: Sequence[Signed]) -> Text:
    missing = [one for one in signed if one.request is None]
    if len(missing) == len(signed):
        return T("no")
    changed = _keys(key for one in signed for key in one.changed)
    if changed:
        return T("no: the plan changed: {keys}", keys=changed)
    until = min(_until(one.request) or "" for one in signed if one.request is not None)
    if missing:
        return T("in part, until {day}", day=until)
    people = ", ".join(dict.fromkeys(person for one in signed for person in one.approvers))
    return T("until {day} by {people}", day=until, people=people)


def _signed_words(signed: Signed) -> Text:
    if signed.request is None:
        return T("{operation}: no standing approval", operation=signed.operation)
    people = ", ".join(signed.approvers)
    words = T(
        "{operation}: {id}, approved by {people} until {day}",
        operation=signed.operation,
        id=signed.request.id,
        people=people,
        day=_until(signed.request),
    )
    return (
        T("{words}; the plan changed: {keys}; ask anew", words=words, keys=_keys(signed.changed))
        if signed.changed
        else words
    )


def _keys(changed: Iterable[str]) -> str:
    """Return keys for a line that is about one backup: what the plan says of it itself goes without `backup.`."""
    return ", ".join(dict.fromkeys(key.removeprefix("backup.") for key in changed))
