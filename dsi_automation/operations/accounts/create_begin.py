"""What every write of `mailbox.create` begins with."""

from __future__ import annotations

from dsi_automation.connectors.directory.accounts import AccountReader
from dsi_automation.core.errors import WorldChangedError
from dsi_automation.core.text import T
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.tools import Hands


def begin(hands: Hands, target: str) -> None:
    """Have an envelope for somebody, from before the first write: it says that a hand-over is due."""
    hands.envelopes().prepare(target)


def in_cloud(hands: Hands, inputs: MailboxInputs) -> bool:
    """Tell whether users are made in the tenant itself, and not synchronised from the directory."""
    return inputs.in_cloud or not hands.tenant().tenant().hybrid


def refuse_taken(hands: Hands, accounts: AccountReader, target: str, address: str) -> None:
    """Make sure that nobody else took an address since the plan was made.

    Raises:
        WorldChangedError: somebody did.
    """
    names = [
        one.dn for one in accounts.holders([address])[address] if (one.staff_number or "").upper() != target.upper()
    ]
    names += [
        f"{one.name} ({one.kind})"
        for one in hands.tenant().holders([address])[address]
        if (one.staff_number or "").upper() != target.upper()
    ]
    if names:
        raise address_gone(target, address, "; ".join(names))


def address_gone(target: str, address: str, holder: str) -> WorldChangedError:
    """Return the error for an address that somebody else took between the plan and the run."""
    return WorldChangedError(
        T("{address} is taken by now: {holder}.", address=address, holder=holder),
        on=target,
        meaning=T("It was free when the plan was made. Nothing of this action was done."),
        next_step=T("Make a new plan, which finds another address, and ask for a new approval."),
        detail={"address": address, "holder": holder},
    )
