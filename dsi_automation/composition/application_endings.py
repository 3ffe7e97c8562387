"""What the DSI and who asked are told at the end of a run: the subject at a glance, the mail why and since when.

Everything here is pure, and written in the language that is spoken when it is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.composition.application_mails import Mail, mail, moment, noun
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.results import Outcome
from dsi_automation.core.text import T, Text
from dsi_automation.engine.model import RequestState
from dsi_automation.operations.applications import notes
from dsi_automation.operations.applications.words import place_words, step_words

if TYPE_CHECKING:
    from dsi_automation.engine.model import Request, Run
    from dsi_automation.inventory.application_model import Application
    from dsi_automation.operations.applications.record import Interruption
    from dsi_automation.operations.backups.catalogue import Noted

_ORDERS: Final = (notes.STOPPING, notes.STOPPED, notes.STARTING, notes.STARTED)
"""Notes after which a server is not proven until it is tested."""


class State(StrEnum):
    """What a run left behind, as people ask for it."""

    AVAILABLE = "available"
    STOPPED = "stopped"
    """As it was asked to be."""
    NOT_AVAILABLE = "not_available"
    PARTLY = "partly"
    """It was not interrupted as a whole, and a server is not up, or did not pass its test."""
    ROLLED_BACK = "rolled_back"
    """The release before is back, and tested."""
    UNTOUCHED = "untouched"
    """The run failed, and users were not interrupted."""
    DONE = "done"
    """Rules or a login, as asked."""
    NOT_DONE = "not_done"

    @property
    def good(self) -> bool:
        """Tell whether it ended as it was asked to."""
        return self in {State.AVAILABLE, State.STOPPED, State.DONE}


_WORDS: Final[Mapping[State, Text]] = {
    State.AVAILABLE: T("AVAILABLE"),
    State.STOPPED: T("STOPPED"),
    State.NOT_AVAILABLE: T("NOT AVAILABLE"),
    State.PARTLY: T("PARTLY AVAILABLE"),
    State.ROLLED_BACK: T("RELEASE BEFORE IS BACK"),
    State.UNTOUCHED: T("NOT DONE"),
    State.DONE: T("DONE"),
    State.NOT_DONE: T("NOT DONE"),
}

_VERDICTS: Final[Mapping[State, str]] = {
    State.AVAILABLE: T("{title} is available: the connection test was conclusive.").template,
    State.STOPPED: T("{title} is stopped, as was asked. Users cannot work until it is started.").template,
    State.NOT_AVAILABLE: T("{title} is NOT available: users cannot work.").template,
    State.PARTLY: T("{title} answers in part at best: not every server is up and tested.").template,
    State.ROLLED_BACK: T("The release did not pass: {title} is available with the release it had before.").template,
    State.UNTOUCHED: T("{title} was not interrupted: what was asked was not done.").template,
    State.DONE: T("{title}: done as asked, and verified.").template,
    State.NOT_DONE: T("{title}: what was asked did not end well.").template,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended for one target.

    Attributes:
        target: `sydam`, or a login `kone.a@sydam`.
        described: the application; None when the inventory has it no more.
        names: of people, by their ids.
        notes: what the run noted about the target.
        open: the interruption that lasts now, whoever began it.
        interruption: the one this run began, or ended.
    """

    target: str
    application: str
    described: Application | None
    run: Run
    request: Request
    names: Mapping[str, str]
    notes: Sequence[Noted]
    open: Interruption | None
    interruption: Interruption | None

    @property
    def title(self) -> str:
        """Return what people call it."""
        name = self.application if self.described is None else self.described.title
        return name if self.target == self.application else f"{self.target} ({name})"

    @property
    def state(self) -> State:
        """Return what the run left behind."""
        good = self.run.exit_code == 0
        if not self.run.operation.startswith(("application.", "sources.")) or "account" in self.run.operation:
            return State.DONE if good else State.NOT_DONE
        if good:
            return State.STOPPED if self.run.operation == "application.stop" else State.AVAILABLE
        if self.open is not None:
            return State.NOT_AVAILABLE
        if self.last(notes.ROLLED_BACK) is not None:
            return State.ROLLED_BACK
        return State.PARTLY if self._left_open else State.UNTOUCHED

    @property
    def _left_open(self) -> bool:
        """Tell whether a server was stopped or started, or did not pass, and no conclusive test came after that."""
        for note in reversed(self.notes):
            if note.name == notes.TESTED:
                return not note.data["conclusive"]
            if note.name in _ORDERS:
                return True
        return False

    @property
    def failed_test(self) -> Mapping[str, Any] | None:
        """Return what the run noted of its last test that was not conclusive: going back, a good one comes after it."""
        tests = [note.data for note in self.notes if note.name == notes.TESTED and not note.data["conclusive"]]
        return tests[-1] if tests and not self.state.good else None

    def last(self, name: str) -> Mapping[str, Any] | None:
        """Return what the run noted last under a name."""
        return next((note.data for note in reversed(self.notes) if note.name == name), None)


def ending_mail(prefix: str, ending: Ending) -> Mail:
    """Return what the DSI and who asked are told at the end of a run."""
    facts = {
        "prefix": prefix,
        "word": _WORDS[ending.state],
        "title": ending.title,
        "what": noun(ending.run.operation),
        "when": moment(ending.run.ended_at or ending.run.started_at, ending.described),
    }
    failure = list(_failure(ending))
    lines: list[object] = [Text(_VERDICTS[ending.state], {"title": ending.title}), ""]
    lines += [T("{name}: {value}", name=name, value=value) for name, value in _facts(ending)]
    tests = list(_tests(ending.last(notes.TESTED)))
    if tests:
        lines += ["", T("Connection test:"), *(f"  {line}" for line in tests)]
    if failure:
        lines += ["", T("What failed:"), *(f"  {line}" for line in failure)]
    lines += _log(ending)
    lines += ["", *_next(ending)]
    return mail(T("{prefix} {word} — {title} ({what} of {when})", **facts), lines)


