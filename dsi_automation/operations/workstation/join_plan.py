"""What joining a workstation takes, decided from facts alone (procedure C)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dsi_automation.connectors.directory.names import parent, same_dn
from dsi_automation.connectors.directory.port import Computer, User
from dsi_automation.core.errors import UsageError
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import T
from dsi_automation.inventory.model import DirectorySettings, Site, WorkstationPolicy
from dsi_automation.inventory.naming import matches, next_free
from dsi_automation.operations.decided import Decided
from dsi_automation.operations.workstation.facts import WorkstationFacts
from dsi_automation.operations.workstation.profile_plan import plan_profile
from dsi_automation.operations.workstation.requirements import remedy, specifications


@dataclass(frozen=True, slots=True)
class Domain:
    """What concerns every machine of one plan.

    Attributes:
        computers: the computer objects that matter, by name in upper case.
        users: the domain users to whom profiles go, by the login asked.
        missing_ous: OUs of the inventory that the directory does not have.
    """

    settings: DirectorySettings
    policy: WorkstationPolicy
    sites: Mapping[str, Site]
    computers: Mapping[str, Computer]
    users: Mapping[str, User | None] = field(default_factory=dict)
    missing_ous: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for one machine.

    Attributes:
        user: login of the domain user to whom a local profile goes.
        local_user: the local account whose profile it is, when it is not to be guessed.
        leave_domain: take the machine out of another domain.
        repair: run the repair script after the profile changed hands.
    """

    user: str | None = None
    local_user: str | None = None
    leave_domain: bool = False
    repair: bool = False


def decide(
    target: str, facts: WorkstationFacts, wish: Wish, domain: Domain, taken: set[str], promised: str | None = None
) -> Decided:
    """Return what joining one machine takes.

    Args:
        taken: names in upper case that nobody may be given; the name chosen here is added.
        promised: the name approved for this machine, still free: it is among `taken` for the others.
    """
    decided = Decided()
    site = domain.sites[target]
    member = facts.joined and facts.domain.lower() == domain.settings.domain.lower()
    _block_unfit(target, facts, wish, domain, decided, member=member)
    if decided.blockers:
        return decided
    try:
        name = _name(target, facts, site, taken, promised, decided)
    except UsageError as error:
        decided.blockers.append(Blocker(target, error.what, error.next_step or T("Widen the site's naming rule.")))
        return decided
    if facts.joined and not member:
        _leave(target, facts, decided)
    _place(target, _object(facts, name, domain, member=member), name, site, decided, member=member)
    _join(target, facts, name, site, domain, decided, member=member)
    _reboot(target, facts, decided)
    plan_profile(target, facts, wish.user, wish.local_user, domain.users, domain.settings.netbios, decided)
    return decided


def _block_unfit(
    target: str, facts: WorkstationFacts, wish: Wish, domain: Domain, decided: Decided, *, member: bool
) -> None:
    site = domain.sites[target]
    for check in specifications(target, facts, domain.policy):
        if not check.ok:
            reason = T("{title}: {observed}, {expected} is required.",
                       title=check.title, observed=check.observed, expected=check.expected)  # fmt: skip
            decided.blockers.append(Blocker(target, reason, remedy(check)))
    if facts.joined and not member and not wish.leave_domain:
        decided.blockers.append(
            Blocker(
                target,
                T("The machine is a member of another domain, {domain}.", domain=facts.domain),
                T("If it must leave it, ask with -i leave_domain=true."),
            )
        )
    if site.workstation_ou in domain.missing_ous:
        decided.blockers.append(
            Blocker(
                target,
                T("The organisational unit {ou} does not exist in the directory.", ou=site.workstation_ou),
                T("Create it, or correct workstation_ou of site {site} in the inventory.", site=site.code),
            )
        )


