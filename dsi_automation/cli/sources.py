"""`dsi sources ...`: releases, where they are and who answers for them; their way from test to production (Q)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsi_automation.cli.application_names import application_argument
from dsi_automation.cli.asking import DETAILS, Wish
from dsi_automation.cli.base import OPTIONS, Group, command, option
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.session import Session, session
from dsi_automation.cli.sources_names import RELEASE, SOURCE, STAGE, lines_of, one_line, stage_named
from dsi_automation.core.errors import DsiError, NotCompliantError, UsageError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.engine.model import Verdict
    from dsi_automation.inventory.source_model import Sources
    from dsi_automation.operations.applications.sources_status import Standing

sources = Group(
    "sources",
    help=T("Show releases and where they are; plan their integration; accept them stage by stage."),
    options_metavar=OPTIONS,
)


@command("list", T("List the lines of sources with their stages, and the releases there are, oldest version first."))
@SOURCE
def list_(source: str | None) -> int:
    """List lines of sources and their releases."""
    from dsi_automation.cli.show_sources import line_view, show_lines

    current = session()
    lines = lines_of(current, source)
    found: dict[str, tuple[str, ...] | DsiError] = {}
    for name in lines:
        try:
            found[name] = current.toolkit.equipment.look().releases(name).names()
        except DsiError as error:
            found[name] = error
    errors = [error for error in found.values() if isinstance(error, DsiError)]
    code = max((error.look_exit_code for error in errors), default=ExitCode.DONE)
    if current.choices.json:
        rows = [line_view(name, line, found[name]) for name, line in lines.items()]
        current.out.data({"sources": rows, "exit_code": int(code)})
        return code
    show_lines(current.out, lines, found)
    return code


@command(
    "status",
    T(
        "Show which release is where: since when, by whom, under which approval, how tested, accepted by whom.\n\n"
        "From the record alone. With --check every server is looked at as well: exit code 5 when one uses another "
        "release than the record says, 3 when one does not answer."
    ),
)
@SOURCE
@option("--check", is_flag=True, help=T("Look at the servers too, read-only."))
def status(source: str | None, *, check: bool) -> int:
    """Show where releases are."""
    from dsi_automation.cli.show_sources import show_standings, standing_view
    from dsi_automation.operations.applications.sources_status import drift

    current = session()
    lines = lines_of(current, source)
    found = [one for name, line in lines.items() for one in _standings(current, name, line)]
    look = current.toolkit.equipment.look()
    seen = [drift(one, look) if check else None for one in found]
    links = [link for one in seen for link in one or ()]
    code = ExitCode.NOT_COMPLIANT if any(not link.ok and link.problem is None for link in links) else ExitCode.DONE
    code = max([code, *(link.problem.look_exit_code for link in links if link.problem is not None)])
    if current.choices.json:
        rows = [standing_view(one, links_) for one, links_ in zip(found, seen, strict=True)]
        current.out.data({"stages": rows, "exit_code": int(code)})
        return code
    show_standings(current.out, found, seen)
    return code


@command("show", T("Show one release: who signed it, its digest, its database scripts, and where it is."))
@RELEASE
@SOURCE
def show(release: str, source: str | None) -> int:
    """Show one release."""
    from dsi_automation.cli.show_sources import release_view, show_release

    current = session()
    name, line = one_line(current, source)
    found = current.toolkit.equipment.look().releases(name).release(release)
    there = _standings(current, name, line)
    words = [word for word in current.engine.acceptances(name) if word.order.release == release]
    if current.choices.json:
        current.out.data(release_view(name, found, there, words))
        return 0
    show_release(current.out, line, found, there, words)
    return 0


@command(
    "integrate",
    T(
        "Plan the integration of a release into the application of one stage. Changes nothing: ask for it next.\n\n"
        "The line of sources and the stage are found from the application."
    ),
)
@application_argument()
@RELEASE
@SOURCE
@option("--why", metavar=T("TEXT"), help=T("Why, as users are told; the release by default."))
@option("--notice", metavar=T("DURATION"), help=T("How long before users are told: full, none, or as in 5m."))
@option("--planned", is_flag=True, help=T("It takes place in the planned hours."))
@option("--downgrade", is_flag=True, help=T("The release may be older than the one in use."))
@DETAILS
def integrate(
    name: str,
    release: str,
    source: str | None,
    why: str | None,
    notice: str | None,
    *,
    planned: bool,
    downgrade: bool,
    details: bool,
) -> int:
    """Plan an integration."""
    given = {"release": release, "source": source, "why": why, "notice": notice}
    words = [f"{key}={value}" for key, value in given.items() if value is not None]
    words += [f"{key}=true" for key, value in (("planned", planned), ("downgrade", downgrade)) if value]
    return run_plan(session(), Wish("sources.integrate", (name,), tuple(words)), details=details)


@command(
    "accept",
    T(
        "Sign that a release has passed a stage: the next one is then open to this very archive.\n\n"
        "By one of the stage's acceptors, and never by who asked for the integration there or ran it."
    ),
)
@RELEASE
@STAGE
@option("--comment", required=True, metavar=T("TEXT"), help=T("What was tested, and how it went."))
@SOURCE
def accept(release: str, stage: str, comment: str, source: str | None) -> int:
    """Accept a release at a stage."""
    from dsi_automation.engine.model import Verdict

    return _judge(release, stage, comment, source, Verdict.ACCEPTED)


@command("reject", T("Sign that a release has not passed a stage: it goes no further until somebody accepts it."))
@RELEASE
@STAGE
@option("--comment", required=True, metavar=T("TEXT"), help=T("What is wrong with it."))
@SOURCE
def reject(release: str, stage: str, comment: str, source: str | None) -> int:
    """Reject a release at a stage."""
    from dsi_automation.engine.model import Verdict

    return _judge(release, stage, comment, source, Verdict.REJECTED)


def _judge(release: str, stage: str, comment: str, source: str | None, verdict: Verdict) -> int:
    from dsi_automation.cli.show_sources import word_view, word_words
    from dsi_automation.engine.model import AcceptanceOrder

    current = session()
    name, line = one_line(current, source)
    wanted = stage_named(name, line, stage)
    record = current.toolkit.equipment.look().application_record()
    there = [
        one
        for one in record.deployed
        if (one.source, one.stage, one.application) == (name, wanted.name, wanted.application)
        and one.release == release
    ]
    if not there:
        raise NotCompliantError(
            T("Release {release} was not integrated and tested in {stage}.", release=release, stage=stage),
            on=wanted.application,
            next_step=T("See which release is where: dsi sources status"),
        )
    if not comment.strip():
        raise UsageError(T("An acceptance needs a comment."), next_step=T("Say what was tested: --comment TEXT."))
    last = there[-1]
    order = AcceptanceOrder(name, release, last.sha256, wanted.name, last.run, verdict, comment.strip())
    made = current.engine.accept_release(order)
    if current.choices.json:
        current.out.data(word_view(made))
    else:
        current.out.line(word_words(made))
    return 0


def _standings(current: Session, name: str, line: Sources) -> tuple[Standing, ...]:
    from dsi_automation.operations.applications.sources_status import standings

    look, engine = current.toolkit.equipment.look(), current.engine
    if not current.toolkit.journal_exists:
        return standings(name, line, look.application_record(), {}, {}, {})
    return standings(
        name,
        line,
        look.application_record(),
        look.acceptances(name),
        {run.id: run for run in engine.runs()},
        {request.id: request for request in engine.requests()},
    )


for part in (list_, status, show, integrate, accept, reject):
    sources.add_command(part)
