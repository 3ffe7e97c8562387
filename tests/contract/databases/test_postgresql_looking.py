"""Looking at an application's database: real sessions, real locks, and nothing written."""

import shutil
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from waiting import wait_for

from dsi_automation.connectors.databases.errors import LoginRefusedError
from dsi_automation.connectors.databases.postgresql import open_postgresql
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.errors import GateClosedError, RefusedError, UnreachableError, UsageError
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.ca import Authority


def test_values_come_as_values_and_exact_numbers_as_text(database):
    (row,) = database.ask(
        "SELECT :text::text AS t, :n + 1 AS n, true AS b, 1.10::numeric AS exact, :at::timestamptz AS at,"
        " '\\x00ff'::bytea AS raw, NULL AS nothing, ARRAY[1,2] AS many, date '2026-11-22' AS day,"
        " 'infinity'::timestamptz AS never, 0.5::float8 AS half, '{\"a\": 1}'::jsonb AS doc",
        {"text": "50 % d'été :a", "n": 41, "at": datetime(2026, 11, 22, 8, tzinfo=UTC), "unused": 1},
    )
    assert row == {
        "t": "50 % d'été :a", "n": 42, "b": True, "exact": "1.10", "at": datetime(2026, 11, 22, 8, tzinfo=UTC),
        "raw": b"\x00\xff", "nothing": None, "many": "{1,2}", "day": "2026-11-22", "never": "infinity", "half": 0.5,
        "doc": '{"a": 1}',
    }  # fmt: skip


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8).map(
                lambda text: ("'" + text.replace("'", "''") + "'", text)
            ),
            st.text(":'\\ab%;$-/*\n", max_size=8).map(
                lambda text: ("$q$" + text.replace("$", "") + "$q$", text.replace("$", ""))
            ),
            st.text(":'\\ab%;$-/*\n", max_size=8).map(
                lambda text: ("E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'", text)
            ),
            st.text(":'\\ab%;", max_size=8).map(lambda text: (":a", None)),
            st.just(("/* :a ' /* ; */ */ :b -- ' :a", 7)),
        ),
        min_size=1,
        max_size=6,
    )
)
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_server_reads_constants_and_parameters_as_the_translation_does(database, pieces):
    columns = "\n, ".join(f"{text}\n::text AS c{number}" for number, (text, _) in enumerate(pieces))
    values = {"a": "valeur de a", "b": "7"}
    (row,) = database.ask(f"SELECT {columns}", values)
    assert list(row.values()) == ["valeur de a" if value is None else str(value) for _, value in pieces]


def test_its_clock_is_told_in_utc(database):
    there = database.now()
    assert there.utcoffset().total_seconds() == 0
    assert abs((there - datetime.now(UTC)).total_seconds()) < 60


def test_looking_cannot_write_whatever_the_statement_says(database, sydam):
    before = sydam.checksum()
    for statement in (
        "DELETE FROM declaration",
        "WITH gone AS (DELETE FROM declaration RETURNING id) SELECT * FROM gone",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "CREATE TEMP TABLE t AS SELECT nextval('nowhere')",
    ):
        with pytest.raises(RefusedError):
            database.ask(statement)
    with pytest.raises(UsageError):
        database.ask("COMMIT; DELETE FROM declaration")
    assert sydam.checksum() == before


def test_without_a_permit_every_write_is_refused(settings, client):
    holder = client()
    holder.execute("UPDATE declaration SET bureau = 'X' WHERE id = 1")
    with open_postgresql(settings, SystemClock(), None, "sydam") as database:
        (session,) = database.locked()
        with pytest.raises(GateClosedError):
            database.end_session(session)
        with pytest.raises(GateClosedError), database.transaction():
            pytest.fail("a transaction was opened")
    assert holder.execute("SELECT 1").fetchone() == (1,)


def test_a_table_comes_as_text_in_byte_order(database, sydam):
    sydam.sql("CREATE TABLE ordre (clef text, montant numeric, vrai boolean); GRANT ALL ON ordre TO dsi")
    sydam.sql("INSERT INTO ordre VALUES ('b', 1.50, true), ('B', NULL, false), ('é', 2, NULL), ('a', 0.00, true)")
    assert database.rows("public.ordre", ("clef", "montant", "vrai"), ("clef",)) == (
        ("B", None, "false"), ("a", "0.00", "true"), ("b", "1.50", "true"), ("é", "2", None),
    )  # fmt: skip
    with pytest.raises(RefusedError) as caught:
        database.rows("public.ordre", ('clef"; DROP TABLE ordre; --',), ())
    assert caught.value.detail["sqlstate"] == "42703"