def _facts(ending: Ending) -> Iterator[tuple[Text, object]]:
    run, request, described = ending.run, ending.request, ending.described
    yield T("Operation"), T("{what} ({operation})", what=noun(run.operation), operation=run.operation)
    lasting = ending.open or ending.interruption
    if lasting is not None:
        yield T("Interrupted"), _interrupted(lasting, described)
    if (release := ending.last(notes.DEPLOYED) or ending.last(notes.RELEASE_BEGUN)) is not None:
        yield T("Release"), release["release"]
    if (rules := ending.last(notes.RULES)) is not None:
        yield (
            T("Rules"),
            T("{rules}: {added} added, {changed} changed, {removed} removed", rules=rules["rules"],
              added=rules["added"], changed=rules["changed"], removed=rules["removed"]),
        )  # fmt: skip
    yield T("Run"), T("{run}, by {person}", run=run.id, person=ending.names.get(run.person, run.person))
    yield (
        T("Request"),
        T(
            "{id}, by {person}: {reason}",
            id=request.id,
            person=ending.names.get(request.requester, request.requester),
            reason=request.reason,
        ),
    )
    approved = [one for one in request.decisions if one.decision in {"approve", "ratify"}]
    for one in approved:
        name = ending.names.get(one.person, one.person)
        yield T("Agreed by"), T("{person}, on {moment}", person=name, moment=moment(one.at, described))
    if not approved:
        yield T("Agreed by"), T("nobody yet")


def _interrupted(item: Interruption, described: Application | None) -> Text:
    kind = T("planned") if item.planned else T("unplanned")
    start = moment(item.began_at, described)
    if item.ended_at is None:
        return T("since {start} ({kind}: {why})", start=start, kind=kind, why=item.why)
    seconds = (item.ended_at - item.began_at).total_seconds()
    end = moment(item.ended_at, described)
    return T(
        "{start} – {end}, {time} ({kind}: {why})",
        start=start, end=end, time=Seconds(seconds), kind=kind, why=item.why,
    )  # fmt: skip


def _tests(noted: Mapping[str, Any] | None) -> Iterator[Text]:
    """Yield a line for each address that was tested: every step with its time, and what failed."""
    for tested in () if noted is None else noted["tests"]:
        steps = tested["steps"]
        times = ", ".join(
            str(T("{step} {time}", step=step_words(step["name"]), time=_milliseconds(step["seconds"])))
            for step in steps
        )
        failed = next((step for step in steps if step.get("problem")), None)
        if failed is None:
            yield T("{server}: {times}", server=place_words(tested["server"]), times=times)
            continue
        step = step_words(failed["name"])
        yield T("{server}: {times}; FAILED at {step}: {why}", server=place_words(tested["server"]), times=times,
                step=step, why=_recorded(failed["problem"]))  # fmt: skip


def _failure(ending: Ending) -> Iterator[object]:
    run = ending.run
    if ending.state.good:
        return
    if run.ended_at is None or run.outcome is Outcome.INTERRUPTED:
        yield T("The run was cut short before its end.")
    errors = [run.error] if run.error else []
    if ending.target in run.errors:
        errors.append(run.errors[ending.target])
    for error in errors:
        yield from (error[part] for part in ("what", "meaning", "next_step") if error.get(part))
    for check in run.evidence:
        if check.target == ending.target and not check.ok and not check.warning:
            yield T(
                "{title}: {observed} instead of {expected}",
                title=check.title, observed=check.observed, expected=check.expected,
            )  # fmt: skip
    test, back = ending.failed_test, ending.last(notes.ROLLED_BACK)
    if test is not None and test is not ending.last(notes.TESTED):
        yield from _tests(test)
    if back is not None and ending.target not in run.errors:  # the error tells it else
        for sentence in back["by_hand"]:
            yield T("By hand: {sentence}", sentence=_recorded(sentence))


def _log(ending: Ending) -> list[object]:
    """Return the last lines of the application's log, where the test failed."""
    noted = ending.failed_test
    if noted is None:
        return []
    lines: list[object] = []
    for server, log in (noted.get("log") or {}).items():
        lines += ["", T("Last lines of the log of {server}:", server=server), *(f"  | {line}" for line in log)]
    return lines


def _next(ending: Ending) -> Iterator[Text]:
    run = ending.run
    if run.ended_at is None or run.outcome is Outcome.INTERRUPTED:
        yield T("Finish it: {command}", command=f"dsi resume {run.id}")
    elif ending.state in {State.NOT_AVAILABLE, State.PARTLY}:
        yield T("Test it again: {command}", command=f"dsi application check {ending.application}")
    if ending.request.state is RequestState.RATIFICATION_DUE:
        yield T("To be ratified: {command}", command=f"dsi ratify {ending.request.id} --comment '...'")
    yield T("See it: {command}", command=f"dsi show {run.id}")


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)} ms"


def _recorded(value: object) -> object:
    """Return a sentence of the record: in every language, or as it is."""
    return Text.from_json(value) if isinstance(value, Mapping) else value
