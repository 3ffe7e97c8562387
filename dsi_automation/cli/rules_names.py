"""Rule sets as they are named on the command line: found, completed, and their tables read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dsi_automation.cli.base import argument
from dsi_automation.cli.completing import completing
from dsi_automation.cli.progress import Progress
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.rule_model import RuleSet
    from dsi_automation.operations.applications.rules_look import Wish
    from dsi_automation.operations.applications.rules_table import RuleTable


NAME: Final = argument(
    "name",
    metavar=T("RULES"),
    help=T("The rule set, a name of dsi_rules."),
    shell_complete=completing(lambda session: session.toolkit.inventory.rule_sets),
)
FILE: Final = argument("file", required=False, metavar=T("[FILE]"), help=T("The file to load: CSV, UTF-8."))


def rules_named(session: Session, name: str) -> RuleSet:
    """Return a rule set of the inventory.

    Raises:
        UsageError: there is none of that name, or none at all.
    """
    found = session.toolkit.inventory.rule_sets
    if not found:
        raise UsageError(
            T("The inventory has no rule sets."), next_step=T("Describe them in group_vars/all.yml: dsi_rules.")
        )
    if name not in found:
        from dsi_automation.inventory.near import did_you_mean

        raise UsageError(T("dsi_rules has no “{name}”.", name=name), next_step=did_you_mean(name, found))
    return found[name]


def table_now(session: Session, name: str, rule: RuleSet) -> RuleTable:
    """Return what the table of a rule set holds now."""
    from dsi_automation.operations.applications.rules_load import read_table

    with Progress([name]), session.toolkit.equipment.look().database(rule.application) as database:
        return read_table(rule, database)


def table_wanted(session: Session, name: str, rule: RuleSet, wish: Wish) -> tuple[RuleTable, RuleTable]:
    """Return what the table holds now, and what is asked."""
    from dsi_automation.operations.applications.rules_look import updates, wanted_table

    look, found = session.toolkit.equipment.look(), table_now(session, name, rule)
    history = updates(name, look.application_record())
    return found, wanted_table(wish, rule, found.digest, history, look)
