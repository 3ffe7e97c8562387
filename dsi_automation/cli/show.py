"""`dsi show`: everything about one request, one run or one run of a playbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.asking import DETAILS
from dsi_automation.cli.base import argument, command
from dsi_automation.cli.handing import handover_command
from dsi_automation.cli.running import plan_of
from dsi_automation.cli.session import session
from dsi_automation.cli.show_handover import handover_view, show_handovers
from dsi_automation.cli.show_playbook import PREFIX, playbook_entries, playbook_view, show_playbook
from dsi_automation.cli.show_request import next_step, show_request
from dsi_automation.cli.show_run import show_run
from dsi_automation.cli.views import request_view, run_view
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.engine.api import Engine
    from dsi_automation.engine.model import HandOver, Request, Run

HANDOVER: Final = "HND-"


@command(
    "show",
    T("Show a request with its whole plan, a run with what was done and found, a hand-over, or a playbook's run."),
)
@argument(
    "identifier",
    metavar=T("ID"),
    help=T("A request, a run, a hand-over or a playbook's run; the beginning of its identifier is enough."),
)
@DETAILS
def show(identifier: str, *, details: bool) -> None:
    """Show one thing."""
    current = session()
    if identifier.upper().startswith(PREFIX):
        entries = playbook_entries(current.toolkit, identifier)
        if current.choices.json:
            current.out.data({"playbook": playbook_view(entries)})
        else:
            show_playbook(current.out, entries)
        return
    if identifier.upper().startswith(HANDOVER):
        _show_handover(identifier)
        return
    request, run = _find(current.engine, identifier)
    handed = [] if run is None else current.engine.handovers(run=run.id)
    if current.choices.json:
        current.out.data(_view(request, run, handed))
    elif request is not None:
        show_request(current.out, request, details=details)
        following = next_step(request)
        if following is not None:
            current.out.line(following, bold=True)
    elif run is not None:
        targets = {item.target for handover in handed for item in handover.items}
        show_run(current.out, run, plan_of(current, run), details=details, handed=targets)
        show_handovers(current.out, handed, run.id)


def _show_handover(identifier: str) -> None:
    """Show one hand-over.

    Raises:
        UsageError: there is none, or several begin so.
    """
    from dsi_automation.engine.identifiers import find_id

    current = session()
    known = {handover.id: handover for handover in current.engine.handovers()}
    found = known[find_id(identifier, known)]
    if current.choices.json:
        current.out.data({"handover": handover_view(found)})
    else:
        show_handovers(current.out, [found])


def _view(request: Request | None, run: Run | None, handed: Sequence[HandOver]) -> dict[str, Any]:
    if request is not None:
        return {"request": request_view(request)}
    if run is None:
        return {}
    targets = {item.target for handover in handed for item in handover.items}
    following = handover_command(run, targets)
    return {"run": {**run_view(run), "next_command": following, "handovers": [handover_view(one) for one in handed]}}


def _find(engine: Engine, identifier: str) -> tuple[Request | None, Run | None]:
    request = run = None
    errors: list[UsageError] = []
    try:
        request = engine.request_by_id(identifier)
    except UsageError as error:
        errors.append(error)
    try:
        run = engine.run_by_id(identifier)
    except UsageError as error:
        errors.append(error)
    if request is not None and run is not None:
        raise UsageError(T("Both a request and a run begin with {id}.", id=identifier), next_step=T("Type more of it."))
    if request is None and run is None:
        raise UsageError(
            T("Neither one request nor one run begins with {id}.", id=identifier),
            meaning=_several(errors),
            next_step=T("“dsi requests” and “dsi runs” list them."),
        ) from errors[-1]
    return request, run


def _several(errors: Sequence[UsageError]) -> Text | None:
    """Return what says more than that nothing is there: which ones begin so."""
    telling = [error for error in errors if error.detail.get("matches")]
    return telling[0].what if telling else None
