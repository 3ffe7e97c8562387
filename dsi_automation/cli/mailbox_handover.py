"""`dsi mailbox handover`: give accounts to their people, the only place where a temporary password appears."""

from __future__ import annotations

from pathlib import Path

from dsi_automation.cli.base import argument, command, option
from dsi_automation.cli.progress import Progress
from dsi_automation.cli.session import session
from dsi_automation.core.text import T


@command(
    "handover",
    T(
        "Hand over accounts whose mailbox is ready: their settings and, once, the temporary password.\n\n"
        "Your key signs the hand-over in the journal before anything is shown. A password is shown only while the "
        "directory still asks for it to be changed, and its envelope is destroyed after that; another call shows the "
        "settings, and who handed the password over. With --json the password is in the output, except with "
        "--sealed: take care where that goes. Exit code 5 when an account is not ready."
    ),
)
@argument(
    "targets",
    nargs=-1,
    required=True,
    metavar=T("ACCOUNT|RUN..."),
    help=T("Staff numbers, logins or addresses, or a run of mailbox.create for all it made."),
)
@option("--letters", metavar=T("FOLDER"), help=T("Also write a letter for each, a PDF to print and to sign."))
@option(
    "--sealed",
    is_flag=True,
    help=T("Put the passwords into the letters, encrypted under one opening code, and not on the screen."),
)
@option("--to", metavar=T("TEXT"), help=T("Whom you give them to, for the record, where it is not their person."))
def handover(targets: tuple[str, ...], letters: str | None, to: str | None, *, sealed: bool) -> int:
    """Hand accounts over."""
    from dsi_automation.cli.show_handover import exit_code_of, handed_json, show_handed
    from dsi_automation.composition.handover import HandOverDesk

    current = session()
    look = current.toolkit.equipment.look()
    desk = HandOverDesk(current.engine, look, look.envelopes())
    folder = None if letters is None else Path(letters)
    progress = Progress()
    with progress, desk.handing_over(targets, progress, letters=folder, sealed=sealed, to=to) as done:
        # The picture of what is going on must be gone before a password is on the screen.
        progress.close()
        if current.choices.json:
            current.out.document(handed_json(done))
        else:
            show_handed(current.out, done)
    return exit_code_of(done)
