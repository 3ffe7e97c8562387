"""What follows a start: the test, another try where the plan says so, and what is left when nothing helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dsi_automation.connectors.applications.errors import NotStartedError, StillRunningError
from dsi_automation.core.canonical import Json
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.errors import VerificationFailedError
from dsi_automation.core.plan import Action
from dsi_automation.core.quantities import Seconds
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.applications import notes, testing
from dsi_automation.operations.applications.acting import Doing, bring_down, bring_up, note_down
from dsi_automation.operations.applications.facts import look_at_servers
from dsi_automation.operations.applications.history import History
from dsi_automation.operations.applications.testing import Verdict
from dsi_automation.operations.applications.words import place_words, step_words


class NotConclusiveError(VerificationFailedError):
    """The connection test after a start was not conclusive, as often as it was tried."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the approved plan says about a test that is not conclusive.

    Attributes:
        servers: those it concerns.
        tries: starts and tests in all.
        then: `person` or `stop`.
        in_turn: whether other servers serve users meanwhile.
    """

    servers: tuple[str, ...]
    tries: int
    then: str
    in_turn: bool

    @classmethod
    def of(cls, action: Action) -> Terms:
        """Return what an action says."""
        args = action.args
        servers = args["servers"]
        names = tuple(map(str, servers)) if isinstance(servers, list) else ()
        return cls(names, int(str(args["tries"])), str(args["then"]), bool(args["in_turn"]))


def start(server: str, terms: Terms, doing: Doing) -> None:
    """Start a server, again after a stop where the plan says so.

    Raises:
        NotConclusiveError: it did not start, as often as it was tried.
    """
    while True:
        began = doing.clock.monotonic()
        try:
            bring_up(server, doing, in_turn=terms.in_turn)
        except NotStartedError as error:
            seconds = doing.clock.monotonic() - began
            verdict = testing.not_started(server, error, seconds, doing)
            _note(verdict, (server,), doing)
            _another_try(verdict, terms, doing, error)
            _down_again((server,), doing)
        else:
            return


def conclude(terms: Terms, doing: Doing) -> None:
    """Test what was started; note that it is available, or do what the plan says when it is not.

    Raises:
        NotConclusiveError: it was not conclusive, as often as it was tried.
        StoppedError: the run was asked to stop meanwhile.
    """
    history = doing.history()
    if not terms.in_turn:
        _known_down(doing, history)
    earlier = history.conclusive(terms.servers)
    if earlier is not None:
        _note_up(parse_iso(earlier.data["at"]), doing)
        return
    pending = history.since_failure(terms.servers)
    if pending is not None:
        if history.failed(terms.servers) < terms.tries or _cut(pending, terms.servers):
            _again(terms, doing, pending)  # the run was cut short between a test and the next try
        else:
            _up_again(terms, doing)
    while True:
        verdict = testing.test(terms.servers, doing)
        _note(verdict, terms.servers, doing)
        if verdict.conclusive:
            _note_up(verdict.at, doing, verdict.release)
            return
        _another_try(verdict, terms, doing, None)
        _again(terms, doing, History())


def _cut(pending: History, servers: Sequence[str]) -> bool:
    """Tell whether a server was told to stop for another try, and was not started after it."""
    return any(pending.state(server) not in {None, notes.STARTED} for server in servers)


def _again(terms: Terms, doing: Doing, pending: History) -> None:
    """Stop and start every server once more; what was done of it since the last test is not done again."""
    stopped = [server for server in terms.servers if pending.noted(notes.STOPPED, server) is not None]
    _down_again([server for server in reversed(terms.servers) if server not in stopped], doing)
    for server in terms.servers:
        if pending.state(server) != notes.STARTED:
            start(server, terms, doing)


def _up_again(terms: Terms, doing: Doing) -> None:
    """Start what does not run: the run had given up, and somebody resumes it."""
    seen, _ = look_at_servers(doing.target, terms.servers, doing.look)
    for server in terms.servers:
        if server in seen and not seen[server].up:
            start(server, terms, doing)


def _down_again(servers: Sequence[str], doing: Doing) -> None:
    for server in servers:
        bring_down(server, doing, doing.history())


def _another_try(verdict: Verdict, terms: Terms, doing: Doing, cause: NotStartedError | None) -> None:
    """Return when the plan has another try; else leave the servers as the plan says, and tell.

    Raises:
        NotConclusiveError: that was the last.
    """
    failed = doing.history().failed(terms.servers)
    server, step = testing.failure(verdict)
    if failed < terms.tries:
        doing.tell(
            "test.again",
            T("{server}: {step}: {problem} It is stopped and started again: try {number} of {tries}.",
              server=place_words(server), step=step_words(step.name), problem=step.problem,
              number=failed + 1, tries=terms.tries),
        )  # fmt: skip
        return
    left = T("It is left as it is, for a person to look at.")
    if terms.then == "stop":
        left = _stopped(terms, doing)
    raise _error(verdict, left, failed, doing) from cause


def _stopped(terms: Terms, doing: Doing) -> Text:
    history = doing.history()
    ours = [server for server in terms.servers if terms.in_turn or history.noted(notes.STARTING, server) is not None]
    for server in reversed(ours):
        try:
            bring_down(server, doing, doing.history())
        except StillRunningError as error:
            return T("It was to be stopped, and could not be: {why}", why=error.what)
    return T("It was stopped, so that nobody works on it half well.")


def _error(verdict: Verdict, left: Text, tries: int, doing: Doing) -> NotConclusiveError:
    server, step = testing.failure(verdict)
    noted = doing.history().last(notes.TESTED)
    return NotConclusiveError(
        T("The connection test failed on {server} at “{step}” after {time}: {problem}", server=place_words(server),
          step=step_words(step.name), time=Seconds(step.seconds), problem=step.problem),
        on=doing.target,
        meaning=TN("{left} It was tried {n} time.", "{left} It was tried {n} times.", tries, left=left),
        next_step=T("Read its log below, see to it, then test again and tell users: dsi resume {run}",
                    run=doing.hands.run),
        detail={
            "tests": [testing.tested_json(tested) for tested in verdict.tests],
            "log": [] if noted is None else testing.lines(noted.data),
        },
    )  # fmt: skip


def _note(verdict: Verdict, servers: Sequence[str], doing: Doing) -> None:
    attempt = doing.history().failed(servers) + 1
    doing.note(notes.TESTED, testing.as_json(verdict, servers, attempt, doing))


def _note_up(at: datetime, doing: Doing, release: str | None = None) -> None:
    """Note that users can work again, where the record says that they could not."""
    lasting = doing.look.application_record().open_interruption(doing.target)
    if lasting is None:
        return
    data: dict[str, Json] = {
        "at": iso(at),
        "seconds": round((at - lasting.began_at).total_seconds(), 3),
        "release": release,
    }
    doing.note(notes.UP, data)


def _known_down(doing: Doing, history: History) -> None:
    """Note that users could not work, where the record does not know: it was down when the run began."""
    if doing.look.application_record().open_interruption(doing.target) is not None or history.last(notes.UP):
        return
    first = history.first(notes.STOPPING, notes.STARTING)
    if first is not None:
        note_down(parse_iso(first.data["at"]), doing, history)
