"""`dsi mail`: the mails on their way out; a mail server that is down only delays them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import OPTIONS, Group, command, option
from dsi_automation.cli.moments import local
from dsi_automation.cli.session import session
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import UsageError
from dsi_automation.core.events import Silent
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import TN, T

if TYPE_CHECKING:
    from dsi_automation.cli.output import Output
    from dsi_automation.composition.outbox import Waiting

mail = Group("mail", help=T("See and send the mails that wait."), options_metavar=OPTIONS)


@command("list", T("List the mails that are not sent yet, and why."))
def list_() -> None:
    """List mails."""
    current = session()
    found = current.toolkit.teller.outbox.waiting()
    if current.choices.json:
        current.out.data({"mails": [_view(one) for one in found]})
        return
    if not found:
        current.out.line(T("No mail waits."))
        return
    _table(current.out, found)


@command(
    "flush",
    T(
        "Offer the mails that wait to the mail server now, with those about runs whose process was killed before it "
        "could tell. Exit code 3 when some still wait."
    ),
)
@option("--again", is_flag=True, help=T("Also those that were set aside after having been offered for too long."))
def flush(again: bool) -> int:  # noqa: FBT001  # a flag
    """Send mails."""
    current = session()
    if current.toolkit.inventory.mail is None:
        raise UsageError(
            T("The inventory describes no mail server."), next_step=T("Describe it: dsi_mail, in group_vars/all.yml.")
        )
    current.toolkit.teller.make_up(Silent())
    done = current.toolkit.teller.flush(now=True, again=again)
    left = (*done.waiting, *done.aside)
    code = int(ExitCode.UNREACHABLE) if done.waiting or done.busy else int(ExitCode.DONE)
    if current.choices.json:
        error = None if done.error is None else done.error.to_json()
        data = {"sent": list(done.sent), "mails": [_view(one) for one in left], "busy": done.busy, "error": error}
        current.out.data({**data, "exit_code": code})
        return code
    if done.busy:
        current.out.line(T("Another process is sending them."), fg="yellow")
        return code
    current.out.line(TN("{n} mail sent.", "{n} mails sent.", len(done.sent)))
    if done.error is not None:
        current.out.line(str(done.error), fg="red")
    if left:
        _table(current.out, left)
    return code


def _table(out: Output, mails: Any) -> None:
    out.table(
        (T("Written"), T("To"), T("Subject"), T("Tries"), T("Next try"), T("Why")),
        [
            (
                local(one.put_at),
                one.to,
                one.subject,
                str(one.tries),
                T("set aside") if one.aside else local(one.next_try),
                "" if one.error is None else one.error["what"],
            )
            for one in mails
        ],
    )


def _view(one: Waiting) -> dict[str, Any]:
    return {
        "key": one.key,
        "to": one.to,
        "subject": one.subject,
        "put_at": iso(one.put_at),
        "next_try": iso(one.next_try),
        "tries": one.tries,
        "set_aside": one.aside,
        "error": one.error,
    }


for _command in (list_, flush):
    mail.add_command(_command)
