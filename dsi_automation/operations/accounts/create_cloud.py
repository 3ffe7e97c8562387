"""The writes of `mailbox.create` in the tenant, and the waits for what it does in its own time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.errors import AddressTakenError, NoSeatError
from dsi_automation.connectors.m365.port import CloudUser, NewCloudUser, TenantReader
from dsi_automation.core.errors import DsiError, RefusedError, UnreachableError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T, Text
from dsi_automation.operations.accounts.create_begin import address_gone, begin, refuse_taken
from dsi_automation.operations.accounts.passwords import new_password
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.readiness import problem_of, states_of
from dsi_automation.operations.accounts.subject import (
    find_account,
    find_user,
    one_user,
    required_account,
    required_user,
)
from dsi_automation.operations.accounts.waiting import FIRST_PAUSE, SETTLE_POLLS, wait_until
from dsi_automation.operations.tools import Hands, Look

DEAD_AFTER: Final = timedelta(hours=3)
"""A synchronisation that has not spoken for six of its cycles (30 minutes, Microsoft Entra Connect) is dead."""


def synchronise(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Wait until the synchronisation has brought the account to the tenant, asking for it where that can be asked.

    Raises:
        UnreachableError: it did not in the site's time; it is said whether the synchronisation is alive.
        RefusedError: it came under another address, because something of the tenant has this one.
    """
    target, address, look = action.target, str(action.args["address"]), hands.look
    begin(hands, target)
    account = required_account(hands.accounts(), target, address)
    tenant, started = hands.tenant().for_target(target), look.clock.now()

    def missing() -> Text | None:
        found = one_user(tenant.users_by_immutable_id([account.immutable_id])[account.immutable_id], target)
        if found is None:
            return T("the synchronisation has not brought {address} to the tenant yet", address=address)
        _refuse_other_address(found, target, address)
        return None

    if missing() is None:
        return
    try:
        tenant.provision_now(account.dn)
    except (RefusedError, UnreachableError) as error:
        # It was only to be quicker: the next cycle brings the account as well.
        problem = T("The synchronisation could not be hurried on: {problem}", problem=error.what)
        observer.notify(Event("wait", problem, target))
    wait_until(
        target,
        look,
        observer,
        missing,
        look.tenant_settings.sync_deadline,
        late=T("{address} has not arrived in the tenant", address=address),
        meaning=lambda: _alive(tenant, look, started),
    )


