"""`dsi rules ...`: the tariff and the rules of selectivity, from versioned files into the application (procedure J)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dsi_automation.cli.asking import DETAILS, Wish
from dsi_automation.cli.base import OPTIONS, Group, command, option
from dsi_automation.cli.files import write_whole
from dsi_automation.cli.plan import run_plan
from dsi_automation.cli.rules_names import FILE, NAME, rules_named, table_now, table_wanted
from dsi_automation.cli.rules_views import (
    difference_csv,
    difference_view,
    rules_view,
    show_difference,
    show_history,
    show_list,
    show_rules,
    update_views,
)
from dsi_automation.cli.session import session
from dsi_automation.core.errors import UsageError
from dsi_automation.core.text import T

if TYPE_CHECKING:
    from dsi_automation.operations.applications.rules_look import Wish as RulesWish

rules = Group(
    "rules",
    help=T("Show rule sets, compare them with files, load them, put a former set back."),
    options_metavar=OPTIONS,
)
_BACK = option("--back", is_flag=True, help=T("The set before the one that is loaded now."))
_SHA256 = option("--sha256", metavar="SHA-256", help=T("A set kept before; the beginning of its digest is enough."))


@command("list", T("List the rule sets of the inventory, with the last update the record knows."))
def list_() -> int:
    """List rule sets."""
    current = session()
    found = current.toolkit.inventory.rule_sets
    last = {name: update_views(current, name)[:1] for name in found}
    if current.choices.json:
        rows = [{**rules_view(name, rule), "last_update": next(iter(last[name]), None)} for name, rule in found.items()]
        current.out.data({"rules": rows})
        return 0
    show_list(current.out, found, last)
    return 0


@command("show", T("Show one rule set: its columns and limits, and what its table holds now."))
@NAME
def show(name: str) -> int:
    """Show a rule set."""
    current = session()
    rule = rules_named(current, name)
    table, last = table_now(current, name, rule), next(iter(update_views(current, name)), None)
    if current.choices.json:
        held = {"rows": len(table.rows), "sha256": table.digest}
        current.out.data({**rules_view(name, rule), "table_now": held, "last_update": last})
        return 0
    show_rules(current.out, name, rule, table, last)
    return 0


@command(
    "diff",
    T(
        "Show every row that loading a file, or a set kept before, would add, change or remove. Changes nothing.\n\n"
        "With --csv the rows as CSV: what, then the columns before and after."
    ),
)
@NAME
@FILE
@_BACK
@_SHA256
@option("--csv", "as_csv", is_flag=True, help=T("Write the difference as CSV."))
def diff(name: str, file: str | None, sha256: str | None, *, back: bool, as_csv: bool) -> int:
    """Show a difference."""
    from dsi_automation.operations.applications.rules_table import difference

    current = session()
    rule = rules_named(current, name)
    found, wanted = table_wanted(current, name, rule, _wish(name, file, sha256, back=back))
    change = difference(found, wanted)
    if current.choices.json:
        current.out.data(difference_view(name, found, wanted, change))
    elif as_csv:
        current.out.document(difference_csv(change))
    else:
        show_difference(current.out, rule, found, wanted, change)
    return 0


@command("history", T("List every update of a rule set: when, by whom, under which request, and what it changed."))
@NAME
def history(name: str) -> int:
    """List updates."""
    current = session()
    rules_named(current, name)
    views = update_views(current, name)
    if current.choices.json:
        current.out.data({"rules": name, "updates": views})
        return 0
    show_history(current.out, name, views)
    return 0


@command("export", T("Write what the table holds now, or a set kept before, as CSV."))
@NAME
@_SHA256
@option("--output", metavar=T("FILE"), help=T("Write to this file; by default to the terminal."))
def export(name: str, sha256: str | None, output: str | None) -> int:
    """Export a rule set."""
    from dsi_automation.operations.applications.rules_table import csv_of

    current = session()
    rule = rules_named(current, name)
    if sha256 is None:
        table = table_now(current, name, rule)
    else:
        table = table_wanted(current, name, rule, _wish(name, None, sha256, back=False))[1]
    if current.choices.json:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows.values()]
        current.out.data({"rules": name, "sha256": table.digest, "rows": rows})
        return 0
    text = csv_of(table.columns, table.rows.values(), rule.delimiter)
    if output is None:
        current.out.document(text)
    else:
        write_whole(Path(output), text)
        current.out.note(T("Written: {path}", path=output))
    return 0


@command(
    "update",
    T(
        "Plan the loading of a file, or with --back of the former set: short for “dsi plan rules.update”. Changes "
        "nothing; ends with the command that asks for the plan."
    ),
)
@NAME
@FILE
@_BACK
@_SHA256
@DETAILS
def update(name: str, file: str | None, sha256: str | None, *, back: bool, details: bool) -> int:
    """Plan an update."""
    current = session()
    rule = rules_named(current, name)
    _wish(name, file, sha256, back=back)
    words = [f"rules={name}"]
    words += [] if file is None else [f"file={Path(file).absolute()}"]
    words += ["back=true"] if back else []
    words += [] if sha256 is None else [f"sha256={sha256}"]
    return run_plan(current, Wish("rules.update", (rule.application,), tuple(words)), details=details)


def _wish(name: str, file: str | None, sha256: str | None, *, back: bool) -> RulesWish:
    from dsi_automation.operations.applications.rules_look import Wish as Asked

    if (file is not None) + back + (sha256 is not None) != 1:
        raise UsageError(
            T("Nobody can tell what is meant: one of FILE, --back and --sha256 is needed."),
            next_step=T("Name the file, or the set: dsi rules history {name}", name=name),
        )
    return Asked(name, file, back, sha256)


for _command in (list_, show, diff, update, history, export):
    rules.add_command(_command)
