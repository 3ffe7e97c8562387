"""Writing to an application's database: under a permit, whole or not at all, and no secret in what is said of it."""

import contextlib
import os
import subprocess
import traceback
from dataclasses import replace
from datetime import timedelta

import pytest
from waiting import wait_for

from dsi_automation.connectors.databases.errors import DatabaseBusyError, ScriptError
from dsi_automation.core.errors import GateClosedError, RefusedError, UnknownOutcomeError, UnreachableError, UsageError
from dsi_automation.core.secrets import Secret

SHORT = "Zq"
HASH = "pbkdf2-sha256$1$c2Vs$aGFjaGU="
STORED = f"INSERT INTO compte VALUES ('a', '{HASH}', 1)"  # noqa: S608  # both are ours


def everything_said(error):
    """Return all that anybody may come to see of an error, its causes included."""
    return "\n".join((repr(error.to_json()), str(error), *traceback.format_exception(error)))


def test_a_transaction_is_kept_whole_and_the_permit_is_asked_before_and_at_the_end(database, permit, sydam):
    with database.transaction() as work:
        assert permit.asked == ["sydam"]
        work.lock("public.declaration")
        assert work.execute("UPDATE declaration SET bureau = :b WHERE id <= :n", {"b": "50 %", "n": 3}) == 3
        assert (
            work.execute_many("INSERT INTO declaration (id) VALUES (:id)", ({"id": i} for i in range(100, 350))) == 250
        )
        assert work.ask("SELECT count(*) AS n FROM declaration") == ({"n": 270},)
        assert len(work.rows("declaration", ("id",), ("id",))) == 270
        assert sydam.sql("SELECT count(*) FROM declaration") == "20"
    assert permit.asked == ["sydam", "sydam"]
    assert sydam.sql("SELECT count(*), count(*) FILTER (WHERE bureau = '50 %') FROM declaration") == "270|3"


def test_an_error_or_a_permit_that_ended_meanwhile_leaves_nothing(opened, sydam):
    class Ends:
        asked = 0

        def check(self, target):
            self.asked += 1
            if self.asked > 1:
                raise GateClosedError("over", on=target)

    before = sydam.checksum()
    with pytest.raises(GateClosedError), opened(allowed=Ends()).transaction() as work:
        work.execute("DELETE FROM declaration")

    def fails():
        with opened().transaction() as work:
            work.execute("DELETE FROM declaration")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert sydam.checksum() == before


def test_a_failed_statement_that_was_passed_over_does_not_look_like_a_commit(database, sydam):
    before = sydam.checksum()

    def passes_over():
        with database.transaction() as work:
            work.execute("DELETE FROM declaration")
            with contextlib.suppress(RefusedError):
                work.execute("SELECT 1/0")

    with pytest.raises(RefusedError):
        passes_over()
    assert sydam.checksum() == before


def test_a_table_somebody_else_writes_to_is_busy(opened, client):
    holder = client()
    holder.execute("UPDATE declaration SET bureau = 'X' WHERE id = 1")
    with pytest.raises(DatabaseBusyError) as caught, opened(lock_wait=0.2).transaction() as work:
        work.lock("public.declaration")
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("INSERT INTO compte (login, secret) VALUES ('b', :hash)", "23505"),
        ("INSERT INTO compte (login, age) VALUES ('b', :hash)", "22P02"),
        ("DO $$ BEGIN RAISE EXCEPTION 'nothing here'; END $$; ", "P0001"),
        ("INSERT INTO compte (login, secret, age) VALUES ('b', :hash, -1)", "23514"),
        ("INSERT INTO compte (login, secret) VALUES (NULL, :hash)", "23502"),
    ],
)
def test_a_secret_is_in_nothing_that_is_said_of_a_refusal(database, sydam, statement, state):
    sydam.sql(STORED)
    with pytest.raises(RefusedError) as caught, database.transaction() as work:
        work.execute(statement, {"hash": Secret(HASH)})
    assert caught.value.detail["sqlstate"] == state
    assert HASH not in everything_said(caught.value)


def test_a_secret_of_two_characters_is_masked_as_well(database):
    with pytest.raises(RefusedError) as caught, database.transaction() as work:
        work.execute("INSERT INTO compte (login, age) VALUES ('b', :code)", {"code": Secret(SHORT)})
    assert SHORT not in everything_said(caught.value)


def test_a_stored_secret_of_the_failing_row_is_not_repeated_though_none_was_sent(database, sydam):
    sydam.sql(STORED)
    with pytest.raises(RefusedError) as caught, database.transaction() as work:
        work.execute("UPDATE compte SET age = :age", {"age": -1})
    assert HASH not in everything_said(caught.value)
    assert caught.value.detail["constraint"] == "compte_age_check"


def test_without_secrets_the_databases_detail_is_told(database):
    with pytest.raises(RefusedError) as caught, database.transaction() as work:
        work.execute("INSERT INTO declaration (id) VALUES (:id)", {"id": 1})
    assert caught.value.detail["detail"] == "Key (id)=(1) already exists."


def test_a_missing_parameter_is_named_before_anything_is_sent(database):
    with pytest.raises(UsageError, match=":bureau"), database.transaction() as work:
        work.execute("UPDATE declaration SET bureau = :bureau", {"other": 1})


