"""The independent look after `mailbox.create`: both directories read anew, for all persons together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dsi_automation.connectors.directory.accounts import Account, PasswordState
from dsi_automation.connectors.directory.names import parent, same_dn
from dsi_automation.connectors.m365.port import CloudUser, MailboxState, Sku
from dsi_automation.core.errors import DsiError
from dsi_automation.core.events import Event, Observer
from dsi_automation.core.plan import Plan
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.operations.accounts.create_handover import wanted_part
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.readiness import conditions, mailbox_sku
from dsi_automation.operations.accounts.waiting import FIRST_PAUSE, GROWTH
from dsi_automation.operations.tools import Look

SETTLED: Final = frozenset({"account", "ou", "staff_number", "enabled", "directory_address", "errors"})
"""Checks that a look later does not change: the directory shows at once what was done, and errors want somebody."""
PASSWORD_KINDS: Final = frozenset({"set_password", "enable_account"})
SYNCED_KINDS: Final = frozenset({"create_account", "synchronise"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a plan promises about one person: the arguments of its actions, by kind."""

    target: str
    actions: Mapping[str, Mapping[str, Any]]
    address: str | None
    part_number: str | None
    seatless: bool
    cloud_password: bool
    """Whether a temporary password was set in the tenant, unless the user is synchronised."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What both directories show of one person."""

    accounts: tuple[Account, ...]
    users: tuple[CloudUser, ...]
    mailbox: MailboxState | None

    @property
    def account(self) -> Account | None:
        """Return the one account, or None."""
        return self.accounts[0] if len(self.accounts) == 1 else None

    @property
    def user(self) -> CloudUser | None:
        """Return the one user, or None."""
        return self.users[0] if len(self.users) == 1 else None


def verify(plan: Plan, inputs: MailboxInputs, look: Look, observer: Observer) -> Sequence[Check]:
    """Return what is there for each person of the plan.

    Everybody is read together, few exchanges for many; who was worked on and is not as wanted is read again until
    `ready_deadline` is over, for a tenant shows a change when it likes.
    """
    wanted = {target: _wanted(target, plan, inputs, look) for target in plan.targets}
    deadline = look.tenant_settings.ready_deadline.total_seconds()
    poll, pause, started = look.tenant_settings.poll.total_seconds(), FIRST_PAUSE, look.clock.monotonic()
    checks: dict[str, list[Check]] = {}
    waiting = list(plan.targets)
    while waiting:
        checks |= _look(waiting, wanted, look)
        waiting = [target for target in waiting if wanted[target].actions and _may_still_come(checks[target])]
        left = deadline - (look.clock.monotonic() - started)
        if not waiting or left <= 0:
            break
        text = TN(
            "Waiting: {n} mailbox is not as wanted yet.", "Waiting: {n} mailboxes are not as wanted yet.", len(waiting)
        )
        observer.notify(Event("wait", text, done=len(plan.targets) - len(waiting), total=len(plan.targets)))
        look.clock.sleep(min(pause, poll, left))
        pause *= GROWTH
    proven = _passwords([one for target, one in wanted.items() if PASSWORD_KINDS & set(one.actions)], look, observer)
    return [check for target in plan.targets for check in (*checks[target], *proven.get(target, ()))]


def _wanted(target: str, plan: Plan, inputs: MailboxInputs, look: Look) -> Wanted:
    actions = {action.kind: action.args for action in plan.actions_for(target)}
    rows = inputs.rows().get(target, ())
    address = next((str(args["address"]) for args in actions.values() if args.get("address")), None)
    licence = actions.get("assign_licence", {}).get("part_number")
    return Wanted(
        target,
        actions,
        address or (rows[0].address if rows else "") or None,
        str(licence) if licence else wanted_part(target, inputs, look.account_policy),
        seatless=inputs.without_seat and licence is None,
        cloud_password="create_cloud_user" in actions or (inputs.reset and "set_password" in actions),
    )


def _look(targets: Sequence[str], wanted: Mapping[str, Wanted], look: Look) -> dict[str, list[Check]]:
    """Return the checks of some persons, from a handful of reads; a directory that is away is a check that fails."""
    try:
        seen, skus = _read(targets, wanted, look)
    except DsiError as error:
        yes, title = str(T("yes")), T("Both directories answer")
        return {
            target: [Check(target, "look", title, yes, str(error.what), ok=False, source="LDAP, Graph")]
            for target in targets
        }
    return {target: list(_checks(wanted[target], seen[target], skus, look)) for target in targets}


