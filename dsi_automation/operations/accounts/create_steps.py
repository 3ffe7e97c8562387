"""The steps from a person to a mailbox that was handed over: which are to be taken, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass

from dsi_automation.connectors.directory.accounts import Account, PasswordState
from dsi_automation.connectors.m365.port import CloudUser, Sku
from dsi_automation.core.canonical import Json
from dsi_automation.core.plan import Action, NonAction
from dsi_automation.core.text import T, Text
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.readiness import conditions, is_ready, mailbox_sku
from dsi_automation.operations.accounts.references import References


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, what they have, and what they are to have.

    Attributes:
        account, user: what they have in either directory.
        address: what they have or are to have.
        sku: the licence asked for.
        kept: the licence with a mailbox they have and keep.
        granted: whether a seat of `sku` is theirs.
    """

    person: References
    facts: PersonFacts
    account: Account | None
    user: CloudUser | None
    address: str
    sku: Sku
    kept: Sku | None = None
    granted: bool = False

    @property
    def target(self) -> str:
        """Return the staff number."""
        return self.person.target

    @property
    def login(self) -> str | None:
        """Return the Windows login they have or are to have; None for who is in the cloud alone."""
        if self.account is not None:
            return self.account.login
        return self.person.login if self.user is None else None

    @property
    def ready(self) -> bool:
        """Tell whether the mailbox answers, with a licence that is active and the right address."""
        if self.user is None or self.kept is None:
            return False
        return is_ready(conditions(self.user, self.facts.mailbox, self.kept, self.address))

    def action(
        self, kind: str, args: dict[str, Json], title: Text, reason: Text, reversal: Text | None = None
    ) -> Action:
        """Return an action on this person."""
        return Action(self.target, kind, args, title, reason, reversal)

    def nothing(self, kind: str, reason: Text) -> NonAction:
        """Return why nothing is done."""
        return NonAction(self.target, kind, reason)


type Step = Action | NonAction


def steps(subject: Subject, world: AccountsWorld, inputs: MailboxInputs) -> tuple[list[Action], list[NonAction]]:
    """Return what one person takes, in the order in which it is done, and what is right already."""
    hybrid = world.tenant.hybrid and not inputs.in_cloud
    taken: list[Step] = [
        _create_account(subject, world),
        _set_password(subject, inputs),
        _enable_account(subject),
        _synchronise(subject) if hybrid else _create_cloud_user(subject, world),
        _set_location(subject, world, hybrid=hybrid),
        _assign_licence(subject),
    ]
    actions = [step for step in taken if isinstance(step, Action)]
    last = _hand_over(subject, world, changed=bool(actions))
    taken.append(last)
    return (
        [step for step in taken if isinstance(step, Action)],
        [step for step in taken if isinstance(step, NonAction)],
    )


def _create_account(subject: Subject, world: AccountsWorld) -> Step:
    person, policy = subject.person, world.policy
    if subject.account is not None:
        reason = T("The directory has the account {login}.", login=subject.account.login)
        return subject.nothing("create_account", reason)
    if subject.user is not None:
        reason = T("{upn} is a user of the cloud alone; no account is made in the directory.", upn=subject.user.upn)
        return subject.nothing("create_account", reason)
    manager = world.managers.get(person.manager)
    local, _, domain = subject.address.partition("@")
    routing = world.tenant.initial_domain.replace(".onmicrosoft.", ".mail.onmicrosoft.", 1)
    args: dict[str, Json] = {
        "ou": person.ou,
        "name": person.name.common_name(person.target),
        "login": person.login,
        "address": subject.address,
        "staff_number": person.target,
        "display_name": person.name.display,
        "surname": person.name.last,
        "given_name": person.name.first or None,
        # Where mail of the directory's own Exchange servers is routed to: only tenants that had some have the domain.
        "other_addresses": [f"{local}@{routing}"] if routing in world.tenant.domains and domain != routing else [],
        "phone": person.contact.phone,
        "department": person.department,
        "manager": manager.dn if manager is not None else None,
        "description": f"Matricule {person.target}, {person.site.name}",
    }
    title = T("Create the account {login} of {name}, {address}", login=person.login, name=person.name.display,
              address=subject.address)  # fmt: skip
    if person.address:
        reason = T("Nobody in either directory bears the staff number; the request names the address.")
    else:
        reason = T("Nobody in either directory bears the staff number; {address} is the first address of the naming"
                   " rule that nobody has or ever had.", address=subject.address)  # fmt: skip
    undo = T("`dsi account disable {number}`; its address is never given to anybody else in {domain}.",
             number=person.target, domain=policy.domain)  # fmt: skip
    return subject.action("create_account", args, title, reason, undo)


