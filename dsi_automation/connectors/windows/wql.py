r"""WQL queries from values: a hostile value stays inside its literal.

Source: the WQL pages of Microsoft's WMI documentation; in a literal, `\` and `'` are escaped with a backslash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from dsi_automation.connectors.windows.port import CimScalar


def literal(value: CimScalar) -> str:
    """Return a value as a WQL literal; NULL is not one, see `select`."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("'%Y%m%d%H%M%S.%f+000'")
    words = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{words}'"


def select(class_name: str, properties: Sequence[str], where: Mapping[str, CimScalar]) -> str:
    """Return the query for some properties of the instances whose properties equal those of `where`.

    Names must come from the schema; only values may be anything. No property stands for all of them: an older Windows
    refuses a query that names one it does not have.
    """
    tests = [f"{name} IS NULL" if value is None else f"{name} = {literal(value)}" for name, value in where.items()]
    query = f"SELECT {','.join(properties) or '*'} FROM {class_name}"  # noqa: S608  # names from the schema, values escaped
    return f"{query} WHERE {' AND '.join(tests)}" if tests else query