def _read(targets: Sequence[str], wanted: Mapping[str, Wanted], look: Look) -> tuple[dict[str, Seen], Sequence[Sku]]:
    reader, tenant = look.accounts(), look.tenant()
    accounts = {target: tuple(found) for target, found in reader.by_staff_number(targets).items()}
    names = {t: wanted[t].address for t in targets if not accounts[t]}
    by_name = reader.by_name([name for name in names.values() if name]) if any(names.values()) else {}
    accounts |= {target: tuple(by_name.get(name, ())) for target, name in names.items() if name}
    ids = [one.immutable_id for found in accounts.values() for one in found]
    linked = tenant.users_by_immutable_id(ids) if ids else {}
    users = {t: tuple(user for one in accounts[t] for user in linked.get(one.immutable_id, ())) for t in targets}
    unlinked = [target for target in targets if not users[target]]
    by_number = tenant.users_by_staff_number(unlinked) if unlinked else {}
    users |= {target: tuple(by_number[target]) for target in unlinked}
    rest = {target: address for target in targets if not users[target] and (address := wanted[target].address)}
    by_address = tenant.users_by_address(list(rest.values())) if rest else {}
    users |= {target: tuple(by_address[address]) for target, address in rest.items()}
    one_each = [found[0].id for found in users.values() if len(found) == 1]
    boxes = tenant.mailboxes(one_each) if one_each else {}
    seen = {
        target: Seen(
            accounts[target], users[target], boxes.get(users[target][0].id) if len(users[target]) == 1 else None
        )
        for target in targets
    }
    return seen, tenant.skus()


def _checks(wanted: Wanted, seen: Seen, skus: Sequence[Sku], look: Look) -> Iterator[Check]:
    yield from _in_directory(wanted, seen, f"LDAP {look.accounts().endpoint.server}")
    yield from _in_tenant(wanted, seen, skus, look)


def _in_directory(wanted: Wanted, seen: Seen, source: str) -> Iterator[Check]:
    target, account, asked = wanted.target, seen.account, wanted.actions
    if not seen.accounts and not set(asked) & {"create_account", "set_password", "enable_account", "synchronise"}:
        return  # a user of the cloud alone, of whom nothing was asked in the directory
    yield _check(target, "account", T("Directory account"), "1", str(len(seen.accounts)), source)
    if account is None:
        return
    made = asked.get("create_account")
    if made is not None:
        where = parent(account.dn)
        yield _check(
            target, "ou", T("Organisational unit"), str(made["ou"]), where, source, ok=same_dn(where, str(made["ou"]))
        )
    number = _check(target, "staff_number", T("Staff number"), target, (account.staff_number or "-").upper(), source)
    # An account found by its address may bear none; the toolkit writes none into an account that it did not make.
    yield replace(number, warning=made is None and not account.staff_number)
    yes, no = str(T("yes")), str(T("no"))
    yield _check(target, "enabled", T("Account enabled"), yes, yes if account.enabled else no, source)
    if made is not None and wanted.address is not None:
        primary = next((one[5:] for one in account.proxy_addresses if one.startswith("SMTP:")), "-")
        told = f"{account.upn or '-'}, {account.mail or '-'}, {primary}"
        same = {(account.upn or "").lower(), (account.mail or "").lower(), primary.lower()} == {wanted.address.lower()}
        title = T("Address: logon name, mail, primary")
        yield _check(target, "directory_address", title, wanted.address, told, source, ok=same)


def _in_tenant(wanted: Wanted, seen: Seen, skus: Sequence[Sku], look: Look) -> Iterator[Check]:
    target, user = wanted.target, seen.user
    title, source = T("User in the tenant"), f"Graph /users/{user.id}" if user else "Graph /users"
    yield _check(target, "user", title, "1", str(len(seen.users)), source)
    if user is None:
        return
    if SYNCED_KINDS & set(wanted.actions) and "create_cloud_user" not in wanted.actions and seen.account is not None:
        expected = seen.account.immutable_id
        yield _check(target, "linked", T("Linked to the account"), expected, user.immutable_id or "-", source)
    if "set_location" in wanted.actions or "create_cloud_user" in wanted.actions:
        country = look.account_policy.usage_location
        country = str(wanted.actions.get("set_location", {}).get("country") or country)
        yield _check(target, "location", T("Usage location"), country, user.usage_location or "-", source)
    if wanted.cloud_password and not user.synced:
        yield _must_change_in_tenant(user, target, look, source)
    if wanted.seatless and not user.licences:
        return
    sku = mailbox_sku(user, skus, wanted.part_number)
    if sku is not None:
        direct = [s for s in user.licence_states if s.sku_id == sku.id and s.by_group is None and s.state == "Active"]
        if "assign_licence" in wanted.actions:
            title = T("Direct assignments of {licence}", licence=sku.part_number)
            yield _check(target, "licence_once", title, "1", str(len(direct)), source)
    address = wanted.address or user.mail or user.upn
    for one in conditions(user, seen.mailbox, sku, address):
        where = f"{source}/mailboxSettings" if one.name == "mailbox" else source
        yield _check(target, one.name, one.title, one.expected, one.observed, where, ok=one.ok)


