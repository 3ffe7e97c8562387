"""The writes of `mailbox.create` in the directory: each looks first, and does nothing that is already done.

The password is sealed into the envelope before the directory is told, and one that is sealed is never replaced: nobody
has seen it, so it is as good as new. So a run killed anywhere, a reset among them, ends in one password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dsi_automation.connectors.directory.accounts import Account, AccountWriter, NewAccount, PasswordState
from dsi_automation.connectors.directory.errors import AlreadyExistsError, PasswordRefusedError
from dsi_automation.core.errors import RefusedError, WorldChangedError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.secrets import Secret
from dsi_automation.core.text import T
from dsi_automation.operations.accounts import create_cloud, create_handover
from dsi_automation.operations.accounts.create_begin import begin, in_cloud, refuse_taken
from dsi_automation.operations.accounts.passwords import new_password
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.subject import MARK, find_account, find_user, is_ours, one_of, required_account
from dsi_automation.operations.tools import Hands

TRIES: Final = 2
"""A random password that the domain's policy refuses is followed by one more, no further."""
RIGHT: Final = frozenset({PasswordState.GOOD, PasswordState.MUST_CHANGE, PasswordState.EXPIRED, PasswordState.DISABLED})
"""What a directory answers only to the right password (49 with 533, 532 or 773; MS-ADTS 5.1.1.5)."""


def create_account(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Create the account, disabled and without a password.

    Raises:
        WorldChangedError: since the plan was made, somebody made an account for this person, or took the address.
        AlreadyExistsError: the login, or the name in the OU, is somebody else's.
    """
    target, args = action.target, action.args
    begin(hands, target)
    accounts = hands.accounts().for_target(target)
    if _made_before(accounts, action):
        return
    refuse_taken(hands, accounts, target, str(args["address"]))
    try:
        accounts.create_account(_new_account(args))
    except AlreadyExistsError:
        # Made by us in a run whose answer was lost; or by somebody else, a moment ago.
        if _made_before(accounts, action):
            return
        refuse_taken(hands, accounts, target, str(args["address"]))
        raise


def set_password(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Give the account the sealed temporary password; with `reset`, in the cloud as well where that has its own.

    A password that is sealed and was never opened is the one that is set, also when a new one is asked for: a run that
    was interrupted after sealing, or after the directory was told, must not make another. The directory is told last:
    it answers whether a password is the right one, so that it stands for both when a run is looked at again.

    Raises:
        PasswordRefusedError: the domain's policy accepts none of those we make.
    """
    target, address = action.target, str(action.args["address"])
    begin(hands, target)
    accounts = hands.accounts().for_target(target)
    account = find_account(accounts, target, address)
    user = None
    if inputs.reset and in_cloud(hands, inputs):
        user = find_user(hands.tenant(), account, target, address)
    if account is None and user is None:
        account = required_account(accounts, target, address)
    names = (address, target, *((account.display_name, account.name, account.login) if account is not None else ()))
    in_tenant = user is not None and not user.synced

    def seal() -> Secret:
        secret = hands.envelopes().seal(target, new_password(hands.look.account_policy.password_length, names=names))
        if in_tenant and user is not None:
            hands.tenant().for_target(target).reset_password(user.id, secret)
        return secret

    if account is not None:
        _set_in_directory(account, seal, target, inputs, hands, accounts)
    else:
        seal()


def enable_account(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Enable an account that we made and that has its password, which must be changed at the first logon.

    Raises:
        RefusedError: somebody else made it, or it has no password.
    """
    target = action.target
    begin(hands, target)
    accounts = hands.accounts().for_target(target)
    account = required_account(accounts, target, str(action.args["address"]))
    if account.enabled:
        return
    if not is_ours(account, target):
        raise RefusedError(
            T("The account {login} is disabled, and it was not made by the toolkit.", login=account.login),
            on=target,
            meaning=T("Somebody may have disabled it on purpose."),
            next_step=T("Ask why; whoever may enable it does, then make a new plan."),
        )
    if account.password_set_at is None:
        # Samba would enable it all the same, with an empty password.
        raise RefusedError(
            T("The account {login} has no password yet: it is not enabled.", login=account.login),
            on=target,
            next_step=T("Make a new plan: it sets the password first."),
        )
    accounts.enable(account.guid)


ACTS: Final[Mapping[str, Callable[[Action, MailboxInputs, Hands, Observer], None]]] = {
    "create_account": create_account,
    "set_password": set_password,
    "enable_account": enable_account,
    "synchronise": create_cloud.synchronise,
    "create_cloud_user": create_cloud.create_cloud_user,
    "set_location": create_cloud.set_location,
    "assign_licence": create_cloud.assign_licence,
    "hand_over": create_handover.hand_over,
}


def _new_account(args: Mapping[str, Any]) -> NewAccount:
    return NewAccount(
        ou=args["ou"],
        name=args["name"],
        login=args["login"],
        address=args["address"],
        staff_number=args["staff_number"],
        display_name=args["display_name"],
        surname=args["surname"],
        given_name=args["given_name"],
        mark=MARK,
        other_addresses=tuple(args["other_addresses"]),
        phone=args["phone"],
        department=args["department"],
        manager=args["manager"],
        description=args["description"],
    )


def _made_before(accounts: AccountWriter, action: Action) -> bool:
    """Tell whether the account is there because we made it.

    Raises:
        WorldChangedError: it is there because somebody else did.
    """
    target = action.target
    account = one_of(accounts.by_staff_number([target])[target], target)
    if account is None:
        return False
    if not is_ours(account, target):
        raise WorldChangedError(
            T("{target} has an account by now: {dn}.", target=target, dn=account.dn),
            on=target,
            meaning=T("Somebody made it since the plan was made; nothing was changed."),
            next_step=T("Make a new plan and ask for a new approval: it uses that account."),
            detail={"dn": account.dn},
        )
    return True


def _set_in_directory(
    account: Account,
    seal: Callable[[], Secret],
    target: str,
    inputs: MailboxInputs,
    hands: Hands,
    accounts: AccountWriter,
) -> None:
    done = _bears_the_sealed_one(account, hands, target)
    for last in (*[False] * (TRIES - 1), True):
        secret = seal()
        if done:
            break
        try:
            accounts.set_password(account.guid, secret)
            break
        except PasswordRefusedError:
            # The directory has it nowhere. Kept, it would be refused at every new attempt.
            hands.envelopes().discard_password(target)
            if last:
                raise
    if account.enabled and inputs.reset:
        fresh = accounts.by_guid(account.guid)
        if fresh is None or not fresh.must_change:
            accounts.require_change(account.guid)


def _bears_the_sealed_one(account: Account, hands: Hands, target: str) -> bool:
    secret = hands.envelopes().peek(target)
    if secret is None or (account.password_set_at is None and not account.enabled):
        return False
    return hands.accounts().password_state(account.login, secret) in RIGHT
