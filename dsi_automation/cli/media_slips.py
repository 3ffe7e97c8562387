"""The slip of a medium, filled in from the record and the inventory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.cli.files import write_whole
from dsi_automation.cli.moments import local
from dsi_automation.cli.show_media import KINDS
from dsi_automation.core.errors import DsiError

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.composition.media import MediaDesk, MediumView
    from dsi_automation.documents.media_slip import MediaSlip


def write_slip(session: Session, desk: MediaDesk, view: MediumView, path: Path) -> Path:
    """Write the slip of a medium as it is now.

    Raises:
        StorageError: the file cannot be written.
    """
    from dsi_automation.documents.media_slip import media_slip

    write_whole(path, media_slip(filled(session, desk, view)))
    return path


def filled(session: Session, desk: MediaDesk, view: MediumView) -> MediaSlip:
    """Return what the slip says."""
    from dsi_automation.documents.media_slip import MediaSlip, SlipSet
    from dsi_automation.engine.media_custody import STATES
    from dsi_automation.operations.backups.facts import amount

    move, catalogue = view.last, desk.catalogue()
    jobs = session.toolkit.inventory.backup_plan.backups
    sets = [catalogue.sets[name] for name in view.holds]
    rotation = None if view.rotation is None else desk.media.rotations[view.rotation]
    return MediaSlip(
        organisation=organisation(session),
        title=view.medium.title,
        kind=KINDS[view.medium.kind],
        identity=view.identity,
        rotation="-" if rotation is None else rotation.title,
        state=STATES[view.state],
        moved=None if move is None else local(move.at),
        giver=None if move is None else _name(session, move.person),
        receiver=None if move is None or move.order.to is None else _name(session, move.order.to),
        carrier=None if move is None else move.order.carrier,
        seal=None if move is None else move.order.seal,
        place=None if move is None else move.order.place,
        box=None if move is None else move.order.box,
        sets=tuple(
            SlipSet(
                one.id,
                jobs[one.job].title if one.job in jobs else one.job,
                local(one.made.ended_at),
                str(amount(one.made.size)),
                one.made.manifest,
            )
            for one in sets
        ),
        kept_until=None if view.kept_until is None else local(view.kept_until),
        date=session.clock.now().astimezone().date(),
        reference=None if move is None else move.id,
    )


def _name(session: Session, person: str) -> str:
    found = session.toolkit.inventory.people.get(person)
    return person if found is None else found.name


def organisation(session: Session) -> str:
    """Return what letters call the organisation."""
    from dsi_automation.inventory.account_model import AccountPolicy

    try:
        return session.toolkit.inventory.accounts.organisation
    except DsiError:
        # A site may back up without making accounts.
        return str(AccountPolicy.model_fields["organisation"].default)