def test_a_hundred_thousand_rows_come_whole(database, sydam):
    sydam.sql("CREATE TABLE grand AS SELECT lpad(i::text, 6, '0') AS k FROM generate_series(1, 100000) i")
    sydam.sql("GRANT ALL ON grand TO dsi")
    rows = database.rows("grand", ("k",), ("k",))
    assert (len(rows), rows[0], rows[-1]) == (100_000, ("000001",), ("100000",))


def test_sessions_that_hold_rows_or_tables_are_shown_with_whose_and_since(database, client, in_background):
    writer, opener, reader, own = client(), client(program="guichet"), client(), client("sydam")
    writer.execute("UPDATE declaration SET bureau = 'X' WHERE id = 1")
    opener.execute("SELECT * FROM declaration WHERE id = 2 FOR UPDATE")
    reader.execute("SELECT * FROM declaration")
    own.execute("INSERT INTO article VALUES (1, 3)")
    own.execute("CREATE TEMP TABLE brouillon (a int)")
    blocked = client("sydam")
    in_background(blocked.execute, "UPDATE declaration SET bureau = 'Y' WHERE id = 1")

    def all_seen():
        found = {one.pid: one for one in database.locked()}
        return found if blocked.info.backend_pid in found and found[writer.info.backend_pid].waiting else None

    found = wait_for(all_seen)
    assert set(found) == {one.info.backend_pid for one in (writer, opener, own, blocked)}
    one = found[writer.info.backend_pid]
    assert (one.user, one.client, one.program, one.working, one.own) == (
        "kone", "127.0.0.1", "sydam-client", False, False,
    )  # fmt: skip
    assert one.objects == ("public.declaration",)
    assert one.waiting == 1
    assert one.began_at <= one.transaction_since <= one.since <= database.now()
    assert found[opener.info.backend_pid].program == "guichet"
    assert found[opener.info.backend_pid].waiting == 0
    assert found[own.info.backend_pid].objects == ("public.article", "public.declaration")
    assert found[own.info.backend_pid].own
    assert found[blocked.info.backend_pid].working
    only = database.locked(("public.article",))
    assert [session.pid for session in only] == [own.info.backend_pid]
    writer.rollback()


def test_a_role_that_may_not_see_other_sessions_is_told_so(opened, client):
    client().execute("LOCK TABLE declaration IN EXCLUSIVE MODE")
    held = client()
    held.execute("UPDATE article SET id = 1")
    with pytest.raises(RefusedError, match="pg_monitor"):
        opened(user="borgne").locked()


def test_a_closed_port_is_no_answer_and_a_wrong_password_is_an_error(opened):
    assert opened().answers()
    assert not opened(port=1).answers()
    with pytest.raises(UnreachableError):
        opened(port=1).ask("SELECT 1")
    for changes in ({"password": Secret("Mot-De-Passe-Faux-1")}, {"user": "personne"}, {"database": "nulle_part"}):
        with pytest.raises(LoginRefusedError) as caught:
            opened(**changes).answers()
        assert "Mot-De-Passe" not in repr(caught.value.to_json())


def test_the_server_is_verified_where_the_inventory_gives_a_ca(opened, sydam, tmp_path):
    ca_file = str(tmp_path / "ca.pem")
    shutil.copy(sydam.authority.certificate_file, ca_file)
    assert opened(ca_file=ca_file).ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == ({"ssl": True},)
    other = tmp_path / "other"
    Authority(other, SystemClock()).ensure()
    with pytest.raises(LoginRefusedError, match="certifica"):
        opened(ca_file=str(Authority(other, SystemClock()).certificate_file)).answers()
    with pytest.raises(LoginRefusedError, match="certifica"):
        opened(ca_file=ca_file, server="localhost").answers()


def test_a_question_that_takes_too_long_is_no_answer(opened):
    with pytest.raises(UnreachableError) as caught:
        opened(timeout=0.2).ask("SELECT pg_sleep(30)")
    assert caught.value.detail["sqlstate"] == "57014"


def test_what_a_statement_does_wrong_is_told_with_its_code(database):
    with pytest.raises(RefusedError, match="42P01") as caught:
        database.ask("SELECT * FROM nulle_part")
    assert caught.value.detail["sqlstate"] == "42P01"
    assert database.ask("SELECT 1 AS one") == ({"one": 1},)
