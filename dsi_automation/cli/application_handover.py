"""`dsi application handover`: give logins to their people, with the default password, shown once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.clean import to_json_text
from dsi_automation.cli.output import Output
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import session
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.composition.login_handover import LoginRow
    from dsi_automation.engine.model import HandOver


@command(
    "handover",
    T(
        "Hand over logins that are ready: their default password, shown once.\n\n"
        "Your key signs the hand-over in the journal before anything is shown, and the envelope is destroyed after "
        "that. A password is shown only while the application still asks for it to be changed. With --json it is in "
        "the output: take care where that goes."
    ),
)
@argument("logins", nargs=-1, required=True, metavar=T("LOGIN@APPLICATION..."), help=T("Logins: kone.a@sydam."))
@option("--to", metavar=T("TEXT"), help=T("Whom you give them to, for the record, where it is not their person."))
def handover(logins: tuple[str, ...], to: str | None) -> int:
    """Hand logins over."""
    from dsi_automation.composition.login_handover import LoginDesk

    current = session()
    look = current.toolkit.equipment.look()
    desk = LoginDesk(current.engine, look, look.envelopes())
    progress = Progress(logins)
    with progress, desk.handing_over(logins, to=to) as (rows, record):
        # The picture of what is going on must be gone before a password is on the screen.
        progress.close()
        if current.choices.json:
            current.out.document(_json(rows, record))
        else:
            _show(current.out, rows, record)
    return max([ExitCode.DONE, *(row.error.exit_code for row in rows if row.error is not None)])


def _show(out: Output, rows: Sequence[LoginRow], record: HandOver | None) -> None:
    for row in rows:
        if row.error is not None:
            out.line(T("{target}: not handed over. {what}", target=row.target, what=row.error.what), fg="red")
            if row.error.next_step is not None:
                out.line(row.error.next_step, indent=2)
            continue
        assert row.login is not None  # noqa: S101  # a row without an error has both
        assert row.password is not None  # noqa: S101
        out.line(T("{name} ({login})", name=row.login.name or "-", login=row.target), bold=True)
        out.line(T("Application: {title}", title=row.title), indent=2)
        out.line(T("Login: {login}", login=row.login.login), indent=2)
        # The one place where it is meant to be seen: past the masking of all other output.
        out.document(f"  {T('Default password: {password}', password=_plain(row))}\n")
        out.line()
    if record is not None:
        out.line(
            T("Passwords are shown this once. Give each to its person alone; it must be changed at the first login."),
            bold=True,
        )
        out.line(T("Recorded as {id}, by {person}", id=record.id, person=record.person))


def _json(rows: Sequence[LoginRow], record: HandOver | None) -> str:
    view: dict[str, Any] = {
        "record": None if record is None else {"id": record.id, "person": record.person, "to": record.to},
        "logins": [
            {
                "target": row.target,
                "application": row.title or None,
                "login": row.login and row.login.login,
                "name": row.login and row.login.name,
                "password": None,
                "run": row.run,
                "error": None if row.error is None else row.error.to_json(),
            }
            for row in rows
        ],
    }
    # Everything else is masked and made harmless first; what is revealed is put in afterwards.
    masked = json.loads(to_json_text(view))
    for item, row in zip(masked["logins"], rows, strict=True):
        item["password"] = _plain(row)
    return json.dumps(masked, ensure_ascii=False, indent=2) + "\n"


def _plain(row: LoginRow) -> str | None:
    return None if row.password is None else row.password.reveal()
