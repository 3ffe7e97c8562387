"""A script of a release and the line that records it are one: on a real PostgreSQL, whatever goes wrong."""

from dataclasses import replace

import pytest

from dsi_automation.connectors.databases.errors import ScriptError
from dsi_automation.core.errors import RefusedError
from dsi_automation.operations.applications.integrate_table import ScriptOrder, apply, of_release, read, undo

ORDER = ScriptOrder(
    source="sydam-world",
    release="1.5.0",
    file="sql/010.sql",
    sha256="a" * 64,
    text="CREATE TABLE circuit (code text);\nINSERT INTO circuit VALUES ('vert');\n",
    timeout=30.0,
    run="RUN-20261122-7K3F",
)
BACK = replace(ORDER, text="DROP TABLE circuit;\n")


def test_a_script_is_recorded_with_it_run_once_and_undone_with_its_line(database, sydam):
    assert read(database, "sydam-world") == ()
    assert apply(ORDER, database)
    (line,) = of_release(read(database, "sydam-world"), "1.5.0")
    assert (line.file, line.sha256, line.run) == (ORDER.file, ORDER.sha256, ORDER.run)
    assert line.applied_at is not None
    assert not apply(ORDER, database)
    assert sydam.sql("SELECT count(*) FROM circuit") == "1"
    assert undo(BACK, database)
    assert not undo(BACK, database)
    assert read(database, "sydam-world") == ()
    assert sydam.sql("SELECT to_regclass('circuit') IS NULL") == "t"


def test_a_script_that_fails_leaves_neither_itself_nor_its_line(database, sydam):
    wrong = replace(ORDER, text=f"{ORDER.text}TABLE nulle_part;\n")
    with pytest.raises(ScriptError) as caught:
        apply(wrong, database)
    assert caught.value.detail["line"] == 3
    assert read(database, "sydam-world") == ()
    assert sydam.sql("SELECT to_regclass('circuit') IS NULL") == "t"


def test_an_undo_script_that_fails_leaves_the_line(database):
    apply(ORDER, database)
    with pytest.raises(RefusedError):
        undo(replace(BACK, text="DROP TABLE nulle_part;\n"), database)
    assert len(read(database, "sydam-world")) == 1


def test_another_script_under_the_same_name_is_refused(database):
    apply(ORDER, database)
    with pytest.raises(RefusedError):
        apply(replace(ORDER, sha256="b" * 64), database)


def test_who_may_not_create_tables_uses_the_one_that_is_there(database, sydam):
    sydam.sql(
        "CREATE TABLE versions_schema (id bigint GENERATED ALWAYS AS IDENTITY, source text, release text, file text, "
        "sha256 text, applied_at timestamptz DEFAULT now(), run text);"
        "GRANT ALL ON versions_schema TO dsi; REVOKE ALL ON SCHEMA public FROM dsi, PUBLIC; "
        "GRANT USAGE ON SCHEMA public TO dsi"
    )
    assert apply(replace(ORDER, text="SELECT 1;\n"), database)
    assert [line.file for line in read(database, "sydam-world")] == ["sql/010.sql"]