def _set_password(subject: Subject, inputs: MailboxInputs) -> Step:
    account, envelope = subject.account, subject.facts.envelope
    sealed = envelope is not None and envelope.sealed
    args: dict[str, Json] = {"login": subject.login, "address": subject.address}
    title = T("Set a temporary password, sealed into the envelope of {target}", target=subject.target)
    if account is None and subject.user is None:
        return subject.action("set_password", args, title, T("A new account has none."))
    if account is not None and not account.enabled:
        if account.password_set_at is None:
            return subject.action("set_password", args, title, T("The account has none yet."))
        if not sealed:
            reason = T("The account has one, and no envelope holds it: nobody would ever know it.")
            return subject.action("set_password", args, title, reason)
        return subject.nothing("set_password", T("The account has the password that is sealed in its envelope."))
    if not inputs.reset:
        if account is not None and account.must_change and account.last_logon is None and not sealed:
            reason = T("The account has a temporary password that was handed over, or that nobody has; -i reset=true"
                       " gives it another.")  # fmt: skip
            return subject.nothing("set_password", reason)
        if account is not None and account.must_change and sealed:
            reason = T("Its temporary password is sealed in the envelope of {target}, to be handed over:"
                       " `dsi mailbox handover {target}`.", target=subject.target)  # fmt: skip
            return subject.nothing("set_password", reason)
        reason = T("The account is in use with its own password; -i reset=true would give it another.")
        return subject.nothing("set_password", reason)
    if account is None:
        # The tenant does not tell whether a password is the right one: it is set again until it was handed over.
        done = sealed and envelope is not None and envelope.delivered_at is not None
    else:
        done = sealed and subject.facts.password is PasswordState.MUST_CHANGE
    if done:
        reason = T("The password sealed in the envelope is the account's, and nobody has seen it.")
        return subject.nothing("set_password", reason)
    return subject.action("set_password", args, title, T("A new one was asked for (reset)."))


def _enable_account(subject: Subject) -> Step:
    if subject.account is None and subject.user is not None:
        return subject.nothing("enable_account", T("There is no account in the directory."))
    if subject.account is not None and subject.account.enabled:
        return subject.nothing("enable_account", T("The account is enabled."))
    return subject.action(
        "enable_account",
        {"login": subject.login, "address": subject.address},
        T("Enable the account; its password must be changed at the first logon"),
        T("It is made disabled, so that nobody uses it before it has its password."),
        T("Disable it: `dsi account disable {number}`.", number=subject.target),
    )


def _synchronise(subject: Subject) -> Step:
    account, user = subject.account, subject.user
    if user is not None and (account is None or user.immutable_id == account.immutable_id):
        return subject.nothing("synchronise", T("The tenant knows the user {upn}.", upn=user.upn))
    if user is not None and subject.ready:
        reason = T("The tenant has the user {upn} with a mailbox that answers; it is not linked to the directory's"
                   " account.", upn=user.upn)  # fmt: skip
        return subject.nothing("synchronise", reason)
    return subject.action(
        "synchronise",
        {"login": subject.login, "address": subject.address},
        T("Wait until the tenant knows the account"),
        T("The tenant takes its users from the directory (Entra Connect or Cloud Sync)."),
    )


def _create_cloud_user(subject: Subject, world: AccountsWorld) -> Step:
    person = subject.person
    if subject.user is not None:
        return subject.nothing("create_cloud_user", T("The tenant has the user {upn}.", upn=subject.user.upn))
    return subject.action(
        "create_cloud_user",
        {
            "address": subject.address,
            "mail_nickname": subject.address.partition("@")[0],
            "display_name": person.name.display,
            "surname": person.name.last,
            "given_name": person.name.first or None,
            "staff_number": person.target,
            "usage_location": world.policy.usage_location,
            "department": person.department,
            "phone": person.contact.phone,
        },
        T("Create the user {address} in the tenant", address=subject.address),
        T("It was asked for although the tenant is synchronised (in_cloud).")
        if world.tenant.hybrid
        else T("No directory is synchronised with the tenant."),
        T("`dsi account disable {number}`.", number=person.target),
    )


