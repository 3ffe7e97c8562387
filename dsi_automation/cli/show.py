"""`dsi show`: everything about one request, one run or one run of a playbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsi_automation.cli.asking import DETAILS
from dsi_automation.cli.base import argument, command
from dsi_automation.cli.running import plan_of
from dsi_automation.cli.session import session
from dsi_automation.cli.show_playbook import PREFIX, playbook_entries, playbook_view, show_playbook
from dsi_automation.cli.show_request import next_step, show_request
from dsi_automation.cli.show_run import show_run
from dsi_automation.cli.views import request_view, run_view
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.engine.api import Engine
    from dsi_automation.engine.model import Request, Run


@command("show", T("Show a request with its whole plan, a run with what was done and found, or a playbook's run."))
@argument(
    "identifier",
    metavar=T("ID"),
    help=T("A request, a run or a playbook's run; the beginning of its identifier is enough."),
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
    request, run = _find(current.engine, identifier)
    if current.choices.json:
        current.out.data({"request": request_view(request)} if request else {"run": run_view(run)} if run else {})
    elif request is not None:
        show_request(current.out, request, details=details)
        following = next_step(request)
        if following is not None:
            current.out.line(following, bold=True)
    elif run is not None:
        show_run(current.out, run, plan_of(current, run), details=details)


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
