"""Scripts are taken apart as psql does, and what cannot run whole in one transaction is refused with its line."""

import pytest

from dsi_automation.connectors.databases.errors import ScriptError
from dsi_automation.connectors.databases.scripts import statements

BODY = """CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$
BEGIN
  COMMIT; -- in a body, it is the body's affair
  RETURN 1;
END;
$f$"""
ATOMIC = """CREATE FUNCTION g(a int) RETURNS int
BEGIN ATOMIC
  SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END;
  SELECT 2;
END"""
RULE = "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v)"


def test_statements_come_one_by_one_with_the_line_they_begin_on():
    text = f"-- head\n\nSELECT ';' AS \"a;b\";\n{BODY};\n{ATOMIC};\n/* x; */ {RULE};\nINSERT INTO t VALUES (1)\n;;\n"
    found = statements(text)
    assert [one.text for one in found] == ["SELECT ';' AS \"a;b\"", BODY, ATOMIC, RULE, "INSERT INTO t VALUES (1)\n"]
    assert [one.line for one in found] == [3, 4, 10, 15, 16]


def test_an_empty_script_has_no_statements():
    assert statements("\ufeff -- nothing\n;") == ()


@pytest.mark.parametrize(
    "statement",
    [
        "BEGIN", "begin work", "START TRANSACTION", "COMMIT", "commit and chain", "END", "ABORT", "ROLLBACK",
        "ROLLBACK WORK", "PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'", "VACUUM t",
        "CREATE DATABASE d", "DROP DATABASE d", "ALTER SYSTEM SET work_mem = 1", "CREATE TABLESPACE s LOCATION '/x'",
        "CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
        "DROP INDEX CONCURRENTLY i", "REINDEX TABLE CONCURRENTLY t", "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
        "COPY t (a) FROM STDIN", r"\i other.sql", r"\set x 1", "SET standard_conforming_strings = off",
        "COMMIT /* x */ ", "/* x */ CoMmIt",
    ],
)  # fmt: skip
def test_what_ends_a_transaction_or_cannot_be_in_one_is_refused_with_its_line(statement):
    with pytest.raises(ScriptError) as caught:
        statements(f"SELECT 1;\nSELECT 'COMMIT;\n';\n{statement};\nSELECT 2;")
    assert caught.value.detail["line"] == 4
    assert "4" in str(caught.value.what)


@pytest.mark.parametrize(
    "statement",
    [
        "SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK WORK TO SAVEPOINT a", "RELEASE a", "SELECT 'COMMIT'",
        'SELECT 1 AS "commit"', "DO $$ BEGIN PERFORM 1; END $$", "COMMENT ON TABLE t IS 'BEGIN'",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m", "PREPARE p AS SELECT 1", "COPY t FROM '/srv/x.csv'",
        "SET standard_conforming_strings = on", "CREATE TABLE t (concurrently_ int)", "-- COMMIT;\nSELECT 1",
        "CREATE INDEX i ON t (a) WHERE b = 'CONCURRENTLY'",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_let_through(statement):
    assert len(statements(statement)) == 1


def test_a_quote_that_is_not_closed_is_refused_with_its_line():
    with pytest.raises(ScriptError) as caught:
        statements("SELECT 1;\nSELECT 'a;\n")
    assert caught.value.detail == {"line": 2}
