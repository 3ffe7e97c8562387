"""Licence seats, counted for the whole batch before the first write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dsi_automation.connectors.m365.port import CloudUser, Sku
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.accounts.references import Problems


@dataclass(frozen=True, slots=True)
class Seats:
    """Who of a batch gets a seat.

    Attributes:
        granted: targets that get one.
        short: for each target that does not, how many more seats of its licence the batch needs.
    """

    granted: frozenset[str]
    short: Mapping[str, int]


def share_out(wanted: Mapping[str, Sku]) -> Seats:
    """Give the free seats of each licence out, in the order of the staff numbers.

    Args:
        wanted: the licence of each target that needs a seat of it.
    """
    granted: set[str] = set()
    short: dict[str, int] = {}
    for sku_id in {sku.id for sku in wanted.values()}:
        targets = sorted(target for target, sku in wanted.items() if sku.id == sku_id)
        free = next(sku.free for sku in wanted.values() if sku.id == sku_id)
        granted |= set(targets[:free])
        short |= dict.fromkeys(targets[free:], len(targets) - free)
    return Seats(frozenset(granted), short)


def refuse_short(target: str, sku: Sku, missing: int, problems: Problems) -> None:
    """Add the problem of somebody for whom no seat is left."""
    problems.add(
        none_left(target, sku),
        TN("Buy {n} seat more or free one (`dsi licence list`), or ask with -i without_seat=true for the account"
           " without a licence.",
           "Buy {n} seats more or free some (`dsi licence list`), or ask with -i without_seat=true for the accounts"
           " without a licence.", missing),
    )  # fmt: skip


def none_left(target: str, sku: Sku) -> Text:
    """Return the sentence for somebody for whom no seat is left; those still free went to others of the batch."""
    if sku.free > 0:
        return T("No seat of {licence} is left for {target}: {used} of {total} are in use, the others go to"
                 " other rows.",
                 licence=sku.part_number, target=target, used=sku.used, total=sku.total)  # fmt: skip
    return T("No seat of {licence} is left for {target} ({used} of {total} are in use).",
             licence=sku.part_number, target=target, used=sku.used, total=sku.total)  # fmt: skip


def held(user: CloudUser | None, skus: Iterable[Sku]) -> tuple[Sku, ...]:
    """Return the licences somebody has, of those the tenant subscribes to."""
    return () if user is None else tuple(sku for sku in skus if sku.id in user.licences)


def excludes(one: Sku, other: Sku) -> bool:
    """Tell whether two licences cannot be one person's: they bring different kinds of mailbox.

    Source: the error MutuallyExclusiveViolation of assignLicense; EXCHANGE_S_FOUNDATION and archives go with any.
    """
    mine, theirs = _mailbox_plans(one), _mailbox_plans(other)
    return bool(mine and theirs and mine != theirs)


def _mailbox_plans(sku: Sku) -> frozenset[str]:
    return frozenset(
        plan
        for plan in sku.service_plans
        if plan.startswith("EXCHANGE_S_") and plan != "EXCHANGE_S_FOUNDATION" and "ARCHIVE" not in plan
    )
