"""Hand-overs on the terminal and as JSON: what is given now, and what the journal holds of those before.

Passwords and opening codes pass by here, past the masking of all other output: the one place where they are shown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.clean import clean, to_json_text
from dsi_automation.cli.moments import local
from dsi_automation.cli.output import Output, aligned
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import DsiError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.model import HandedBy

if TYPE_CHECKING:
    from dsi_automation.composition.handover import HandedOver, Row
    from dsi_automation.core.secrets import Secret
    from dsi_automation.engine.model import HandOver

FEW: Final = 3
"""Accounts that are shown one below the other; more of them make a table."""
HOW: Final[dict[HandedBy, Text]] = {
    HandedBy.SCREEN: T("password on the screen"),
    HandedBy.SEALED: T("password in a sealed letter"),
    HandedBy.LETTER: T("settings in a letter"),
    HandedBy.SETTINGS: T("settings on the screen"),
}


def exit_code_of(done: HandedOver) -> ExitCode:
    """Return the worst of the rows: the highest code wins, as `ExitCode` orders them."""
    return max([ExitCode.DONE, *(row.error.exit_code for row in done.rows if row.error is not None)])


def show_handed(out: Output, done: HandedOver) -> None:
    """Write what is handed over, the passwords to be shown among it, once."""
    good = [row for row in done.rows if row.how is not None]
    if len(good) > FEW:
        _show_table(out, good)
    else:
        for row in good:
            _show_block(out, row)
    for row in done.rows:
        if row.error is not None:
            _show_error(out, row.asked, row.error)
    if done.code is not None:
        out.line(T("Opening code of the letters, shown this once; its dashes are part of it:"), bold=True)
        _reveal(out, f"  {done.code.reveal()}")
        out.line(T("Give it by another way than the letters."))
    if any(row.how is HandedBy.SCREEN for row in good):
        out.line(
            T("Passwords are shown this once. Give each to its person alone; it must be changed at the first logon."),
            bold=True,
        )
    if done.record is not None:
        summary = TN("{n} account handed over", "{n} accounts handed over", len(good))
        out.line(
            T("{summary}: record {id}, by {person}", summary=summary, id=done.record.id, person=done.record.person)
        )


def handed_json(done: HandedOver) -> str:
    """Return what is handed over as JSON; passwords only where they would be on the screen."""
    # Everything else is masked and made harmless first; what is revealed here is put in afterwards.
    view = json.loads(to_json_text(_view(done)))
    view["opening_code"] = None if done.code is None else done.code.reveal()
    for item, row in zip(view["accounts"], done.rows, strict=True):
        item["password"] = _shown(row)
    return json.dumps(view, ensure_ascii=False, indent=2) + "\n"


def show_handovers(out: Output, found: Sequence[HandOver], run: str | None = None) -> None:
    """Write the hand-overs the journal holds, or what they say of one run."""
    for handover in found:
        said = T("Handed over {at} by {person}: record {id}", at=local(handover.at), person=handover.person,
                 id=handover.id)  # fmt: skip
        out.line(said, bold=True)
        if handover.to is not None:
            out.line(T("to {whom}", whom=handover.to), indent=2)
        for item in handover.items:
            if run is None or item.run == run:
                out.line(f"{item.target}  {item.address}  {HOW[item.how]}", indent=2)


def handover_view(handover: HandOver) -> dict[str, Any]:
    """Return a hand-over as `--json` prints it."""
    return {
        "id": handover.id,
        "operation": handover.operation,
        "person": handover.person,
        "at": iso(handover.at),
        "to": handover.to,
        "items": [
            {"target": item.target, "address": item.address, "how": item.how.value, "run": item.run}
            for item in handover.items
        ],
    }


def _view(done: HandedOver) -> dict[str, Any]:
    return {
        "record": None if done.record is None else handover_view(done.record),
        "opening_code": None,
        "accounts": [_account_view(row) for row in done.rows],
        "exit_code": int(exit_code_of(done)),
    }


def _account_view(row: Row) -> dict[str, Any]:
    letter = None if row.settings is None or row.how is None else row.settings.letter
    return {
        "asked": row.asked,
        "target": None if row.settings is None else row.settings.target,
        "run": row.run,
        "name": letter and letter.name,
        "address": letter and letter.address,
        "login": letter and letter.login,
        "webmail": letter and letter.webmail,
        "licence": letter and letter.licence,
        "state": "ready" if letter else None,
        "how": row.how and row.how.value,
        "password": None,
        "note": None if row.how is None else str(note_of(row)),
        "letter": None if row.letter is None else str(row.letter),
        "error": None if row.error is None else row.error.to_json(),
    }


def note_of(row: Row) -> Text:
    """Return what is to be said of an account's password."""
    from dsi_automation.operations.accounts.handover import Sealed

    if row.how is not None and row.how.gives_password:
        return HOW[row.how]
    if row.sealed is Sealed.CHANGED:
        return T("its temporary password was changed already: it is not shown, its envelope is closed")
    if row.before is not None:
        person, moment = row.before
        return T("its password was handed over on {at} by {person}", at=local(moment), person=person)
    return T("no temporary password: the account keeps its own")


