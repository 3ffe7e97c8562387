"""What `mailbox.check` says of the tenant as a whole: the seats, and who has or lacks a licence without reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dsi_automation.connectors.m365.port import CloudUser, Sku
from dsi_automation.core.results import Check
from dsi_automation.core.text import TN, T
from dsi_automation.engine.operation import ALL
from dsi_automation.inventory.account_model import AccountPolicy, LeaverLicence
from dsi_automation.operations.accounts.check_person import Person, Tenancy, needs
from dsi_automation.operations.accounts.readiness import is_ready, mailbox_sku

SCARCE: Final = 0.05
"""Part of the seats below which their end is announced."""
SOURCE: Final = "Graph /subscribedSkus"


def seat_checks(policy: AccountPolicy, skus: Sequence[Sku]) -> Iterator[Check]:
    """Return a comparison for each licence; one that the inventory does not name is worth a remark at most."""
    named = {part: name for name, part in policy.licences.items()}
    for name, part in sorted(policy.licences.items()):
        if part not in {sku.part_number for sku in skus}:
            title, none = T("Seats of {licence}", licence=part), str(T("the tenant does not have it"))
            yield Check(ALL, f"seats.{part}", title, name, none, ok=False, source=SOURCE)
    held = [sku for sku in skus if sku.part_number in named or sku.total or sku.used]
    for sku in sorted(held, key=lambda one: (one.part_number not in named, one.part_number)):
        expected = TN("at least {n} free", "at least {n} free", _scarce(sku))
        observed = T("{used} of {total} used, {free} free", used=sku.used, total=sku.total, free=sku.free)
        if not sku.enabled:
            observed = T("{numbers}; it may not be assigned now", numbers=observed)
        yield Check(
            ALL,
            f"seats.{sku.part_number}",
            T("Seats of {licence}", licence=sku.part_number),
            str(expected),
            str(observed),
            ok=sku.free >= _scarce(sku),
            source=SOURCE,
            warning=sku.free > 0 or sku.part_number not in named,
        )


def lists(people: Sequence[Person], world: Tenancy, policy: AccountPolicy) -> dict[str, list[str]]:
    """Return the people each of these lists is about.

    `without_licence`: enabled, and no licence with a mailbox. `licence_without_mailbox`: a licence, and no mailbox that
    is ready. `switched_off_with_licence`: left, and still holding a seat although the site frees those.
    `only_in_directory`: no user in the tenant.
    """
    there = [(person, person.user) for person in people if person.user is not None]
    on = [(person, user) for person, user in there if not person.off]
    held = {person.target: mailbox_sku(user, world.skus) for person, user in there}
    left = [person.target for person, user in there if person.off and user.licences]
    return {
        "without_licence": [person.target for person, _ in on if held[person.target] is None],
        "licence_without_mailbox": [
            person.target for person, _ in on if held[person.target] is not None and not is_ready(needs(person, world))
        ],
        "switched_off_with_licence": left if policy.leaver_licence is LeaverLicence.FREE else [],
        "only_in_directory": [person.target for person in people if person.user is None and not person.off],
    }


def list_checks(found: Mapping[str, Sequence[str]]) -> Iterator[Check]:
    """Return a comparison for each list: nobody should be on it."""
    titles = {
        "without_licence": T("Accounts without a licence"),
        "licence_without_mailbox": T("Licences without a mailbox"),
        "switched_off_with_licence": T("Licences of people who left"),
        "only_in_directory": T("Accounts that the tenant does not know"),
    }
    for name, title in titles.items():
        people = found[name]
        observed = f"{len(people)}: {', '.join(people)}" if people else "0"
        # A licence that is paid for and gives no mailbox is a fault; the others may be meant.
        warning = name != "licence_without_mailbox"
        yield Check(ALL, name, title, "0", observed, not people, "LDAP, Graph /users", warning=warning)


def seat_facts(policy: AccountPolicy, skus: Sequence[Sku], users: Sequence[CloudUser]) -> list[dict[str, Any]]:
    """Return the seats as data.

    `held_by_others` are seats in use that no listed user holds: users deleted less than 30 days ago keep theirs.
    """
    named = {part: name for name, part in policy.licences.items()}
    return [
        {
            "licence": named.get(sku.part_number),
            "part_number": sku.part_number,
            "sku_id": sku.id,
            "mailbox": sku.has_mailbox,
            "assignable": sku.enabled,
            "total": sku.total,
            "used": sku.used,
            "free": sku.free,
            "held_by_others": max(0, sku.used - sum(sku.id in user.licences for user in users)),
        }
        for sku in sorted(skus, key=lambda one: one.part_number)
    ]


def _scarce(sku: Sku) -> int:
    return max(1, round(sku.total * SCARCE))
