"""The lab's PostgreSQL: sound, closed to strangers, archiving its log, and put back to its first rows."""

import os
import subprocess

import pytest

from dsi_automation.core.errors import UsageError
from dsi_automation.lab.database import DECLARATIONS, Database, programs
from dsi_automation.lab.layout import Layout


@pytest.fixture
def database(servers):
    return servers.facilities.database


def ask(lab, query, *, user="dsi_backup", tls="verify-full", password=None):
    host = f"host={lab.facilities.database.address} user={user} dbname=sydam connect_timeout=5"
    secret = password or lab.passwords.get(user).reveal()
    return subprocess.run(
        [str(programs() / "psql"), "-qAt", f"{host} sslmode={tls} sslrootcert={lab.layout.ca_file}"],
        input=query,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PGPASSWORD": secret},
    )


def test_the_database_holds_hundreds_of_thousands_of_rows_with_checksums(servers, database):
    query = "SELECT (SELECT count(*) FROM taxes) + (SELECT count(*) FROM articles); SHOW data_checksums;"
    rows, checksums = ask(servers, query).stdout.split()
    assert int(rows) > 300_000
    assert checksums == "on"


def test_only_the_right_password_over_tls_gets_in(servers):
    assert ask(servers, "SELECT 1", tls="disable").returncode == 2
    assert ask(servers, "SELECT 1", password="wrong").returncode == 2
    assert ask(servers, "SELECT 1", user="postgres", password="wrong").returncode == 2


def test_the_backup_role_reads_checks_and_copies_and_writes_nothing(servers, tmp_path):
    assert ask(servers, "SELECT bt_index_check('taxes_pkey'); SELECT count(*) FROM pg_stat_archiver").returncode == 0
    assert "permission denied" in ask(servers, "DELETE FROM taxes").stderr
    assert "permission denied" in ask(servers, "CREATE TABLE mine (i int)").stderr


def test_the_log_is_archived_whole(database):
    name = database.sql("SELECT pg_walfile_name(pg_current_wal_lsn());")
    database.sql("CREATE TABLE essai (i int); DROP TABLE essai; SELECT pg_switch_wal();")
    archived = "SELECT last_archived_wal >= '{name}' FROM pg_stat_archiver"
    waiting = f"DO $$ BEGIN WHILE NOT coalesce(({archived.format(name=name)}), false) LOOP "
    database.sql(waiting + "PERFORM pg_sleep(0.05); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$;")
    assert (database.archive / name).stat().st_size == 16 * 2**20


def test_rows_can_be_added_and_a_reset_takes_them_away(servers, database):
    servers.reset_servers()
    made = database.sql("SELECT system_identifier FROM pg_control_system();")
    servers.reset_servers()
    assert database.sql("SELECT system_identifier FROM pg_control_system();") == made
    assert database.grow(100) == DECLARATIONS + 100
    servers.reset_servers()
    assert database.sql("SELECT count(*) FROM declarations;") == str(DECLARATIONS)
    assert database.sql("SELECT count(*) FROM articles a JOIN taxes t USING (declaration, rang);") == str(
        6 * DECLARATIONS
    )


def test_a_stopped_server_starts_again_with_what_it_held(servers, database):
    count = database.grow(10)
    assert database.stop()
    assert not database.answers()
    assert not servers.is_up()
    servers.up(servers=True)
    assert database.sql("SELECT count(*) FROM declarations;") == str(count)
    servers.reset_servers()


def test_a_folder_closed_to_postgresql_is_told_before_anything_starts(servers, short_folder):
    layout = Layout("closed", servers.layout.network, short_folder / "closed")
    layout.root.mkdir()
    with pytest.raises(UsageError) as refused:
        Database(layout, servers.clock).start(servers.authority, servers.passwords)
    assert "postgres" in str(refused.value.what)
