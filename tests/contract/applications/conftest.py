"""What these tests share."""

import pytest


@pytest.fixture(autouse=True)
def _in_english(monkeypatch):
    """Read messages as they stand in the code."""
    monkeypatch.setenv("DSI_LANG", "en")