def test_a_script_runs_whole_or_not_at_all_and_says_which_line(database, sydam):
    good = (
        "SET search_path = pg_catalog;\nCREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n"
        "  RETURN 1;\nEND $$;\nINSERT INTO public.declaration (id) VALUES (99); -- 100 % ; :rien\n"
    )
    with database.transaction() as work:
        work.script(good, 10)
        # What the script set for itself is over.
        assert work.ask("SELECT f() AS f, current_setting('search_path') AS path") == (
            {"f": 1, "path": '"$user", public'},
        )
    assert sydam.sql("SELECT count(*) FROM declaration") == "21"
    for bad, line in (
        ("DELETE FROM declaration;\n\nSELECT\n  nulle_part;\n", 4),
        ("DELETE FROM declaration;\nINSERT INTO article\nVALUES (1, 77);", 2),
        ("DELETE FROM declaration;\nCOMMIT;", 2),
        ("DELETE FROM declaration;\nSELEC 1;", 2),
    ):
        with pytest.raises(ScriptError) as caught, database.transaction() as work:
            work.script(bad, 10)
        assert caught.value.detail["line"] == line
        assert str(line) in str(caught.value.what)
    assert sydam.sql("SELECT count(*) FROM declaration") == "21"


def test_a_script_that_takes_too_long_is_stopped_and_undone(database, sydam):
    with pytest.raises(ScriptError) as caught, database.transaction() as work:
        work.script("DELETE FROM declaration;\nSELECT pg_sleep(0.1);\nSELECT pg_sleep(60);", 1.5)
    assert caught.value.detail["line"] == 3
    assert sydam.sql("SELECT count(*) FROM declaration") == "20"


def test_the_session_that_was_seen_is_ended_and_its_lock_is_free(database, client, permit, sydam):
    holder = client()
    holder.execute("UPDATE declaration SET bureau = 'X' WHERE id = 1")
    (session,) = database.locked()
    assert database.end_session(session)
    assert permit.asked == ["sydam"]
    assert database.locked() == ()
    assert not database.end_session(session)


def test_another_session_with_the_same_number_is_left_alone(database, client):
    holder = client()
    holder.execute("UPDATE declaration SET bureau = 'X' WHERE id = 1")
    (session,) = database.locked()
    before = replace(session, began_at=session.began_at - timedelta(seconds=1))
    assert not database.end_session(before)
    assert holder.execute("SELECT 1").fetchone() == (1,)


def test_a_session_of_the_superuser_may_not_be_ended_and_that_is_said(database, sydam):
    with subprocess.Popen(
        ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-h", sydam.folder, "-p", str(sydam.port), "-d", "sydam"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd="/", env={**os.environ, "PGUSER": "postgres"},
    ) as psql:  # fmt: skip
        psql.stdin.write("BEGIN; LOCK TABLE declaration;\n")
        psql.stdin.flush()
        (session,) = wait_for(database.locked)
        with pytest.raises(RefusedError) as caught:
            database.end_session(session)
        psql.stdin.close()
    assert caught.value.detail["sqlstate"] == "42501"


def own_pid(work):
    return work.ask("SELECT pg_backend_pid() AS pid")[0]["pid"]


def test_a_connection_lost_before_the_commit_left_nothing_and_nothing_more_is_written(database, sydam):
    lost = []

    def goes_on_all_the_same():
        with database.transaction() as work:
            work.execute("DELETE FROM declaration")
            sydam.sql(f"SELECT pg_terminate_backend({own_pid(work)}, 5000)")
            for _ in range(2):
                with pytest.raises(UnreachableError):
                    work.execute("DELETE FROM article")
                lost.append(True)

    with pytest.raises(UnreachableError) as caught:
        goes_on_all_the_same()
    assert lost == [True, True]
    assert not isinstance(caught.value, UnknownOutcomeError)
    assert sydam.sql("SELECT count(*) FROM declaration") == "20"


def test_a_connection_lost_at_the_commit_is_an_unknown_outcome(database, sydam):
    sydam.sql(
        "CREATE FUNCTION meurt() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER fin AFTER INSERT ON declaration DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION meurt()"
    )
    with pytest.raises(UnknownOutcomeError) as caught, database.transaction() as work:
        work.execute("INSERT INTO declaration (id) VALUES (77)")
    assert not caught.value.retryable


def test_a_constraint_that_fails_at_the_commit_is_a_refusal(database, sydam):
    sydam.sql(STORED)
    sydam.sql(
        "ALTER TABLE compte DROP CONSTRAINT compte_secret_key,"
        " ADD CONSTRAINT tard UNIQUE (secret) DEFERRABLE INITIALLY DEFERRED"
    )
    with pytest.raises(RefusedError) as caught, database.transaction() as work:
        work.execute("INSERT INTO compte VALUES ('b', :hash, 1)", {"hash": Secret(HASH)})
    assert caught.value.detail["sqlstate"] == "23505"
    assert HASH not in everything_said(caught.value)


def test_a_server_that_was_restarted_is_asked_again_without_a_word(database, sydam):
    first = database.ask("SELECT pg_backend_pid() AS pid")
    sydam.stop()
    assert not database.answers()
    sydam.start()
    assert database.ask("SELECT pg_backend_pid() AS pid") != first
    second = database.ask("SELECT pg_backend_pid() AS pid")
    sydam.stop()
    sydam.start()
    assert database.ask("SELECT pg_backend_pid() AS pid") != second


def test_a_server_that_holds_the_line_and_says_nothing_is_given_up(opened, sydam, monkeypatch):
    monkeypatch.setattr("dsi_automation.connectors.databases.connecting.GRACE", 0.3)
    database = opened(timeout=1.0)
    pid = database.ask("SELECT pg_backend_pid() AS pid")[0]["pid"]
    subprocess.run(["kill", "-STOP", str(pid)], check=True)
    try:
        with pytest.raises(UnreachableError):
            database.ask("SELECT 1")
    finally:
        subprocess.run(["kill", "-CONT", str(pid)], check=True)
    assert database.ask("SELECT 1 AS one") == ({"one": 1},)
