"""`dsi requests`: who asked what, and where it stands."""

from __future__ import annotations

from dsi_automation.cli.base import command, option
from dsi_automation.cli.session import session
from dsi_automation.cli.show_request import show_requests
from dsi_automation.cli.views import request_view
from dsi_automation.core.text import T


@command("requests", T("List the requests, newest first."))
@option("--open", "open_only", is_flag=True, help=T("Only those that still wait for a decision or a run."))
def requests(*, open_only: bool) -> None:
    """List requests."""
    current = session()
    found = current.engine.requests(open_only=open_only)
    if current.choices.json:
        current.out.data({"requests": [request_view(request, with_plan=False) for request in found]})
        return
    show_requests(current.out, found)
