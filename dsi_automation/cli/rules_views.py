"""Rule sets, differences and updates on the terminal, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli.clean import clean
from dsi_automation.cli.moments import local
from dsi_automation.cli.output import Output
from dsi_automation.core.clock import iso, parse_iso
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.cli.session import Session
    from dsi_automation.inventory.rule_model import RuleColumn, RuleSet
    from dsi_automation.operations.applications.rules_table import Difference, RuleTable

SHORT: Final = 12
"""Characters of a digest that people read."""
TYPES: Final = {
    "text": T("text"),
    "integer": T("whole number"),
    "decimal": T("number"),
    "date": T("date"),
    "boolean": T("yes or no"),
}


def rules_view(name: str, rule: RuleSet) -> dict[str, Any]:
    """Return a rule set of the inventory as `--json` prints it."""
    return {"name": name, **rule.model_dump(mode="json")}


def update_views(session: Session, name: str) -> list[dict[str, Any]]:
    """Return the updates of a rule set, newest first, with who carried them out and under which request."""
    from dsi_automation.operations.applications.rules_look import updates

    toolkit = session.toolkit
    found = updates(name, toolkit.equipment.look().application_record())
    if not found:
        return []
    runs = {run.id: run for run in session.engine.runs()}
    views = []
    for note in reversed(found):
        run = runs.get(note.run)
        views.append(
            {
                "at": iso(note.at),
                "run": note.run,
                "request": None if run is None else run.request_id,
                "person": None if run is None else run.person,
                **{key: note.data[key] for key in ("before", "after", "added", "changed", "removed", "file")},
            }
        )
    return views


def show_list(out: Output, found: Mapping[str, RuleSet], last: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write a line for each rule set."""
    if not found:
        out.line(T("The inventory has no rule sets: dsi_rules describes them."))
        return
    rows = []
    for name, rule in found.items():
        update = next(iter(last[name]), None)
        when = None if update is None else local(parse_iso(update["at"]))
        sha = None if update is None else update["after"][:SHORT]
        rows.append((name, rule.title, rule.application, rule.table, when, sha))
    headers = (T("Name"), T("Title"), T("Application"), T("Table"), T("Last update"), T("SHA-256"))
    out.table(headers, rows)


def show_rules(out: Output, name: str, rule: RuleSet, table: RuleTable, last: Mapping[str, Any] | None) -> None:
    """Write what there is to know of one rule set."""
    out.line(T("{name}: {title}", name=name, title=rule.title), bold=True)
    out.line(T("Table {table} of {application}", table=rule.table, application=rule.application))
    held = TN("It holds {n} row, SHA-256 {sha}", "It holds {n} rows, SHA-256 {sha}", len(table.rows), sha=table.digest)
    out.line(held)
    if last is None:
        out.line(T("The toolkit has not loaded it yet."))
    elif last["after"] == table.digest:
        out.line(T("Loaded on {when} by {person} ({run})", when=local(parse_iso(last["at"])),
                   person=last["person"] or "-", run=last["run"]))  # fmt: skip
    else:
        out.line(T("It was changed since its last update by the toolkit, {run}.", run=last["run"]), fg="yellow")
    out.line(T("At least {rows} rows; an update changes or removes {share}% of them at most",
               rows=rule.minimum_rows, share=round(100 * rule.most_changed)))  # fmt: skip
    rows = [
        (column, TYPES[item.type], T("key") if column in rule.key else _needed(item), ", ".join(_limits(item)))
        for column, item in rule.columns.items()
    ]
    out.table((T("Column"), T("Type"), T("Needed"), T("Limits")), rows)


def show_difference(out: Output, rule: RuleSet, found: RuleTable, wanted: RuleTable, change: Difference) -> None:
    """Write every line of a difference."""
    from dsi_automation.operations.applications.rules_plan import counts
    from dsi_automation.operations.applications.rules_table import lines

    if not change:
        out.line(T("{table} holds exactly that.", table=rule.table))
        return
    colors = {"+": "green", "-": "red", "~": "yellow"}
    for line in lines(change):
        out.line(line, fg=colors[line[0]])
    out.line(T("{before} → {after}: {counts}", before=found.digest[:SHORT], after=wanted.digest[:SHORT],
               counts=counts(change)), bold=True)  # fmt: skip


def difference_view(name: str, found: RuleTable, wanted: RuleTable, change: Difference) -> dict[str, Any]:
    """Return a difference as `--json` prints it."""

    def named(row: Sequence[str | None]) -> dict[str, str | None]:
        return dict(zip(change.columns, row, strict=True))

    return {
        "rules": name,
        "before": found.digest,
        "after": wanted.digest,
        "added": [named(row) for row in change.added],
        "changed": [{"before": named(old), "after": named(new)} for old, new in change.changed],
        "removed": [named(row) for row in change.removed],
    }


def difference_csv(change: Difference) -> str:
    """Return a difference as CSV: what is done, the columns as they were, the columns as they become."""
    from dsi_automation.operations.applications.rules_table import csv_of

    empty = (None,) * len(change.columns)
    rows = [
        *(("removed", *row, *empty) for row in change.removed),
        *(("changed", *old, *new) for old, new in change.changed),
        *(("added", *empty, *row) for row in change.added),
    ]
    header = ["what", *(f"{name}_before" for name in change.columns), *(f"{name}_after" for name in change.columns)]
    return csv_of(header, rows)


def show_history(out: Output, name: str, views: Sequence[Mapping[str, Any]]) -> None:
    """Write a line for each update, newest first."""
    if not views:
        out.line(T("The record has no update of {name}.", name=name))
        return
    headers = (T("When"), T("By"), T("Request"), T("From"), T("To"), T("Added"), T("Changed rows"), T("Removed"),
               T("File"))  # fmt: skip
    out.table(
        headers,
        [
            (
                local(parse_iso(view["at"])),
                view["person"],
                view["request"],
                view["before"][:SHORT],
                view["after"][:SHORT],
                view["added"],
                view["changed"],
                view["removed"],
                clean(view["file"] or T("a set kept before")),
            )
            for view in views
        ],
    )


def _needed(column: RuleColumn) -> Text:
    return T("required") if column.required else T("optional")


def _limits(column: RuleColumn) -> Iterator[str]:
    if column.pattern is not None:
        yield column.pattern
    if column.values:
        yield " | ".join(column.values)
    if column.minimum is not None:
        yield f"≥ {column.minimum:g}"
    if column.maximum is not None:
        yield f"≤ {column.maximum:g}"
    if column.digits is not None:
        yield str(TN("{n} digit after the point", "{n} digits after the point", column.digits))
