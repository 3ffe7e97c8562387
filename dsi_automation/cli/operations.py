"""`dsi operations`: what the toolkit can do, with which inputs, at what risk, and what policy asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from dsi_automation.cli import labels
from dsi_automation.cli.base import argument, command
from dsi_automation.cli.output import Output
from dsi_automation.cli.session import session
from dsi_automation.core.errors import DsiError
from dsi_automation.core.text import TN, T, Text

if TYPE_CHECKING:
    from dsi_automation.engine.operation import AnyOperation, AnyReadOnly
    from dsi_automation.inventory.model import ApprovalPolicy, Rule

NOTED = ("line", "problem")
"""Columns that are noted when a file is read, and that nobody writes."""
TYPES: Final = {
    "string": T("text"),
    "integer": T("number"),
    "number": T("number"),
    "object": T("table"),
    "array": T("list"),
}
"""The types of JSON Schema, as a person would call them."""


@command("operations", T("List the operations; with a name, show one with its inputs and what policy asks for it."))
@argument("name", required=False, metavar=T("[OPERATION]"), help=T("Show this operation only."))
def operations(name: str | None) -> None:
    """List operations."""
    current = session()
    known = current.toolkit.operations
    if name is not None and name not in known:
        from dsi_automation.engine.registry import unknown_operation

        raise unknown_operation(name, known)
    chosen = [known[name]] if name is not None else list(known.values())
    policy, problem = _policy()
    if current.choices.json:
        views = [operation_view(operation, policy) for operation in chosen]
        current.out.data({"operations": views, "policy_problem": None if problem is None else str(problem.what)})
        return
    for operation in chosen:
        _show(current.out, operation, policy)
    if problem is not None:
        current.out.note(T("What policy asks is not known: {problem}", problem=problem.what), fg="yellow")


def operation_view(operation: AnyOperation | AnyReadOnly, policy: ApprovalPolicy | None) -> dict[str, Any]:
    """Return an operation as `--json` prints it; `inputs` is a JSON schema (2020-12)."""
    rules = {} if policy is None else policy.operations.get(operation.name, {})
    return {
        "name": operation.name,
        "version": operation.version,
        "procedure": operation.procedure,
        "summary": str(operation.summary),
        "read_only": _read_only(operation),
        "risk": operation.risk.value,
        "inputs": _schema(operation),
        "policy": {environment.value: rule.model_dump(mode="json") for environment, rule in rules.items()},
    }


def _schema(operation: AnyOperation | AnyReadOnly) -> dict[str, Any]:
    schema = operation.inputs_model.model_json_schema()
    for field in schema.get("properties", {}).values():
        field["description"] = str(_described(field))
    return schema


def _described(field: dict[str, Any]) -> Text:
    # A schema holds plain English; its French is in the catalogue of the operations' room.
    return Text(field.get("description", ""), {})


def _policy() -> tuple[ApprovalPolicy | None, DsiError | None]:
    # What can be done is worth knowing before there is an inventory.
    try:
        return session().toolkit.policy, None
    except DsiError as error:
        return None, error


def _read_only(operation: AnyOperation | AnyReadOnly) -> bool:
    from dsi_automation.engine.operation import ReadOnlyOperation

    return isinstance(operation, ReadOnlyOperation)


def _show(out: Output, operation: AnyOperation | AnyReadOnly, policy: ApprovalPolicy | None) -> None:
    out.line(operation.name, bold=True)
    out.line(operation.summary, indent=2)
    out.line(
        T("procedure {letter}, risk: {risk}", letter=operation.procedure, risk=labels.risk(operation.risk)), indent=2
    )
    for words in _inputs(operation.inputs_model.model_json_schema()):
        out.line(words, indent=4)
    if _read_only(operation):
        out.line(T("only looks: no approval needed"), indent=2)
    elif policy is not None:
        rules = policy.operations.get(operation.name, {})
        for environment, rule in rules.items():
            out.line(_rule(environment.value, rule), indent=2)
        if not rules:
            out.line(T("policy does not name it: refused everywhere"), indent=2, fg="red")
    out.line()


def _inputs(schema: dict[str, Any]) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        needed = T("required") if name in schema.get("required", []) else T("optional")
        yield f"-i {name}={_kind(field, schema)}  ({needed})  {_described(field)}".rstrip()
        columns = _columns(field, schema)
        if columns:
            yield f"    {T('each of them: {columns}', columns=', '.join(columns))}"


def _columns(field: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Return what may be said of each row of a list of rows; where a row stands is noted by the toolkit itself."""
    name = str(field.get("items", {}).get("$ref", "")).rpartition("/")[2]
    row: dict[str, Any] = schema.get("$defs", {}).get(name, {})
    return [column for column in row.get("properties", {}) if column not in NOTED]


def _kind(field: dict[str, Any], schema: dict[str, Any]) -> str:
    for part in (field, *field.get("anyOf", [])):
        named = schema.get("$defs", {}).get(str(part.get("$ref", "")).rpartition("/")[2], part)
        if "enum" in named:
            return "|".join(map(str, named["enum"]))
    if "$ref" in field.get("items", {}):
        return "@..."
    if field.get("type") == "boolean":
        return "true|false"
    kinds = [field["type"]] if "type" in field else [part.get("type", "") for part in field.get("anyOf", [])]
    return "|".join(str(TYPES.get(kind, kind)) for kind in kinds if kind and kind != "null") or "..."


def _rule(environment: str, rule: Rule) -> Text:
    return TN(
        "{environment}: {n} approval by {approvers}, asked by {requesters}",
        "{environment}: {n} approvals by {approvers}, asked by {requesters}",
        rule.approvals,
        environment=environment,
        approvers=", ".join(rule.approvers),
        requesters=", ".join(rule.requesters),
    )
