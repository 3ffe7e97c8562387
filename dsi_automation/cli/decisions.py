"""`dsi approve`, `refuse`, `revoke`, `ratify`: somebody's signed word on a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.labels import listed, request_state
from dsi_automation.cli.session import session
from dsi_automation.cli.show_request import next_step
from dsi_automation.cli.views import request_view
from dsi_automation.core.text import T, Text

if TYPE_CHECKING:
    from dsi_automation.engine.model import Request


def _decision(name: str, words: Text) -> click.Command:
    @command(name, words)
    @argument("request_id", metavar=T("REQUEST"), help=T("The request; the beginning of its identifier is enough."))
    @option("--comment", required=True, metavar=T("TEXT"), help=T("Why you decide so; it is signed and kept."))
    def decide(request_id: str, comment: str) -> None:
        method: Callable[[str, str], Request] = getattr(session().engine, name)
        _tell(method(request_id, comment))

    return decide


def _tell(request: Request) -> None:
    current = session()
    if current.choices.json:
        current.out.data(request_view(request))
        return
    out: Any = current.out
    out.line(T("Request {id}: {state}", id=request.id, state=request_state(request)), bold=True)
    out.line(
        T("{operation} on {targets}", operation=request.plan.operation, targets=listed(request.plan.targets)),
        indent=2,
    )
    out.line(T("Digest: {digest}", digest=request.plan.digest), indent=2)
    following = next_step(request)
    if following is not None:
        out.line(following)


approve = _decision(
    "approve", T("Say yes to exactly the plan of a request, with your signature. Read it first: dsi show.")
)
refuse = _decision("refuse", T("Say no to a request, with your signature."))
revoke = _decision("revoke", T("Take back a request or an approval that was not used, or end a standing approval now."))
ratify = _decision("ratify", T("Approve an emergency after the fact, with your signature. Not your own."))
