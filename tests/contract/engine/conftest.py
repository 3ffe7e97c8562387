"""The engine's small world, for the tests of this folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine_house"))

from house import House


@pytest.fixture
def house(tmp_path):
    """One target, one journal, four persons."""
    made = House(tmp_path)
    yield made
    made.journal.close()