def _set_location(subject: Subject, world: AccountsWorld, *, hybrid: bool) -> Step:
    country, user = world.policy.usage_location, subject.user
    if user is not None and user.usage_location:
        reason = T("Its usage location is {country}.", country=user.usage_location)
        return subject.nothing("set_location", reason)
    if user is None and not hybrid:
        return subject.nothing("set_location", T("The user is created with it."))
    if not subject.granted:
        return subject.nothing("set_location", T("No licence is assigned, and only a licence needs it."))
    return subject.action(
        "set_location",
        {"address": subject.address, "country": country},
        T("Set the usage location {country}", country=country),
        T("Microsoft 365 assigns no licence to a user without one."),
    )


def _assign_licence(subject: Subject) -> Step:
    if subject.kept is not None:
        reason = T("{target} has the licence {part}.", target=subject.target, part=subject.kept.part_number)
        return subject.nothing("assign_licence", reason)
    sku, licence = subject.sku, subject.person.licence
    if not subject.granted:
        reason = T("No seat of {part} is left, and the account was asked for without one.", part=sku.part_number)
        return subject.nothing("assign_licence", reason)
    return subject.action(
        "assign_licence",
        {"address": subject.address, "licence": licence, "sku_id": sku.id, "part_number": sku.part_number},
        T("Assign the licence {licence} ({part})", licence=licence, part=sku.part_number),
        T("It brings the mailbox; a seat is left for it."),
        T("`dsi licence remove {number} --licence {licence}`.", number=subject.target, licence=licence),
    )


def _hand_over(subject: Subject, world: AccountsWorld, *, changed: bool) -> Step:
    envelope = subject.facts.envelope
    undelivered = envelope is not None and envelope.delivered_at is None
    if subject.kept is None and not subject.granted:
        reason = T("Without a licence there is no mailbox to hand over; ask again once a seat is free.")
        return subject.nothing("hand_over", reason)
    if not changed and not undelivered:
        return subject.nothing("hand_over", _why_nothing(subject, world))
    mail_to = _mail_to(subject, world)
    title = T("Prove that the mailbox answers, and write the letter")
    if mail_to is not None:
        title = T("Prove that the mailbox answers, write the letter, and tell {mail_to} by mail", mail_to=mail_to)
    return subject.action(
        "hand_over",
        {"address": subject.address, "mail_to": mail_to},
        title,
        T("A mailbox is handed over once it is ready, never before."),
    )


def _why_nothing(subject: Subject, world: AccountsWorld) -> Text:
    if not subject.ready:
        return T("{target} has a licence, and the mailbox is not ready: `dsi mailbox check {target}` says what it"
                 " waits for.", target=subject.target)  # fmt: skip
    user = subject.user
    sku = mailbox_sku(user, world.skus, subject.sku.part_number) if user is not None else None
    moments = [plan.assigned_at for plan in (user.plans if user else ()) if plan.service.lower() == "exchange"]
    known = sorted(moment for moment in moments if moment is not None)
    if known and sku is not None:
        return T(
            "{target} has the mailbox {address} since {since:%Y-%m-%d}; its settings: `dsi mailbox handover {target}`.",
            target=subject.target, address=subject.address, since=known[0],
        )  # fmt: skip
    return T("{target} has the mailbox {address}; its settings: `dsi mailbox handover {target}`.",
             target=subject.target, address=subject.address)  # fmt: skip


def _mail_to(subject: Subject, world: AccountsWorld) -> str | None:
    """Return who gets the mail without the password: the manager, else the personal address; None for nobody."""
    if world.settings.sender is None:
        return None
    manager = world.managers.get(subject.person.manager)
    own = subject.person.contact.mail
    # The new mailbox itself cannot be where its settings are read.
    return (manager.mail if manager is not None else None) or (own if own and own.lower() != subject.address else None)
