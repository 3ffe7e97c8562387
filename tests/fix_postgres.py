"""A real PostgreSQL for the tests: own cluster in a temporary folder, on a Unix socket, nothing on the network."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def _program(name: str) -> str:
    found = shutil.which(name) or next(
        iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    assert found, f"{name} is not installed: apt-get install postgresql"
    return str(found)


def _as_postgres(*command: str) -> None:
    # initdb refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """Return the folder of the socket of a running server; its superuser is `postgres`, without a password."""
    folder = Path(tempfile.mkdtemp(prefix="dsi-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = str(folder / "data")
    try:
        _as_postgres(
            _program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        options = f"-c listen_addresses='' -k {folder} -c fsync=off -c shared_buffers=16MB -c max_connections=40"
        _as_postgres(_program("pg_ctl"), "-D", data, "-w", "-s", "-l", str(folder / "log"), "-o", options, "start")
        yield folder
        _as_postgres(_program("pg_ctl"), "-D", data, "-w", "-s", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgres_database(postgres_socket: Path) -> Callable[[], str]:
    """Return a function that makes an empty database and returns its URL."""
    numbers = itertools.count(1)

    def make() -> str:
        name = f"journal{next(numbers)}"
        _as_postgres(_program("createdb"), "-h", str(postgres_socket), "-U", "postgres", name)
        return f"postgresql://postgres@/{name}?host={postgres_socket}"

    return make