def create_cloud_user(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Create the user in the tenant, with the sealed password, and wait until reads find it.

    Raises:
        WorldChangedError: somebody took the address since the plan was made.
    """
    target, args, look = action.target, action.args, hands.look
    address = str(args["address"])
    begin(hands, target)
    tenant = hands.tenant().for_target(target)

    def missing() -> Text | None:
        found = one_user(tenant.users_by_staff_number([target])[target], target)
        return None if found is not None else T("the tenant does not show {address} yet", address=address)

    if missing() is None:
        return
    accounts = hands.accounts()
    refuse_taken(hands, accounts, target, address)
    account = find_account(accounts, target, address)
    names = (address, target, str(args["display_name"]), account.login if account is not None else None)
    secret = hands.envelopes().seal(target, new_password(look.account_policy.password_length, names=names))
    try:
        tenant.create_user(_new_user(action), secret)
    except AddressTakenError as error:
        raise address_gone(target, address, str(error.what)) from error
    late = T("{address} was created but is not shown", address=address)
    wait_until(target, look, observer, missing, look.tenant_settings.ready_deadline, late=late)


def set_location(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Set the country the licences are used in."""
    target, country = action.target, str(action.args["country"])
    begin(hands, target)
    user = _user(action, hands)
    if user.usage_location != country:
        hands.tenant().for_target(target).set_usage_location(user.id, country)


def assign_licence(action: Action, inputs: MailboxInputs, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Assign the licence and wait until it is active.

    Raises:
        NoSeatError: no seat is left.
        RefusedError: it does not become active, and why.
        UnreachableError: it is not active in the site's time.
    """
    begin(hands, action.target)
    assign_active(_user(action, hands), action, hands, observer)


def assign_active(user: CloudUser, action: Action, hands: Hands, observer: Observer) -> None:
    """Assign the licence of an action to a user, and wait until it is active; raises as `assign_licence`."""
    target, look, tenant = action.target, hands.look, hands.tenant().for_target(action.target)
    sku_id, part_number = str(action.args["sku_id"]), str(action.args["part_number"])
    give_licence(user, sku_id, part_number, target, hands)
    wait_until(
        target,
        look,
        observer,
        lambda: licence_missing(tenant, user.id, sku_id, part_number, target),
        look.tenant_settings.ready_deadline,
        late=T("{licence} is not active", licence=part_number),
    )


def give_licence(user: CloudUser, sku_id: str, part_number: str, target: str, hands: Hands) -> None:
    """Assign a licence, unless the user has it.

    Raises:
        NoSeatError: no seat is left.
    """
    if sku_id in user.licences or any(state.state == "Active" for state in states_of(user, sku_id)):
        return
    try:
        hands.tenant().for_target(target).change_licences(user.id, [sku_id], [])
    except NoSeatError as error:
        raise no_seat(part_number, target) from error


def licence_missing(tenant: TenantReader, user_id: str, sku_id: str, part_number: str, target: str) -> Text | None:
    """Return what is missing for a licence to be active; None when it is.

    Raises:
        NoSeatError: it ended in CountViolation. RefusedError: it ended in another error.
    """
    user = tenant.user(user_id)
    states = list(states_of(user, sku_id)) if user is not None else []
    if any(state.state == "Active" for state in states):
        return None
    wrong = next((one for one in states if one.by_group is None and one.error not in ("", "None")), None)
    if wrong is None:
        return T("{licence} is not active yet", licence=part_number)
    if wrong.error == "CountViolation":
        raise no_seat(part_number, target)
    raise RefusedError(
        T("{licence} was assigned and does not work: {problem}.", licence=part_number, problem=problem_of(wrong)),
        on=target,
        next_step=T("Remove the cause, then run: dsi resume RUN."),
        detail={"state": wrong.state, "error": wrong.error},
    )


def no_seat(part_number: str, target: str) -> NoSeatError:
    """Return the error for a licence of which no seat is left."""
    return NoSeatError(
        T("No seat of {licence} is left for {target}.", licence=part_number, target=target),
        on=target,
        meaning=T("The account stays as it is, without a licence."),
        next_step=T("Buy seats or free some (`dsi mailbox check` shows them), then run: dsi resume RUN."),
    )


def present_user(account: Account | None, target: str, address: str, hands: Hands) -> CloudUser:
    """Return a user that the plan saw or that was made before; asked again for a while when it does not show.

    Microsoft answers from several copies: one that does not know a new user yet may come after one that does.

    Raises:
        WorldChangedError: it is not there.
    """
    look, tenant = hands.look, hands.tenant()
    for _ in range(SETTLE_POLLS):
        user = find_user(tenant, account, target, address)
        if user is not None:
            return user
        look.clock.sleep(min(FIRST_PAUSE, look.tenant_settings.poll.total_seconds()))
    return required_user(tenant, account, target, address)


def _user(action: Action, hands: Hands) -> CloudUser:
    address = str(action.args["address"])
    return present_user(find_account(hands.accounts(), action.target, address), action.target, address, hands)


def _new_user(action: Action) -> NewCloudUser:
    args = {key: None if value is None else str(value) for key, value in action.args.items()}
    return NewCloudUser(
        upn=str(args["address"]),
        mail_nickname=str(args["mail_nickname"]),
        display_name=str(args["display_name"]),
        staff_number=str(args["staff_number"]),
        usage_location=str(args["usage_location"]),
        surname=args["surname"],
        given_name=args["given_name"],
        department=args["department"],
        phone=args["phone"],
    )


def _refuse_other_address(user: CloudUser, target: str, address: str) -> None:
    own = {user.upn, user.mail or "", *(one.partition(":")[2] for one in user.proxy_addresses)}
    if address.lower() not in {one.lower() for one in own}:
        raise RefusedError(
            T("The synchronisation brought {target} as {upn}, not as {address}.", target=target, upn=user.upn,
              address=address),
            on=target,
            meaning=T("Something else of the tenant holds the address, or its domain is not verified there."),
            next_step=T("Look for it in the tenant, free the address, then run: dsi resume RUN."),
            detail={"upn": user.upn, "errors": list(user.provisioning_errors)},
        )  # fmt: skip


def _alive(tenant: TenantReader, look: Look, started: datetime) -> Text | None:
    """Return what the synchronisation's last sign of life means for an account waited for since `started`."""
    try:
        last = tenant.tenant(anew=True).last_sync
    except DsiError:
        return None  # what is missing is told; the tenant does not answer why
    if last is None:
        return T("The tenant says that nothing was ever synchronised.")
    if look.clock.now() - last > DEAD_AFTER:
        return T(
            "The synchronisation has been silent since {moment:%Y-%m-%d %H:%M:%S} UTC: it looks dead."
            " See to its server.",
            moment=last,
        )
    if last < started:
        return T(
            "The synchronisation has not run since {moment:%Y-%m-%d %H:%M:%S} UTC, before this wait began: it is"
            " stopped, or its cycle is longer than the sync_deadline of dsi_m365.",
            moment=last,
        )
    return T(
        "The synchronisation is alive ({moment:%Y-%m-%d %H:%M:%S} UTC): the account is not in its scope, or the"
        " tenant refuses it.",
        moment=last,
    )
