"""`dsi application ask|restart|stop|start`: the approval of the planned evening stop, and stops and starts by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli import times
from dsi_automation.cli.application_names import application_argument, application_named, servers_of
from dsi_automation.cli.asking import Wish
from dsi_automation.cli.base import command, option
from dsi_automation.cli.chains import show_step, step_view
from dsi_automation.cli.inputs import typed
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.requesting import When, ask_for
from dsi_automation.cli.session import Session, session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.inventory.application_model import Application

RESTART: Final = "application.restart"
_REASON = option("-m", "--reason", metavar=T("TEXT"), help=T("Why; the approver and the record read it."))
_WHY = option("--why", metavar=T("TEXT"), help=T("What users are told; the reason by default."))
_SINCE = option(
    "--since",
    metavar=T("MOMENT"),
    help=T(
        "When the incident began, as 2026-11-30T18:00, 18:00 for today, or -20m: the interruption counts from there."
    ),
)
_SERVERS = option("--server", "servers", multiple=True, metavar=T("SERVER"), help=T("This server only; repeatable."))
_PLANNED = option(
    "--planned",
    is_flag=True,
    help=T("The planned stop, now, under its standing approval; without it a request is made."),
)


def _unplanned[F: Callable[..., Any]](function: F) -> F:
    """Declare what a stop or a restart may be told."""
    for decorate in (
        option("--keep-caches", is_flag=True, help=T("Leave its caches as they are; they are emptied by default.")),
        option(
            "--notice",
            metavar=T("[full|none|DURATION]"),
            help=T("How long before users are told: the inventory's countdown by default, none, or 5m."),
        ),
        option(
            "--end-session",
            "sessions",
            type=int,
            multiple=True,
            metavar="PID",
            help=T("End this session although it works: “dsi application locks” shows it; repeatable."),
        ),
        _SERVERS,
        _SINCE,
        _WHY,
        _REASON,
        _PLANNED,
        application_argument(),
    ):
        function = decorate(function)
    return function


@command(
    "ask",
    T(
        "Ask for the standing approval of the planned evening restart, within the hours of the inventory, to be "
        "approved by somebody entitled.\n\n"
        "It ends idle sessions that hold locks by the inventory's rule; working ones never."
    ),
)
@application_argument()
@option("--until", required=True, metavar=T("DATE"), help=T("The last day."))
@option("--hours", metavar="HH:MM-HH:MM", help=T("The hours of the day; those of the inventory by default."))
@option("--weekdays", metavar=T("DAYS"), help=T("mon-fri, or mon,wed; every day by default."))
@option("--why", metavar=T("TEXT"), help=T("What users are told each evening."))
@option("-m", "--reason", required=True, metavar=T("TEXT"), help=T("Why it is needed."))
def ask(name: str, reason: str, **given: Any) -> int:
    """Ask for a standing approval."""
    from dsi_automation.engine.hours import check_bounds
    from dsi_automation.engine.model import Window

    current = session()
    described = application_named(current, name)
    hours = given["hours"] or described.planned_hours
    bounds = times.bounds(given["until"], hours, described.time_zone, given["weekdays"])
    check_bounds(bounds, current.clock.now())
    words = ["planned=true", *typed("why", given["why"] or None)]
    code = ask_for(current, Wish(RESTART, (name,), tuple(words)), reason, When(Window(), bounds))
    if not current.choices.json:
        current.out.line(T("Once it is approved, in schedules.yml:"), bold=True)
        inputs = "{planned: true" + (f", why: {_quoted(given['why'])}" if given["why"] else "") + "}"
        current.out.line(f"steps: [{{operation: {RESTART}, targets: [{name}], inputs: {inputs}}}]", indent=2)
    return code


@command(
    "restart",
    T(
        "Restart an application: empties its caches, releases locks, and tests it as a user would.\n\n"
        "For an incident it makes the request, to be approved by the DSI. With --planned it runs now, under the "
        "standing approval of the evening stop."
    ),
)
@_unplanned
def restart(name: str, **given: Any) -> int:
    """Restart an application."""
    return _stop(session(), RESTART, name, given)


@command(
    "stop",
    T(
        "Stop an application: users are told, and its servers stopped in order; “dsi application start” starts it "
        "again.\n\n"
        "For an incident it makes the request, to be approved by the DSI. With --planned it runs now, under a standing "
        "approval."
    ),
)
@_unplanned
def stop(name: str, **given: Any) -> int:
    """Stop an application."""
    return _stop(session(), "application.stop", name, given)


@command(
    "start",
    T("Ask to start what is stopped, and to test it as a user would; what is up already is left as it is."),
)
@application_argument()
@_REASON
@_WHY
@_SINCE
@_SERVERS
def start(name: str, **given: Any) -> int:
    """Start an application."""
    from dsi_automation.engine.model import Window

    current = session()
    reason = _reason(given)
    words = _words(current, application_named(current, name), given, reason)
    return ask_for(current, Wish("application.start", (name,), tuple(words)), reason, When(Window(), None))


def _stop(session: Session, operation: str, name: str, given: dict[str, Any]) -> int:
    from dsi_automation.engine.model import Window

    described = application_named(session, name)
    if given["planned"]:
        _refuse_unplanned(given)
        return _run_planned(session, operation, name, given["why"])
    reason = _reason(given)
    words = ["planned=false", *_words(session, described, given, reason)]
    words += typed("end_sessions", ",".join(map(str, given["sessions"])) or None)
    words += typed("notice", given["notice"] or None)
    if given["keep_caches"]:
        words.append("empty_caches=false")
    return ask_for(session, Wish(operation, (name,), tuple(words)), reason, When(Window(), None))


def _run_planned(session: Session, operation: str, name: str, why: str | None) -> int:
    from dsi_automation.composition.chain import Step, run_chain

    inputs = {"planned": True, **({"why": why} if why else {})}
    with Progress([name]) as progress:
        (result,) = run_chain(session.toolkit, [Step(operation, (name,), inputs)], progress)
    if session.choices.json:
        session.out.data({"steps": [step_view(result)], "exit_code": result.exit_code})
    else:
        show_step(session, result)
    return result.exit_code


def _refuse_unplanned(given: dict[str, Any]) -> None:
    """Make sure that nothing is said that the standing approval could not cover.

    Raises:
        UsageError: something is.
    """
    named = {
        "--since": given["since"],
        "--server": given["servers"],
        "--end-session": given["sessions"],
        "--notice": given["notice"],
        "--keep-caches": given["keep_caches"],
    }
    wrong = [option for option, value in named.items() if value]
    if wrong:
        raise UsageError(
            T("{options} cannot be said of the planned stop.", options=", ".join(wrong)),
            next_step=T("Leave --planned out: a request is then made, for this time alone."),
        )


def _reason(given: dict[str, Any]) -> str:
    reason = str(given["reason"] or "")
    if not reason.strip():
        raise UsageError(T("The reason is empty."), next_step=T("Say in a few words why it is needed: --reason '...'."))
    return reason


def _words(session: Session, described: Application, given: dict[str, Any], reason: str) -> list[str]:
    """Return inputs as `-i` would have them."""
    since = None if given["since"] is None else iso(times.past(given["since"], session.clock.now()))
    servers_of(described, given["servers"])
    return [
        *typed("why", given["why"] or reason),
        *typed("since", since),
        *typed("servers", ",".join(given["servers"]) or None),
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
