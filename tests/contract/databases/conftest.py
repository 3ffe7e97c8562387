"""A PostgreSQL behind an application, on TCP with TLS, with roles as a production database has them."""

import os
import shutil
import socket
import threading
from dataclasses import replace

import psycopg
import pytest
from fix_cluster import Permit, new_cluster

from dsi_automation.connectors.databases.port import DatabaseSettings
from dsi_automation.connectors.databases.postgresql import PostgresDatabase
from dsi_automation.core.clock import SystemClock
from dsi_automation.core.secrets import Secret
from dsi_automation.lab.ca import Authority

PASSWORD = "Mot-de-Passe-De-SYDAM-7"
ROLES = f"""
CREATE ROLE dsi LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_monitor, pg_signal_backend;
CREATE ROLE borgne LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE sydam LOGIN;
CREATE ROLE kone LOGIN;
"""
TABLES = """
CREATE TABLE declaration (id int PRIMARY KEY, bureau text, montant numeric(12,2), quand timestamptz);
CREATE TABLE article (id int PRIMARY KEY, declaration int REFERENCES declaration);
CREATE TABLE compte (login text PRIMARY KEY, secret text UNIQUE DEFERRABLE, age int CHECK (age > 0));
INSERT INTO declaration SELECT i, 'ABJ' || i % 7, i * 1.1, '2026-11-22 08:00Z' FROM generate_series(1, 20) i;
GRANT ALL ON ALL TABLES IN SCHEMA public TO dsi, sydam, kone;
GRANT ALL ON SCHEMA public TO dsi;
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def sydam_cluster():
    with new_cluster() as cluster:
        cluster.stop()
        cluster.port = free_port()
        Authority(cluster.folder / "ca", SystemClock()).ensure()
        authority = Authority(cluster.folder / "ca", SystemClock())
        certificate, key = authority.issue("db1", ["db1.example"], ["127.0.0.1"])
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copy(source, cluster.data / name)
            (cluster.data / name).chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(cluster.data / name, "postgres", "postgres")
        (cluster.folder / "ca").chmod(0o755)
        conf = cluster.data / "postgresql.auto.conf"
        conf.write_text(
            f"{conf.read_text()}\nlisten_addresses = '127.0.0.1'\nport = {cluster.port}\nssl = on\n"
            "archive_mode = off\nmax_prepared_transactions = 2\n"
        )
        (cluster.data / "pg_hba.conf").write_text(
            "local all postgres trust\nhost all sydam,kone all trust\nhost all all all scram-sha-256\n"
        )
        cluster.start()
        cluster.sql(ROLES, "postgres")
        cluster.authority = authority
        yield cluster


@pytest.fixture
def sydam(sydam_cluster):
    """Return a cluster with a fresh database `sydam`."""
    sydam_cluster.sql("DROP DATABASE IF EXISTS sydam WITH (FORCE)", "postgres")
    sydam_cluster.sql("CREATE DATABASE sydam", "postgres")
    sydam_cluster.sql(TABLES)
    return sydam_cluster


@pytest.fixture
def settings(sydam):
    return DatabaseSettings(
        name="sydam", server="127.0.0.1", port=sydam.port, database="sydam", user="dsi", password=Secret(PASSWORD),
        ca_file=None, application_user="sydam", timeout=5.0,
    )  # fmt: skip


@pytest.fixture
def permit():
    return Permit()


@pytest.fixture
def opened(settings, permit):
    """Return a function that opens the database, with changes to its settings; closed at the end."""
    made = []

    def opened(*, allowed=permit, lock_wait=30.0, **changes):
        database = PostgresDatabase(replace(settings, **changes), SystemClock(), allowed, "sydam", lock_wait)
        made.append(database)
        return database

    yield opened
    for database in made:
        database.close()


@pytest.fixture
def database(opened):
    return opened()


@pytest.fixture
def client(settings):
    """Return a function that connects as somebody else, as an application or a technician's tool does."""
    made = []

    def connected(user="kone", program="sydam-client"):
        connection = psycopg.connect(
            host=settings.server, port=settings.port, dbname=settings.database, user=user, application_name=program
        )
        made.append(connection)
        return connection

    yield connected
    for connection in made:
        connection.close()


@pytest.fixture
def in_background():
    """Return a function that runs something in a thread; all have ended when the test has."""
    threads = []

    def run(what, *arguments):
        def quiet():
            try:
                what(*arguments)
            except psycopg.Error:
                return

        thread = threading.Thread(target=quiet)
        threads.append(thread)
        thread.start()
        return thread

    yield run
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