def _shown(row: Row) -> str | None:
    """Return the password of a row where it belongs on the screen."""
    password: Secret | None = row.password if row.how is HandedBy.SCREEN else None
    return None if password is None else password.reveal()


def _show_block(out: Output, row: Row) -> None:
    assert row.settings is not None  # noqa: S101  # a row that is handed over has its settings
    from dsi_automation.operations.accounts.handover import Sealed

    letter = row.settings.letter
    own = T("keeps its own password, not this one") if row.sealed is Sealed.CLOUD else None
    out.line(T("{name} ({number})", name=letter.name, number=row.settings.target), bold=True)
    lines = [
        (T("Mail address"), letter.address),
        (T("Windows login"), letter.login or own),
        (T("Mail in a browser"), letter.webmail),
        (T("Licence"), letter.licence),
        (T("State"), T("the mailbox is ready")),
        (T("Letter"), row.letter),
    ]
    width = max(len(str(name)) for name, _ in [*lines, (T("Temporary password"), "")])
    for name, value in lines:
        if value is not None:
            out.line(f"{str(name).ljust(width)}  {value}", indent=2)
    password = _shown(row)
    if password is None:
        out.line(f"{str(T('Password')).ljust(width)}  {note_of(row)}", indent=2)
    else:
        _reveal(out, f"  {str(T('Temporary password')).ljust(width)}  {password}")
    out.line()


def _show_table(out: Output, rows: Sequence[Row]) -> None:
    """Write a line for each, the password near its beginning: no terminal is so narrow that it is folded there."""
    titles = [T("Number"), T("Temporary password"), T("Name"), T("Mail address"), T("Windows login"), T("Licence")]
    titles += [T("Letter")] if any(row.letter for row in rows) else []
    titles += [T("Remark")] if any(_shown(row) is None for row in rows) else []
    cells = []
    for row in rows:
        assert row.settings is not None  # noqa: S101  # a row that is handed over has its settings
        letter = row.settings.letter
        values = [letter.name, letter.address, letter.login or "-", letter.licence or "-"]
        values += [row.letter.name if row.letter else "-"] if T("Letter") in titles else []
        values += ["" if _shown(row) else str(note_of(row))] if T("Remark") in titles else []
        cells.append([clean(row.settings.target), _shown(row) or "-", *(clean(value) for value in values)])
    for line in aligned([clean(title) for title in titles], cells):
        _reveal(out, line)
    first = rows[0].settings
    if first is not None:
        out.line(T("Mail in a browser: {webmail}", webmail=first.letter.webmail))


def _show_error(out: Output, asked: str, error: DsiError) -> None:
    out.line(T("{target}: not handed over. {what}", target=asked, what=error.what), fg="red")
    for words in (error.meaning, error.next_step):
        if words is not None:
            out.line(words, indent=2)


def _reveal(out: Output, line: str) -> None:
    """Write a line whose secret is meant to be seen; the secret's characters are printable ASCII, made by ourselves."""
    out.document(f"{line}\n")
