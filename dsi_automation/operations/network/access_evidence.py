"""What an independent look finds once accesses were opened or closed: the devices read anew, the tries made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from dsi_automation.connectors.routers.intent import AccessRule
from dsi_automation.core.errors import RefusedError, UnreachableError
from dsi_automation.core.events import Observer
from dsi_automation.core.plan import Action, Plan
from dsi_automation.core.results import Check
from dsi_automation.core.text import T, Text
from dsi_automation.engine.fleet import fan_out
from dsi_automation.operations.network.access_act import probe_of, try_check, words_of
from dsi_automation.operations.network.access_plan import SAVE
from dsi_automation.operations.network.access_tries import Try, attempt, passed
from dsi_automation.operations.network.record import closed_by, opened_by
from dsi_automation.operations.tools import Look

LAG: Final = timedelta(seconds=2)
"""A router counts whole seconds from when it was told: an access that has just ended may be seen or not."""


def evidence(plan: Plan, look: Look, observer: Observer) -> Sequence[Check]:
    """Read every router of a plan through connections of its own, and make the plan's tries once more."""
    seen = fan_out(
        plan.targets, lambda name: list(_of(name, plan, look)), workers=look.workers, deadline=None, observer=observer
    )
    checks = [check for found in seen.results.values() for check in found]
    for name, error in seen.failures.items():
        checks.append(
            Check(name, "look", T("Independent look"), str(T("answers")), str(error.what), ok=False, source=name)
        )
    return checks


def _of(router: str, plan: Plan, look: Look) -> Iterator[Check]:
    actions = [one for one in plan.actions_for(router) if one.kind != SAVE]
    opened = [rule for one in actions for rule in opened_by(one)]
    closed = [rule for one in actions for rule in closed_by(one)]
    asked = look.clock.now()
    with look.router(router) as reader:
        dialect, seen = reader.dialect, reader.seen()
        running, saved = dialect.rules(seen.running), dialect.rules(seen.startup)
        yield _answers(router, len(running))
        for rule in opened:
            if rule.until is not None and asked - LAG < rule.until <= look.clock.now():
                yield _ended(router, rule)
            else:
                yield _held(router, rule, running, saved, look, there=True)
        for rule in closed:
            yield _held(router, rule, running, saved, look, there=False)
    for action in actions:
        yield from _tried(router, action, look)


def _answers(router: str, count: int) -> Check:
    return Check(router, "accesses", T("Accesses that are open"), str(count), str(count), ok=True, source=router)


def _ended(router: str, rule: AccessRule) -> Check:
    words = str(T("ended while it was looked at"))
    return Check(router, f"access.{rule.id}", _title(rule), words, words, ok=True, source=router)


def _title(rule: AccessRule) -> Text:
    return T("{id}: {source} to {destination}, {service}", id=rule.id or "-", source=rule.source,
             destination=rule.destination, service=rule.service)  # fmt: skip


def _held(
    router: str,
    rule: AccessRule,
    running: Sequence[AccessRule],
    saved: Sequence[AccessRule],
    look: Look,
    *,
    there: bool,
) -> Check:
    """Return whether a rule is, or is not, on a device, and in what it starts with."""
    over = rule.until is not None and rule.until <= look.clock.now()
    runs = any(one.key == rule.key and one.until in {None, rule.until} for one in running)
    starts = any(one.key == rule.key for one in saved)
    wanted = there and not over
    expected = str(T("open, saved")) if wanted else str(T("closed"))
    if wanted:
        found = str(T("open, saved") if runs and starts else T("open, not saved") if runs else T("closed"))
        good = runs and starts
    else:
        found = str(T("open") if runs else T("closed, would start open") if starts and not over else T("closed"))
        good = not runs and (over or not starts)
    return Check(router, f"access.{rule.id}", _title(rule), expected, found, ok=good, source=router)


def _tried(router: str, action: Action, look: Look) -> Iterator[Check]:
    listed: Any = action.args.get("tries", [])
    tries = [Try.from_json(one) for one in listed]

    def over() -> bool:
        now = look.clock.now()
        return any(rule.until is not None and rule.until <= now for rule in opened_by(action))

    if not tries or over():
        return
    with probe_of(router, look) as probe:
        for one in tries:
            try:
                _, found = attempt(one, probe)
            except (RefusedError, UnreachableError) as error:
                yield try_check(router, one, str(error.what), ok=False)
                continue
            good = passed(found) == one.passes or (one.passes and over())
            yield try_check(router, one, str(words_of(passed(found))), ok=good)
