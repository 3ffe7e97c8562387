"""What every write of `mailbox.create` begins with."""

from __future__ import annotations

from collections.abc import Iterable

from dsi_automation.connectors.directory.accounts import AccountReader, Holder
from dsi_automation.connectors.m365.port import TenantHolder
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
    held, cloud = accounts.holders([address])[address], hands.tenant().holders([address])[address]
    names = others_with(target, held, cloud)
    if names:
        raise address_gone(target, address, "; ".join(names))


def others_with(target: str, held: Iterable[Holder], in_tenant: Iterable[TenantHolder]) -> list[str]:
    """Return who else holds an address, of those that hold it in either directory."""
    names = [one.dn for one in held if (one.staff_number or "").upper() != target.upper()]
    others = [one for one in in_tenant if (one.staff_number or "").upper() != target.upper()]
    return [*names, *(f"{one.name} ({one.kind})" for one in others)]


def address_gone(target: str, address: str, holder: str) -> WorldChangedError:
    """Return the error for an address that somebody else took between the plan and the run."""
    return WorldChangedError(
        T("{address} is taken by now: {holder}.", address=address, holder=holder),
        on=target,
        meaning=T("It was free when the plan was made. Nothing of this action was done."),
        next_step=T("Make a new plan, which finds another address, and ask for a new approval."),
        detail={"address": address, "holder": holder},
    )