def _must_change_in_tenant(user: CloudUser, target: str, look: Look, source: str) -> Check:
    title, yes = T("Password to be changed at the first sign-in to the tenant"), str(T("yes"))
    if user.must_change:
        return _check(target, "must_change_in_tenant", title, yes, yes, source)
    # The tenant forgets it the moment the password is changed, as whoever was given it may have done.
    envelope = look.envelopes().find(target)
    opened = envelope is not None and envelope.opened_at is not None
    observed = str(T("changed since it was handed over") if opened else T("no"))
    return _check(target, "must_change_in_tenant", title, yes, observed, source, ok=opened)


def _passwords(wanted: Sequence[Wanted], look: Look, observer: Observer) -> dict[str, list[Check]]:
    """Prove that the temporary passwords must be changed: one bind each with the sealed one, answered 773."""
    by_target = {one.target: one for one in wanted}
    found = look.accounts().by_staff_number(list(by_target)) if by_target else {}

    def one(target: str) -> list[Check]:
        accounts = found[target]
        return [_must_change(target, accounts[0], look)] if len(accounts) == 1 else []

    doing = T("Proving that temporary passwords must be changed.")
    seen = fan_out(
        list(by_target),
        one,
        workers=look.workers,
        deadline=look.deadline,
        observer=observer,
        kind="verify",
        doing=doing,
    )
    source, title = f"LDAP {look.accounts().endpoint.server}", T("Password to be changed at the first logon")
    failed = {
        target: [_check(target, "must_change", title, str(T("yes")), str(error.what), source, ok=False)]
        for target, error in seen.failures.items()
    }
    return {**seen.results, **failed}


def _must_change(target: str, account: Account, look: Look) -> Check:
    title, yes, server = T("Password to be changed at the first logon"), str(T("yes")), look.accounts().endpoint.server
    secret, envelope = look.envelopes().peek(target), look.envelopes().find(target)
    if secret is not None:
        state = look.accounts().password_state(account.login, secret)
        observed = yes if state is PasswordState.MUST_CHANGE else str(_STATES[state])
        return _check(target, "must_change", title, yes, observed, f"LDAP {server}: bind (49, data 773)")
    if account.must_change:
        return _check(target, "must_change", title, yes, yes, f"LDAP {server}: pwdLastSet")
    # Whoever was given the password may have changed it already, as asked.
    opened = envelope.opened_at if envelope is not None else None
    changed = opened is not None and account.password_set_at is not None and account.password_set_at > opened
    observed = str(T("changed since it was handed over") if changed else T("no"))
    return _check(target, "must_change", title, yes, observed, f"LDAP {server}: pwdLastSet", ok=changed)


_STATES: Final[Mapping[PasswordState, Text]] = {
    PasswordState.GOOD: T("no: the password may be kept"),
    PasswordState.WRONG: T("no: the sealed password is not that of the account"),
    PasswordState.DISABLED: T("the account is disabled"),
    PasswordState.EXPIRED: T("the password is expired"),
    PasswordState.LOCKED: T("the account is locked"),
    PasswordState.MUST_CHANGE: T("yes"),
}


def _may_still_come(checks: Sequence[Check]) -> bool:
    """Tell whether a look later may find what is missing."""
    wrong = {check.name for check in checks if not check.ok and not check.warning}
    return bool(wrong) and not wrong & SETTLED


def _check(
    target: str, name: str, title: Text, expected: str, observed: str, source: str, *, ok: bool | None = None
) -> Check:
    return Check(target, name, title, expected, observed, expected == observed if ok is None else ok, source)
