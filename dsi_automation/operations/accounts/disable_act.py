"""The writes of `account.disable`: each looks first, and does nothing that is already done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dsi_automation.connectors.directory.names import is_below
from dsi_automation.connectors.m365.port import CloudUser, TenantReader
from dsi_automation.core.clock import iso
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T, Text
from dsi_automation.operations.accounts.disable_plan import MARK, is_disabled, revoked_since, sessions_ended
from dsi_automation.operations.accounts.subject import Subject, find, required_account
from dsi_automation.operations.accounts.waiting import SETTLE_POLLS, wait_until
from dsi_automation.operations.tools import Hands, Look


def disable_account(action: Action, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Disable the account, and note in it when: sessions that began before are to be ended."""
    account = required_account(hands.accounts(), action.target)
    if not is_disabled(account):
        mark = f"{MARK} {iso(hands.look.clock.now())}"
        hands.accounts().for_target(action.target).disable(account.guid, mark)


def revoke_sessions(action: Action, hands: Hands, observer: Observer) -> None:
    """End every session, and wait until the tenant says so.

    Raises:
        UnreachableError: it does not in the site's time.
    """
    target, look, began = action.target, hands.look, hands.look.clock.now()
    user = _subject(action, hands).user
    if user is None:
        return
    tenant, user_id = hands.tenant().for_target(target), user.id
    tenant.revoke_sessions(user_id)

    def missing() -> Text | None:
        now = tenant.user(user_id)
        if now is None or revoked_since(now, began):
            return None
        return T("the tenant does not show yet that the sessions of {upn} have ended", upn=now.upn)

    late = T("The sessions of {upn} are not shown as ended", upn=user.upn)
    wait_until(target, look, observer, missing, look.tenant_settings.ready_deadline, late=late)


def disable_cloud_user(action: Action, hands: Hands, observer: Observer) -> None:
    """Forbid a user of the tenant alone to sign in, and wait until reads show it."""
    user = _subject(action, hands).user
    if user is None or not user.enabled:
        return
    tenant = hands.tenant().for_target(action.target)
    tenant.set_enabled(user.id, enabled=False)
    late = T("{upn} was forbidden to sign in and reads do not show it", upn=user.upn)
    _wait_disabled(action, tenant, user, hands.look, observer, late)


def synchronise(action: Action, hands: Hands, observer: Observer) -> None:
    """Wait until the synchronisation has disabled the user, asking for it where that can be asked.

    Raises:
        UnreachableError: it did not in the site's time.
    """
    target, subject = action.target, _subject(action, hands)
    user, account = subject.user, subject.account
    if user is None or not user.enabled:
        return
    tenant = hands.tenant().for_target(target)
    try:
        if account is not None:
            tenant.provision_now(account.dn)
    except (RefusedError, UnreachableError) as error:
        # It was only to be quicker: the next cycle does the same.
        problem = T("The synchronisation could not be hurried on: {problem}", problem=error.what)
        observer.notify(Event("wait", problem, target))
    late = T("The synchronisation has not disabled {upn} in the tenant", upn=user.upn)
    _wait_disabled(action, tenant, user, hands.look, observer, late)


def remove_licences(action: Action, hands: Hands, observer: Observer) -> None:
    """Free the licences, and wait until the user no longer has them."""
    target, look, user = action.target, hands.look, _subject(action, hands).user
    held = [] if user is None else [sku for sku in _skus(action) if sku in user.licences]
    if user is None or not held:
        return
    tenant, user_id = hands.tenant().for_target(target), user.id
    tenant.change_licences(user_id, [], held)

    def missing() -> Text | None:
        now = tenant.user(user_id)
        if now is None or not set(held) & set(now.licences):
            return None
        return T("the tenant still shows the licence of {upn}", upn=now.upn)

    late = T("The licence of {upn} is not shown as freed", upn=user.upn)
    wait_until(target, look, observer, missing, look.tenant_settings.ready_deadline, late=late)


def move_to_leavers(action: Action, hands: Hands, observer: Observer) -> None:  # noqa: ARG001
    """Move the account into the leavers' OU."""
    account, ou = required_account(hands.accounts(), action.target), str(action.args["ou"])
    if not is_below(account.dn, ou):
        hands.accounts().for_target(action.target).move(account.guid, ou)


ACTS: Final[Mapping[str, Callable[[Action, Hands, Observer], None]]] = {
    "disable_account": disable_account,
    "revoke_sessions": revoke_sessions,
    "disable_cloud_user": disable_cloud_user,
    "synchronise": synchronise,
    "remove_licences": remove_licences,
    "move_to_leavers": move_to_leavers,
}


def settle(action: Action, look: Look, observer: Observer) -> None:
    """Wait until the effect of an interrupted action shows, or until it can no longer be under way.

    Raises:
        UnreachableError: one of the two directories does not answer within the site's time.
    """
    if not look.has_tenant:
        return  # the directory answers once a change is made, and each act looks first
    effect = EFFECTS[action.kind]
    settings = look.tenant_settings
    over = look.clock.monotonic() + SETTLE_POLLS * settings.poll.total_seconds()

    def missing() -> Text | None:
        subject = find(look.accounts(), look.tenant(), action.target)
        if effect(subject, action) or look.clock.monotonic() >= over:
            return None
        return T("looking whether the interrupted action took effect")

    late = T("Nobody knows whether the interrupted action took effect")
    wait_until(action.target, look, observer, missing, settings.ready_deadline, late=late)


def _disabled(subject: Subject, action: Action) -> bool:  # noqa: ARG001  # as the others
    return subject.account is not None and is_disabled(subject.account)


def _ended(subject: Subject, action: Action) -> bool:  # noqa: ARG001
    return subject.user is None or sessions_ended(subject.user, subject.account)


def _closed(subject: Subject, action: Action) -> bool:  # noqa: ARG001
    return subject.user is None or not subject.user.enabled


def _freed(subject: Subject, action: Action) -> bool:
    return subject.user is None or not set(_skus(action)) & set(subject.user.licences)


def _moved(subject: Subject, action: Action) -> bool:
    return subject.account is not None and is_below(subject.account.dn, str(action.args["ou"]))


EFFECTS: Final[Mapping[str, Callable[[Subject, Action], bool]]] = {
    "disable_account": _disabled,
    "revoke_sessions": _ended,
    "disable_cloud_user": _closed,
    "synchronise": _closed,
    "remove_licences": _freed,
    "move_to_leavers": _moved,
}
"""How the effect of each action shows; a user the synchronisation has deleted meanwhile can do nothing any more."""


def _subject(action: Action, hands: Hands) -> Subject:
    return find(hands.accounts(), hands.tenant(), action.target)


def _skus(action: Action) -> list[str]:
    found = action.args["sku_ids"]
    return [str(sku) for sku in found] if isinstance(found, list | tuple) else []


def _wait_disabled(
    action: Action, tenant: TenantReader, user: CloudUser, look: Look, observer: Observer, late: Text
) -> None:
    def missing() -> Text | None:
        now = tenant.user(user.id)
        if now is None or not now.enabled:
            return None
        return T("{upn} may still sign in", upn=now.upn)

    settings = look.tenant_settings
    deadline = settings.sync_deadline if user.synced else settings.ready_deadline
    wait_until(action.target, look, observer, missing, deadline, late=late)
