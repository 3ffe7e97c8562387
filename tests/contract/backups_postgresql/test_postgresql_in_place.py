"""One database is put back in its place: beside the old one first, never over it, and whoever is killed when."""

import hashlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fix_cluster
import pytest
from fix_cluster import BIN, PASSWORD, Backups, Cluster, silent

from dsi_automation.connectors.backups.port import BackupWriter, RestoreOrder, StoredSet
from dsi_automation.core.errors import RefusedError, UsageError
from dsi_automation.core.secrets import Secret

IN_PLACE = RestoreOrder(database="sydam", overwrite=True)
SESSION = [str(BIN / "psql"), "-XAtq", "-U", "postgres", "-p", "5432", "-d", "sydam"]


def engine(backups: Backups, password: str = PASSWORD, user: str = "dsi_restore") -> BackupWriter:
    return backups.engine(restore_user=user, restore_password=Secret(password))


def names(cluster: Cluster) -> list[str]:
    return cluster.sql("SELECT datname FROM pg_database WHERE datname ~ 'sydam' ORDER BY 1", "postgres").splitlines()


def aside(cluster: Cluster) -> list[str]:
    return [name for name in names(cluster) if name != "sydam"]


@pytest.fixture
def made(own_backups: Backups) -> StoredSet:
    cluster = own_backups.cluster
    cluster.sql(
        "CREATE ROLE douane; ALTER DATABASE sydam OWNER TO douane; ALTER DATABASE sydam SET work_mem = '5MB';"
        "GRANT CREATE ON DATABASE sydam TO dsi_backup; CREATE SEQUENCE numeros; SELECT nextval('numeros');"
        "COMMENT ON DATABASE sydam IS 'Les déclarations';"
    )
    return own_backups.make()


def test_a_database_takes_its_place_and_the_old_one_stays(own_backups: Backups, made: StoredSet) -> None:
    cluster, before = own_backups.cluster, own_backups.cluster.checksum()
    cluster.sql("DELETE FROM declaration WHERE id % 2 = 0")
    spoilt, until = cluster.checksum(), cluster.now()
    cluster.sql("DROP TABLE declaration")
    done = engine(own_backups).restore(made, IN_PLACE, silent)
    assert [check for check in done.checks if not check.ok] == []
    assert "contents" in {check.name for check in done.checks}
    assert cluster.checksum() == before
    (old,) = aside(cluster)
    assert done.details["kept_as"] == old
    assert old in done.destination
    assert cluster.sql("SELECT count(*) FROM pg_class WHERE relname = 'declaration'", old) == "0"
    properties = (
        "SELECT pg_get_userbyid(datdba), datacl::text LIKE '%dsi_backup=C%', split_part(shobj_description(oid,"
        " 'pg_database'), chr(10), 1), (SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid)"
        " FROM pg_database d WHERE datname = 'sydam'"
    )
    assert cluster.sql(properties) == "douane|t|Les déclarations|{work_mem=5MB}"
    # To a moment, and again: each one that was there stays.
    done = engine(own_backups).restore(made, replace(IN_PLACE, until=until), silent)
    assert cluster.checksum() == before, "this run did it already, and does not do it twice"
    own_backups.permit.run_id = "RUN-2"
    done = engine(own_backups).restore(made, replace(IN_PLACE, until=until), silent)
    assert [check for check in done.checks if not check.ok] == []
    assert cluster.checksum() == spoilt
    assert len(aside(cluster)) == 2
    # Dropped by mistake: it comes back where it was.
    cluster.sql("DROP DATABASE sydam", "postgres")
    own_backups.permit.run_id = "RUN-3"
    done = engine(own_backups).restore(made, IN_PLACE, silent)
    assert cluster.checksum() == before
    assert done.details["kept_as"] is None
    assert len(aside(cluster)) == 2
    assert own_backups.leftovers() == []


