"""What assigning or removing a licence takes, decided from facts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsi_automation.connectors.m365.port import CloudUser, LicenceState, Sku
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.accounts.disable_plan import by_group
from dsi_automation.operations.accounts.known_look import Known, World, refuse_doubtful, refuse_twice
from dsi_automation.operations.accounts.readiness import problem_of, states_of
from dsi_automation.operations.accounts.seats import excludes, held, none_left, share_out
from dsi_automation.operations.decided import Decided

ASSIGN = "assign_licence"
REMOVE = "remove_licence"


def assign(targets: Sequence[str], licence: str, facts: Mapping[str, Known], world: World) -> dict[str, Decided]:
    """Return what each target takes to have the licence; seats are given out in the order of the targets' names."""
    decided, sku, users = _begin(targets, licence, facts, world)
    if sku is None:
        return decided
    wanting = {}
    for target, user in users.items():
        one = decided[target]
        _refuse_unfit(target, user, sku, world, one)
        if one.blockers:
            continue
        if sku.id in user.licences and not any(state.state == "Active" for state in states_of(user, sku.id)):
            # Assigned a moment ago, perhaps by a run that was killed: it has its seat and is waited for.
            _assign(target, user, licence, sku, world, one)
        elif sku.id in user.licences:
            reason: Text = T("{upn} has {licence} already.", upn=user.upn, licence=sku.part_number)
            if by_group(user, sku):
                reason = T("{upn} has {licence} already, from a group.", upn=user.upn, licence=sku.part_number)
            one.non_actions.append(NonAction(target, ASSIGN, reason))
        else:
            wanting[target] = sku
    short = share_out(wanting).short
    for target in wanting:
        if target in short:
            decided[target].blockers.append(_no_seat(target, sku, short[target]))
        else:
            _assign(target, users[target], licence, sku, world, decided[target])
    return decided


def remove(targets: Sequence[str], licence: str, facts: Mapping[str, Known], world: World) -> dict[str, Decided]:
    """Return what each target takes to have the licence no longer."""
    decided, sku, users = _begin(targets, licence, facts, world)
    for target, user in users.items() if sku is not None else ():
        assert sku is not None  # noqa: S101  # the loop is empty without one
        if sku.id not in user.licences:
            reason = T("{upn} does not have {licence}.", upn=user.upn, licence=sku.part_number)
            decided[target].non_actions.append(NonAction(target, REMOVE, reason))
        elif by_group(user, sku):
            decided[target].blockers.append(
                Blocker(
                    target,
                    T("{upn} has {licence} from a group.", upn=user.upn, licence=sku.part_number),
                    T("Take the person out of that group; its licence goes with it."),
                )
            )
        else:
            decided[target].actions.append(_removal(target, user, licence, sku))
    return decided


def _begin(
    targets: Sequence[str], licence: str, facts: Mapping[str, Known], world: World
) -> tuple[dict[str, Decided], Sku | None, dict[str, CloudUser]]:
    """Return the decisions so far, the licence, and the users that can be gone on with."""
    twice, sku = refuse_twice(targets, facts), _sku(licence, world)
    decided = {target: Decided() for target in targets if target in facts}
    users: dict[str, CloudUser] = {}
    for target, one in decided.items():
        if target in twice:
            one.blockers.append(twice[target])
            continue
        refuse_doubtful(target, facts[target], one)
        user = facts[target].user
        if sku is None:
            one.blockers.append(_no_such_licence(target, licence, world))
        elif user is None and not one.blockers:
            one.blockers.append(_no_user(target, world))
        elif user is not None and not one.blockers:
            users[target] = user
    return decided, sku, users


def _sku(licence: str, world: World) -> Sku | None:
    part_number = world.policy.licences.get(licence)
    return next(
        (sku for sku in world.skus if part_number and sku.part_number.casefold() == part_number.casefold()), None
    )


def _no_such_licence(target: str, licence: str, world: World) -> Blocker:
    if licence not in world.policy.licences:
        return Blocker(
            target,
            T("dsi_accounts has no licence {licence}.", licence=licence),
            T("Its licences are: {names}.", names=", ".join(sorted(world.policy.licences))),
        )
    part_number = world.policy.licences[licence]
    return Blocker(
        target,
        T(
            "The tenant has no subscription {part_number}, which {licence} stands for.",
            part_number=part_number,
            licence=licence,
        ),
        T("Correct the licences of dsi_accounts; `dsi licence list` shows what the tenant has."),
    )


def _no_user(target: str, world: World) -> Blocker:
    step = T("Create the mailbox with mailbox.create, which assigns the licence as well.")
    if world.hybrid:
        step = T("Wait for the synchronisation to bring the account, or look why it does not.")
    return Blocker(target, T("The tenant has no user {target}.", target=target), step)


def _refuse_unfit(target: str, user: CloudUser, sku: Sku, world: World, decided: Decided) -> None:
    rivals = [other.part_number for other in held(user, world.skus) if excludes(sku, other)]
    if rivals and sku.id not in user.licences:
        decided.blockers.append(
            Blocker(
                target,
                T("{upn} has {rivals}, which excludes {licence}: each brings a mailbox of its own kind.",
                  upn=user.upn, rivals=", ".join(rivals), licence=sku.part_number),
                T("Remove the other licence first, with licence.remove."),
            )
        )  # fmt: skip
    wrong = _error(user, sku)
    if wrong is not None:
        decided.blockers.append(
            Blocker(
                target,
                T("{upn} has {licence}, and it does not work: {problem}.",
                  upn=user.upn, licence=sku.part_number, problem=problem_of(wrong)),
                T("Remove the cause; the tenant tries again by itself."),
            )
        )  # fmt: skip


def _error(user: CloudUser, sku: Sku) -> LicenceState | None:
    states = list(states_of(user, sku.id))
    if any(state.state == "Active" for state in states):
        return None
    return next((state for state in states if state.error not in ("", "None")), None)


def _no_seat(target: str, sku: Sku, missing: int) -> Blocker:
    return Blocker(
        target,
        none_left(target, sku),
        TN("Buy {n} seat more, or free one.", "Buy {n} seats more, or free some.", missing),
    )


def _assign(target: str, user: CloudUser, licence: str, sku: Sku, world: World, decided: Decided) -> None:
    country = world.policy.usage_location
    seats = T("{free} of {total} seats are free.", free=sku.free, total=sku.total)
    if user.usage_location is None:
        decided.actions.append(
            Action(
                target,
                "set_location",
                {"address": user.upn, "country": country},
                T("Set the usage location of {upn} to {country}", upn=user.upn, country=country),
                T("Microsoft assigns no licence without one."),
            )
        )
    decided.actions.append(
        Action(
            target,
            ASSIGN,
            {"address": user.upn, "licence": licence, "sku_id": sku.id, "part_number": sku.part_number},
            T("Assign {licence} to {upn}", licence=sku.part_number, upn=user.upn),
            T("It is assigned and not active yet.") if sku.id in user.licences else seats,
            T("Remove it again with licence.remove."),
        )
    )


def _removal(target: str, user: CloudUser, licence: str, sku: Sku) -> Action:
    reason: Text = T("It was asked to remove it.")
    if sku.has_mailbox:
        reason = T("It was asked to remove it; Microsoft keeps the mailbox for 30 days, then deletes it.")
    return Action(
        target,
        REMOVE,
        {"address": user.upn, "licence": licence, "sku_id": sku.id, "part_number": sku.part_number},
        T("Remove {licence} from {upn}", licence=sku.part_number, upn=user.upn),
        reason,
        T("Assign it again within 30 days: the mailbox comes back with its mails."),
    )
