"""The end of `mailbox.create`: the mailbox is proven ready, and its settings are handed over without a password."""

from __future__ import annotations

from dsi_automation.connectors.m365.port import CloudUser, Letter
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T, Text
from dsi_automation.documents.mailbox import MailboxLetter
from dsi_automation.inventory.account_model import AccountPolicy
from dsi_automation.operations.accounts.create_cloud import present_user
from dsi_automation.operations.accounts.letter import letter_for
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.readiness import conditions, first_missing, mailbox_sku
from dsi_automation.operations.accounts.subject import find_account
from dsi_automation.operations.accounts.waiting import wait_until
from dsi_automation.operations.tools import Hands


def hand_over(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:
    """Wait until the mailbox is ready, write the letter, tell by mail that it is coming, and note it.

    An interruption between the mail and the note has the mail sent again: twice is better than never.

    Raises:
        UnreachableError: the mailbox is not ready in the site's time. RefusedError: it never will be as it is.
    """
    target, address = action.target, str(action.args["address"])
    envelope = hands.envelopes().find(target) or hands.envelopes().prepare(target)
    account = find_account(hands.accounts(), target, address)
    user = present_user(account, target, address, hands)
    licence = None
    if user.licences or not inputs.without_seat:
        wanted = wanted_part(target, inputs, hands.look.account_policy)
        licence = wait_until_ready(user, address, wanted, target, hands, observer)
    if envelope.delivered_at is not None:
        return
    must_change = envelope.sealed or (account is not None and account.must_change)
    letter = letter_for(target, address, account, user, licence, hands.look, must_change=must_change)
    hands.write_letter(target, letter)
    mail_to, sender = action.args["mail_to"], hands.look.tenant_settings.sender
    if mail_to is not None and sender is not None:
        _send(mail(letter, sender, str(mail_to)), target, hands)
    hands.envelopes().delivered(target)


def wait_until_ready(
    user: CloudUser, address: str, wanted: str | None, target: str, hands: Hands, observer: Observer
) -> str:
    """Wait until a mailbox is ready; return the part number of the licence that brings it.

    Args:
        wanted: part number of the licence that brings it; None for whichever the user has.

    Raises:
        UnreachableError: it is not in the site's time; what is missing is said.
        RefusedError: somebody must do something first.
    """
    tenant, skus, brought = hands.tenant(), hands.tenant().skus(), [""]

    def missing() -> Text | None:
        fresh = tenant.user(user.id)
        if fresh is None:
            return T("the tenant does not show {address}", address=address)
        sku = mailbox_sku(fresh, skus, wanted)
        found = conditions(fresh, tenant.mailboxes([user.id])[user.id], sku, address)
        lacking = first_missing(found)
        if lacking is None or lacking.missing is None:
            brought[0] = "" if sku is None else sku.part_number
            return None
        if lacking.final:
            raise RefusedError(
                T("The mailbox of {address} does not become ready: {missing}.", address=address,
                  missing=lacking.missing),
                on=target,
                next_step=T("Remove the cause, then run: dsi resume RUN."),
                detail={"condition": lacking.name},
            )  # fmt: skip
        return lacking.missing

    late = T("The mailbox of {address} is not ready", address=address)
    wait_until(target, hands.look, observer, missing, hands.look.tenant_settings.ready_deadline, late=late)
    return brought[0]


def wanted_part(target: str, inputs: MailboxInputs, policy: AccountPolicy) -> str | None:
    """Return the part number of the licence asked for a target."""
    rows = inputs.rows().get(target, ())
    return policy.licences.get((rows[0].licence if rows else "") or policy.licence)


def mail(letter: MailboxLetter, sender: str, to: str) -> Letter:
    """Return the mail that says that an account is ready; no password is in it."""
    whom = ", ".join(one for one in (letter.help_desk, letter.help_phone, letter.help_mail) if one)
    first = (
        T("At the first sign-in the temporary password must be changed.")
        if letter.must_change
        else T("The password has not changed.")
    )
    body = T(
        "Good morning,\n\nThe professional mail account of {name} (staff number {number}) is ready.\n\n"
        "Address: {address}\nMail in a browser: {webmail}\n\n"
        "The settings come in a letter, by hand. No password is in this mail, and nobody will ask for one by mail or "
        "by telephone. {first}\n\nQuestions: {whom}\n\n{organisation}\n",
        name=letter.name,
        number=letter.staff_number,
        address=letter.address,
        webmail=letter.webmail,
        first=first,
        whom=whom,
        organisation=letter.organisation,
    )
    return Letter(sender, to, str(T("Professional mail account of {name}", name=letter.name)), str(body))


def _send(letter: Letter, target: str, hands: Hands) -> None:
    try:
        hands.tenant().for_target(target).send_mail(letter)
    except RefusedError as error:
        raise RefusedError(
            T("The mail to {to} was not sent by {sender}: {problem}", to=letter.to, sender=letter.sender,
              problem=error.what),
            on=target,
            meaning=T("The mailbox is ready and the letter is written; only the mail is missing."),
            next_step=T("See to `sender` of dsi_m365, an existing mailbox that the application may send from, then run:"
                        " dsi resume RUN."),
            detail=error.detail,
        ) from error  # fmt: skip
