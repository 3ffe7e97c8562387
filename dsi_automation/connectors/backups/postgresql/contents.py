"""What a database holds, in a form that two servers can be compared by: rows with their hash, sequences, objects."""

from __future__ import annotations

from typing import Final

from dsi_automation.connectors.backups.postgresql.client import Place, Programs
from dsi_automation.connectors.backups.postgresql.findings import Findings
from dsi_automation.core.text import T

_OURS: Final = r"n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'"
# What an extension brings is made by the extension's version on each server, and is not in the dump.
_PLAIN: Final = "NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')"
_SCRIPT: Final = rf"""
-- The text of a value depends on these.
SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1;
SET bytea_output = 'hex'; SET row_security = off; SET lc_monetary = 'C'; SET search_path = '';
-- A sum of hashes does not depend on the order of the rows, and holds no more than one row in memory.
SELECT format('SELECT json_build_object(''name'', %L, ''value'', concat(count(*), '' '','
              ' sum(hashtextextended((dsi_row.*)::text, 0)::numeric))) FROM ONLY %I.%I AS dsi_row',
              'table ' || n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relpersistence <> 't' AND {_OURS} ORDER BY c.oid \gexec
SELECT json_build_object('name', 'sequence ' || schemaname || '.' || sequencename, 'value', coalesce(last_value::text,
 '-')) FROM pg_sequences;
SELECT json_build_object('name', 'kind ' || kind, 'value', count(*)::text) FROM (
 SELECT 'relation ' || c.relkind::text AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {_OURS} AND {_PLAIN.format(oid="c.oid")}
 UNION ALL SELECT 'function' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {_OURS} AND {_PLAIN.format(oid="p.oid")}
 UNION ALL SELECT 'constraint ' || contype::text FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
 WHERE {_OURS} AND {_PLAIN.format(oid="o.oid")}
 UNION ALL SELECT 'trigger' FROM pg_trigger WHERE NOT tgisinternal
 UNION ALL SELECT 'policy' FROM pg_policy
) AS every GROUP BY kind;
"""  # noqa: S608  # our own words
_NAMED: Final = 5
"""How many differences are named; all of them count."""


def contents(programs: Programs, place: Place, database: str) -> dict[str, str]:
    """Return all a database holds, by the name of each table, sequence and kind of object: one pass over its rows.

    Raises:
        TransientError, RefusedError: the server does not answer, or lets us not read.
        BackupFailedError: something in it cannot be read.
    """
    return {str(each["name"]): str(each["value"]) for each in programs.ask(_SCRIPT, place, database=database)}


def compare(expected: dict[str, str], found: dict[str, str], findings: Findings, source: str) -> None:
    """Hold what one database holds against what another one does."""
    different = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    tables = [value for name, value in expected.items() if name.startswith("table ")]
    rows = sum(int(value.split()[0]) for value in tables)
    findings.add(
        "contents",
        T("Every table, sequence and object is as in the restored cluster"),
        str(T("{tables} tables, {rows} rows", tables=len(tables), rows=rows)),
        str(T("the same")) if not different else _told(different, expected, found),
        ok=not different,
        source=source,
    )


def _told(different: list[str], expected: dict[str, str], found: dict[str, str]) -> str:
    told = [f"{name}: {expected.get(name, '-')} / {found.get(name, '-')}" for name in different[:_NAMED]]
    return ", ".join([*told, *(["…"] if len(different) > _NAMED else [])])
