"""What `rules.update` looks at before it decides: the table, what is to be loaded, and what the record says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dsi_automation.core.errors import DsiError, NotCompliantError, UsageError
from dsi_automation.core.text import T
from dsi_automation.inventory.near import did_you_mean
from dsi_automation.inventory.rule_model import RuleSet
from dsi_automation.operations.applications.notes import RULES
from dsi_automation.operations.applications.record import ApplicationRecord
from dsi_automation.operations.applications.rules_file import parse_kept, read_file
from dsi_automation.operations.applications.rules_load import read_table
from dsi_automation.operations.applications.rules_table import RuleTable
from dsi_automation.operations.backups.catalogue import Noted
from dsi_automation.operations.tools import Look

KEPT: Final = "rules"
"""Under which name the state folder keeps rule sets."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: a file, or a set that was kept.

    Attributes:
        rules: name in `dsi_rules`.
        back: the set before the one that is in the table.
        sha256: of a set kept before; its beginning is enough.
    """

    rules: str
    file: str | None = None
    back: bool = False
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RulesFacts:
    """What was found.

    Attributes:
        current: what the table holds.
        wanted: what it is to hold; None when that is not to be had, and `problem` says why.
        noted: whether the record knows how what is there came there: its last update made the table what it is.
        planned_hours: of the application's evening stop.
    """

    rule: RuleSet
    current: RuleTable
    wanted: RuleTable | None
    problem: DsiError | None
    noted: bool
    planned_hours: str


def look_at(target: str, wish: Wish, look: Look) -> RulesFacts:
    """Look at the application's table and at what is to be loaded.

    Raises:
        DsiError: there is no such rule set, or the database does not answer.
    """
    rule = rule_of(wish.rules, look, target)
    with look.database(target) as database:
        current = read_table(rule, database)
    history = updates(wish.rules, look.application_record())
    wanted, problem = None, None
    try:
        wanted = wanted_table(wish, rule, current.digest, history, look)
    except DsiError as error:
        problem = error
    noted = bool(history) and history[-1].data["after"] == current.digest
    return RulesFacts(rule, current, wanted, problem, noted, look.applications[target].planned_hours)


def rule_of(name: str, look: Look, target: str | None = None) -> RuleSet:
    """Return one rule set; with `target`, that of this application.

    Raises:
        UsageError: there is none of that name, or it is another application's.
    """
    sets = look.rule_sets
    if name not in sets:
        raise UsageError(T("dsi_rules has no “{name}”.", name=name), next_step=did_you_mean(name, sets))
    rule = sets[name]
    if target not in {None, rule.application}:
        raise UsageError(
            T("{name} is a rule set of {application}, not of {target}.", name=name, application=rule.application,
              target=target),
            on=target,
            next_step=T("Name its application: {application}.", application=rule.application),
        )  # fmt: skip
    return rule


def updates(name: str, record: ApplicationRecord) -> tuple[Noted, ...]:
    """Return the updates of one rule set, oldest first."""
    return tuple(note for note in record.notes if note.name == RULES and note.data.get("rules") == name)


def wanted_table(wish: Wish, rule: RuleSet, current: str, history: Sequence[Noted], look: Look) -> RuleTable:
    """Return what the table is to hold.

    Args:
        current: digest of what it holds.

    Raises:
        RuleFileError: the file does not fit.
        NotCompliantError: no such set is kept.
    """
    if wish.file is not None:
        return read_file(Path(wish.file), rule)
    named = wish.sha256 is not None
    sha256 = _named(wish, history) if named else _former(wish.rules, current, history)
    return kept_table(sha256, rule, look)


def kept_table(sha256: str, rule: RuleSet, look: Look) -> RuleTable:
    """Return a rule set that the state folder keeps.

    Raises:
        NotCompliantError: it does not.
    """
    content = look.kept(KEPT, sha256)
    if content is None:
        raise NotCompliantError(
            T("The set {sha} is not kept on this controller.", sha=sha256[:12]),
            meaning=T("Each controller keeps the sets that it loaded and those it replaced."),
            next_step=T("Bring its state folder back from the backup, or load the file of that time."),
        )
    return parse_kept(content, rule, sha256)


def _former(name: str, current: str, history: Iterable[Noted]) -> str:
    """Return the digest of what was in the table before what is there now."""
    found = [str(note.data["before"]) for note in history if note.data["after"] == current]
    if found:
        return found[-1]
    raise NotCompliantError(
        T("The record does not know what was there before: {name} was not loaded by the toolkit.", name=name),
        meaning=T("What the table holds now came there in another way."),
        next_step=T("See what is kept, and name a set: dsi rules history {name}", name=name),
    )


def _named(wish: Wish, history: Iterable[Noted]) -> str:
    asked = (wish.sha256 or "").lower()
    known = dict.fromkeys(str(note.data[key]) for note in history for key in ("before", "after"))
    found = [sha256 for sha256 in known if sha256.startswith(asked)]
    if len(found) == 1:
        return found[0]
    if not found and len(asked) == 64:
        return asked
    what = (
        T("{sha} is the beginning of several sets.", sha=asked) if found else T("No set begins with {sha}.", sha=asked)
    )
    raise NotCompliantError(what, next_step=T("See them: dsi rules history {name}", name=wish.rules))
