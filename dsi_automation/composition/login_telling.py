"""Puts the mails about logins into the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T, speaking
from dsi_automation.operations.applications.account_inputs import Case, parts_of

if TYPE_CHECKING:
    from dsi_automation.composition.toolkit import Toolkit
    from dsi_automation.inventory.application_model import RequiredDocument


def tell_inadmissible(
    toolkit: Toolkit, target: str, case: str, lacking: Sequence[RequiredDocument], address: str, comment: str | None
) -> bool:
    """Mail that a request is inadmissible, once a day for the same documents; returns whether a mail was put.

    Raises:
        UsageError: the inventory describes no relay.
        StorageError: the mail cannot be kept.
    """
    from dsi_automation.composition.login_mails import inadmissible_mail
    from dsi_automation.composition.mails import Mails

    mails = Mails(toolkit)
    if mails.settings is None:
        raise UsageError(
            T("The inventory describes no mail relay."), next_step=T("Add dsi_mail, or tell the requester otherwise.")
        )
    described = toolkit.inventory.applications[parts_of(target)[1]]
    with speaking(mails.language):
        subject, body = inadmissible_mail(mails.settings.prefix, target, described.title, Case(case), lacking, comment)
    names = "+".join(one.name for one in lacking)
    key = f"inadmissible/{target}/{case}/{names}/{toolkit.clock.now():%Y-%m-%d}"
    waiting = len(mails.outbox.waiting())
    mails.to_addresses(key, [address], subject, body)
    put = len(mails.outbox.waiting()) > waiting
    mails.flush()
    return put