def _name(
    target: str, facts: WorkstationFacts, site: Site, taken: set[str], promised: str | None, decided: Decided
) -> str:
    current = facts.final_name
    if matches(site.naming, current):
        decided.non_actions.append(
            NonAction(
                target, "rename", T("The name {name} follows the rule of site {site}.", name=current, site=site.code)
            )
        )
        taken.add(current.upper())
        return current
    kept = promised if promised is not None and matches(site.naming, promised) else None
    name = kept or next_free(site.naming, taken)
    taken.add(name.upper())
    decided.actions.append(
        Action(
            target,
            "rename",
            {"from": current, "to": name},
            T("Rename {old} to {new}", old=current, new=name),
            T(
                "The name {old} breaks the rule {rule} of site {site}; {new} is the next free one.",
                old=current,
                rule=site.naming.template,
                site=site.code,
                new=name,
            ),
            T("Rename it back to {old} and restart.", old=current),
        )
    )
    return name


def _object(facts: WorkstationFacts, name: str, domain: Domain, *, member: bool) -> Computer | None:
    # A member's object bears the name it has now; a rename gives it the new one at once.
    now = domain.computers.get(facts.name.upper()) if member else None
    return now or domain.computers.get(name.upper())


def _place(target: str, computer: Computer | None, name: str, site: Site, decided: Decided, *, member: bool) -> None:
    if computer is None:
        return
    if same_dn(parent(computer.dn), site.workstation_ou):
        reason = T("The object {name} is already in {ou}.", name=name, ou=site.workstation_ou)
        decided.non_actions.append(NonAction(target, "move", reason))
        return
    why = (
        T("The machine belongs to site {site}, its object is elsewhere.", site=site.code)
        if member
        else T("An object of that name exists elsewhere; it is moved before the machine joins with it.")
    )
    decided.actions.append(
        Action(
            target,
            "move",
            {"guid": computer.guid, "name": name, "to": site.workstation_ou},
            T(
                "Move the object {name} from {old} to {new}",
                name=name,
                old=parent(computer.dn),
                new=site.workstation_ou,
            ),
            why,
            T("Move it back to {old}.", old=parent(computer.dn)),
        )
    )


def _join(
    target: str, facts: WorkstationFacts, name: str, site: Site, domain: Domain, decided: Decided, *, member: bool
) -> None:
    settings = domain.settings
    if member:
        reason = T("The machine is already a member of {domain}.", domain=settings.domain)
        decided.non_actions.append(NonAction(target, "join", reason))
        return
    args = {"domain": settings.domain, "name": name, "ou": site.workstation_ou}
    if facts.joined:
        reason = T("The machine has left its domain by then.")
    else:
        reason = T("The machine is in no domain (workgroup {group}).", group=facts.domain or "-")
    decided.actions.append(
        Action(
            target,
            "join",
            args,
            T("Join {name} to {domain}, in {ou}", name=name, domain=settings.domain, ou=site.workstation_ou),
            reason,
            T("Take the machine out of the domain and delete or disable its object."),
        )
    )


def _leave(target: str, facts: WorkstationFacts, decided: Decided) -> None:
    # First of all: a rename of a member would go to the old domain, where nobody gave us an account.
    decided.actions.insert(
        0,
        Action(
            target,
            "leave",
            {"domain": facts.domain},
            T("Take the machine out of {domain}", domain=facts.domain),
            T("The machine is a member of {domain} and it was asked to leave it.", domain=facts.domain),
            T("Join it to {domain} again, with an account of that domain.", domain=facts.domain),
        ),
    )


def _reboot(target: str, facts: WorkstationFacts, decided: Decided) -> None:
    changed = [action.kind for action in decided.actions if action.kind in {"rename", "join"}]
    waiting = [reason for reason in facts.reboot_reasons if reason in {"rename", "join"}]
    if not changed and not waiting:
        decided.non_actions.append(NonAction(target, "reboot", T("Nothing that was changed needs a restart.")))
        return
    reason = (
        T("The new name and the membership take effect at a restart; one is enough for both.")
        if changed
        else T("A change made before waits for a restart.")
    )
    decided.actions.append(Action(target, "reboot", {}, T("Restart the machine"), reason))
