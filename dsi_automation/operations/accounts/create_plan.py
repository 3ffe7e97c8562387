"""What `mailbox.create` takes for each person of a batch, decided from facts alone (procedure E)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dsi_automation.connectors.directory.accounts import Account
from dsi_automation.connectors.m365.port import Sku
from dsi_automation.core.errors import DsiError
from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Blocker, Plan
from dsi_automation.core.text import T
from dsi_automation.engine.operation import Observed
from dsi_automation.operations.accounts import matching, seats
from dsi_automation.operations.accounts.addresses import AddressBook
from dsi_automation.operations.accounts.create_begin import address_gone, others_with
from dsi_automation.operations.accounts.create_steps import Subject, steps
from dsi_automation.operations.accounts.existing import check_in_use, own_address
from dsi_automation.operations.accounts.facts import AccountsWorld, PersonFacts
from dsi_automation.operations.accounts.matching import Match
from dsi_automation.operations.accounts.people import MailboxInputs
from dsi_automation.operations.accounts.readiness import mailbox_sku
from dsi_automation.operations.accounts.references import Problems, References, read_references
from dsi_automation.operations.decided import Decided


def decide(
    targets: Sequence[str],
    inputs: MailboxInputs,
    observed: Observed[PersonFacts, AccountsWorld | None],
    approved: Plan | None = None,
) -> Mapping[str, Decided]:
    """Return what each target takes; the order of targets and rows changes nothing.

    Args:
        approved: the plan under which this is decided again: its addresses stay while nobody else has them.
    """
    decided = {target: Decided() for target in targets}
    for target in targets:
        if target in observed.failures:
            decided[target].blockers.append(_unseen(target, observed.failures[target]))
    world = observed.shared
    seen = sorted(target for target in targets if target in observed.facts)
    if world is None:
        return decided
    problems = {target: Problems(target) for target in seen}
    people = _people(seen, inputs, world, problems)
    subjects = _subjects(people, inputs, observed.facts, world, problems, approved)
    _seat(subjects, inputs, world, problems, approved)
    promised = _promised(approved)
    for target in seen:
        gone = _gone(target, promised[target], world) if problems[target].found and target in promised else None
        decided[target].blockers += problems[target].found if gone is None else [gone]
        if target in subjects and not problems[target].found:
            actions, non_actions = steps(subjects[target], world, inputs)
            decided[target].actions += actions
            decided[target].non_actions += non_actions
    return decided


def _people(
    targets: Sequence[str], inputs: MailboxInputs, world: AccountsWorld, problems: Mapping[str, Problems]
) -> dict[str, References]:
    """Return everybody whose references are right in themselves; what is wrong with them or the rest is noted."""
    rows, people = inputs.rows(), dict[str, References]()
    for target in targets:
        person, wrong = read_references(target, rows.get(target, ()), world.policy, world.sites)
        problems[target].found += wrong
        manager = next((row.manager for row in rows.get(target, ()) if row.manager), "")
        if manager in world.managers:
            _check_manager(manager, world.managers[manager], problems[target])
        if person is not None:
            people[target] = person
            _check_place(person, world, problems[target])
    return people


def _check_manager(manager: str, found: Account | None, problems: Problems) -> None:
    if found is None:
        problems.add(
            T("The manager “{manager}” has no account in the directory, or several.", manager=manager),
            T("Give the manager's staff number, login or address; or none."),
        )
    elif not found.enabled:
        problems.add(
            T("The account of the manager “{manager}” is disabled.", manager=manager),
            T("Give the manager of today; or none."),
        )


def _check_place(person: References, world: AccountsWorld, problems: Problems) -> None:
    if person.ou in world.missing_ous:
        problems.add(
            T("The organisational unit {ou} does not exist in the directory.", ou=person.ou),
            T("Create it, or correct user_ou of site {site} in the inventory.", site=person.site.code),
        )
    domains = {world.policy.domain, person.address.partition("@")[2] or world.policy.domain}
    for domain in sorted(domains - set(world.tenant.domains)):
        problems.add(
            T("The domain {domain} is not a verified domain of the tenant {tenant}.",
              domain=domain, tenant=world.tenant.name),
            T("Correct the address or the domain in dsi_accounts, or have the domain verified."),
        )  # fmt: skip
    sku = _sku(person, world)
    if sku is None or not sku.has_mailbox:
        problems.add(
            T("The tenant does not subscribe to the licence {part}.", part=person.part_number)
            if sku is None
            else T("The licence {part} brings no mailbox.", part=person.part_number),
            T("Choose another licence, or correct licences in dsi_accounts: `dsi licence list` shows the tenant's."),
        )


def _subjects(
    people: Mapping[str, References],
    inputs: MailboxInputs,
    facts: Mapping[str, PersonFacts],
    world: AccountsWorld,
    problems: Mapping[str, Problems],
    approved: Plan | None,
) -> dict[str, Subject]:
    """Return everybody with what they have already, and the address they have or are to have."""
    matches, strangers = dict[str, Match](), list[References]()
    for target, person in people.items():
        doubts = Problems(target)
        matches[target] = matching.match(person, facts[target], doubts)
        if not doubts.found:
            check_in_use(person, matches[target], facts[target], world, doubts, inputs)
        if matches[target] == Match() and not doubts.found:
            strangers.append(person)
        problems[target].found += doubts.found
    matching.refuse_shared(matches, problems)
    # A person whom something else blocks keeps the place: the address of the next one does not depend on that.
    planned = AddressBook(world, _promised(approved)).plan(strangers, problems)
    subjects = {}
    for target, person in people.items():
        found, sku = matches[target], _sku(person, world)
        address = planned.get(target) or own_address(person, found, world, problems[target])
        if found.user is None:
            asked = {*person.natural_addresses(world.policy.domain), *((address,) if address else ())}
            matching.refuse_deleted(person, sorted(asked), world, problems[target])
        if address is not None and sku is not None:
            subjects[target] = Subject(person, facts[target], found.account, found.user, address, sku)
    return subjects


def _seat(
    subjects: dict[str, Subject],
    inputs: MailboxInputs,
    world: AccountsWorld,
    problems: Mapping[str, Problems],
    approved: Plan | None,
) -> None:
    """Note who keeps a licence, who gets a seat, and who does not; nobody who is blocked takes one."""
    wanted = dict[str, Sku]()
    for target, subject in subjects.items():
        held = seats.held(subject.user, world.skus)
        kept = mailbox_sku(subject.user, world.skus, subject.sku.part_number) if subject.user else None
        if kept is not None and (kept.id == subject.sku.id or not subject.person.chosen):
            subjects[target] = replace(subject, kept=kept)
            continue
        rival = next((one for one in held if seats.excludes(one, subject.sku)), None)
        if rival is not None:
            problems[target].add(
                T("{target} has the licence {held}, which excludes {wanted}.",
                  target=target, held=rival.part_number, wanted=subject.sku.part_number),
                T("Ask without a licence to keep it, or remove it first: `dsi licence remove`."),
            )  # fmt: skip
        elif not problems[target].found and not _goes_without(target, inputs, approved):
            wanted[target] = subject.sku
    shared = seats.share_out(wanted)
    for target in shared.granted:
        subjects[target] = replace(subjects[target], granted=True)
    for target, missing in shared.short.items():
        if not inputs.without_seat:
            seats.refuse_short(target, wanted[target], missing, problems[target])


def _goes_without(target: str, inputs: MailboxInputs, approved: Plan | None) -> bool:
    """Tell whether it was approved that this person gets no licence: a seat that is free by now is not taken."""
    if approved is None or not inputs.without_seat or target not in approved.targets:
        return False
    return all(action.kind != "assign_licence" for action in approved.actions_for(target))


def _promised(approved: Plan | None) -> dict[str, str]:
    actions = approved.actions if approved is not None else ()
    return {action.target: str(action.args["address"]) for action in actions if action.kind == "create_account"}


def _gone(target: str, address: str, world: AccountsWorld) -> Blocker | None:
    """Return why an approved address cannot be given any more; None when nobody else has it.

    Who has it may be a stranger or a riddle for a person; what was approved is past either way.
    """
    holders = others_with(target, world.holders.get(address, ()), world.cloud_holders.get(address, ()))
    if not holders:
        return None
    error = address_gone(target, address, "; ".join(holders))
    return Blocker(target, error.what, error.next_step or error.what, ExitCode.WORLD_CHANGED)


def _sku(person: References, world: AccountsWorld) -> Sku | None:
    return next((sku for sku in world.skus if sku.part_number == person.part_number), None)


def _unseen(target: str, error: DsiError) -> Blocker:
    advice = error.next_step or T("See to it that both directories answer, then ask again.")
    return Blocker(target, error.what, advice, error.look_exit_code)