@pytest.fixture
def session(own_backups: Backups) -> Iterator[subprocess.Popen[str]]:
    words = [*SESSION, "-h", str(own_backups.cluster.folder)]
    environment = {**os.environ, "PGAPPNAME": "guichet"}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("SELECT 'ici';\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ici\n"
        yield process
        process.stdin.close()


def test_nothing_is_taken_from_under_those_who_are_connected(
    own_backups: Backups, made: StoredSet, session: subprocess.Popen[str]
) -> None:
    with pytest.raises(RefusedError, match="guichet"):
        engine(own_backups).restore(made, IN_PLACE, silent)
    assert names(own_backups.cluster) == ["sydam"]
    assert session.poll() is None


def test_who_connects_while_it_is_loaded_keeps_his_database(own_backups: Backups, made: StoredSet) -> None:
    words = [*SESSION, "-h", str(own_backups.cluster.folder), "-c", "SELECT 'ici'", "-c", "SELECT pg_sleep(600)"]
    late: list[subprocess.Popen[str]] = []

    def meanwhile(said: object, *_: object) -> None:
        if str(getattr(said, "template", "")) == "Comparing.":
            late.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
            assert late[0].stdout is not None
            assert late[0].stdout.readline() == "ici\n"

    try:
        with pytest.raises(RefusedError, match="postgres@local"):
            engine(own_backups).restore(made, IN_PLACE, meanwhile)
        assert names(own_backups.cluster) == ["sydam"]
    finally:
        for process in late:
            process.kill()
            process.communicate()


KILLED = """
import pickle, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from fix_cluster import PASSWORD, Backups, Cluster
from dsi_automation.connectors.backups.port import RestoreOrder
from dsi_automation.core.secrets import Secret
backups = Backups(Cluster(Path({cluster!r})), Path({root!r}))
stored = pickle.loads(Path({stored!r}).read_bytes())
def told(said, *_):
    print(said.template, flush=True)
engine = backups.engine(restore_user="dsi_restore", restore_password=Secret(PASSWORD))
engine.restore(stored, RestoreOrder(database="sydam", overwrite=True), told)
"""


def test_a_kill_between_load_and_rename_is_finished_by_the_next_call(own_backups: Backups, made: StoredSet) -> None:
    cluster, before = own_backups.cluster, own_backups.cluster.checksum()
    cluster.sql("DELETE FROM declaration WHERE id > 10")
    kept = own_backups.root / "stored"
    kept.write_bytes(pickle.dumps(made))
    code = KILLED.format(
        tests=str(Path(fix_cluster.__file__).parent), cluster=str(cluster.folder), root=str(own_backups.root),
        stored=str(kept),
    )  # fmt: skip
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("Comparing." in line for line in process.stdout)
        os.kill(process.pid, signal.SIGKILL)
    (half,) = aside(cluster)
    assert "_dsi_" in half
    assert cluster.sql("SELECT count(*) FROM declaration") == "10"
    # Another killed run stopped between the making of its database and the first thing in it.
    own_backups.permit.run_id = "RUN-4"
    empty = f"sydam_dsi_{hashlib.sha256(b'RUN-4').hexdigest()[:8]}"
    cluster.sql(f"CREATE DATABASE {empty}", "postgres")
    done = engine(own_backups).restore(made, IN_PLACE, silent)
    assert [check for check in done.checks if not check.ok] == []
    assert cluster.checksum() == before
    assert half not in names(cluster)
    assert [name for name in aside(cluster) if "_avant_" not in name] == []
    assert own_backups.leftovers() == []


def test_what_may_not_or_cannot_be_put_back_is_refused_before_anything_is_touched(
    own_backups: Backups, made: StoredSet
) -> None:
    other = replace(made, made=replace(made.made, details={**made.made.details, "system_identifier": "7000000000000"}))
    own_backups.cluster.sql(f"CREATE ROLE faible LOGIN PASSWORD '{PASSWORD}'")
    may = engine(own_backups)
    for tried, stored, order, error, match in (
        (own_backups.engine(), made, IN_PLACE, UsageError, "no role"),
        (may, made, replace(IN_PLACE, overwrite=False), RefusedError, "take the place"),
        (may, made, replace(IN_PLACE, database=None), UsageError, "never written over"),
        (may, made, replace(IN_PLACE, database="nulle"), UsageError, "nulle"),
        (may, other, IN_PLACE, RefusedError, "another cluster"),
        (engine(own_backups, user="faible"), made, IN_PLACE, RefusedError, "faible"),
        (engine(own_backups, password="Pas-Le-Bon-Mot-77"), made, IN_PLACE, RefusedError, "authentication"),
    ):
        with pytest.raises(error) as raised:
            tried.restore(stored, order, silent)
        assert match in raised.value.what.template + str(raised.value)
        assert "Pas-Le-Bon-Mot-77" not in str(raised.value.to_json())
    assert names(own_backups.cluster) == ["sydam"]


def test_a_server_that_does_not_take_it_keeps_what_it_has(own_backups: Backups, made: StoredSet) -> None:
    cluster, before = own_backups.cluster, own_backups.cluster.checksum()
    # Of a role that owns nothing there, but something in the set.
    cluster.sql("ALTER DATABASE sydam OWNER TO postgres; DROP OWNED BY douane; DROP ROLE douane;")
    with pytest.raises(RefusedError, match="douane"):
        engine(own_backups).restore(made, IN_PLACE, silent)
    assert names(cluster) == ["sydam"]
    assert cluster.checksum() == before
