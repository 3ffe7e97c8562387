"""What the letter that hands an account over says, from what both directories and the inventory hold."""

from __future__ import annotations

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.port import CloudUser
from dsi_automation.documents.mailbox import MailboxLetter
from dsi_automation.operations.tools import Look


def letter_for(
    target: str,
    address: str,
    account: Account | None,
    user: CloudUser | None,
    licence: str | None,
    look: Look,
    *,
    must_change: bool,
) -> MailboxLetter:
    """Return somebody's letter, without a password.

    Args:
        licence: part number in the tenant; the letter calls it what the inventory does.
        must_change: whether the password is to be changed at the next logon.
    """
    policy = look.account_policy
    return MailboxLetter(
        organisation=policy.organisation,
        name=(account and account.display_name) or (user and user.display_name) or target,
        staff_number=target,
        address=address,
        login=None if account is None else account.login,
        webmail=policy.webmail,
        licence=next((name for name, part in policy.licences.items() if part == licence), licence),
        help_desk=policy.help_desk.name,
        help_phone=policy.help_desk.phone,
        help_mail=policy.help_desk.mail,
        date=look.clock.now().date(),
        must_change=must_change,
    )
