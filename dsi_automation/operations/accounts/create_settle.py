"""After an answer was lost: waiting until its write shows, or can no longer be under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action
from dsi_automation.core.text import T, Text
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.subject import Subject, find, find_account
from dsi_automation.operations.accounts.waiting import SETTLE_POLLS, wait_until
from dsi_automation.operations.tools import Look


def settle(action: Action, inputs: MailboxInputs, look: Look, observer: Observer) -> None:
    """Wait until the effect of an interrupted action shows, or until it can no longer be under way.

    A write whose answer was lost may still be on its way, or done and not shown yet: looking too early would find
    nothing and repeat it. A directory carries a write out, or never does, within the time it is given for an answer;
    a tenant shows one within a few looks. Without its effect by then, a write was not made.

    Raises:
        UnreachableError: one of the two does not answer within the site's time for a mailbox.
    """
    effect = _EFFECTS.get(action.kind)
    if effect is None:
        return
    del inputs
    settings = look.tenant_settings
    window = SETTLE_POLLS * settings.poll.total_seconds()
    if action.kind in _IN_THE_DIRECTORY:
        window = min(window, look.accounts().endpoint.timeout)
    over = look.clock.monotonic() + window

    def missing() -> Text | None:
        if effect(action, look) or look.clock.monotonic() >= over:
            return None
        return T("looking whether the interrupted action took effect")

    late = T("Nobody knows whether the interrupted action took effect")
    wait_until(action.target, look, observer, missing, settings.ready_deadline, late=late)


def _subject(action: Action, look: Look) -> Subject:
    return find(look.accounts(), look.tenant(), action.target, str(action.args["address"]))


def _created(action: Action, look: Look) -> bool:
    return find_account(look.accounts(), action.target) is not None


def _password_set(action: Action, look: Look) -> bool:
    account = find_account(look.accounts(), action.target)
    # An account in use had a password before: only the whole window tells that nothing is under way any more.
    return account is not None and not account.enabled and account.password_set_at is not None


def _enabled(action: Action, look: Look) -> bool:
    account = find_account(look.accounts(), action.target)
    return account is not None and account.enabled


def _known(action: Action, look: Look) -> bool:
    return _subject(action, look).user is not None


def _located(action: Action, look: Look) -> bool:
    user = _subject(action, look).user
    return user is not None and user.usage_location == action.args["country"]


def _licensed(action: Action, look: Look) -> bool:
    user = _subject(action, look).user
    return user is not None and action.args["sku_id"] in user.licences


_IN_THE_DIRECTORY: Final = frozenset({"create_account", "set_password", "enable_account"})
_EFFECTS: Final[Mapping[str, Callable[[Action, Look], bool]]] = {
    "create_account": _created,
    "set_password": _password_set,
    "enable_account": _enabled,
    "synchronise": _known,
    "create_cloud_user": _known,
    "set_location": _located,
    "assign_licence": _licensed,
}
"""How the effect of each action shows; a hand-over leaves its trace here, on the controller, or none at all."""
