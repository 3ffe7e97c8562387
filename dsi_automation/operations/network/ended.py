"""Accesses that ended by themselves: a Linux router takes each away when its time is over, and nobody changed it.

What runs is then no longer what a plan was made from, although all that is missing was known, and its end with it.
What ran is put together again from the record; the digest an approval is bound to proves that nothing else differs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from dsi_automation.connectors.routers.config import Config
from dsi_automation.connectors.routers.dialect import Dialect
from dsi_automation.connectors.routers.intent import AccessRule, RouterIntent, Scope
from dsi_automation.core.errors import RefusedError
from dsi_automation.core.plan import Action
from dsi_automation.operations.network.record import EXPIRED, AccessRecord
from dsi_automation.operations.network.wanted import filter_intent
from dsi_automation.operations.tools import Look


def over(record: AccessRecord, router: str, now: datetime) -> tuple[AccessRule, ...]:
    """Return the accesses of a router whose end is over, the last one first; none that was taken away before it."""
    found = {
        one.rule.key: one.rule
        for one in record.accesses
        if one.router == router and one.expired(now) and one.revoked_why in {None, EXPIRED}
    }
    return tuple(sorted(found.values(), key=lambda rule: rule.until or now, reverse=True))


def loaded(saved: Config, now: datetime, dialect: Dialect, intent: RouterIntent) -> Config:
    """Return what a router would start with now: accesses that are over are still saved, and not loaded again.

    Args:
        saved: what it keeps to start with.
        now: the moment.
        dialect: its words.
        intent: of its filter.
    """
    rules = dialect.rules(saved)
    left = [one for one in rules if one.until is None or one.until > now]
    if len(left) == len(rules):
        return saved
    try:
        return dialect.apply(saved, dialect.difference(saved, intent, left, Scope.RULES).lines)
    except RefusedError:
        return saved


def with_again(running: Config, rules: Sequence[AccessRule], dialect: Dialect, intent: RouterIntent) -> Config:
    """Return a configuration with accesses put back into it that it lacks; as it is where that cannot be.

    Args:
        intent: of the router's filter.
    """
    there = dialect.rules(running)
    keys = {one.key for one in there}
    gone = [one for one in rules if one.key not in keys]
    try:
        lines = dialect.difference(running, intent, (*there, *gone), Scope.RULES).lines
        again = dialect.apply(running, lines)
    except RefusedError:
        return running
    # A platform that keeps no ends takes nothing away by itself.
    ends = {(one.key, one.until) for one in dialect.rules(again)}
    return again if all((one.key, one.until) in ends for one in gone) else running


def as_it_was(
    running: Config, wanted: str, rules: Sequence[AccessRule], dialect: Dialect, intent: RouterIntent
) -> Config:
    """Return what ran before accesses ended, if its digest was `wanted`; else what runs.

    What there was at a moment are those that ended after it: they are put back one by one.

    Args:
        running: what runs.
        wanted: digest of what a plan was made from, or was to lead to.
        rules: of accesses that are over, the one that ended last first; see `over`.
        dialect: the router's words.
        intent: of its filter.
    """
    was = running
    there = {one.key for one in dialect.rules(running)}
    for rule in rules:
        if was.digest == wanted:
            return was
        if rule.key not in there:
            before, was = was, with_again(was, [rule], dialect, intent)
            if was is before:
                break
    return was if was.digest == wanted else running


def as_approved(
    running: Config,
    approved: Sequence[Action],
    rules: Sequence[AccessRule],
    dialect: Dialect,
    intent: RouterIntent,
) -> Config:
    """Return what ran when a plan was made, or once a part of it was done; what runs, where anything else changed.

    Args:
        running: what runs.
        approved: the plan's actions on this router.
        rules: of accesses that are over; see `as_it_was`.
        dialect: the router's words.
        intent: of its filter.
    """
    for digest in (str(one.args[name]) for one in approved for name in ("running", "after") if name in one.args):
        was = as_it_was(running, digest, rules, dialect, intent)
        if was.digest == digest:
            return was
    return running


def read_as(
    wanted: str,
    running: Config,
    router: str,
    dialect: Dialect,
    look: Look,
    but: Collection[tuple[str, str, str, int, int]] = (),
) -> Config:
    """Return what runs, or what ran before accesses ended if its digest was `wanted`; reads the record if need be.

    Args:
        wanted: the digest.
        running: what runs.
        router: where.
        dialect: its words.
        look: the read half.
        but: what accesses let through that are never put back: a change is about them.
    """
    if running.digest == wanted:
        return running
    rules = [one for one in over(look.access_record(), router, look.clock.now()) if one.key not in but]
    return as_it_was(running, wanted, rules, dialect, filter_intent(look.network, router))
