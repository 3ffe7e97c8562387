"""What loading a rule set takes, decided from facts alone, with the difference for whoever approves it."""

from __future__ import annotations

from itertools import islice
from typing import Final

from dsi_automation.core.exit_codes import ExitCode
from dsi_automation.core.plan import Action, Blocker, NonAction
from dsi_automation.core.text import TN, T, Text
from dsi_automation.operations.applications.rules_look import RulesFacts, Wish
from dsi_automation.operations.applications.rules_table import Difference, RuleTable, difference, lines
from dsi_automation.operations.decided import Decided

LOAD: Final = "load"
CACHES: Final = "caches"
MOST_SHOWN: Final = 20
"""Lines of the difference in the plan; `dsi rules diff` shows all."""


def decide(target: str, wish: Wish, facts: RulesFacts, approved: Action | None) -> Decided:
    """Return what is done about one rule set.

    Args:
        approved: in a run, the action that was approved.
    """
    if approved is not None and approved.args["after"] == facts.current.digest:
        return _there_already(target, wish, facts, approved)
    decided, wanted = Decided(), facts.wanted
    if wanted is None:
        decided.blockers.append(_not_to_be_had(target, wish, facts, in_run=approved is not None))
        return decided
    if wanted.digest == facts.current.digest:
        decided.non_actions.append(NonAction(target, LOAD, _same(facts)))
        return decided
    change = difference(facts.current, wanted)
    if wish.file is not None and (blocker := _too_much(target, change, facts)) is not None:
        decided.blockers.append(blocker)
        return decided
    decided.actions.append(_load(target, wish, facts, wanted, change))
    decided.non_actions.append(_caches(target, facts))
    return decided


def counts(change: Difference) -> Text:
    """Return how many rows a difference adds, changes and removes, in words."""
    return T(
        "{added}, {changed}, {removed}",
        added=TN("{n} row added", "{n} rows added", len(change.added)),
        changed=TN("{n} changed", "{n} changed", len(change.changed)),
        removed=TN("{n} removed", "{n} removed", len(change.removed)),
    )


def _there_already(target: str, wish: Wish, facts: RulesFacts, approved: Action) -> Decided:
    """Keep an action of which only the record lacks: its run was killed after the commit."""
    del wish
    if facts.noted:
        return Decided(non_actions=[NonAction(target, LOAD, _same(facts))])
    return Decided(actions=[approved], non_actions=[_caches(target, facts)])


def _load(target: str, wish: Wish, facts: RulesFacts, wanted: RuleTable, change: Difference) -> Action:
    rule = facts.rule
    origin = wish.file or f"sha256:{wanted.digest[:12]}"
    return Action(
        target,
        LOAD,
        {
            "rules": wish.rules,
            "table": rule.table,
            "from": origin,
            "before": facts.current.digest,
            "after": wanted.digest,
            "rows": len(wanted.rows),
            "added": len(change.added),
            "changed": len(change.changed),
            "removed": len(change.removed),
        },
        T("Load {title} from {origin}: {counts}", title=rule.title, origin=origin, counts=counts(change)),
        _shown(change, wish, facts),
        T("Put the former set back: dsi rules update {name} --back", name=wish.rules),
    )


def _shown(change: Difference, wish: Wish, facts: RulesFacts) -> Text:
    """Return the first lines of the difference, each a line of its own."""
    text = T("{table} has {rows} rows and differs from what is asked:", table=facts.rule.table,
             rows=len(facts.current.rows))  # fmt: skip
    for line in islice(lines(change), MOST_SHOWN):
        text = T("{before}\n{line}", before=text, line=line)
    more = len(change.added) + len(change.changed) + len(change.removed) - MOST_SHOWN
    if more <= 0:
        return text
    rest = TN("… and {n} more line: dsi rules diff {name} {how}", "… and {n} more lines: dsi rules diff {name} {how}",
              more, name=wish.rules, how=_typed(wish))  # fmt: skip
    return T("{before}\n{rest}", before=text, rest=rest)


def _typed(wish: Wish) -> str:
    if wish.file is not None:
        return wish.file
    return "--back" if wish.back else f"--sha256 {wish.sha256}"


def _same(facts: RulesFacts) -> Text:
    return TN(
        "{table} holds exactly that: {n} row, SHA-256 {sha}.",
        "{table} holds exactly that: {n} rows, SHA-256 {sha}.",
        len(facts.current.rows),
        table=facts.rule.table,
        sha=facts.current.digest[:12],
    )


def _caches(target: str, facts: RulesFacts) -> NonAction:
    return NonAction(
        target,
        CACHES,
        T(
            "The application may keep rules in its cache: it uses the new ones at the latest after its next evening "
            "stop ({hours}); sooner: dsi application restart {target}",
            hours=facts.planned_hours,
            target=target,
        ),
    )


def _too_much(target: str, change: Difference, facts: RulesFacts) -> Blocker | None:
    """Refuse a file that is probably another one, or cut off."""
    there, touched = len(facts.current.rows), len(change.changed) + len(change.removed)
    if not there or touched / there <= facts.rule.most_changed:
        return None
    return Blocker(
        target,
        T(
            "It would change or remove {touched} of {there} rows, {share}%; dsi_rules allows {most}% at once.",
            touched=touched,
            there=there,
            share=round(100 * touched / there),
            most=round(100 * facts.rule.most_changed),
        ),
        T("Check that it is the right file and whole; if it is, have `most_changed` raised in dsi_rules first."),
    )


def _not_to_be_had(target: str, wish: Wish, facts: RulesFacts, *, in_run: bool) -> Blocker:
    error = facts.problem
    assert error is not None  # noqa: S101  # what is wanted, or why it is not to be had
    following = error.next_step or T("Name another file, or a set that is kept.")
    if in_run:
        return Blocker(
            target,
            T("{file} is no longer what was approved: {problem}", file=wish.file or wish.sha256 or "--back",
              problem=error.what),
            T("Put the approved file back in its place, or make a new plan and ask for a new approval."),
            ExitCode.WORLD_CHANGED,
        )  # fmt: skip
    return Blocker(target, error.what, following, error.look_exit_code)
