"""Makes `shop` and the engine's `house` importable, and hands out a shop on a real PostgreSQL."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine_house"))

from shop import Shop


@pytest.fixture(scope="session")
def shop_database(new_postgres_database: Callable[[], str]) -> str:
    """Return the name of the database that the tests of this folder use one after the other."""
    return new_postgres_database().partition("?")[0].rpartition("/")[2]


@pytest.fixture
def shop(tmp_path: Path, shop_database: str, postgres_socket: Path) -> Iterator[Shop]:
    """Return an application with its tariff and its logins as they are at first."""
    made = Shop(tmp_path, str(postgres_socket), shop_database)
    yield made
    made.house.journal.close()
