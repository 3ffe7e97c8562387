"""The counter, for the tests of this folder."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine_house"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit/operations/accounts"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from counter import Counter


@pytest.fixture
def counter(tmp_path, monkeypatch, capsys):
    """A counter, its journal closed in the end."""
    for name in ("DSI_LANG", "DSI_DEBUG", "NO_COLOR"):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    made = Counter(tmp_path, capsys)
    yield made
    made.house.journal.close()
